"""The cart as units, and the bases that discounts reduce.

A base is an amount that discounts can take from: the price of a unit, a cost, a total. Bases
contain one another, and a discount never takes more than any base around it has left.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

from talon_one.sandbox.rules.run import Run
from talon_one.sandbox.rules.scope import Scope, Unit
from talon_one.sandbox.rules.situation import Json
from talon_one.sandbox.values import ZERO, amount, json_number


def flatten(session: Json | None, flattened: bool) -> tuple[Unit, ...]:
    """Return the units of the cart that have not been returned.

    Units are returned from sub-position 0 upwards, so those that are left keep their places.

    Args:
        session: The session.
        flattened: Whether each unit of an item stands alone; otherwise one stands for the item.
    """
    units: list[Unit] = []
    for position, item in enumerate((session or {}).get("cartItems") or ()):
        price = amount(item.get("price") or 0)
        quantity = int(item.get("quantity") or 1)
        returned = int(item.get("returnedQuantity") or 0)
        if flattened:
            units += [
                Unit(position, sub_position, item, price)
                for sub_position in range(returned, quantity)
            ]
        elif quantity > returned:
            units.append(Unit(position, 0, item, price, quantity - returned))
    return tuple(units)


def cost_of(costs: Mapping[str, Any] | None, name: str) -> Decimal | None:
    """Return an additional cost of a session or an item, None if it has none of that name."""
    cost = (costs or {}).get(name)
    return None if cost is None else amount(cost.get("price") or 0)


def _costs(costs: Mapping[str, Any] | None) -> Decimal:
    return sum((amount(each.get("price") or 0) for each in (costs or {}).values()), ZERO)


class Base(NamedTuple):
    """An amount that discounts reduce.

    Attributes:
        key: Key in `Run.left`.
        amount: The amount before discounts.
    """

    key: Hashable
    amount: Decimal


Bases: TypeAlias = tuple[Base, ...]
"""The base of a discount first, then those around it."""

_TOTALS = {
    "sessionTotal": "total",
    "cartItems": "cartItemTotal",
    "additionalCosts": "additionalCostTotal",
}


def _total(scope: Scope, name: str) -> Base:
    session = scope.situation.session or {}
    return Base(name, amount(session.get(_TOTALS[name]) or 0))


def session_bases(scope: Scope, name: str) -> Bases:
    """Return the bases of a discount of the session.

    Args:
        scope: What is at hand.
        name: `sessionTotal`, `cartItems` or `additionalCosts`.
    """
    total = _total(scope, "sessionTotal")
    return (total,) if name == "sessionTotal" else (_total(scope, name), total)


def unit_bases(scope: Scope, unit: Unit, name: str) -> Bases:
    """Return the bases of a discount of a unit.

    Args:
        scope: What is at hand.
        unit: The unit.
        name: `price`, `itemTotal` or `additionalCosts`.
    """
    place = (unit.position, unit.sub_position)
    price = unit.price * unit.quantity
    costs = _costs(unit.item.get("additionalCosts"))
    whole = Base((*place, "itemTotal"), price + costs)
    total = _total(scope, "sessionTotal")
    if name == "itemTotal":
        return (whole, total)
    if name == "additionalCosts":
        return (Base((*place, "additionalCosts"), costs), whole, total)
    return (Base((*place, "price"), price), whole, _total(scope, "cartItems"), total)


def session_cost_bases(scope: Scope, name: str, cost: Decimal) -> Bases:
    """Return the bases of a discount of an additional cost of the session."""
    costs = _total(scope, "additionalCosts")
    return (Base(("cost", name), cost), costs, _total(scope, "sessionTotal"))


def unit_cost_bases(scope: Scope, unit: Unit, name: str, cost: Decimal) -> Bases:
    """Return the bases of a discount of an additional cost of a unit."""
    place = (unit.position, unit.sub_position)
    return (Base((*place, "cost", name), cost), *unit_bases(scope, unit, "additionalCosts"))


def left_of(run: Run, bases: Bases) -> Decimal:
    """Return how much a discount can still take: the least that any of the bases has left."""
    left = run.left
    least = min(left.get(base.key, base.amount) for base in bases)
    return least if least > ZERO else ZERO


def reduce(run: Run, bases: Bases, value: Decimal) -> None:
    """Take a discount from its bases."""
    for base in bases:
        run.set(run.left, base.key, run.left.get(base.key, base.amount) - value)


def discounted(run: Run, scope: Scope) -> Scope:
    """Return the scope in which amounts of discounts are computed.

    With cascading discounts, totals of the session and the price of the unit at hand are those
    that earlier discounts have left.
    """
    session, unit = scope.situation.session, scope.unit
    if not run.settings.cascading or not run.left or session is None:
        return scope
    totals = {
        wire: json_number(left_of(run, session_bases(scope, name)))
        for name, wire in _TOTALS.items()
        if session.get(wire) is not None
    }
    situation = replace(scope.situation, session={**session, **totals})
    if unit is not None:
        left = left_of(run, unit_bases(scope, unit, "price"))
        unit = replace(unit, price=left / unit.quantity)
    return replace(scope, situation=situation, unit=unit)
