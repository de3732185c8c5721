"""Orders of cart items, and single values out of lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from talon_one.sandbox.rules.compiled import EvaluationError, MissingValue, Value, WrongType
from talon_one.sandbox.rules.expressions import ARITHMETIC
from talon_one.sandbox.rules.scope import Scope, Unit
from talon_one.sandbox.values import ZERO


def sort_units(
    scope: Scope, units: Sequence[Unit], fields: Sequence[tuple[Value, bool]]
) -> list[Unit]:
    """Sort units by several fields, those that are equal in all of them in their old order.

    Units without a value of a field follow those with one, in either direction.

    Args:
        scope: The scope of the selector.
        units: The units.
        fields: Expressions by which to sort, and whether the greatest comes first.

    Raises:
        WrongType: If the values of a field cannot be compared with each other.
    """
    ordered = list(units)
    # Sorting is stable, so the field that decides last sorts first.
    for expression, descending in reversed(fields):
        keys = [(_key(scope, expression, unit), unit) for unit in ordered]
        present = [pair for pair in keys if pair[0] is not None]
        if len({type(key) for key, _ in present}) > 1:
            raise WrongType("sort takes values of one type")
        present.sort(key=lambda pair: pair[0], reverse=descending)
        ordered = [unit for _, unit in present] + [unit for key, unit in keys if key is None]
    return ordered


def _key(scope: Scope, expression: Value, unit: Unit) -> Any:
    try:
        key = expression(scope.at(unit))
    except MissingValue:
        return None
    if isinstance(key, (Decimal, str, bool, datetime)):
        return key
    raise WrongType("sort takes numbers, texts, times and truth values")


def _numbers(values: Sequence[Any]) -> Sequence[Decimal]:
    for value in values:
        if value.__class__ is not Decimal:
            raise WrongType("max, min and sum take numbers")
    return values


def _extreme(
    choose: Callable[[Sequence[Decimal]], Decimal], name: str
) -> Callable[[Sequence[Any]], Decimal]:
    def reduce(values: Sequence[Any]) -> Decimal:
        numbers = _numbers(values)
        if not numbers:
            raise MissingValue(f"{name} of an empty list", "outOfRange")
        return choose(numbers)

    return reduce


def _sum(values: Sequence[Any]) -> Decimal:
    total = ZERO
    for number in _numbers(values):
        try:
            total = ARITHMETIC.add(total, number)
        except ArithmeticError as cause:
            raise EvaluationError("the sum is too large") from cause
    return total


REDUCTIONS: Final[Mapping[str, Callable[[Sequence[Any]], Any]]] = {
    "max": _extreme(max, "max"),
    "min": _extreme(min, "min"),
    "sum": _sum,
    "count": lambda values: Decimal(len(values)),
    "empty": lambda values: not values,
}
"""Operators of the step `reduce`."""
