"""Scalars beyond Python's own: of numpy and pandas, very large numbers, unchecked values."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Any

from talon_one._utils.quoting import message_of
from talon_one.exceptions import ApiTypeError


class Unchecked(str):
    """The type of what `unchecked` returns."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"talon_one.unchecked({super().__repr__()})"


def unchecked(value: str) -> Any:
    """Return a text that is sent although the API description does not list it.

    For a value that the platform has and this release does not know: it is accepted in the place
    of any of the listed ones, in models, dicts, lists and parameters. It is equal to the text and
    is written as it.

    Raises:
        ApiTypeError: *value* is no text; all values that are listed anywhere are texts.
    """
    if not isinstance(value, str) or isinstance(value, Enum):
        raise ApiTypeError(f"unchecked takes the text to send, not {type(value).__name__}")
    return Unchecked(value)


class LongNumber(float):
    """A JSON number beyond all floats, such as 1e400: it reads as infinity, and is sent as it came.

    Attributes:
        text: The number as it was written.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        if isinstance(other, LongNumber):
            return self.text == other.text
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return super().__hash__()

    def __repr__(self) -> str:
        return self.text

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.text,)


def native(value: Any) -> Any:
    """Return a member of an enumeration, or a scalar of numpy and its like, as Python's own value.

    Everything else is returned as it is.
    """
    if isinstance(value, Enum):
        return value.value
    if type(value) in _ATOMS or hasattr(type(value), "__wire__"):
        return value
    if getattr(value, "shape", None) == () and hasattr(value, "dtype"):
        if type(value).__name__ != "datetime64":
            return value.item()
        # To nanoseconds it would become a number, as it does where no datetime reaches.
        moment = value.astype("datetime64[us]").item()
        return moment if isinstance(moment, datetime) else value
    return value


def is_missing(value: Any) -> bool:
    """Return whether this is what pandas and numpy have in place of a value that is missing."""
    name = type(value).__name__
    return name in _MISSING or (name == "datetime64" and bool(value != value))


def whole(value: Any) -> int | None:
    """Return a number as an integer if it is one: by its type, or a decimal without a fraction."""
    from decimal import Decimal
    from numbers import Integral

    if isinstance(value, bool):
        return None
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() <= _LARGEST_EXPONENT:
        return int(value) if value == value.to_integral_value() else None
    return None


def said(cause: BaseException) -> str:
    """Return what an exception says, or its name if it says nothing or fails to."""
    return message_of(cause) or type(cause).__name__


_ATOMS = frozenset({str, bool, int, float, type(None)})
_MISSING = frozenset({"NaTType", "NAType"})
_LARGEST_EXPONENT = 308
"""That of the largest floats; a decimal may have one of a billion, and take as many digits."""
