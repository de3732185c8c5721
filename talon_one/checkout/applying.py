"""Apply a response to a cart: discounts on your own lines, and what changed since the last one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from talon_one._schema.access import data_of
from talon_one._utils.quoting import quoted
from talon_one.checkout.cart import Cart, CartLine
from talon_one.checkout.currencies import decimal_at, exact
from talon_one.checkout.money import allocate
from talon_one.effects.amounts import exact_sum, index_of
from talon_one.effects.comparison import difference
from talon_one.effects.summaries import Summary, summary
from talon_one.exceptions import ApiTypeError, ApiValueError
from talon_one.models import Effect

if TYPE_CHECKING:
    from talon_one.effects.entries import Discount, Entry
    from talon_one.effects.extraction import EffectSource

L = TypeVar("L")


@dataclass(frozen=True)
class LineDiscount:
    """What a discount takes off one of your lines, or what is taken back there."""

    discount: Discount
    """The discount, with its name, campaign and coupon code."""
    amount: Decimal
    """Its amount on this line; a part of it if the discount is on a merged item as a whole."""
    unit: int | None
    """Index of the unit in your line; ``None`` for all units together."""


@dataclass(frozen=True)
class AppliedLine(Generic[L]):
    """One of your lines, and what a response says about it."""

    line: CartLine[L]
    discounts: list[LineDiscount] = field(default_factory=list)
    """Discounts on the units of the line."""
    cost_discounts: list[LineDiscount] = field(default_factory=list)
    """Discounts on additional costs of the line."""
    rolled_back: list[LineDiscount] = field(default_factory=list)
    """Discounts that are taken back, such as those of returned units."""
    entries: list[Entry[Any]] = field(default_factory=list)
    """Points and custom effects that name the line."""

    @property
    def amount(self) -> Decimal:
        """Sum of `discounts`."""
        return exact_sum(each.amount for each in self.discounts)

    @property
    def cost_amount(self) -> Decimal:
        """Sum of `cost_discounts`."""
        return exact_sum(each.amount for each in self.cost_discounts)

    @property
    def rolled_back_amount(self) -> Decimal:
        """Sum of `rolled_back`."""
        return exact_sum(each.amount for each in self.rolled_back)

    @property
    def units(self) -> dict[int, list[LineDiscount]]:
        """Discounts on single units, by index of the unit in your line."""
        found: dict[int, list[LineDiscount]] = {}
        for each in self.discounts:
            if each.unit is not None:
                found.setdefault(each.unit, []).append(each)
        return found


@dataclass(frozen=True)
class LineChange(Generic[L]):
    """An effect to undo or to apply, and the lines that it is about."""

    effect: Effect
    """The effect as received."""
    lines: tuple[CartLine[L], ...]
    """Your lines: none for the session, several if the effect names a merged item as a whole."""
    unit: int | None
    """Index of the unit in the line, if the effect names one."""


@dataclass(frozen=True)
class LineDifference(Generic[L]):
    """What a response changes, in terms of your lines. It is false if nothing changes."""

    undo: list[LineChange[L]]
    """Effects of the earlier response that no longer apply, with the lines of the earlier cart."""
    apply: list[LineChange[L]]
    """Effects of this response that did not apply before."""
    unchanged: list[LineChange[L]]
    """Effects of this response that applied before, on the same lines."""

    def __bool__(self) -> bool:
        return bool(self.undo or self.apply)


@dataclass(frozen=True)
class Applied(Generic[L]):
    """A response in terms of your lines."""

    cart: Cart[L]
    summary: Summary
    """Everything in the response, also what is on no line."""
    lines: list[AppliedLine[L]]
    """All your lines, in your order."""

    @property
    def free_items_to_add(self) -> dict[str, int]:
        """Units that are free and that your cart does not have yet, by SKU."""
        return dict(self._free_wanted() - self._free_present())

    @property
    def free_items_to_remove(self) -> dict[str, int]:
        """Units that your cart has for free and that are not free any longer, by SKU."""
        return dict(self._free_present() - self._free_wanted())

    def difference(self, earlier: Applied[L] | None = None) -> LineDifference[L]:
        """Return what to undo and what to apply after an earlier response.

        An effect on a line is unchanged if it is on the line with the same key, even if the line
        has another position now, because others were added or removed. Otherwise the rules are
        those of `effects.difference`.

        Args:
            earlier: The earlier response, applied to the cart of that time; ``None`` for the first
                response.

        Raises:
            ApiValueError: One of the responses has rollback effects.
            ApiTypeError: *earlier* is something else.
        """
        if earlier is not None and not isinstance(earlier, Applied):
            raise ApiTypeError(f"the earlier response is {quoted(earlier)}, not an Applied")
        numbers: dict[Hashable, int] = {}
        before = [] if earlier is None else _translated(earlier, numbers)
        now = _translated(self, numbers)
        changes = {id(copy): change for copy, change in (*before, *now)}
        found = difference([copy for copy, _ in before], [copy for copy, _ in now])
        undo, apply, unchanged = (
            [changes[id(copy)] for copy in copies]
            for copies in (found.undo, found.apply, found.unchanged)
        )
        return LineDifference(undo, apply, unchanged)

    def _free_wanted(self) -> Counter[str]:
        return Counter(self.summary.free_item_counts)

    def _free_present(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for line in self.cart.lines:
            if line.free:
                found[line.sku] += line.quantity
        return found


def apply(cart: Cart[L], response: EffectSource | Summary) -> Applied[L]:
    """Return a response in terms of the lines of a cart.

    It applies to updates, and to returns, whose rollbacks it lists for each line. Discounts of
    types that this release does not know are in `Applied.summary` only.

    Args:
        cart: The cart that the request contained. For a return, the cart of the order.
        response: The response to it, or its summary.

    Raises:
        ApiValueError: The cart lacks a line or unit that the response names, so the response is to
            another cart; or a discount is malformed.
        ApiTypeError: *cart* is no `Cart`, or *response* has no effects.
    """
    if not isinstance(cart, Cart):
        raise ApiTypeError(f"the cart is {quoted(cart)}, not a Cart: CartMapper.cart makes one")
    found = checked_summary(response)
    lines = [AppliedLine(line) for line in cart.lines]
    for discount in found.discounts:
        for line, share in _shares(cart, discount):
            applied = lines[line.index]
            target = applied.discounts if discount.cost is None else applied.cost_discounts
            target.append(share)
    for discount in found.rolled_back.discounts:
        for line, share in _shares(cart, discount):
            lines[line.index].rolled_back.append(share)
    for entries in (found.added_points, found.rolled_back.added_points, found.custom_effects):
        _add_entries(cart, lines, entries)
    return Applied(cart, found, lines)


def checked_summary(response: EffectSource | Summary) -> Summary:
    """Return the summary of a response, whose discounts are well-formed.

    Raises:
        ApiValueError: One is not.
        ApiTypeError: *response* has no effects.
    """
    found = response if isinstance(response, Summary) else summary(response)
    for each in found.malformed_discounts:
        raise ApiValueError(each.problem)
    return found


def _shares(cart: Cart[L], discount: Discount) -> Iterable[tuple[CartLine[L], LineDiscount]]:
    """Return the lines that a discount is on, each with its share."""
    if discount.unit is None:
        return
    if not discount.whole_item:
        place = cart.unit_at(*discount.unit)
        yield place.line, LineDiscount(discount, discount.amount, place.unit)
        return
    lines = cart.lines_at(discount.unit.position)
    if len(lines) == 1:
        yield lines[0], LineDiscount(discount, discount.amount, None)
        return
    amount = exact(discount.amount, f"discount {quoted(discount.name)}")
    # In cents, or in the smallest unit of an amount that has more digits.
    digits = max(2, -int(discount.amount.as_tuple().exponent))
    shares = allocate(int(amount * 10**digits), [each.quantity for each in lines])
    for line, share in zip(lines, shares, strict=True):
        yield line, LineDiscount(discount, decimal_at(share, digits), None)


def _add_entries(cart: Cart[L], lines: list[AppliedLine[L]], entries: Iterable[Entry[Any]]) -> None:
    for entry in entries:
        if entry.unit is None:
            continue
        if entry.whole_item:
            # Of several lines in a merged item, none owns the effect.
            own = cart.lines_at(entry.unit.position)
            if len(own) == 1:
                lines[own[0].index].entries.append(entry)
        else:
            lines[cart.unit_at(*entry.unit).line.index].entries.append(entry)


_POSITIONS = (
    ("position", "subPosition"),
    ("cartItemPosition", "cartItemSubPosition"),
    ("targetedItemPosition", "targetedItemSubPosition"),
)


def _translated(
    applied: Applied[L], numbers: dict[Hashable, int]
) -> list[tuple[Effect, LineChange[L]]]:
    """Return copies of all effects that name your lines, not positions, and what they are about.

    Args:
        applied: A response and its cart.
        numbers: Numbers of lines by their keys, the same for both responses.
    """
    found = []
    for effects in applied.summary.by_place().values():
        for effect in effects:
            data = dict(data_of(effect))
            props = data_of(data.get("props"))
            lines: tuple[CartLine[L], ...] = ()
            unit = None
            if isinstance(props, dict):
                props = data["props"] = dict(props)
                for keys in reversed(_POSITIONS):
                    lines, unit = _renumber(props, *keys, applied.cart, numbers) or (lines, unit)
            found.append((Effect.from_dict(data), LineChange(effect, lines, unit)))
    return found


def _renumber(
    props: dict[str, Any],
    position: str,
    sub_position: str,
    cart: Cart[L],
    numbers: dict[Hashable, int],
) -> tuple[tuple[CartLine[L], ...], int | None] | None:
    """Replace a position in props by the number of a line, and return the line and the unit."""
    place, unit = index_of(props.get(position)), index_of(props.get(sub_position))
    if place is None:
        return None
    try:
        if unit is None:
            lines = tuple(cart.lines_at(place))
        else:
            found = cart.unit_at(place, unit)
            lines, unit = (found.line,), found.unit
    except ApiValueError:
        return None  # Another field may still name a line; the effect is compared as it is.
    number = numbers.setdefault(tuple(line.key for line in lines), len(numbers))
    props[position] = number
    if unit is not None:
        props[sub_position] = unit
    # The name of a discount on an item ends with the position.
    name = props.get("name")
    if isinstance(name, str) and name.endswith(f"#{place}"):
        props["name"] = f"{name.removesuffix(str(place))}{number}"
    return lines, unit
