"""Discounts of a response, summed exactly: on the session, on items, on additional costs."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from talon_one._utils.guard import guarded
from talon_one._utils.quoting import quoted
from talon_one.effects.extraction import effects_of, place, props_of
from talon_one.exceptions import ApiValueError

if TYPE_CHECKING:
    from talon_one.effects.extraction import EffectSource
    from talon_one.models import Effect

K = TypeVar("K", bound=Hashable)

# Sums are exact in any context of the caller: a float has fewer than 650 digits.
_EXACT = Context(
    prec=1000, rounding=ROUND_HALF_EVEN, Emin=MIN_EMIN, Emax=MAX_EMAX, clamp=0, traps=[]
)
_LARGEST_INDEX = 10**9


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
        return exact_sum(amount for part in parts for amount in part.values())

    @property
    def lines(self) -> dict[int, Decimal]:
        """Sums of `items` over all units of a cart item, by index of the item."""
        found: dict[int, Decimal] = {}
        for unit, amount in self.items.items():
            _add(found, unit.position, amount)
        return found


class Part(NamedTuple):
    """What one effect grants or takes back: an amount, and what it is on."""

    name: str
    """Name of the discount; empty if it has none."""
    amount: Decimal
    unit: ItemUnit | None
    """Unit of a cart item; ``None`` for the session."""
    cost: str | None
    """Name of an additional cost, of that unit or of the session."""
    whole_item: bool
    """Whether the effect names the item only, so that its unit stands for all units."""


def discounts(response: EffectSource) -> Discounts:
    """Return the sums of the discounts that a response grants.

    They replace those of earlier responses. Rollbacks are not subtracted, because a response does
    not list discounts that were rolled back; see `rolled_back`.

    Raises:
        ApiValueError: An amount, a position or the name of a cost is missing or malformed.
        ApiTypeError: *response* has no effects.
    """
    parts, unknown = [], []
    for effect in effects_of(response):
        if effect.effect_type in GRANTING:
            parts.append(granted(effect))
        elif is_unknown_discount(effect):
            unknown.append(effect)
    return summed(parts, unknown)


def rolled_back(response: EffectSource) -> Discounts:
    """Return the sums of the discounts that a response takes back (`rollbackDiscount`).

    Responses to a cancellation, a return or the reopening of a session have such effects. The
    refund for a returned unit is its price minus this discount.

    Raises:
        ApiValueError: An amount, a position or the name of a cost is missing or malformed.
        ApiTypeError: *response* has no effects.
    """
    effects = (each for each in effects_of(response) if each.effect_type == "rollbackDiscount")
    return summed(map(taken_back, effects), [])


GRANTING = (
    "setDiscount",
    "setDiscountPerItem",
    "setDiscountPerAdditionalCost",
    "setDiscountPerAdditionalCostPerItem",
)
"""Effect types that grant a discount."""


def is_unknown_discount(effect: Effect) -> bool:
    """Return whether an effect is of a type for discounts that this release does not know."""
    kind: object = effect.effect_type
    return type(kind) is str and kind.startswith("setDiscount") and kind not in GRANTING


def granted(effect: Effect) -> Part:
    """Return what an effect of one of the `GRANTING` types grants.

    Raises:
        ApiValueError: A property is missing or malformed.
    """
    kind = effect.effect_type
    amount, unit, cost, whole = number_in(effect, "value"), None, None, False
    if kind in ("setDiscountPerItem", "setDiscountPerAdditionalCostPerItem"):
        unit, whole = _unit(effect, "position", "subPosition")
    if kind in ("setDiscountPerAdditionalCost", "setDiscountPerAdditionalCostPerItem"):
        cost = _cost(effect)
    return Part(_label(effect), amount, unit, cost, whole)


def taken_back(effect: Effect) -> Part:
    """Return what a `rollbackDiscount` effect takes back.

    Raises:
        ApiValueError: A property is missing or malformed.
    """
    props, amount = props_of(effect), number_in(effect, "value")
    # Either position marks a discount on an item. If the other is missing, `_unit` raises.
    keys = ("cartItemPosition", "cartItemSubPosition")
    unit, cost, whole = None, None, False
    if any(props.get(key) is not None for key in keys):
        unit, whole = _unit(effect, *keys)
    # Either property marks a discount on a cost. Without the name, `_cost` raises.
    if any(props.get(key) is not None for key in ("additionalCost", "additionalCostId")):
        cost = _cost(effect)
    return Part(_label(effect), amount, unit, cost, whole)


def summed(parts: Iterable[Part], unknown: list[Effect]) -> Discounts:
    """Return the sums of parts by what they are on."""
    sums = Discounts({}, {}, {}, {}, unknown)
    for part in parts:
        if part.unit is None:
            if part.cost is None:
                _add(sums.session, part.name, part.amount)
            else:
                _add(sums.costs, part.cost, part.amount)
        elif part.cost is None:
            _add(sums.items, part.unit, part.amount)
        else:
            _add(sums.item_costs, ItemCost(*part.unit, part.cost), part.amount)
    return sums


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """Return a sum without rounding, in any context of the caller."""
    total = Decimal(0)
    for amount in amounts:
        total = _EXACT.add(total, amount)
    return total


def _add(sums: dict[K, Decimal], key: K, amount: Decimal) -> None:
    sums[key] = _EXACT.add(sums.get(key, Decimal(0)), amount)


def _label(effect: Effect) -> str:
    # The name is for people only. A discount without one still counts.
    return str(props_of(effect).get("name") or "")


def _cost(effect: Effect) -> str:
    name = props_of(effect).get("additionalCost")
    if not isinstance(name, str):
        raise ApiValueError(f"{place(effect)}: additionalCost is {quoted(name)}, not a name")
    return name


def _unit(effect: Effect, position: str, sub_position: str) -> tuple[ItemUnit, bool]:
    # Applications that do not flatten carts send one effect per item, without a sub-position.
    whole_item = props_of(effect).get(sub_position) is None
    unit = ItemUnit(index_in(effect, position), 0 if whole_item else index_in(effect, sub_position))
    return unit, whole_item


def index_in(effect: Effect, key: str) -> int:
    """Return a property of an effect that is an index.

    Raises:
        ApiValueError: It is missing, or not a whole number of at least 0.
    """
    number_in(effect, key)
    value = props_of(effect)[key]
    index = index_of(value)
    if index is None:
        raise ApiValueError(f"{place(effect)}: {key} is {quoted(value)}, not an index")
    return index


def index_of(value: object) -> int | None:
    """Return a JSON number that is an index as an `int`; ``None`` for anything else."""
    number = decimal_of(value)
    # The limit comes first: an integer of a billion digits takes all memory.
    if number is None or not 0 <= number <= _LARGEST_INDEX or number != int(number):
        return None
    return int(number)


def number_in(effect: Effect, key: str) -> Decimal:
    """Return a property of an effect that is a number.

    Raises:
        ApiValueError: It is missing, or not a finite number.
    """
    value = props_of(effect).get(key)
    number = decimal_of(value)
    if number is None:
        raise ApiValueError(f"{place(effect)}: {key} is {quoted(value)}, not a number")
    return number


def decimal_of(value: object) -> Decimal | None:
    """Return a finite JSON number with the digits that were received; ``None`` for anything else.

    The repr of a float has these digits; its binary value does not.
    """
    kind = type(value)
    if kind not in _NUMBERS:
        if kind is bool or not issubclass(kind, (int, float, Decimal)):
            return None
        with guarded(f"a number of type {kind.__name__}"):
            value = Decimal(str(value))
    # An integer may have more digits than Python writes.
    number = Decimal(value) if type(value) is int else Decimal(str(value))
    return number if number.is_finite() else None


_NUMBERS = frozenset({int, float, Decimal})
