"""Numbers of units: of a line, of a cart item, of a return."""

from __future__ import annotations

from typing import Any

from talon_one._schema.scalars import native, whole
from talon_one._utils.guard import guarded
from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiValueError

MAX_UNITS = 10_000
"""Sum of the quantities that one request may contain."""


def quantity_of(value: Any, what: str) -> int:
    """Return a number of units as an `int`.

    Raises:
        ApiValueError: It is negative, not a whole number, or more than a session takes.
    """
    with guarded(what):
        value = native(value)
        number = int(value) if type(value) is float and value.is_integer() else whole(value)
    if number is None:
        raise ApiValueError(f"{what} is {quoted(value)}, not a whole number")
    if number < 0:
        raise ApiValueError(f"{what} is {quoted(value)}, which is negative")
    if number > MAX_UNITS:
        raise ApiValueError(
            f"{what} is {quoted(value)}, and a session takes at most {MAX_UNITS:,} units"
        )
    return number
