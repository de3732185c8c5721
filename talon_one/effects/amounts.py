"""The discounts of an answer, summed exactly: session, units of items, additional costs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal, localcontext
from typing import TYPE_CHECKING, NamedTuple

from talon_one._utils.quoting import quoted
from talon_one.effects.comparison import effects_of, place, props_of
from talon_one.exceptions import ApiValueError

if TYPE_CHECKING:
    from talon_one.effects.comparison import RawResponse
    from talon_one.models import Effect


# Whatever the context of the caller says, sums are exact: a float has less than 650 digits.
_EXACT = Context(
    prec=1000, rounding=ROUND_HALF_EVEN, Emin=MIN_EMIN, Emax=MAX_EMAX, clamp=0, traps=[]
)


class ItemUnit(NamedTuple):
    """One unit of a cart item: index of the item, and of the unit in it, both from 0."""

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

    The type of an effect decides where it counts, and nothing counts twice: of a pro rata
    discount each unit has its share in `items`, and `totalDiscount` is what the shares add up to.
    """

    session: dict[str, Decimal]
    """Discounts on the session as a whole, whatever their `scope`, by the name of the discount."""
    items: dict[ItemUnit, Decimal]
    """Discounts on units of cart items, whatever their `scope`."""
    costs: dict[str, Decimal]
    """Discounts on additional costs of the session, by the name of the cost."""
    item_costs: dict[ItemCost, Decimal]
    """Discounts on additional costs of units of cart items."""
    unknown: list[Effect]
    """Effects whose type begins with ``setDiscount`` and is unknown to this release; in no sum."""

    @property
    def total(self) -> Decimal:
        """The sum of all but the unknown ones."""
        parts = (self.session, self.items, self.costs, self.item_costs)
        with localcontext(_EXACT):
            return sum((amount for part in parts for amount in part.values()), Decimal(0))

    @property
    def lines(self) -> dict[int, Decimal]:
        """The sums of `items` over the units of a cart item, by its index."""
        found: defaultdict[int, Decimal] = defaultdict(Decimal)
        with localcontext(_EXACT):
            for unit, amount in self.items.items():
                found[unit.position] += amount
        return dict(found)


def discounts(answer: RawResponse) -> Discounts:
    """Return the sums of the discounts that an answer grants.

    They replace those of earlier answers. Rollbacks are not subtracted, since what was rolled back
    is not listed as granted any more; see `rolled_back`.

    Raises:
        ApiValueError: An amount, a position or the name of a cost is missing or malformed.
        ApiTypeError: *answer* has no effects.
    """
    sums = _Sums()
    with localcontext(_EXACT):
        for effect in effects_of(answer):
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


def rolled_back(answer: RawResponse) -> Discounts:
    """Return the sums of the discounts that an answer takes back (`rollbackDiscount`).

    Answers to a cancellation, a return or the reopening of a session have such effects. What the
    customer gets back for a returned unit is its price less this discount.

    Raises:
        ApiValueError: An amount, a position or the name of a cost is missing or malformed.
        ApiTypeError: *answer* has no effects.
    """
    sums = _Sums()
    with localcontext(_EXACT):
        for effect in effects_of(answer):
            if effect.effect_type != "rollbackDiscount":
                continue
            props, amount = props_of(effect), _amount(effect)
            # Nor is the position of one that has that of the unit only: it is missed as well.
            keys = ("cartItemPosition", "cartItemSubPosition")
            of_item = any(props.get(key) is not None for key in keys)
            # Of one that is given by its ID only, the name is missed rather than guessed.
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
        # As plain dicts, which do not grow when they are asked for what is not there.
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
    # Only people read it, so a discount without one is no reason to lose the sum.
    return str(props_of(effect).get("name") or "")


def _cost(effect: Effect) -> str:
    name = props_of(effect).get("additionalCost")
    if not isinstance(name, str):
        raise ApiValueError(f"{place(effect)}: additionalCost is {quoted(name)}, no name")
    return name


def _unit(effect: Effect, position: str, sub_position: str) -> ItemUnit:
    # Applications that do not flatten carts give one effect for the line, without the latter.
    has_sub_position = props_of(effect).get(sub_position) is not None
    return ItemUnit(
        _index(effect, position), _index(effect, sub_position) if has_sub_position else 0
    )


def _index(effect: Effect, key: str) -> int:
    number = _number(effect, key)
    if number != int(number) or number < 0:
        raise ApiValueError(f"{place(effect)}: {key} is {number}, no index")
    return int(number)


def _number(effect: Effect, key: str) -> Decimal:
    value = props_of(effect).get(key)
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        # The text of a float is what the server wrote; its binary value is not.
        number = Decimal(str(value))
        if number.is_finite():
            return number
    raise ApiValueError(f"{place(effect)}: {key} is {quoted(value)}, no number")
