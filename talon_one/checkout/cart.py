"""Carts: the cart items of a session, and the way back from their positions to your lines."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from talon_one._schema.access import wrap
from talon_one._schema.nesting import converted
from talon_one.exceptions import ApiTypeError, ApiValueError
from talon_one.models import AdditionalCost, CartItem, NewCustomerSessionV2

if TYPE_CHECKING:
    from decimal import Decimal

L = TypeVar("L")

Price: TypeAlias = "int | float | Decimal"


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


def _copied(value: Any) -> Any:
    """Return a copy of dicts and lists, and what is in them as it is."""
    return converted(value, _copied_once)


def _copied_once(value: Any) -> Any:
    if type(value) is dict:
        return dict(value)
    return list(value) if type(value) is list else value
