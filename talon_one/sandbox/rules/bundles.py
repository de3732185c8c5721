"""Bundles and parameters: sets of cart items that belong together, and values of templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from talon_one.sandbox.rules.compiled import MissingValue, Value, WrongType
from talon_one.sandbox.rules.context import Context
from talon_one.sandbox.rules.entities import unit_property
from talon_one.sandbox.rules.expressions import text_of
from talon_one.sandbox.rules.scope import Scope, Unit

Json: TypeAlias = Mapping[str, Any]

_PARAMETER_KINDS: Final = {
    "number": "number",
    "percent": "number",
    "string": "text",
    "boolean": "boolean",
    "time": "time",
}


def compile_bundle(bundle: Json, context: Context) -> Value:
    """Compile the definition of a bundle. It gives tuples of units, in the order of its sources."""
    references = context.elements(bundle, "sources")
    sources = [_source(each, context.at("sources", index)) for index, each in enumerate(references)]
    counts = _counts(bundle, context)
    if bundle.get("sources") == []:
        context.at("sources").refuse("must have elements")
    elif len(counts) != len(references):
        context.at("counts").refuse("must have as many elements as sources")
    matchers = _matchers(bundle, context)

    def form(scope: Scope) -> list[tuple[Unit, ...]]:
        lists = [_units(source(scope)) for source in sources]
        return form_bundles(lists, counts, matchers)

    return form


def form_bundles(
    lists: Sequence[Sequence[Unit]], counts: Sequence[int], matchers: Sequence[str]
) -> list[tuple[Unit, ...]]:
    """Form as many bundles as the units allow.

    The units of a bundle have equal values of all matchers. Groups of equal values come in the
    order of the first list; inside a group every bundle takes the next unused units of each list.

    Args:
        lists: Units to take from, in their order.
        counts: How many units a bundle takes from each list.
        matchers: Attributes of cart items; units without one of them are in no bundle.
    """
    groups: list[dict[tuple[str, ...], list[Unit]]] = []
    for units in lists:
        group: dict[tuple[str, ...], list[Unit]] = {}
        for unit in units:
            key = _matcher_values(unit, matchers)
            if key is not None:
                group.setdefault(key, []).append(unit)
        groups.append(group)
    used: set[tuple[int, int]] = set()
    bundles: list[tuple[Unit, ...]] = []
    for key in groups[0] if groups else ():
        queues = [list(reversed(group.get(key, ()))) for group in groups]
        while (bundle := _next_bundle(queues, counts, used)) is not None:
            bundles.append(bundle)
    return bundles


def _next_bundle(
    queues: Sequence[list[Unit]], counts: Sequence[int], used: set[tuple[int, int]]
) -> tuple[Unit, ...] | None:
    bundle: list[Unit] = []
    for queue, count in zip(queues, counts, strict=True):
        taken = 0
        while taken < count:
            if not queue:
                return None
            unit = queue.pop()
            place = (unit.position, unit.sub_position)
            if place not in used:
                used.add(place)
                bundle.append(unit)
                taken += 1
    return tuple(bundle)


def _matcher_values(unit: Unit, matchers: Sequence[str]) -> tuple[str, ...] | None:
    try:
        return tuple(text_of(unit_property(unit, matcher)) for matcher in matchers)
    except MissingValue:
        return None


def _source(reference: Any, context: Context) -> Value:
    if not isinstance(reference, str) or not reference.startswith("{{"):
        context.refuse("must be a reference such as {{$lamps}}")
        return lambda scope: []
    return context.own_value(reference)


def _units(value: Any) -> Sequence[Unit]:
    if isinstance(value, (list, tuple)) and all(isinstance(each, Unit) for each in value):
        return value
    raise WrongType("the sources of a bundle must be lists of cart items")


def _counts(bundle: Json, context: Context) -> list[int]:
    counts = context.elements(bundle, "counts")
    return [
        context.at("counts").integer({str(index): count}, str(index), 1)
        for index, count in enumerate(counts)
    ]


def _matchers(bundle: Json, context: Context) -> list[str]:
    matchers = context.elements(bundle, "matchers", required=False)
    return [
        context.at("matchers").text({str(index): matcher}, str(index))
        for index, matcher in enumerate(matchers)
    ]


def compile_parameter(parameter: Json, context: Context) -> Value:
    """Compile a parameter of a campaign template to its value."""
    value_type = context.text(parameter, "valueType")
    if value_type.startswith("(list "):
        return context.value(parameter, "value", "list")
    return context.value(parameter, "value", _PARAMETER_KINDS.get(value_type, "any"))
