"""Lines of a shop's own cart, and effects on the items that stand for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from effects.sample_effects import effect_json
from talon_one.checkout import CartMapper


@dataclass
class Row:
    """A line as an ORM may have it."""

    article: str
    count: int = 1
    unit_price: Any = 10
    id: int = 0
    gift: bool = False


MAPPER = CartMapper(sku="article", quantity="count", price="unit_price", key="id", free="gift")
"""Rows have an ID, and some were added for free."""


def rows(*articles: str, **more: Any) -> list[Row]:
    """Return a row for each article, with IDs from 1 on."""
    return [Row(article, id=index, **more) for index, article in enumerate(articles, 1)]


def off(value: Any, position: int, *sub_position: int, **more: Any) -> dict[str, Any]:
    """Return a discount on a unit, or on an item as a whole."""
    place = dict(zip(("position", "subPosition"), (position, *sub_position), strict=False))
    props = {"name": f"Off#{position}", "value": value, **place, **more}
    return effect_json("setDiscountPerItem", props)


def session_off(value: Any, **more: Any) -> dict[str, Any]:
    """Return a discount on the session."""
    return effect_json("setDiscount", {"name": "Session", "value": value, **more})


def cost_off(value: Any, name: str, *place: int) -> dict[str, Any]:
    """Return a discount on an additional cost of the session, or of a unit."""
    props = {"name": "Cost", "value": value, "additionalCost": name, "additionalCostId": 1}
    if not place:
        return effect_json("setDiscountPerAdditionalCost", props)
    props |= dict(zip(("position", "subPosition"), place, strict=False))
    return effect_json("setDiscountPerAdditionalCostPerItem", props)
