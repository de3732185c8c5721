"""The amounts of a session before discounts, and the prices that a catalog supplies."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.values import ZERO, amount, json_number


def add_totals(session: Document) -> Document:
    """Set the positions of the cart items and all totals of a session, and return it.

    `_total` is the session total that a caller of V1 computed; it is no property of a V2 session.
    """
    items = session.get("cartItems") or []
    for position, item in enumerate(items):
        item["position"] = position
    in_cart = sum((amount(item.get("price", 0)) * item["quantity"] for item in items), ZERO)
    of_items = sum((_sum(item.get("additionalCosts")) for item in items), ZERO)
    of_session = _sum(session.get("additionalCosts"))
    session["cartItemTotal"] = json_number(in_cart)
    session["cartItemAdditionalCostTotal"] = json_number(of_items)
    session["additionalCostTotal"] = json_number(of_session)
    session["total"] = json_number(in_cart + of_items + of_session)
    return session


def remaining(session: Mapping[str, Any]) -> Document:
    """Return a session with the totals of the cart items that have not been returned."""
    items = []
    for item in session["cartItems"]:
        left = item["quantity"] - (item.get("returnedQuantity") or 0)
        # An item that is gone has no costs either.
        costs = (item.get("additionalCosts") or {}) if left else {}
        items.append({**item, "quantity": left, "additionalCosts": costs})
    totals = add_totals({**session, "cartItems": items})
    return {**totals, "cartItems": session["cartItems"]}


def worth(session: Mapping[str, Any]) -> Decimal:
    """Return the total of a session: the one of the caller for V1, else the sum of everything."""
    given = session.get("_total")
    return amount(session["total"] if given is None else given)


def _sum(costs: Mapping[str, Any] | None) -> Decimal:
    return sum((amount(cost["price"]) for cost in (costs or {}).values()), ZERO)
