"""Mapping of your lines, which may be any objects, to the cart items of a session."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any, TypeAlias, TypeVar

from talon_one._core.constructors import checks_arguments
from talon_one._schema.json_codec import encode
from talon_one._schema.model import Model
from talon_one._schema.scalars import native
from talon_one._utils.guard import guarded
from talon_one._utils.quoting import quoted
from talon_one._utils.suggest import did_you_mean
from talon_one.checkout.cart import Cart, CartLine, Price, default_key
from talon_one.checkout.currencies import exact
from talon_one.checkout.quantities import MAX_UNITS, quantity_of
from talon_one.exceptions import ApiTypeError, ApiValueError

L = TypeVar("L")

Source: TypeAlias = str | Callable[[Any], Any] | None
"""Where a value of a line is: an attribute, a key of a mapping, or a function of the line.

``None`` stands for a value that is not sent.
"""

MAX_ITEMS = 1_000
"""Cart items that one request may contain."""


class CartMapper:
    """Says where your lines have what a cart item needs.

    Each argument names an attribute of your lines (a key, if they are mappings such as dicts), or
    is a function of a line. What is ``None`` is not sent. A mapper serves all carts and threads, so
    make one when the program starts.

    Args:
        sku: SKU, text that is not empty.
        quantity: Number of units, a whole number. A line with 0 units is not sent.
        price: Price of one unit in the currency of the Application. With ``None``, prices come from
            the catalog.
        name: Display name.
        category: Category.
        product: Name of the product.
        weight: Weight in grams.
        height: Height in millimeters.
        width: Width in millimeters.
        length: Length in millimeters.
        attributes: Attributes, as a mapping. They replace those of the item. A value that is
            ``None`` is sent as null.
        additional_costs: Additional costs of the item, as a mapping from names to amounts; those
            that are ``None`` are left out.
        selected_price_type: Price type.
        key: What identifies a line when the cart changes, such as the ID of a row. By default the
            SKU, and for several lines with one SKU their order.
        free: Whether your shop added the line because of an `addFreeItem` effect. Such lines are
            not sent, or rules would count them.

    Raises:
        ApiTypeError: An argument is neither a name nor a function, or there is no such argument.
    """

    @checks_arguments('(sku="sku", quantity="quantity", price="price")')
    def __init__(
        self,
        *,
        sku: Source = "sku",
        quantity: Source = "quantity",
        price: Source = "price",
        name: Source = None,
        category: Source = None,
        product: Source = None,
        weight: Source = None,
        height: Source = None,
        width: Source = None,
        length: Source = None,
        attributes: Source = None,
        additional_costs: Source = None,
        selected_price_type: Source = None,
        key: Source = None,
        free: Source = None,
    ) -> None:
        self._sources: dict[str, Source] = {
            "sku": sku,
            "quantity": quantity,
            "price": price,
            "name": name,
            "category": category,
            "product": product,
            "weight": weight,
            "height": height,
            "width": width,
            "length": length,
            "attributes": attributes,
            "additional_costs": additional_costs,
            "selected_price_type": selected_price_type,
            "key": key,
            "free": free,
        }
        for argument, source in self._sources.items():
            if isinstance(source, str) or callable(source):
                continue
            if source is not None or argument in ("sku", "quantity"):
                raise ApiTypeError(
                    f"{argument} is {quoted(source)}, not the name of an attribute or a function"
                )

    def cart(
        self,
        lines: Iterable[L],
        *,
        merge: bool = False,
        additional_costs: Mapping[str, Any] | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> Cart[L]:
        """Return your lines as a cart.

        Args:
            lines: Your lines, any objects.
            merge: Send lines that differ in their quantities only as one cart item.
            additional_costs: Additional costs of the session by name, as amounts; ``None`` amounts
                are left out. An empty mapping removes all costs of the session, and ``None`` keeps
                them.
            attributes: Attributes of the session. A value that is ``None`` clears the attribute.

        Raises:
            ApiValueError: A line lacks a value, a quantity is negative, two lines have the same
                key, or there are more than 1,000 items or 10,000 units.
            ApiTypeError: A value has the wrong type.
        """
        if isinstance(lines, (str, bytes, Mapping)) or not isinstance(lines, Iterable):
            raise ApiTypeError(f"the lines are a list of your objects, not {type(lines).__name__}")
        if type(merge) is not bool:
            raise ApiTypeError(f"merge is {quoted(merge)}, not True or False")
        with guarded("the list of lines"):
            listed = list(lines)
        found: list[CartLine[L]] = []
        items: list[dict[str, Any]] = []
        positions: dict[bytes, int] = {}
        seen: dict[Any, int] = {}
        for index, each in enumerate(listed):
            with guarded("line ", str(index)):
                line = self._line(each, index, seen)
                item = self._item(line) if line.quantity and not line.free else None
                mergeable = encode(item) if merge and item is not None else b""
            if item is not None:
                position = positions.setdefault(mergeable, len(items)) if merge else len(items)
                if position == len(items):
                    items.append({**item, "quantity": 0})
                line = replace(line, position=position, first_unit=items[position]["quantity"])
                items[position]["quantity"] += line.quantity
            found.append(line)
        _check_limits(items)
        costs = own = None
        with guarded("additional_costs"):
            if additional_costs is not None:
                costs = _prices(additional_costs, "additional_costs")
        with guarded("attributes"):
            if attributes is not None:
                own = _mapping(attributes, "attributes")
        return Cart(found, items, costs, own)

    def _line(self, line: L, index: int, seen: dict[Any, int]) -> CartLine[L]:
        sku = native(self._read(line, index, "sku"))
        if not isinstance(sku, str) or not sku:
            raise ApiValueError(f"line {index}: sku is {quoted(sku)}, not a text with characters")
        own_key = self._sources["key"] is not None
        key = self._read(line, index, "key") if own_key else sku
        with guarded(f"line {index}: key"):
            earlier = seen.get(key, 0)
            seen[key] = earlier + 1
        if own_key and earlier:
            raise ApiValueError(f"line {index}: key is {quoted(key)}, as that of an earlier line")
        free = self._read(line, index, "free")
        with guarded(f"line {index}: free"):
            is_free = bool(free)
        quantity = quantity_of(self._read(line, index, "quantity"), f"line {index}: quantity")
        if not own_key:
            key = default_key(sku, earlier)
        return CartLine(line, index, key, str(sku), quantity, None, 0, is_free)

    def _item(self, line: CartLine[Any]) -> dict[str, Any]:
        """Return the cart item of a line with wire names, but without its quantity."""
        item: dict[str, Any] = {"sku": line.sku}
        for name, wire in _WIRE.items():
            value = self._read(line.line, line.index, name)
            if value is not None:
                item[wire] = _CONVERTED.get(name, _unchanged)(value, f"line {line.index}: {name}")
        return item

    def _read(self, line: object, index: int, name: str) -> Any:
        return _read(line, self._sources[name], f"line {index}: {name}")


_WIRE = {
    "name": "name",
    "price": "price",
    "category": "category",
    "product": "product",
    "weight": "weight",
    "height": "height",
    "width": "width",
    "length": "length",
    "attributes": "attributes",
    "additional_costs": "additionalCosts",
    "selected_price_type": "selectedPriceType",
}
"""Properties of cart items by argument of `CartMapper`."""


def _read(line: object, source: Source, what: str) -> Any:
    """Return a value of a line.

    Raises:
        ApiValueError: The line does not have it, or it cannot be read.
    """
    if source is None:
        return None
    with guarded(what):
        if not isinstance(source, str):
            return source(line)
        # Models are mappings, too, whose keys are names on the wire.
        if isinstance(line, Mapping) and not isinstance(line, Model):
            if source in line:
                return line[source]
            names = [each for each in line if isinstance(each, str)]
        else:
            names = dir(line)
            try:
                return getattr(line, source)
            except AttributeError:
                if source in names:
                    raise  # It is a property that fails.
        kind = type(line).__name__
        raise ApiValueError(f"{what}: the {kind} has no {source!r}.{did_you_mean(source, names)}")


def _price(value: Any, what: str) -> Price:
    value = native(value)
    exact(value, what)
    if isinstance(value, Fraction):
        raise ApiTypeError(
            f"{what} is {quoted(value)}; JSON has no fractions: make a Decimal of it"
        )
    price: Price = value
    return price


def _mapping(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ApiTypeError(f"{what} is {quoted(value)}, not a mapping")
    with guarded(what):
        return dict(value)


def _prices(value: Any, what: str) -> dict[str, Price]:
    found = {}
    for name, cost in _mapping(value, what).items():
        if not isinstance(name, str):
            raise ApiTypeError(f"{what}: the name {quoted(name)} is not text")
        price = cost.get("price") if isinstance(cost, Mapping) else cost
        if price is not None:
            found[name] = _price(price, f"{what}: {name}")
    return found


def _costs(value: Any, what: str) -> dict[str, dict[str, Price]]:
    return {name: {"price": price} for name, price in _prices(value, what).items()}


def _product(value: Any, _: str) -> Any:
    return value if isinstance(value, Mapping) else {"name": value}


def _unchanged(value: Any, _: str) -> Any:
    return value


_CONVERTED: dict[str, Callable[[Any, str], Any]] = {
    "price": _price,
    "attributes": _mapping,
    "additional_costs": _costs,
    "product": _product,
}


def _check_limits(items: list[dict[str, Any]]) -> None:
    """Refuse a cart that no request may contain."""
    units = sum(item["quantity"] for item in items)
    if len(items) > MAX_ITEMS:
        raise ApiValueError(
            f"the cart has {len(items):,} items, and a session takes at most {MAX_ITEMS:,}"
        )
    if units > MAX_UNITS:
        raise ApiValueError(
            f"the quantities in the cart add up to {units:,}, and a session takes at most"
            f" {MAX_UNITS:,} units"
        )
