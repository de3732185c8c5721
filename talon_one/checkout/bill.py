"""The amounts of a cart while discounts are subtracted, exactly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Context, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from talon_one._schema.access import data_of
from talon_one._utils.quoting import quoted
from talon_one.checkout.cart import Cart
from talon_one.checkout.currencies import exact
from talon_one.checkout.quantities import MAX_UNITS, quantity_of
from talon_one.effects.amounts import ItemUnit
from talon_one.exceptions import ApiTypeError, ApiValueError
from talon_one.models import CustomerSessionV2, NewCustomerSessionV2

if TYPE_CHECKING:
    from talon_one.effects.entries import Discount

SessionScope = Literal["sessionTotal", "cartItems", "additionalCosts"]
ItemScope = Literal["itemTotal", "price", "additionalCosts"]
ItemCosts = Literal["line", "unit"]


class Cut(NamedTuple):
    """A part of discounts that exceeds what they are on, so that nothing is left to reduce."""

    amount: Decimal
    """The part that has no effect, in the currency."""
    unit: ItemUnit | None
    """Unit of a cart item that the discounts are on; ``None`` for the session."""
    cost: str | None
    """Additional cost that they are on, if any."""
    scope: str | None
    """Part of the session or item that they are on, if any."""


SESSION_SCOPES = {"cartItems": 0, "additionalCosts": 1, "sessionTotal": 2}
ITEM_SCOPES = {"price": 0, "additionalCosts": 1, "itemTotal": 2}
# Narrow scopes come first, so that the order of the effects has no influence.


class Amount:
    """Something to pay: a unit or a cost."""

    __slots__ = ("before", "left")

    before: Fraction
    """Amount before discounts."""
    left: Fraction
    """What discounts have left of it."""

    def __init__(self, before: Fraction) -> None:
        self.before = before
        self.left = before


class Line:
    """The units and costs of a cart item."""

    sku: str | None
    quantity: int
    """Units, those that were returned among them."""
    returned: int
    """Units that were returned, which are the first ones."""
    units: list[Amount]
    """Units that are left."""
    costs: dict[str, Amount]
    """Additional costs by name."""

    def __init__(self, item: Any, position: int, item_costs: ItemCosts) -> None:
        what = f"cart item {position} ({quoted(item.get('sku'))})"
        self.sku = item.get("sku")
        self.quantity = quantity_of(item.get("quantity"), f"{what}: quantity")
        returned = item.get("returnedQuantity")
        self.returned = (
            0 if returned is None else quantity_of(returned, f"{what}: returnedQuantity")
        )
        left = max(0, self.quantity - self.returned)
        if item.get("price") is None:
            raise ApiValueError(
                f"{what} has no price. If prices come from a catalog, ask for the session"
                " (responseContent) and pass that"
            )
        price = _amount(item["price"], f"{what}: price")
        self.units = [Amount(price) for _ in range(left)]
        times = left if item_costs == "unit" else min(left, 1)
        self.costs = {
            name: Amount(amount * times)
            for name, amount in _costs(item.get("additionalCosts"), what)
        }


class Bill:
    """The amounts of a cart while discounts are subtracted."""

    lines: list[Line]
    costs: dict[str, Amount]
    """Additional costs of the session by name."""
    cut: list[Cut]
    """Discounts that exceed what they are on."""

    def __init__(self, cart: object, item_costs: ItemCosts) -> None:
        if not isinstance(cart, (Cart, NewCustomerSessionV2, CustomerSessionV2)):
            raise ApiTypeError(f"the cart is {quoted(cart)}, not a Cart or a customer session")
        session = data_of(cart.session() if isinstance(cart, Cart) else cart)
        items = [data_of(each) for each in _listed(session.get("cartItems"))]
        units = sum(quantity_of(each.get("quantity"), "a quantity") for each in items)
        if units > MAX_UNITS:
            raise ApiValueError(
                f"the cart has {units:,} units, and a session at most {MAX_UNITS:,}"
            )
        self.lines = [Line(each, place, item_costs) for place, each in enumerate(items)]
        costs = _costs(session.get("additionalCosts"), "the session")
        self.costs = {name: Amount(amount) for name, amount in costs}
        self.cut = []

    def subtract(
        self, discounts: Iterable[Discount], session_scope: SessionScope, item_scope: ItemScope
    ) -> None:
        """Subtract discounts, those on small parts of the cart first."""
        sums: defaultdict[tuple[Any, ...], Fraction] = defaultdict(Fraction)
        for each in discounts:
            amount = exact(each.amount, f"discount {quoted(each.name)}")
            if amount < 0:
                raise ApiValueError(f"discount {quoted(each.name)} is negative: {each.amount}")
            scope, order = None, 0
            if each.cost is None:
                scopes = SESSION_SCOPES if each.unit is None else ITEM_SCOPES
                default = session_scope if each.unit is None else item_scope
                scope = default if each.scope is None else each.scope
                order = scopes.get(scope, len(scopes))
            of_session = each.unit is None
            # Costs before scopes, and units before whole items.
            rank = (of_session, each.cost is None, order, each.whole_item)
            key = (*rank, each.unit or (), each.cost or "", scope or "")
            sums[key] += amount
        for key in sorted(sums):
            of_session, of_no_cost, _, whole_item, unit, name, on = key
            place = None if of_session else ItemUnit(*unit)
            cost, scope = (None, on) if of_no_cost else (name, None)
            left = _spread(sums[key], self._targets(place, whole_item, cost, scope))
            if left:
                self.cut.append(Cut(_decimal(left), place, cost, scope))

    def _targets(
        self, unit: ItemUnit | None, whole_item: bool, cost: str | None, scope: str | None
    ) -> Iterator[Sequence[Amount]]:
        """Return the amounts that discounts reduce, and then those that they reduce after them."""
        if unit is None:
            if cost is not None:
                yield [_cost(self.costs, cost, "the session")]
                return
            goods = [each for line in self.lines for each in line.units]
            of_items = [each for line in self.lines for each in line.costs.values()]
            of_session = [*self.costs.values()]
            if scope == "cartItems":
                yield goods
            elif scope == "additionalCosts":
                yield of_session
                yield of_items
            else:
                yield [*goods, *of_items, *of_session]
            return
        line = self._line(unit, whole_item)
        if cost is not None:
            yield [_cost(line.costs, cost, f"cart item {unit.position}")]
            return
        if scope != "additionalCosts":
            yield line.units if whole_item else [line.units[unit.sub_position - line.returned]]
        if scope != "price":
            yield [*line.costs.values()]

    def _line(self, unit: ItemUnit, whole_item: bool) -> Line:
        position, sub_position = unit
        hint = "it is the response to another cart"
        if position >= len(self.lines):
            raise ApiValueError(
                f"a discount is on cart item {position}, and the cart has {len(self.lines)}: {hint}"
            )
        line = self.lines[position]
        if not whole_item and not line.returned <= sub_position < line.quantity:
            raise ApiValueError(
                f"a discount is on unit {sub_position} of cart item {position}, which has the units"
                f" {line.returned} to {line.quantity - 1}: {hint}"
            )
        return line


def _spread(amount: Fraction, targets: Iterable[Sequence[Amount]]) -> Fraction:
    """Take an amount from targets in proportion to what they have left; return what exceeds it."""
    for each in targets:
        left = sum((target.left for target in each), Fraction(0))
        if left <= amount:
            for target in each:
                target.left = Fraction(0)
            amount -= left
        else:
            kept = 1 - amount / left
            for target in each:
                target.left *= kept
            return Fraction(0)
    return amount


def _decimal(number: Fraction) -> Decimal:
    """Return a number whose digits end as a decimal."""
    return Context(prec=1000).divide(Decimal(number.numerator), Decimal(number.denominator))


def _amount(value: object, what: str) -> Fraction:
    number = exact(value, what)
    if number < 0:
        raise ApiValueError(
            f"{what} is {value}, which is negative: leave it out and subtract it from the total"
        )
    return number


def _costs(costs: Any, what: str) -> Iterator[tuple[str, Fraction]]:
    costs = data_of(costs)
    if costs is None:
        return
    if not isinstance(costs, dict):
        raise ApiTypeError(f"{what}: the additional costs are {quoted(costs)}, not an object")
    for name, cost in costs.items():
        data = data_of(cost)
        price = data.get("price") if isinstance(data, dict) else None
        yield name, _amount(price, f"{what}: additional cost {quoted(name)}")


def _cost(costs: dict[str, Amount], name: str, what: str) -> Amount:
    if name not in costs:
        raise ApiValueError(
            f"a discount is on the additional cost {quoted(name)} of {what}, which the cart lacks:"
            " it is the response to another cart, or the session has costs from earlier"
        )
    return costs[name]


def _listed(items: Any) -> list[Any]:
    items = [] if items is None else items
    if not isinstance(items, list) or not all(isinstance(data_of(each), dict) for each in items):
        raise ApiTypeError(f"the cart items are {quoted(items)}, not a list of items")
    return items
