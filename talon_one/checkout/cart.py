"""Carts: the cart items of a session, and the way back from their positions to your lines."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from talon_one._schema.access import wrap
from talon_one._schema.nesting import converted
from talon_one._utils.guard import guarded
from talon_one._utils.quoting import quoted
from talon_one.checkout.quantities import quantity_of
from talon_one.exceptions import ApiTypeError, ApiValueError
from talon_one.models import (
    AdditionalCost,
    CartItem,
    NewCustomerSessionV2,
    NewReturn,
    ReturnedCartItem,
)

if TYPE_CHECKING:
    from decimal import Decimal

L = TypeVar("L")

Price: TypeAlias = "int | float | Decimal"

# Keys that a message lists.
_LISTED = 8


@dataclass(frozen=True)
class CartLine(Generic[L]):
    """One of your lines, and the place of its units in the session."""

    line: L
    """Your object."""
    index: int
    """Its index among your lines."""
    key: Hashable
    """What identifies it when the cart changes."""
    sku: str
    quantity: int
    position: int | None
    """Index of the cart item that contains it; ``None`` if it is not sent."""
    first_unit: int
    """Index of its first unit in that cart item; above 0 only in merged items."""
    free: bool
    """Whether your shop added it because of an `addFreeItem` effect."""


@dataclass(frozen=True)
class CartUnit(Generic[L]):
    """One unit of one of your lines."""

    line: CartLine[L]
    unit: int
    """Index of the unit in the line."""


class Cart(Generic[L]):
    """Your lines, the cart items that stand for them, and additional costs of the session.

    A cart never changes, and all threads may use it. `CartMapper.cart` makes one.

    Attributes:
        lines: All your lines in your order, including those that are not sent.
        additional_costs: Amounts of the additional costs of the session by name, such as shipping;
            ``None`` if the cart says nothing about them.
        attributes: Attributes of the session; ``None`` if there are none.
    """

    lines: tuple[CartLine[L], ...]
    additional_costs: Mapping[str, Price] | None
    attributes: Mapping[str, Any] | None

    def __init__(
        self,
        lines: Iterable[CartLine[L]],
        items: Iterable[Mapping[str, Any]],
        additional_costs: Mapping[str, Price] | None,
        attributes: Mapping[str, Any] | None,
    ) -> None:
        self.lines = tuple(lines)
        self.additional_costs = None if additional_costs is None else dict(additional_costs)
        self.attributes = None if attributes is None else dict(attributes)
        self._items = tuple(items)
        self._at: list[list[CartLine[L]]] = [[] for _ in self._items]
        for line in self.lines:
            if line.position is not None:
                self._at[line.position].append(line)

    @property
    def items(self) -> list[CartItem]:
        """New cart items, in the order of their positions."""
        return [wrap(CartItem, _copied(each)) for each in self._items]

    def session(self, **properties: Any) -> NewCustomerSessionV2:
        """Return what to send of the session: cart items, additional costs, attributes.

        They replace the cart items and the costs of the session. An empty cart is sent as an empty
        list. Costs and attributes are left out, and so keep their values, if the cart was made
        without them. An attribute that is ``None`` is sent as null, which clears it.

        Args:
            **properties: More properties of `NewCustomerSessionV2`, such as ``profile_id``.

        Raises:
            ApiTypeError: A property is unknown, or is one of those above.
        """
        own = {"cart_items", "additional_costs", "attributes"} & properties.keys()
        if own:
            raise ApiTypeError(f"{sorted(own)[0]} comes from the cart")
        session = NewCustomerSessionV2(**properties)
        session.cart_items = self.items
        if self.additional_costs is not None:
            session.additional_costs = {
                name: wrap(AdditionalCost, {"price": price})
                for name, price in self.additional_costs.items()
            }
        if self.attributes is not None:
            session.attributes = _copied(self.attributes)
        return session

    def returned(self, quantities: Mapping[Any, int]) -> NewReturn:
        """Return what to send if units of your lines come back.

        ::

            api.return_cart_items("order-7", {"return": cart.returned({row.id: 1})})

        The cart must be that of the order: the same lines in the same sequence, with the quantities
        that were ordered. The platform returns units of an item from the first one on. So in a
        merged item it may be a unit of another of its lines whose discount is taken back.

        Args:
            quantities: Number of returned units by the key of the line. If the mapper has no
                ``key``, the SKU will do, unless several lines have it. Lines with 0 are left out.

        Raises:
            ApiValueError: There is no such line, or it is free and was not sent; a quantity is not
                a whole number, negative, or more than the line has; or nothing is returned.
            ApiTypeError: *quantities* is not a mapping.
        """
        if not isinstance(quantities, Mapping):
            raise ApiTypeError(
                f"the returned units are {quoted(quantities)}, not a mapping of keys of lines and"
                " numbers of units"
            )
        with guarded("the returned units"):
            pairs = list(quantities.items())
        by_key = {line.key: line for line in self.lines}
        units: dict[int, int] = {}
        for key, number in pairs:
            line = self._line_with(key, by_key)
            back = quantity_of(number, f"line {quoted(key)}: quantity")
            units[line.index] = units.get(line.index, 0) + back
            if units[line.index] > line.quantity:
                raise ApiValueError(
                    f"{units[line.index]} units of line {quoted(key)} are returned, and it has"
                    f" {line.quantity}"
                )
            if back and line.position is None:
                raise ApiValueError(
                    f"line {quoted(key)} is free and was not sent, so it cannot be returned:"
                    " leave it out"
                )
        found = [
            ReturnedCartItem(position=position, quantity=back)
            for position, lines in enumerate(self._at)
            if (back := sum(units.get(line.index, 0) for line in lines))
        ]
        if not found:
            raise ApiValueError("the return has no units")
        return NewReturn(returned_cart_items=found)

    def lines_at(self, position: int) -> list[CartLine[L]]:
        """Return your lines in a cart item: one, or several in a merged item.

        Raises:
            ApiValueError: The cart has no such item.
        """
        if not 0 <= position < len(self._at):
            raise ApiValueError(
                f"the response has an effect on cart item {position}, and the cart has"
                f" {len(self._at)} items: it is the response to another cart"
            )
        return self._at[position]

    def unit_at(self, position: int, sub_position: int) -> CartUnit[L]:
        """Return your line with a unit of a cart item.

        Returned units keep their places: units of an item are returned from the first one on, and
        those that are left have the sub-positions that they had.

        Args:
            position: Index of the cart item.
            sub_position: Index of the unit in it.

        Raises:
            ApiValueError: The cart has no such unit.
        """
        lines = self.lines_at(position)
        for line in lines:
            if 0 <= sub_position - line.first_unit < line.quantity:
                return CartUnit(line, sub_position - line.first_unit)
        raise ApiValueError(
            f"the response has an effect on unit {sub_position} of cart item {position}, which has"
            f" {sum(line.quantity for line in lines)} units: it is the response to another cart"
        )

    def _line_with(self, key: Any, by_key: Mapping[Any, CartLine[L]]) -> CartLine[L]:
        """Return the line with a key, or the only one with a SKU if lines have no keys of yours."""
        with guarded("the key of a line"):
            found = by_key.get(key)
            if found is not None:
                return found
            same = [line for line in self.lines if isinstance(key, str) and line.sku == key]
            same = [line for n, line in enumerate(same) if line.key == default_key(line.sku, n)]
        if len(same) == 1:
            return same[0]
        if same:
            keys = ", ".join(quoted(line.key) for line in same)
            raise ApiValueError(
                f"{len(same)} lines have the SKU {quoted(key)}: say which by {keys}"
            )
        listed = [quoted(line.key) for line in self.lines[:_LISTED]]
        if len(self.lines) > _LISTED:
            listed.append("...")
        keys = f"its keys are {', '.join(listed)}" if listed else "it is empty"
        raise ApiValueError(f"the cart has no line {quoted(key)}: {keys}")


def default_key(sku: str, earlier: int) -> tuple[str, int]:
    """Return the key of a line whose mapper has none: its SKU, and how many such lines precede."""
    return sku, earlier


def _copied(value: Any) -> Any:
    """Return a copy of dicts and lists, and what is in them as it is."""
    return converted(value, _copied_once)


def _copied_once(value: Any) -> Any:
    if type(value) is dict:
        return dict(value)
    return list(value) if type(value) is list else value
