"""What an expression can see: the entities of the situation, the item at hand, and names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from talon_one.sandbox.rules.compiled import Value
from talon_one.sandbox.rules.situation import Json, Situation


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of a cart item: carts are flattened, so a quantity of three gives three units.

    Attributes:
        position: Index of the item in the cart.
        sub_position: Index of the unit inside the item.
        item: The `CartItem`.
        price: Price of the unit.
    """

    position: int
    sub_position: int
    item: Json
    price: Decimal


@dataclass(slots=True)
class Scope:
    """Everything that an expression can see at one point of an evaluation.

    Attributes:
        situation: The input of the evaluation.
        units: All units of the cart, without those returned.
        names: Compiled selectors, bundles, parameters and bindings in reach.
        values: Values of the names that have been evaluated.
        unit: The unit at hand, inside selectors and effects on items.
        coupon: The coupon at hand.
        referral: The referral at hand.
        campaign: The campaign at hand.
        tentative: Points that this evaluation has added less those it has spent, by
            `<program>:<subledger>`.
    """

    situation: Situation
    units: tuple[Unit, ...]
    names: Mapping[str, Value]
    values: dict[str, Any] = field(default_factory=dict)
    unit: Unit | None = None
    coupon: Json | None = None
    referral: Json | None = None
    campaign: Json | None = None
    tentative: dict[str, Decimal] = field(default_factory=dict)

    def at(self, unit: Unit) -> Scope:
        """Return the scope with a unit at hand; evaluated names are shared."""
        return replace(self, unit=unit)
