"""Validate scalars: text, numbers, dates, enumerations."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from talon_one._schema.dates import day_fault, offset_of, timestamp_fault
from talon_one._schema.scalars import LongNumber, Unchecked, is_missing, native, whole
from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiValueError, Violation

Found = Sequence[Violation]
Check = Callable[[Any], Found]
"""Returns the violations of a value, with paths relative to it."""


def refusal(message: str) -> Found:
    """Return one violation, at the value itself."""
    return (Violation((), message),)


def literal_check(values: tuple[Any, ...]) -> Check:
    """Return the check of a value that is one of a list."""

    def check(value: Any) -> Found:
        inner = native(value)
        # Only these are known to be comparable.
        if isinstance(inner, (str, int, float)) and inner in values:
            return NOTHING
        if isinstance(inner, Unchecked):
            return NOTHING
        admitted = ", ".join(repr(each) for each in values)
        fault = f"must be one of {admitted}, not {quoted(value)}"
        if isinstance(inner, str):
            fault += f"; talon_one.unchecked({quoted(str(inner))}) would be sent all the same"
        return refusal(fault)

    return check


def text_check(constraints: Mapping[str, Any]) -> Check:
    """Return the check of a text."""
    minimum = constraints.get("min_length", 0)
    limit = constraints.get("max_length", _INFINITY)
    pattern = constraints.get("pattern")
    secret = constraints.get("secret", False)
    # The platform's own notion of \w and \s is ASCII.
    matches = re.compile(pattern, re.ASCII).search if pattern else None

    def check(value: Any) -> Found:
        if type(value) is not str:
            value = native(value)
            if not isinstance(value, str):
                return (
                    NOTHING if _is_uuid(value) else refusal(f"must be text, not {kind_of(value)}")
                )
        if minimum <= len(value) <= limit and (matches is None or matches(value)):
            return NOTHING
        found: list[Violation] = []
        if len(value) < minimum:
            found += refusal(
                f"must have at least {minimum} characters, not {len(value)}"
                if value
                else "must not be empty"
            )
        if len(value) > limit:
            found += refusal(f"must have at most {limit} characters, not {len(value)}")
        if matches is not None and matches(value) is None:
            text = "the secret" if secret else quoted(value)
            found += refusal(f"must match {pattern}, which {text} does not")
        return found

    return check


def number_check(kind: str, constraints: Mapping[str, Any]) -> Check:
    """Return the check of a number; *kind* is ``int`` or ``float``."""
    minimum = constraints.get("minimum", -_INFINITY)
    limit = constraints.get("maximum", _INFINITY)
    above = constraints.get("exclusive_minimum", False)
    below = constraints.get("exclusive_maximum", False)
    usual = (int,) if kind == "int" else (float, int)

    def check(value: Any) -> Found:
        if type(value) not in usual:
            value = native(value)
            if not _is_number(value, kind):
                noun = "an integer" if kind == "int" else "a number"
                return refusal(f"must be {noun}, not {kind_of(value)}")
        if not _is_finite(value):
            return refusal(f"must be a finite number, not {quoted(value)}")
        if value < minimum or (above and value == minimum):
            return refusal(
                f"must be {'above' if above else 'at least'} {minimum}, not {quoted(value)}"
            )
        if value > limit or (below and value == limit):
            bound = f"{'below' if below else 'at most'} {limit}"
            return refusal(f"must be {bound}, not {quoted(value)}")
        return NOTHING

    return check


def check_bool(value: Any) -> Found:
    """Check a boolean."""
    if isinstance(native(value), bool):
        return NOTHING
    return refusal(f"must be True or False, not {kind_of(value)}")


def check_datetime(value: Any) -> Found:
    """Check a timestamp, given as a datetime or as text."""
    value = native(value)
    if isinstance(value, str):
        fault = timestamp_fault(value)
        return refusal(fault) if fault else NOTHING
    if isinstance(value, datetime):
        return _check_zone(value)
    if isinstance(value, date):
        moment = f"datetime({value.year}, {value.month}, {value.day}, tzinfo=timezone.utc)"
        return refusal(
            f"must be a datetime, not {kind_of(value)}; a day has no time, give {moment}"
        )
    return refusal(f"must be a datetime, not {kind_of(value)}")


def _check_zone(moment: datetime) -> Found:
    if is_missing(moment):
        return refusal(_MISSING.format(kind_of(moment)))
    try:
        return refusal(_NAIVE) if offset_of(moment) is None else NOTHING
    except ApiValueError as cause:
        return refusal(f"must have a time zone that works; {cause.message}")


def check_date(value: Any) -> Found:
    """Check a day, given as a date or as text."""
    value = native(value)
    if isinstance(value, str):
        fault = day_fault(value)
        return refusal(fault) if fault else NOTHING
    # In Python a datetime is a date; in JSON it would become a timestamp.
    if not isinstance(value, date) or isinstance(value, datetime):
        return refusal(f"must be a date, not {kind_of(value)}")
    return NOTHING


def check_free_scalar(value: Any) -> Found:
    """Check a value of unknown type."""
    if is_missing(value):
        return refusal(_MISSING.format(kind_of(value)))
    value = native(value)
    if _is_number(value, "float") and not _is_finite(value):
        return refusal(f"must be a finite number, not {quoted(value)}")
    return _check_zone(value) if isinstance(value, datetime) else NOTHING


def _is_finite(value: Any) -> bool:
    # Comparing fails for a decimal NaN, which has a method instead.
    of_decimal = getattr(value, "is_finite", None)
    if of_decimal is not None:
        return bool(of_decimal())
    return (value == value and abs(value) != _INFINITY) or isinstance(value, LongNumber)


def _is_number(value: Any, kind: str) -> bool:
    from decimal import Decimal
    from numbers import Real

    if isinstance(value, bool):
        return False
    if kind == "int":
        # A number beyond all floats has no fraction.
        return whole(value) is not None or isinstance(value, LongNumber)
    return isinstance(value, (Real, Decimal))


def _is_uuid(value: Any) -> bool:
    from uuid import UUID

    return isinstance(value, UUID)


def kind_of(value: Any) -> str:
    """Return the name of the type of a value for messages."""
    return "null" if value is None else type(value).__name__


_INFINITY = float("inf")
_NAIVE = "must have a time zone, such as datetime.now(timezone.utc)"
_MISSING = "must not be missing, as {} is"
NOTHING: Found = ()
