"""What an expression can see: the entities of the situation, the item at hand, and names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias

from talon_one.sandbox.rules.situation import Json, Situation

Value: TypeAlias = "Callable[[Scope], Any]"
"""A compiled expression; it raises `EvaluationError`."""

Condition: TypeAlias = "Callable[[Scope], bool]"
"""A compiled condition; it raises `EvaluationError`."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of a cart item: carts are flattened, so a quantity of three gives three units.

    Attributes:
        position: Index of the item in the cart.
        sub_position: Index of the unit inside the item.
        item: The `CartItem`.
        price: Price of the unit.
        quantity: How many the unit stands for: 1, unless the Application does not flatten carts.
    """

    position: int
    sub_position: int
    item: Json
    price: Decimal
    quantity: int = 1


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
        coupon_valid: Whether the coupon at hand passed its checks: what `checkCoupon` gives.
        referral_valid: Whether the referral at hand passed its checks: what `checkReferral` gives.
        campaign: The campaign at hand.
        tentative: Points that this evaluation has added less those it has spent, by
            `<program>:<subledger>`.
        progress: Progress that this evaluation has made, by the ID of the achievement.
        used: How much this evaluation has counted, by the key of the counter.
    """

    situation: Situation
    units: tuple[Unit, ...]
    names: Mapping[str, Value]
    values: dict[str, Any] = field(default_factory=dict)
    unit: Unit | None = None
    coupon: Json | None = None
    referral: Json | None = None
    coupon_valid: bool = False
    referral_valid: bool = False
    campaign: Json | None = None
    tentative: dict[str, Decimal] = field(default_factory=dict)
    progress: dict[int, Decimal] = field(default_factory=dict)
    used: dict[str, Decimal] = field(default_factory=dict)

    def at(self, unit: Unit | None) -> Scope:
        """Return the scope with a unit at hand; evaluated names are shared."""
        # Rules do this for every unit of a cart, and `replace` takes ten times as long.
        return Scope(
            self.situation,
            self.units,
            self.names,
            self.values,
            unit,
            self.coupon,
            self.referral,
            self.coupon_valid,
            self.referral_valid,
            self.campaign,
            self.tentative,
            self.progress,
            self.used,
        )

    def apart(self) -> Scope:
        """Return a copy: names that are evaluated in it are not remembered for others."""
        copy = self.at(self.unit)
        copy.values = dict(self.values)
        return copy
