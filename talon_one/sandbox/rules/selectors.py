"""Selectors: a list from a path, and steps that filter, sort, cut, map and reduce it.

A selector gives a list of units of cart items, a list of values, one unit or one value. It is
evaluated on first use, once per evaluation, whatever unit is at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from talon_one.sandbox.rules.compiled import (
    Condition,
    EvaluationError,
    MissingValue,
    RulesetError,
    Value,
    WrongType,
)
from talon_one.sandbox.rules.context import Context
from talon_one.sandbox.rules.entities import to_value, unit_property
from talon_one.sandbox.rules.predicates import FILTER_CHECKS, compile_predicate
from talon_one.sandbox.rules.reductions import REDUCTIONS, sort_units
from talon_one.sandbox.rules.scope import Scope, Unit

Json: TypeAlias = Mapping[str, Any]
Step: TypeAlias = Callable[[Scope, Any], Any]
"""Makes of a value what the step makes of it."""

UNITS: Final = "cart items"
VALUES: Final = "values"
ONE: Final = "one value"
UNKNOWN: Final = "a list"
CART_ITEMS: Final = "$Session.CartItems"


def compile_selector(selector: Json, context: Context) -> Value:
    """Compile a selector of a ruleset, or a cart item filter of an Application."""
    source = context.attribute(selector, "source")
    shape = UNITS if selector.get("source") == CART_ITEMS else UNKNOWN
    steps = []
    for index, step in enumerate(context.elements(selector, "steps")):
        place = context.at("steps", index)
        if not isinstance(step, Mapping):
            place.refuse("must be a step")
            continue
        kind = place.choice(step, "type", _STEPS)
        if kind:
            takes, compile_step, gives = _STEPS[kind]
            if shape not in takes:
                place.refuse(f"{kind} takes {takes[0]}, and the steps before give {shape}")
            shape = ONE if kind == "select" and step.get("operator") == "one" else gives or shape
            steps.append(compile_step(step, place))

    def select(scope: Scope) -> Any:
        found = source(scope)
        if not isinstance(found, (list, tuple)):
            raise WrongType("the source of a selector must be a list")
        value: Any = list(found)
        for step in steps:
            value = step(scope, value)
        return value

    return select


def item_filter(scope: Scope, name: str) -> Any:
    """Return what a cart item filter of the Application gives, evaluated once.

    Raises:
        EvaluationError: If there is no such filter, or it cannot be evaluated.
    """
    # No name of a ruleset begins like this.
    key = f"${name}"
    if key not in scope.values:
        found = scope.situation.facts.item_filter(name)
        if found is None:
            raise MissingValue(f"the Application has no cart item filter {name!r}")
        context = Context()
        compiled = compile_selector(found, context)
        if context.mistakes:
            raise EvaluationError(str(RulesetError(context.mistakes)))
        scope.values[key] = compiled(scope)
    return scope.values[key]


def _filter(step: Json, context: Context) -> Step:
    holds: Condition = compile_predicate(
        step.get("predicate"), context.at("predicate"), FILTER_CHECKS
    )
    return lambda scope, value: [unit for unit in _units(value) if holds(scope.at(unit))]


def _sort(step: Json, context: Context) -> Step:
    fields: list[tuple[Value, bool]] = []
    for index, sort_field in enumerate(context.elements(step, "fields")):
        place = context.at("fields", index)
        if not isinstance(sort_field, Mapping):
            place.refuse("must be an expression with a direction")
            continue
        direction = place.choice(sort_field, "direction", ("asc", "desc"))
        fields.append((place.attribute(sort_field, "expression"), direction == "desc"))
    return lambda scope, value: sort_units(scope, _units(value), fields)


def _reverse(step: Json, context: Context) -> Step:
    return lambda scope, value: value[::-1]


def _select(step: Json, context: Context) -> Step:
    operator = context.choice(step, "operator", ("many", "between", "one"))
    if operator == "many":
        return _select_many(step, context)
    if operator == "between":
        return _select_between(step, context)
    index = context.integer(step, "index", 0) if operator else 0

    def select_one(scope: Scope, value: Any) -> Any:
        if index >= len(value):
            raise MissingValue(f"the list has no element {index}", "outOfRange")
        return value[index]

    return select_one


def _select_many(step: Json, context: Context) -> Step:
    from_start = context.choice(step, "from", ("start", "end")) == "start"
    count = context.integer(step, "count", 0)
    partial = context.flag(step, "partial", True)

    def select_many(scope: Scope, value: Any) -> Any:
        if not partial:
            _require(len(value), count)
        return value[:count] if from_start else value[max(len(value) - count, 0) :]

    return select_many


def _select_between(step: Json, context: Context) -> Step:
    start = context.integer(step, "from", 0)
    end = context.integer(step, "to", 0)
    partial = context.flag(step, "partial", True)
    if end < start:
        context.at("to").refuse("must not be less than from")

    def select_between(scope: Scope, value: Any) -> Any:
        if not partial:
            _require(len(value), end)
        return value[start:end]

    return select_between


def _require(length: int, wanted: int) -> None:
    if length < wanted:
        raise MissingValue(f"the list has {length} elements, not {wanted}", "outOfRange")


def _map(step: Json, context: Context) -> Step:
    expression = context.attribute(step, "expression")
    return lambda scope, value: [expression(scope.at(unit)) for unit in _units(value)]


def _filter_and_map_values(step: Json, context: Context) -> Step:
    map_id = context.reference(step, "valueMap")

    def look_up(scope: Scope, value: Any) -> Any:
        value_map = scope.situation.facts.value_map(map_id)
        if value_map is None:
            raise MissingValue(f"there is no value map {map_id}")
        skus = [unit_property(unit, "SKU") for unit in _units(value)]
        return [to_value(value_map[sku]) for sku in skus if sku in value_map]

    return look_up


def _reduce(step: Json, context: Context) -> Step:
    operator = context.choice(step, "operator", REDUCTIONS)
    if not operator:
        return lambda scope, value: value
    reduce = REDUCTIONS[operator]
    return lambda scope, value: reduce(value)


def _units(value: Sequence[Any]) -> Sequence[Unit]:
    for each in value:
        if not isinstance(each, Unit):
            raise WrongType("the step takes cart items")
    return value


_ITEMS: Final = (UNITS, UNKNOWN)
_LIST: Final = (UNKNOWN, UNITS, VALUES)

_STEPS: Final[Mapping[str, tuple[tuple[str, ...], Callable[[Json, Context], Step], str | None]]] = {
    "filter": (_ITEMS, _filter, UNITS),
    "sort": (_ITEMS, _sort, UNITS),
    "reverse": (_LIST, _reverse, None),
    "select": (_LIST, _select, None),
    "map": (_ITEMS, _map, VALUES),
    "filterAndMapValues": (_ITEMS, _filter_and_map_values, VALUES),
    "reduce": (_LIST, _reduce, ONE),
}
"""What a step takes, how it is compiled, and what it gives (None: what it took)."""
