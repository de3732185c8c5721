"""Validate scalars: text, numbers, dates, enumerations."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from talon_one._schema.dates import date_error, offset_of, timestamp_error
from talon_one._schema.scalars import LongNumber, Unchecked, is_missing, native, whole
from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiValueError, Violation

Violations = Sequence[Violation]
Check = Callable[[Any], Violations]
"""Returns the violations of a value, with paths relative to it."""


def violation(message: str) -> Violations:
    """Return one violation, at the value itself."""
    return (Violation((), message),)


def literal_check(values: tuple[Any, ...]) -> Check:
    """Return the check of an enum value."""

    def check(value: Any) -> Violations:
        inner = native(value)
        # Only these are known to be comparable.
        if isinstance(inner, (str, int, float)) and inner in values:
            return NO_VIOLATIONS
        if isinstance(inner, Unchecked):
            return NO_VIOLATIONS
        allowed = ", ".join(repr(each) for each in values)
        message = f"must be one of {allowed}, not {quoted(value)}"
        if isinstance(inner, str):
            message += f"; to send it anyway, use talon_one.unchecked({quoted(str(inner))})"
        return violation(message)

    return check


def text_check(constraints: Mapping[str, Any]) -> Check:
    """Return the check of a text."""
    minimum = constraints.get("min_length", 0)
    limit = constraints.get("max_length", _INFINITY)
    pattern = constraints.get("pattern")
    secret = constraints.get("secret", False)
    # On the platform, \w and \s match ASCII only.
    matches = re.compile(pattern, re.ASCII).search if pattern else None

    def check(value: Any) -> Violations:
        if type(value) is str:
            if matches is None and minimum <= len(value) <= limit:
                return NO_VIOLATIONS
        else:
            value = native(value)
            if not isinstance(value, str):
                return (
                    NO_VIOLATIONS
                    if _is_uuid(value)
                    else violation(f"must be text, not {type_name(value)}")
                )
        found: list[Violation] = []
        if len(value) < minimum:
            found += violation(
                f"must have at least {minimum} characters, not {len(value)}"
                if value
                else "must not be empty"
            )
        if len(value) > limit:
            found += violation(f"must have at most {limit} characters, not {len(value)}")
        if matches is not None and matches(value) is None:
            text = "the secret" if secret else quoted(value)
            found += violation(f"must match {pattern}, which {text} does not")
        return found

    return check


def number_check(kind: str, constraints: Mapping[str, Any]) -> Check:
    """Return the check of a number; *kind* is ``int`` or ``float``."""
    minimum = constraints.get("minimum", -_INFINITY)
    limit = constraints.get("maximum", _INFINITY)
    above = constraints.get("exclusive_minimum", False)
    below = constraints.get("exclusive_maximum", False)
    usual = (int,) if kind == "int" else (float, int)
    # Bounds that every finite number within them is good for.
    inclusive = not (above or below)

    def check(value: Any) -> Violations:
        if type(value) in usual:
            # Infinity less itself is no number.
            if inclusive and minimum <= value <= limit and value - value == 0:
                return NO_VIOLATIONS
        else:
            value = native(value)
            if not _is_number(value, kind):
                noun = "an integer" if kind == "int" else "a number"
                return violation(f"must be {noun}, not {type_name(value)}")
        if not _is_finite(value):
            return violation(f"must be a finite number, not {quoted(value)}")
        if value < minimum or (above and value == minimum):
            return violation(
                f"must be {'above' if above else 'at least'} {minimum}, not {quoted(value)}"
            )
        if value > limit or (below and value == limit):
            bound = f"{'below' if below else 'at most'} {limit}"
            return violation(f"must be {bound}, not {quoted(value)}")
        return NO_VIOLATIONS

    return check


def check_bool(value: Any) -> Violations:
    """Check a boolean."""
    if isinstance(native(value), bool):
        return NO_VIOLATIONS
    return violation(f"must be True or False, not {type_name(value)}")


def check_datetime(value: Any) -> Violations:
    """Check a timestamp, given as a datetime or as text."""
    value = native(value)
    if isinstance(value, str):
        message = timestamp_error(value)
        return violation(message) if message else NO_VIOLATIONS
    if isinstance(value, datetime):
        return _check_zone(value)
    if isinstance(value, date):
        moment = f"datetime({value.year}, {value.month}, {value.day}, tzinfo=timezone.utc)"
        return violation(
            f"must be a datetime, not {type_name(value)}; a day has no time, give {moment}"
        )
    return violation(f"must be a datetime, not {type_name(value)}")


def _check_zone(moment: datetime) -> Violations:
    if is_missing(moment):
        return violation(_MISSING.format(type_name(moment)))
    try:
        return violation(_NAIVE) if offset_of(moment) is None else NO_VIOLATIONS
    except ApiValueError as cause:
        return violation(f"must have a time zone that works; {cause.message}")


def check_date(value: Any) -> Violations:
    """Check a date, given as a date or as text."""
    value = native(value)
    if isinstance(value, str):
        message = date_error(value)
        return violation(message) if message else NO_VIOLATIONS
    # In Python a datetime is a date; in JSON it would become a timestamp.
    if not isinstance(value, date) or isinstance(value, datetime):
        return violation(f"must be a date, not {type_name(value)}")
    return NO_VIOLATIONS


def check_free_scalar(value: Any) -> Violations:
    """Check a value of unknown type."""
    if is_missing(value):
        return violation(_MISSING.format(type_name(value)))
    value = native(value)
    if _is_number(value, "float") and not _is_finite(value):
        return violation(f"must be a finite number, not {quoted(value)}")
    return _check_zone(value) if isinstance(value, datetime) else NO_VIOLATIONS


def _is_finite(value: Any) -> bool:
    # Comparing fails for a decimal NaN, which has a method instead.
    is_finite = getattr(value, "is_finite", None)
    if is_finite is not None:
        return bool(is_finite())
    return (value == value and abs(value) != _INFINITY) or isinstance(value, LongNumber)


def _is_number(value: Any, kind: str) -> bool:
    from decimal import Decimal
    from numbers import Real

    if isinstance(value, bool):
        return False
    if kind == "int":
        # A number beyond the range of floats has no fraction.
        return whole(value) is not None or isinstance(value, LongNumber)
    return isinstance(value, (Real, Decimal))


def _is_uuid(value: Any) -> bool:
    from uuid import UUID

    return isinstance(value, UUID)


def type_name(value: Any) -> str:
    """Return the name of the type of a value for messages."""
    return "null" if value is None else type(value).__name__


_INFINITY = float("inf")
_NAIVE = "must have a time zone, such as datetime.now(timezone.utc)"
_MISSING = "must not be missing, as {} is"
NO_VIOLATIONS: Violations = ()
