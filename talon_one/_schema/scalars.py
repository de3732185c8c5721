"""Scalars that are not Python's own: those of numpy and pandas, huge numbers, unchecked texts."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Any

from talon_one._utils.quoting import message_of
from talon_one.exceptions import ApiTypeError


class Unchecked(str):
    """The type that `unchecked` returns."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"talon_one.unchecked({super().__repr__()})"


def unchecked(value: str) -> Any:
    """Return a text that is sent although the API description does not list it.

    For values of the platform that this release does not know. It is accepted in place of a listed
    value in models, dicts, lists and parameters. It equals the text and is sent as it.

    Raises:
        ApiTypeError: *value* is not text, as all listed values are.
    """
    if not isinstance(value, str) or isinstance(value, Enum):
        raise ApiTypeError(f"unchecked takes the text to send, not {type(value).__name__}")
    return Unchecked(value)


class LongNumber(float):
    """A JSON number beyond floats, such as 1e400: reads as infinity, and is sent as received.

    Attributes:
        text: The number as received.
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
    """Return an enum member, or a scalar of numpy or pandas, as a plain Python value.

    Any other value is returned unchanged.
    """
    if isinstance(value, Enum):
        return value.value
    if type(value) in _ATOMS or hasattr(type(value), "__wire__"):
        return value
    if getattr(value, "shape", None) == () and hasattr(value, "dtype"):
        if type(value).__name__ != "datetime64":
            return value.item()
        # Nanoseconds, and dates beyond datetime, would become a number.
        moment = value.astype("datetime64[us]").item()
        return moment if isinstance(moment, datetime) else value
    return value


def is_missing(value: Any) -> bool:
    """Return whether this is a missing value of pandas or numpy."""
    name = type(value).__name__
    return name in _MISSING or (name == "datetime64" and bool(value != value))


def whole(value: Any) -> int | None:
    """Return an integer, or a decimal without a fraction, as `int`; else ``None``."""
    from decimal import Decimal
    from numbers import Integral

    if isinstance(value, bool):
        return None
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() <= _LARGEST_EXPONENT:
        return int(value) if value == value.to_integral_value() else None
    return None


def reason_of(cause: BaseException) -> str:
    """Return the message of an exception, or its name if there is none."""
    return message_of(cause) or type(cause).__name__


_ATOMS = frozenset({str, bool, int, float, type(None)})
_MISSING = frozenset({"NaTType", "NAType"})
_LARGEST_EXPONENT = 308
"""Exponent of the largest floats. Decimals may have one of a billion, with as many digits."""
