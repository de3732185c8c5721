"""Discounts: bases and budgets limit what is granted, and cents are shared without a rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from talon_one.sandbox.rules.amounts import positive_amount
from talon_one.sandbox.rules.budgets import ONE, Grant, claim, counted, room
from talon_one.sandbox.rules.cart import (
    Bases,
    cost_of,
    discounted,
    left_of,
    reduce,
    session_bases,
    session_cost_bases,
    unit_bases,
    unit_cost_bases,
)
from talon_one.sandbox.rules.compiled import EffectFailed, Value
from talon_one.sandbox.rules.run import Run
from talon_one.sandbox.rules.scope import Scope, Unit
from talon_one.sandbox.values import CENT, ZERO, json_number


@dataclass(frozen=True, slots=True)
class Cost:
    """An additional cost that discounts reduce.

    Attributes:
        id: ID of the additional cost.
        name: Its name, under which sessions and items have it.
    """

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Discount:
    """A discount as a rule describes it.

    Attributes:
        name: Its name.
        value: Computes its amount.
        partial: Whether it may be cut to its budget; None for the default of the Application.
        cost: The additional cost that it reduces, if it does not reduce prices.
    """

    name: str
    value: Value
    partial: bool | None = None
    cost: Cost | None = None

    def is_partial(self, run: Run) -> bool:
        """Return whether the discount may be cut to its budget."""
        return run.settings.partial if self.partial is None else self.partial

    def amount(self, run: Run, scope: Scope) -> Decimal:
        """Compute the amount at hand, rounded to cents.

        Raises:
            WrongType: If it is not a number.
            EffectFailed: If it is less than 0, or too large.
        """
        return positive_amount(self.value(discounted(run, scope)), "the value of a discount")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a bundle a discount is.

    Attributes:
        index: Index of the bundle.
        name: Name of its definition.
        basis: The unit whose discount is the basis, if one is.
    """

    index: int
    name: str
    basis: Unit | None = None

    def props(self) -> dict[str, Any]:
        """Return the properties of effects that say it."""
        props: dict[str, Any] = {"bundleIndex": self.index, "bundleName": self.name}
        if self.basis is not None:
            props["targetedItemPosition"] = self.basis.position
            props["targetedItemSubPosition"] = self.basis.sub_position
        return props


def discount_session(run: Run, scope: Scope, discount: Discount) -> None:
    """Discount the session, or one of its additional costs. A discount of 0 is no effect.

    Raises:
        EffectFailed: If there is no session, it lacks the cost, or a budget is too small.
    """
    _check_session(scope)
    if (scope.campaign or {}).get("type") == "cartItem":
        raise EffectFailed("a campaign of type cartItem can only discount cart items")
    props: dict[str, Any] = {"name": discount.name}
    bases = session_bases(scope, run.settings.session_scope)
    effect_type = "setDiscount"
    if discount.cost is not None:
        effect_type = "setDiscountPerAdditionalCost"
        bases = _bases_of_cost(scope, discount.cost)
        props |= {"additionalCostId": discount.cost.id, "additionalCost": discount.cost.name}
    elif run.settings.cascading:
        props["scope"] = run.settings.session_scope
    wanted = min(discount.amount(run, scope), _cents_left(run, bases))
    if not wanted:
        return
    grant = _claim(run, scope, discount, wanted)
    props["value"] = json_number(grant.amount)
    if grant.amount < wanted:
        props["desiredValue"] = json_number(wanted)
    reduce(run, bases, grant.amount)
    effect = run.emit(effect_type, props)
    run.record("setDiscount", discount.name, grant.amount, effect, grant.counters)


def _check_session(scope: Scope) -> None:
    """Check that there is a session whose price may change.

    Raises:
        EffectFailed: If there is none.
    """
    if scope.situation.session is None:
        raise EffectFailed("there is no session to discount")
    if scope.situation.connected:
        raise EffectFailed("the session that the event refers to is closed")


def _bases_of_cost(scope: Scope, cost: Cost) -> Bases:
    price = cost_of((scope.situation.session or {}).get("additionalCosts"), cost.name)
    if price is None:
        raise EffectFailed(f"the session has no additional cost {cost.name!r}")
    return session_cost_bases(scope, cost.name, price)


def _cents_left(run: Run, bases: Bases) -> Decimal:
    return left_of(run, bases).quantize(CENT, ROUND_FLOOR)


def _claim(run: Run, scope: Scope, discount: Discount, wanted: Decimal) -> Grant:
    return claim(
        scope,
        "setDiscount",
        wanted,
        times="setDiscountEffect",
        partial=discount.is_partial(run),
    )


def _bases_of_unit(run: Run, scope: Scope, unit: Unit, cost: Cost | None) -> Bases:
    if cost is None:
        return unit_bases(scope, unit, run.settings.item_scope)
    price = cost_of(unit.item.get("additionalCosts"), cost.name)
    if price is None:
        raise EffectFailed(f"the cart item at {unit.position} has no additional cost {cost.name!r}")
    return unit_cost_bases(scope, unit, cost.name, price)


def discount_units(
    run: Run,
    scope: Scope,
    discount: Discount,
    units: Sequence[Unit],
    place: Place | None = None,
) -> None:
    """Discount each unit by the amount computed for it.

    A discount that may be cut gives out its budget in the order of the units.

    Raises:
        EffectFailed: If a unit lacks the cost, or a budget is too small.
    """
    if units:
        _check_session(scope)
    bases = [_bases_of_unit(run, scope, unit, discount.cost) for unit in units]
    granted = False
    for unit, unit_base in zip(units, bases, strict=True):
        if not run.allows(unit.position):
            continue
        wanted = min(discount.amount(run, scope.at(unit)), _cents_left(run, unit_base))
        if not wanted:
            continue
        try:
            grant = _claim(run, scope, discount, wanted)
        except EffectFailed:
            if granted and discount.is_partial(run):
                return
            raise
        granted = True
        extra: dict[str, Any] = {}
        if grant.amount < wanted:
            extra["desiredValue"] = json_number(wanted)
        _discount_unit(run, discount, unit, unit_base, grant, extra, place)


def _discount_unit(
    run: Run,
    discount: Discount,
    unit: Unit,
    bases: Bases,
    grant: Grant,
    extra: dict[str, Any],
    place: Place | None,
) -> None:
    props: dict[str, Any] = {
        "name": f"{discount.name}#{unit.position}",
        "value": json_number(grant.amount),
        "position": unit.position,
    }
    if run.settings.flattened:
        props["subPosition"] = unit.sub_position
    effect_type = "setDiscountPerItem"
    if discount.cost is not None:
        effect_type = "setDiscountPerAdditionalCostPerItem"
        props |= {"additionalCostId": discount.cost.id, "additionalCost": discount.cost.name}
    else:
        if run.settings.cascading:
            props["scope"] = run.settings.item_scope
        if place is not None:
            props |= place.props()
    props |= extra
    reduce(run, bases, grant.amount)
    effect = run.emit(effect_type, props)
    run.record(
        "setDiscount",
        discount.name,
        grant.amount,
        effect,
        grant.counters,
        position=unit.position,
        sub_position=unit.sub_position,
    )


def share_discount(
    run: Run,
    scope: Scope,
    discount: Discount,
    units: Sequence[Unit],
    place: Place | None = None,
) -> None:
    """Share one amount among units, in proportion to what each has left, to the cent.

    Raises:
        EffectFailed: If there is no unit, a unit lacks the cost, or a budget is too small.
    """
    if not units:
        raise EffectFailed("no cart item shares the discount")
    _check_session(scope)
    bases = [_bases_of_unit(run, scope, unit, discount.cost) for unit in units]
    weights = [_cents_left(run, each) for each in bases]
    basis = None if place is None else place.basis
    wanted = discount.amount(run, scope if basis is None else scope.at(basis))
    wanted = min(wanted, sum(weights, ZERO), _cents_left(run, (bases[0][-1],)))
    total = wanted
    left = room(scope, "setDiscount")
    if left is not None and left < wanted and discount.is_partial(run):
        # Cut before it is shared: each share then fits.
        total = left.quantize(CENT, ROUND_FLOOR)
    if left is not None and (left <= ZERO or left < total):
        raise EffectFailed("the budget of setDiscount is used up or too small")
    wanted_shares = share(wanted, weights)
    shares = wanted_shares if total == wanted else share(total, weights)
    for unit, unit_base, desired, part in zip(units, bases, wanted_shares, shares, strict=True):
        if not run.allows(unit.position):
            continue
        counters = {
            **counted(scope, "setDiscount", part),
            **claim(scope, "setDiscountEffect", ONE).counters,
        }
        extra: dict[str, Any] = {"totalDiscount": json_number(total)}
        if total < wanted:
            extra["desiredValue"] = json_number(desired)
            extra["desiredTotalDiscount"] = json_number(wanted)
        _discount_unit(run, discount, unit, unit_base, Grant(part, counters), extra, place)


def share(total: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Share an amount in proportion to weights, rounded to cents that add up to it.

    Cents that rounding down leaves over go to the largest fractions, the first of equal ones.
    No share exceeds its weight if the total does not exceed their sum.
    """
    whole = sum(weights, ZERO)
    if whole <= ZERO:
        return [ZERO for _ in weights]
    exact = [total * weight / whole for weight in weights]
    shares = [part.quantize(CENT, ROUND_FLOOR) for part in exact]
    rest = int((total - sum(shares, ZERO)) / CENT)
    order = sorted(range(len(shares)), key=lambda index: shares[index] - exact[index])
    for index in order[:rest]:
        shares[index] += CENT
    return shares


def discount_bundles(
    run: Run,
    scope: Scope,
    discount: Discount,
    name: str,
    bundles: Sequence[tuple[Unit, ...]],
    pick: Callable[[Scope, tuple[Unit, ...]], Unit] | None,
    *,
    prorated: bool,
) -> None:
    """Discount the items of bundles.

    Args:
        run: The evaluation.
        scope: What is at hand.
        discount: The discount.
        name: Name of the bundles' definition.
        bundles: The bundles.
        pick: Chooses the item of a bundle that is the basis; None if none is.
        prorated: Whether an amount is shared among the items of each bundle.
    """
    for index, bundle in enumerate(bundles):
        basis = None if pick is None else pick(scope, bundle)
        place = Place(index, name, basis)
        if prorated:
            share_discount(run, scope, discount, bundle, place)
        else:
            units = bundle if basis is None else (basis,)
            discount_units(run, scope, discount, units, place)
