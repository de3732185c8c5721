"""What a customer pays: lines, units and additional costs less discounts, in minor units."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from talon_one.checkout.applying import checked_summary
from talon_one.checkout.bill import (
    ITEM_SCOPES,
    SESSION_SCOPES,
    Bill,
    Cut,
    ItemCosts,
    ItemScope,
    SessionScope,
)
from talon_one.checkout.cart import Cart
from talon_one.checkout.currencies import (
    Currency,
    Rounding,
    check_choice,
    check_rounding,
    currency_of,
    rounded,
)
from talon_one.checkout.money import largest_remainder
from talon_one.exceptions import ApiValueError
from talon_one.models import CustomerSessionV2, NewCustomerSessionV2

if TYPE_CHECKING:
    from talon_one.effects.extraction import EffectSource
    from talon_one.effects.summaries import Summary
    from talon_one.models import Effect


@dataclass(frozen=True)
class Payable:
    """Amounts of something, in minor units: `before` less `discount` is `payable`."""

    before: int
    """Amount before discounts."""
    payable: int
    """Amount to pay; never negative."""

    @property
    def discount(self) -> int:
        """Amount that discounts take off; never negative."""
        return self.before - self.payable


@dataclass(frozen=True)
class PayableUnit(Payable):
    """One unit of a cart item."""

    sub_position: int
    """Index of the unit in the cart item."""


@dataclass(frozen=True)
class PayableCost(Payable):
    """An additional cost."""

    name: str


@dataclass(frozen=True)
class PayableLine(Payable):
    """One cart item: its units and its additional costs."""

    position: int
    """Index of the cart item."""
    sku: str | None
    units: tuple[PayableUnit, ...]
    """Units that were not returned."""
    costs: tuple[PayableCost, ...]
    """Additional costs of the item."""


@dataclass(frozen=True)
class PayableCart(Payable):
    """A whole cart: lines and additional costs add up to `before` and `payable`."""

    currency: Currency
    lines: tuple[PayableLine, ...]
    """One for each cart item, in the order of their positions."""
    costs: tuple[PayableCost, ...]
    """Additional costs of the session, such as shipping."""
    cut: tuple[Cut, ...]
    """Discounts that exceed what they are on."""
    unknown: tuple[Effect, ...]
    """Discounts of types that this release does not know; they are not subtracted."""

    @property
    def amount(self) -> Decimal:
        """Amount to pay in the currency, with all digits: 12.30."""
        return self.currency.major(self.payable)


def payable(
    cart: Cart[Any] | NewCustomerSessionV2 | CustomerSessionV2,
    response: EffectSource | Summary,
    currency: Currency | str,
    *,
    rounding: Rounding = "half-even",
    session_scope: SessionScope = "sessionTotal",
    item_scope: ItemScope = "itemTotal",
    item_costs: ItemCosts = "line",
) -> PayableCart:
    """Return what the customer pays for each line, unit and additional cost.

    Discounts on units and costs come first. Those on the session are then spread over what they
    are on, in proportion to what is left to pay. The total is rounded once, and lines, units and
    costs so that they add up to it: each is less than one minor unit away from its exact value, and
    of equal candidates the first ones are rounded up. The order of the effects has no influence.

    A discount never takes more than there is: what exceeds it is in `PayableCart.cut`.

    Args:
        cart: The cart, or the session that was sent or received. Units that a session says were
            returned are left out.
        response: The response to it, or its summary.
        currency: Currency of the Application, or its code.
        rounding: How to round the total: ``"half-even"``, ``"half-up"`` or ``"down"``.
        session_scope: What discounts on the session are on if they do not say it. It is the
            `defaultDiscountScope` of the Application.
        item_scope: What discounts on items are on if they do not say it. With ``"itemTotal"``, the
            price comes first, and additional costs of the item pay the rest.
        item_costs: Whether an additional cost of an item is charged once for the ``"line"``, as in
            the totals of a session, or for each ``"unit"``.

    Raises:
        ApiValueError: A price is missing or negative; a discount is malformed, negative, or on a
            line, unit or cost that the cart does not have; the response takes discounts back; the
            currency is unknown, or an argument is not one of its values.
        ApiTypeError: An argument has the wrong type.
    """
    currency = currency_of(currency)
    check_rounding(rounding)
    check_choice("session_scope", session_scope, tuple(SESSION_SCOPES))
    check_choice("item_scope", item_scope, tuple(ITEM_SCOPES))
    check_choice("item_costs", item_costs, ("line", "unit"))
    found = checked_summary(response)
    if found.rolled_back:
        raise ApiValueError(
            "the response takes effects back and does not list what remains: read the session with"
            " get_customer_session and use that response"
        )
    bill = Bill(cart, item_costs)
    bill.subtract(found.discounts, session_scope, item_scope)
    return _result(bill, currency, rounding, found)


def _result(bill: Bill, currency: Currency, rounding: Rounding, found: Summary) -> PayableCart:
    """Return the amounts in minor units, which add up."""
    groups = [[*line.units, *line.costs.values()] for line in bill.lines]
    groups += [[each] for each in bill.costs.values()]
    scaled = [
        [(currency.scaled(each.before), currency.scaled(each.left)) for each in group]
        for group in groups
    ]
    before = _rounded_groups([[each for each, _ in group] for group in scaled], rounding)
    left = _rounded_groups([[each for _, each in group] for group in scaled], rounding)
    # Prices with more digits than the currency could round to less than what is left of them.
    amounts = [
        [(max(pair), pair[1]) for pair in zip(*pairs, strict=True)]
        for pairs in zip(before, left, strict=True)
    ]
    lines = []
    for position, line in enumerate(bill.lines):
        units = amounts[position][: len(line.units)]
        costs = amounts[position][len(line.units) :]
        lines.append(
            PayableLine(
                *_total(amounts[position]),
                position,
                line.sku,
                tuple(
                    PayableUnit(*each, line.returned + index) for index, each in enumerate(units)
                ),
                tuple(
                    PayableCost(*each, name) for each, name in zip(costs, line.costs, strict=True)
                ),
            )
        )
    of_session = [group[0] for group in amounts[len(bill.lines) :]]
    return PayableCart(
        *_total([each for group in amounts for each in group]),
        currency,
        tuple(lines),
        tuple(PayableCost(*each, name) for each, name in zip(of_session, bill.costs, strict=True)),
        tuple(bill.cut),
        tuple(found.unknown_discounts),
    )


def _rounded_groups(groups: list[list[Fraction]], rounding: Rounding) -> list[list[int]]:
    """Round amounts so that groups add up to the rounded total, and amounts to their group."""
    sums = [sum(group, Fraction(0)) for group in groups]
    totals = largest_remainder(sums, rounded(sum(sums, Fraction(0)), rounding))
    return [largest_remainder(group, total) for group, total in zip(groups, totals, strict=True)]


def _total(amounts: list[tuple[int, int]]) -> tuple[int, int]:
    return sum(before for before, _ in amounts), sum(left for _, left in amounts)
