"""Compile `awardDiscount` blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from talon_one.sandbox.rules.compiled import Action, EvaluationError, WrongType
from talon_one.sandbox.rules.context import Context
from talon_one.sandbox.rules.discounts import (
    Cost,
    Discount,
    discount_bundles,
    discount_session,
    discount_units,
    share_discount,
)
from talon_one.sandbox.rules.run import Run
from talon_one.sandbox.rules.scope import Scope, Unit
from talon_one.sandbox.rules.targets import ITEMS, Target, compile_target

Json: TypeAlias = Mapping[str, Any]
Pick: TypeAlias = Callable[[Scope, tuple[Unit, ...]], Unit]

_TARGETS: Final = ("cart", *ITEMS, "bundle", "additionalCost")


def compile_discount(block: Json, context: Context) -> Action:
    """Compile an `awardDiscount` block."""
    raw = context.mapping(block, "target")
    place = context.at("target")
    cost: Cost | None = None
    prorated = place.flag(raw, "prorated", False)
    if raw.get("type") == "additionalCost":
        found = place.mapping(raw, "additionalCost")
        cost = Cost(place.reference(raw, "additionalCost"), str(found.get("name") or ""))
        inner = place.mapping(raw, "target")
        prorated = place.at("target").flag(inner, "prorated", False)
        target = compile_target(inner, place.at("target"), ("cart", *ITEMS))
    else:
        target = compile_target(raw, place, _TARGETS)
    discount = Discount(
        name=context.text(block, "name"),
        value=context.value(block, "value", "number"),
        partial=context.flag(block, "partial") if block.get("partial") is not None else None,
        cost=cost,
    )
    pick = None if target.bundles is None else _compile_pick(raw, place)
    return _action(discount, target, pick, prorated)


def _action(discount: Discount, target: Target, pick: Pick | None, prorated: bool) -> Action:
    units, bundles = target.units, target.bundles
    if bundles is not None:
        find_bundles = bundles

        def discount_all_bundles(run: Run, scope: Scope) -> None:
            found = find_bundles(scope)
            discount_bundles(run, scope, discount, target.name, found, pick, prorated=prorated)

        return discount_all_bundles
    if units is None:
        return lambda run, scope: discount_session(run, scope, discount)
    find_units = units
    apply = share_discount if prorated else discount_units
    return lambda run, scope: apply(run, scope, discount, find_units(scope))


def _compile_pick(target: Json, context: Context) -> Pick | None:
    item = context.mapping(target, "item", required=False)
    if not item:
        return None
    place = context.at("item")
    if place.choice(item, "type", ("byIndex", "byAttribute")) == "byIndex":
        index = place.integer(item, "value", 0)

        def pick_by_index(scope: Scope, bundle: tuple[Unit, ...]) -> Unit:
            if index >= len(bundle):
                raise EvaluationError(f"the bundle has no item {index}", "outOfRange")
            return bundle[index]

        return pick_by_index
    attribute = place.attribute(item, "attribute")
    choose = max if place.choice(item, "direction", ("highest", "lowest")) == "highest" else min

    def pick_by_attribute(scope: Scope, bundle: tuple[Unit, ...]) -> Unit:
        try:
            return choose(bundle, key=lambda unit: attribute(scope.at(unit)))
        except TypeError as cause:
            raise WrongType("items of the bundle cannot be compared") from cause

    return pick_by_attribute
