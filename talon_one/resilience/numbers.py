"""Check the numbers that settings of this package take."""

from __future__ import annotations

from math import isfinite

from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiTypeError

_SHORTEST = 0.001
_LONGEST = 1e9


def whole(name: str, value: object) -> int:
    """Return a setting that is a whole number above 0.

    Raises:
        ApiTypeError: It is anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ApiTypeError(f"{name} is a whole number above 0, not {quoted(value)}")
    return int(value)


def seconds(name: str, value: object) -> float:
    """Return a setting that is a number of seconds, from a millisecond to 30 years.

    Raises:
        ApiTypeError: It is anything else.
    """
    number = _finite(value)
    if number is None or not _SHORTEST <= number <= _LONGEST:
        raise ApiTypeError(
            f"{name} is a number of seconds from {_SHORTEST} to {_LONGEST:.0f}, not {quoted(value)}"
        )
    return number


def rate(name: str, value: object) -> float:
    """Return a setting that is a number from 0 to 1.

    Raises:
        ApiTypeError: It is anything else.
    """
    number = _finite(value)
    if number is None or not 0 <= number <= 1:
        raise ApiTypeError(f"{name} is a number from 0 to 1, not {quoted(value)}")
    return number


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:  # An integer beyond all floats.
        return None
    return number if isfinite(number) else None
