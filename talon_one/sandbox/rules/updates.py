"""Compile effects that update attributes of entities and memberships of audiences."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeAlias

from talon_one.sandbox.rules.budgets import ONE
from talon_one.sandbox.rules.compiled import (
    Action,
    EffectFailed,
    EvaluationError,
    MissingValue,
    Value,
    WrongType,
)
from talon_one.sandbox.rules.context import Context
from talon_one.sandbox.rules.entities import to_value
from talon_one.sandbox.rules.expressions import ARITHMETIC
from talon_one.sandbox.rules.payloads import json_of
from talon_one.sandbox.rules.rewards import PROFILES, integration_id, require
from talon_one.sandbox.rules.run import Run
from talon_one.sandbox.rules.scope import Scope, Unit
from talon_one.sandbox.rules.targets import ITEMS, Units, compile_target
from talon_one.sandbox.values import ZERO

Json: TypeAlias = Mapping[str, Any]
Operator: TypeAlias = Callable[[Any, Any], Any]

_ROOTS: Final = {
    "profile": "Profile",
    "advocateProfile": "Advocate",
    "session": "Session",
    "coupon": "Coupon",
    "referral": "Referral",
}
_TARGETS: Final = (*_ROOTS, *ITEMS)
_DURATION: Final = re.compile(r"[0-9]{1,9}[mhDW]")
_UNITS: Final = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "D": timedelta(days=1),
    "W": timedelta(weeks=1),
}


def duration_of(value: Any) -> timedelta:
    """Return a duration such as `3D` or `12h`; a number alone counts days.

    Raises:
        WrongType: If it is none.
    """
    if isinstance(value, Decimal) and value.is_finite():
        return timedelta(days=float(value))
    if isinstance(value, str) and _DURATION.fullmatch(value):
        return int(value[:-1]) * _UNITS[value[-1]]
    raise WrongType(f"{value!r} is not a duration such as 3D, 12h or 30m")


def _numeric(operation: Callable[[Decimal, Decimal], Decimal]) -> Operator:
    def apply(old: Any, operand: Any) -> Decimal:
        # A number that has never been set counts from 0.
        value = ZERO if old is None else old
        if value.__class__ is not Decimal or operand.__class__ is not Decimal:
            raise WrongType("the attribute and its operand must be numbers")
        try:
            return operation(value, operand)
        except ArithmeticError as cause:
            raise EvaluationError("the attribute has no such value") from cause

    return apply


def _divide(left: Decimal, right: Decimal) -> Decimal:
    if not right:
        raise EvaluationError("division by zero", "divisionByZero")
    return ARITHMETIC.divide(left, right)


def _toggle(old: Any, operand: Any) -> bool:
    if old is not None and not isinstance(old, bool):
        raise WrongType("only true and false can be toggled")
    return not old


def _shift(sign: int) -> Operator:
    def apply(old: Any, operand: Any) -> datetime:
        if old is None:
            raise MissingValue("a time that has no value cannot be moved")
        if not isinstance(old, datetime):
            raise WrongType("only times can be moved")
        try:
            return old + sign * duration_of(operand)
        except OverflowError as cause:
            raise EvaluationError("the time lies outside the calendar") from cause

    return apply


_OPERATORS: Final[Mapping[str, Operator]] = {
    "setTo": lambda old, operand: operand,
    "increaseBy": _numeric(ARITHMETIC.add),
    "decreaseBy": _numeric(ARITHMETIC.subtract),
    "multiplyBy": _numeric(ARITHMETIC.multiply),
    "divideBy": _numeric(_divide),
    "toggle": _toggle,
    "laterBy": _shift(1),
    "earlierBy": _shift(-1),
}


def compile_update(block: Json, context: Context) -> Action:
    """Compile an `updateAttributeValue` block."""
    attribute = context.mapping(block, "attribute")
    name = context.at("attribute").text(attribute, "name")
    kind = context.choice(block, "operator", _OPERATORS)
    operator = _OPERATORS.get(kind, _OPERATORS["setTo"])
    operand: Value = lambda scope: None  # noqa: E731  one of two values
    if kind != "toggle":
        operand = context.value(block, "value")
    raw = context.mapping(block, "target")
    place = context.at("target")
    target_type = place.choice(raw, "type", _TARGETS)
    if target_type in _ROOTS:
        root = _ROOTS[target_type]
        return lambda run, scope: _update_entity(run, scope, root, name, operator, operand)
    units = compile_target(raw, place, _TARGETS).units
    if units is None:
        return lambda run, scope: None
    find: Units = units
    return lambda run, scope: _update_items(run, scope, find, name, operator, operand)


def _entity(scope: Scope, root: str) -> tuple[Json, str]:
    """Return an entity and its ID, by which it is updated."""
    if root in {"Profile", "Advocate"}:
        profile = "Current" if root == "Profile" else "Advocate"
        identity = integration_id(scope, profile)
        return scope.situation.facts.profile(profile) or {}, identity
    found = {
        "Session": scope.situation.session,
        "Coupon": scope.coupon,
        "Referral": scope.referral,
    }[root]
    if found is None:
        raise EffectFailed(f"there is no {root.lower()} to update")
    return found, str(found.get("integrationId" if root == "Session" else "id") or "")


def _update_entity(
    run: Run, scope: Scope, root: str, name: str, operator: Operator, operand: Value
) -> None:
    entity, identity = _entity(scope, root)
    key = (root, identity, name)
    old = run.attributes.get(key)
    if old is None:
        old = to_value((entity.get("attributes") or {}).get(name))
    value = operator(old, operand(scope))
    run.set(run.attributes, key, value)
    set_attribute(run, root, identity, name, json_of(value))


def set_attribute(
    run: Run, root: str, identity: str, name: str, value: Any, position: int | None = None
) -> None:
    """Set an attribute of an entity, or of the cart item at a position."""
    path = f"{root}.Attributes.{name}"
    if position is not None:
        path = f"{root}.CartItems[{position}].Attributes.{name}"
    effect = run.emit("updateAttribute", {"path": path, "value": value})
    details = {"entity": root, "id": identity, "name": name, "value": value}
    run.record(
        "updateAttribute",
        path,
        ONE,
        effect,
        {},
        details,
        position=position,
        reversible=False,
    )


def set_entity_attribute(run: Run, scope: Scope, path: str, value: Any) -> None:
    """Set the attribute at a path such as `Profile.Attributes.Tier`.

    Raises:
        EffectFailed: If there is no such entity now.
        EvaluationError: If the path does not lead to an attribute of an entity.
    """
    root, _, name = path.partition(".")
    name = name.removeprefix("Attributes.")
    if root not in _ROOTS.values() or not name or "." in name:
        raise EvaluationError(f"{path!r} is not a path such as Profile.Attributes.Tier")
    _, identity = _entity(scope, root)
    run.set(run.attributes, (root, identity, name), value)
    set_attribute(run, root, identity, name, json_of(value))


def _update_items(
    run: Run, scope: Scope, units: Units, name: str, operator: Operator, operand: Value
) -> None:
    # An attribute belongs to the item, so all its units share one update.
    items: dict[int, Unit] = {}
    for unit in units(scope):
        items.setdefault(unit.position, unit)
    session = scope.situation.session or {}
    for position, unit in items.items():
        if not run.allows(position):
            continue
        key = ("Item", position, name)
        old = run.attributes.get(key)
        if old is None:
            old = to_value((unit.item.get("attributes") or {}).get(name))
        value = operator(old, operand(scope.at(unit)))
        run.set(run.attributes, key, value)
        identity = str(session.get("integrationId") or "")
        set_attribute(run, "Session", identity, name, json_of(value), position)


def compile_membership(block: Json, context: Context) -> Action:
    """Compile an `updateAudienceMembership` block."""
    operator = context.choice(block, "operator", ("add", "remove"))
    profile = context.choice(block, "profile", PROFILES)
    audience_id = context.reference(block, "audience")
    name = str(context.mapping(block, "audience").get("name") or "")
    effect_type = "addToAudience" if operator == "add" else "removeFromAudience"

    def update(run: Run, scope: Scope) -> None:
        require(scope, "audience", audience_id)
        identity = integration_id(scope, profile)
        props: dict[str, Any] = {
            "audienceId": audience_id,
            "audienceName": name,
            "profileIntegrationId": identity,
        }
        found = scope.situation.facts.profile(profile)
        if found is not None and found.get("id") is not None:
            props["profileId"] = found["id"]
        effect = run.emit(effect_type, props)
        run.record(
            effect_type,
            str(audience_id),
            ONE,
            effect,
            {},
            {"profileIntegrationId": identity},
            early=True,
            reversible=False,
        )

    return update
