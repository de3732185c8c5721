"""The operators of `checkAttribute`: what they compare, and when they hold.

Every operator is a function of the attribute's value and its operands. It raises `WrongType`
where it has no meaning for a value, rather than being false.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from talon_one.sandbox.rules.compiled import WrongType
from talon_one.sandbox.rules.expressions import text_of
from talon_one.sandbox.rules.scope import Unit


class Comparison(NamedTuple):
    """An operator with one operand.

    Attributes:
        holds: Whether it holds for a value and the operand.
        kind: What a constant operand must be, see `operands.KINDS`.
    """

    holds: Callable[[Any, Any], bool]
    kind: str


def equals(value: Any, other: Any) -> bool:
    """Return whether two scalars are equal; those of different types by their texts."""
    if value.__class__ is other.__class__ and isinstance(value, (Decimal, str, bool, datetime)):
        return bool(value == other)
    _require_scalar(value, "equals")
    _require_scalar(other, "equals")
    return text_of(value) == text_of(other)


def occurs(value: Any, elements: Any) -> bool:
    """Return whether a list has an element equal to the value."""
    _require_list(elements, "a list of values")
    return any(equals(value, each) for each in elements)


def _require_scalar(value: Any, name: str) -> None:
    if not isinstance(value, (Decimal, str, bool, datetime)):
        raise WrongType(f"{name} compares numbers, texts, times and truth values")


def _require_list(value: Any, what: str) -> None:
    if not isinstance(value, (list, tuple)):
        raise WrongType(f"{what} is not a list")


def _ordered(compare: Callable[[Any, Any], bool], name: str) -> Callable[[Any, Any], bool]:
    def holds(value: Any, other: Any) -> bool:
        if value.__class__ is Decimal and other.__class__ is Decimal:
            return compare(value, other)
        raise WrongType(f"{name} compares numbers")

    return holds


def _timed(compare: Callable[[Any, Any], bool], name: str) -> Callable[[Any, Any], bool]:
    def holds(value: Any, other: Any) -> bool:
        if isinstance(value, datetime) and isinstance(other, datetime):
            return compare(value, other)
        raise WrongType(f"{name} compares times")

    return holds


def _textual(compare: Callable[[str, str], bool], name: str) -> Callable[[Any, Any], bool]:
    def holds(value: Any, other: Any) -> bool:
        return compare(as_text(value, name), as_text(other, name))

    return holds


def as_text(value: Any, name: str) -> str:
    """Return a text as it is, and a time as the text that it was.

    Raises:
        WrongType: If the value is neither.
    """
    if isinstance(value, (str, datetime)):
        return text_of(value)
    raise WrongType(f"{name} takes texts")


def contains(value: Any, other: Any) -> bool:
    """Return whether a text contains another, or a list an element equal to the value."""
    if isinstance(value, (list, tuple)):
        return occurs(other, value)
    return as_text(other, "contains") in as_text(value, "contains")


def between(value: Any, low: Any, high: Any) -> bool:
    """Return whether a number or time lies between two others, which do not belong to it."""
    for kind in (Decimal, datetime):
        if all(isinstance(each, kind) for each in (value, low, high)):
            return bool(low < value < high)
    raise WrongType("between compares three numbers or three times")


def within(
    value: Any, start: Any, end: Any, with_start: bool, with_end: bool, wall_clock: bool
) -> bool:
    """Return whether a time lies in a period.

    Args:
        value: The time.
        start: Start of the period.
        end: End of the period.
        with_start: Whether the start belongs to it.
        with_end: Whether the end belongs to it.
        wall_clock: Whether dates and clocks are compared as written, without their offsets.
    """
    moments = (value, start, end)
    if not all(isinstance(each, datetime) for each in moments):
        raise WrongType("within compares times")
    if wall_clock:
        value, start, end = (each.replace(tzinfo=None) for each in moments)
    after_start = value > start or (with_start and value == start)
    return bool(after_start and (value < end or (with_end and value == end)))


def is_empty(value: Any) -> bool:
    """Return whether a list, text or object has no content."""
    if isinstance(value, (Decimal, bool, datetime, Unit)):
        raise WrongType("empty takes lists and texts")
    return len(value) == 0


def is_true(value: Any) -> bool:
    """Return a truth value as it is."""
    if isinstance(value, bool):
        return value
    raise WrongType("isTrue and isFalse take truth values")


def occurrences(value: Any, values: Any) -> int:
    """Return how many of the values, each counted once, occur in a list."""
    _require_list(value, "the attribute")
    _require_list(values, "values")
    found: list[Any] = []
    for each in values:
        if occurs(each, value) and not occurs(each, found):
            found.append(each)
    return len(found)


def distinct(values: Any) -> int:
    """Return how many different elements a list has."""
    _require_list(values, "values")
    return occurrences(values, values)


COMPARISONS: Final = {
    "equals": Comparison(equals, "scalar"),
    "lessThan": Comparison(_ordered(operator.lt, "lessThan"), "number"),
    "lessThanOrEqual": Comparison(_ordered(operator.le, "lessThanOrEqual"), "number"),
    "greaterThan": Comparison(_ordered(operator.gt, "greaterThan"), "number"),
    "greaterThanOrEqual": Comparison(_ordered(operator.ge, "greaterThanOrEqual"), "number"),
    "after": Comparison(_timed(operator.gt, "after"), "time"),
    "before": Comparison(_timed(operator.lt, "before"), "time"),
    "contains": Comparison(contains, "scalar"),
    "startsWith": Comparison(_textual(str.startswith, "startsWith"), "text"),
    "endsWith": Comparison(_textual(str.endswith, "endsWith"), "text"),
    "oneOf": Comparison(occurs, "list"),
}
"""Operators with one operand, `value`, without those that look something up."""

ORDERS: Final = {
    name: COMPARISONS[name].holds
    for name in ("equals", "lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual")
}
"""Operators that compare numbers."""

IN_LIST: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "containsOneOf": lambda value, values: occurrences(value, values) > 0,
    "containsAllOf": lambda value, values: occurrences(value, values) == distinct(values),
    "containsNoneOf": lambda value, values: occurrences(value, values) == 0,
}
"""Operators that look for `values` in a list."""

COUNTED: Final[dict[str, Callable[[Any, Any, Any], bool]]] = {
    "containsAtLeast": lambda value, values, count: occurrences(value, values) >= count,
    "containsExactly": lambda value, values, count: occurrences(value, values) == count,
}
"""Operators that look for a number of `values` in a list."""
