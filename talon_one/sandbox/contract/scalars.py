"""Checks of texts, numbers, booleans, timestamps and enums in request bodies."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final, TypeAlias

from talon_one.sandbox.contract.problems import Place, Problems
from talon_one.sandbox.values import parse_time

Check: TypeAlias = Callable[[Any, Place, Problems], Any]
"""Takes a value, its place and the list of problems; returns the normalized value."""

INT64 = 2**63
LARGEST_AMOUNT = 10**15
MAX_MATCHED = 10_000
"""Length of the texts that are matched with a pattern: matching millions of characters takes
hundreds of megabytes."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def text_check(constraints: Mapping[str, Any]) -> Check:
    """Return the check of a text."""
    minimum = constraints.get("min_length", 0)
    pattern = constraints.get("pattern", "")
    limit = constraints.get("max_length", MAX_MATCHED if pattern else math.inf)
    # On the platform, \w and \s match ASCII only.
    matches = re.compile(pattern, re.ASCII).search

    def check(value: Any, place: Place, problems: Problems) -> Any:
        if not isinstance(value, str):
            problems.mistyped(value, "a string", place)
        elif len(value) < minimum:
            problems.add("minLength", f"must have at least {minimum} character(s)", place)
        elif len(value) > limit:
            problems.add("maxLength", f"must have at most {limit} characters", place)
        elif pattern and matches(value) is None:
            # `\Z` is how Python writes the end of the text.
            shown = pattern.replace("\\Z", "$")
            problems.add("pattern", f"must match {shown}", place)
        return value

    return check


def integer_check(constraints: Mapping[str, Any]) -> Check:
    """Return the check of a whole number, whose bounds are those of int64 unless it has others."""
    minimum = constraints.get("minimum", -INT64) + bool(constraints.get("exclusive_minimum"))
    maximum = constraints.get("maximum", INT64 - 1) - bool(constraints.get("exclusive_maximum"))

    def check(value: Any, place: Place, problems: Problems) -> Any:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            problems.mistyped(value, "an integer", place)
        elif not minimum <= value <= maximum:
            problems.add("range", f"must be from {minimum} to {maximum}", place)
        return value

    return check


def number_check(constraints: Mapping[str, Any]) -> Check:
    """Return the check of an amount: any finite number of at most 10^15 either way."""
    minimum = constraints.get("minimum", -LARGEST_AMOUNT)
    maximum = min(constraints.get("maximum", LARGEST_AMOUNT), LARGEST_AMOUNT)
    above = constraints.get("exclusive_minimum", False)
    below = constraints.get("exclusive_maximum", False)
    at_least = operator.lt if above else operator.le
    at_most = operator.lt if below else operator.le
    bounds = f"must be from {minimum} to {maximum}"
    if above or below:
        lower = f"above {minimum}" if above else f"at least {minimum}"
        bounds = f"must be {lower} and {'below' if below else 'at most'} {maximum}"
    elif not constraints:
        bounds = f"must not exceed {LARGEST_AMOUNT}"

    def check(value: Any, place: Place, problems: Problems) -> Any:
        if not _is_number(value):
            problems.mistyped(value, "a number", place)
        elif not (at_least(minimum, value) and at_most(value, maximum)):
            problems.add("range", bounds, place)
        return value

    return check


def _is_number(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def choice_check(values: tuple[Any, ...]) -> Check:
    """Return the check of an enum."""

    def check(value: Any, place: Place, problems: Problems) -> Any:
        if not isinstance(value, str):
            problems.mistyped(value, "a string", place)
        elif value not in values:
            problems.unlisted(values, place)
        return value

    return check


def check_boolean(value: Any, place: Place, problems: Problems) -> Any:
    """Accept `true` and `false`."""
    if not isinstance(value, bool):
        problems.mistyped(value, "a boolean", place)
    return value


def check_timestamp(value: Any, place: Place, problems: Problems) -> Any:
    """Accept an RFC 3339 timestamp, and return it in canonical form."""
    if isinstance(value, str):
        try:
            return parse_time(value)
        except ValueError:
            pass
    problems.mistyped(value, "an RFC 3339 timestamp", place)
    return value


def check_day(value: Any, place: Place, problems: Problems) -> Any:
    """Accept a date such as `2026-01-31`."""
    if not is_day(value):
        problems.mistyped(value, "a date", place)
    return value


def is_day(value: Any) -> bool:
    """Return whether a value is the text of a date such as `2026-01-31`."""
    if not isinstance(value, str) or _DAY.fullmatch(value) is None:
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def accept(value: Any, place: Place, problems: Problems) -> Any:
    """Accept any JSON."""
    return value


SCALARS: Final[Mapping[str, Callable[[Mapping[str, Any]], Check]]] = {
    "Any": lambda _: accept,
    "bool": lambda _: check_boolean,
    "date": lambda _: check_day,
    "datetime": lambda _: check_timestamp,
    "float": number_check,
    "int": integer_check,
    "str": text_check,
}
"""How the check of each kind of scalar is made from its constraints."""
