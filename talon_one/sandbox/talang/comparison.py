"""Comparison of atoms, numbers and times, and the logical functions."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final

from talon_one.sandbox.talang.declarations import Declaration, Function, Overload
from talon_one.sandbox.talang.run import Run
from talon_one.sandbox.talang.values import (
    ATOM,
    BOOLEAN,
    DECIMAL,
    LIST,
    NULL,
    TIME,
    Kind,
    text_of,
)


def _same(run: Run, left: Any, right: Any) -> bool:
    if left is None or right is None:
        return left is right
    first, second = text_of(left), text_of(right)
    run.read_text(first, second)
    return first == second


def _equal(run: Run, first: Any, *others: Any) -> bool:
    return all(_same(run, first, other) for other in others)


def _not_equal(run: Run, first: Any, *others: Any) -> bool:
    return not any(_same(run, first, other) for other in others)


def _ordered(compare: Callable[[Any, Any], bool]) -> Function:
    def call(run: Run, first: Any, *others: Any) -> bool:
        return all(compare(first, other) for other in others)

    return Function(*(Overload((kind, kind), call, BOOLEAN, rest=kind) for kind in (DECIMAL, TIME)))


def between(run: Run, *values: Any) -> bool:
    """Return whether all values but the last two lie between these, bounds excluded."""
    *inner, low, high = values
    return all(low < value < high for value in inner)


def _truth(value: Any) -> bool:
    # The one other kind that comes here is a list, which holds if it has elements.
    return bool(value)


def _and(run: Run, *values: Any) -> bool:
    return all(map(_truth, values))


def _or(run: Run, *values: Any) -> bool:
    return any(map(_truth, values))


def _not(run: Run, value: bool) -> bool:
    return not value


def _equality(call: Callable[..., bool]) -> Function:
    kind: Kind = ATOM | NULL
    return Function(Overload((kind, kind), call, BOOLEAN, rest=kind))


FUNCTIONS: Final[dict[str, Declaration]] = {
    "=": _equality(_equal),
    "!=": _equality(_not_equal),
    "<": _ordered(operator.lt),
    "<=": _ordered(operator.le),
    ">": _ordered(operator.gt),
    ">=": _ordered(operator.ge),
    "between": Function(
        *(Overload((kind, kind, kind), between, BOOLEAN, rest=kind) for kind in (DECIMAL, TIME))
    ),
    "and": Function(Overload((), _and, BOOLEAN, rest=BOOLEAN | LIST)),
    "or": Function(Overload((), _or, BOOLEAN, rest=BOOLEAN | LIST)),
    "not": Function(Overload((BOOLEAN,), _not, BOOLEAN)),
}
