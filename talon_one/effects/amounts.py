"""Discounts of a response, summed exactly: on the session, on items, on additional costs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal, localcontext
from typing import TYPE_CHECKING, NamedTuple

from talon_one._utils.quoting import quoted
from talon_one.effects.extraction import effects_of, place, props_of
from talon_one.exceptions import ApiValueError

if TYPE_CHECKING:
    from talon_one.effects.extraction import EffectSource
    from talon_one.models import Effect


# Sums are exact in any context of the caller: a float has fewer than 650 digits.
_EXACT = Context(
    prec=1000, rounding=ROUND_HALF_EVEN, Emin=MIN_EMIN, Emax=MAX_EMAX, clamp=0, traps=[]
)


class ItemUnit(NamedTuple):
    """One unit of a cart item: index of the item, and index of the unit in the item."""

    position: int
    sub_position: int


class ItemCost(NamedTuple):
    """An additional cost of one unit of a cart item."""

    position: int
    sub_position: int
    name: str


@dataclass(frozen=True)
class Discounts:
    """Discounts in the currency of the Application, summed without rounding.

    The type of an effect determines its sum, and no amount counts twice. For a pro rata discount,
    `items` contains the share of each unit; the shares add up to `totalDiscount`.
    """

    session: dict[str, Decimal]
    """Discounts on the whole session, with any `scope`, by name of the discount."""
    items: dict[ItemUnit, Decimal]
    """Discounts on units of cart items, with any `scope`."""
    costs: dict[str, Decimal]
    """Discounts on additional costs of the session, by name of the cost."""
    item_costs: dict[ItemCost, Decimal]
    """Discounts on additional costs of units of cart items."""
    unknown: list[Effect]
    """Effects with a ``setDiscount...`` type that this release does not know; not in any sum."""

    @property
    def total(self) -> Decimal:
        """Sum of all discounts except unknown ones."""
        parts = (self.session, self.items, self.costs, self.item_costs)
        with localcontext(_EXACT):
            return sum((amount for part in parts for amount in part.values()), Decimal(0))

    @property
    def lines(self) -> dict[int, Decimal]:
        """Sums of `items` over all units of a cart item, by index of the item."""
        found: defaultdict[int, Decimal] = defaultdict(Decimal)
        with localcontext(_EXACT):
            for unit, amount in self.items.items():
                found[unit.position] += amount
        return dict(found)


def discounts(response: EffectSource) -> Discounts:
    """Return the sums of the discounts that a response grants.

    They replace those of earlier responses. Rollbacks are not subtracted, because a response does
    not list discounts that were rolled back; see `rolled_back`.

    Raises:
        ApiValueError: An amount, a position or the name of a cost is missing or malformed.
        ApiTypeError: *response* has no effects.
    """
    sums = _Sums()
    with localcontext(_EXACT):
        for effect in effects_of(response):
            match effect.effect_type:
                case "setDiscount":
                    sums.session[_label(effect)] += _amount(effect)
                case "setDiscountPerItem":
                    sums.items[_unit(effect, "position", "subPosition")] += _amount(effect)
                case "setDiscountPerAdditionalCost":
                    sums.costs[_cost(effect)] += _amount(effect)
                case "setDiscountPerAdditionalCostPerItem":
                    unit = _unit(effect, "position", "subPosition")
                    sums.item_costs[ItemCost(*unit, _cost(effect))] += _amount(effect)
                case str(kind) if kind.startswith("setDiscount"):
                    sums.unknown.append(effect)
    return sums.result()


def rolled_back(response: EffectSource) -> Discounts:
    """Return the sums of the discounts that a response takes back (`rollbackDiscount`).

    Responses to a cancellation, a return or the reopening of a session have such effects. The
    refund for a returned unit is its price minus this discount.

    Raises:
        ApiValueError: An amount, a position or the name of a cost is missing or malformed.
        ApiTypeError: *response* has no effects.
    """
    sums = _Sums()
    with localcontext(_EXACT):
        for effect in effects_of(response):
            if effect.effect_type != "rollbackDiscount":
                continue
            props, amount = props_of(effect), _amount(effect)
            # Either position marks a discount on an item. If the other is missing, `_unit` raises.
            keys = ("cartItemPosition", "cartItemSubPosition")
            of_item = any(props.get(key) is not None for key in keys)
            # Either property marks a discount on a cost. Without the name, `_cost` raises.
            of_cost = any(
                props.get(key) is not None for key in ("additionalCost", "additionalCostId")
            )
            if not of_item and not of_cost:
                sums.session[_label(effect)] += amount
            elif not of_item:
                sums.costs[_cost(effect)] += amount
            else:
                unit = _unit(effect, "cartItemPosition", "cartItemSubPosition")
                if of_cost:
                    sums.item_costs[ItemCost(*unit, _cost(effect))] += amount
                else:
                    sums.items[unit] += amount
    return sums.result()


class _Sums:
    def __init__(self) -> None:
        self.session: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.items: defaultdict[ItemUnit, Decimal] = defaultdict(Decimal)
        self.costs: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.item_costs: defaultdict[ItemCost, Decimal] = defaultdict(Decimal)
        self.unknown: list[Effect] = []

    def result(self) -> Discounts:
        # Plain dicts do not grow when a key is missing.
        return Discounts(
            dict(self.session),
            dict(self.items),
            dict(self.costs),
            dict(self.item_costs),
            self.unknown,
        )


def _amount(effect: Effect) -> Decimal:
    return _number(effect, "value")


def _label(effect: Effect) -> str:
    # The name is for people only. A discount without one still counts.
    return str(props_of(effect).get("name") or "")


def _cost(effect: Effect) -> str:
    name = props_of(effect).get("additionalCost")
    if not isinstance(name, str):
        raise ApiValueError(f"{place(effect)}: additionalCost is {quoted(name)}, not a name")
    return name


def _unit(effect: Effect, position: str, sub_position: str) -> ItemUnit:
    # Applications that do not flatten carts send one effect per item, without a sub-position.
    has_sub_position = props_of(effect).get(sub_position) is not None
    return ItemUnit(
        _index(effect, position), _index(effect, sub_position) if has_sub_position else 0
    )


def _index(effect: Effect, key: str) -> int:
    number = _number(effect, key)
    if number != int(number) or number < 0:
        raise ApiValueError(f"{place(effect)}: {key} is {number}, not an index")
    return int(number)


def _number(effect: Effect, key: str) -> Decimal:
    value = props_of(effect).get(key)
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        # The repr of a float has the digits that the server sent; its binary value does not.
        number = Decimal(str(value))
        if number.is_finite():
            return number
    raise ApiValueError(f"{place(effect)}: {key} is {quoted(value)}, not a number")
