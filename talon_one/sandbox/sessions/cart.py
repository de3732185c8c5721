"""Cart items as a catalog completes them: price, attributes and product by SKU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from talon_one.sandbox.call import Call
from talon_one.sandbox.errors import Problem, invalid
from talon_one.sandbox.state.documents import Document


def price_items(call: Call, items: Sequence[Mapping[str, Any]], pointer: str) -> list[Document]:
    """Return the items of a cart with what the catalogs of the Application know about their SKUs.

    A price that was sent overrides that of a catalog, and so do attributes.

    Raises:
        ApiError: 400 for an item that has a price neither of its own nor in a catalog.
    """
    known = _catalog_items(call, {item["sku"] for item in items})
    problems = []
    completed = []
    for index, item in enumerate(items):
        found = known.get(item["sku"])
        done = dict(item)
        if found is not None:
            done["catalogItemID"] = found["id"]
            for name in ("price", "product"):
                if done.get(name) is None and found.get(name) is not None:
                    done[name] = found[name]
            attributes = {**_values(found), **(done.get("attributes") or {})}
            if attributes:
                done["attributes"] = attributes
        if done.get("price") is None:
            problems.append(Problem("required", "price is required", f"{pointer}/{index}/price"))
        completed.append(done)
    if problems:
        raise invalid(*problems)
    return completed


def _values(item: Mapping[str, Any]) -> dict[str, Any]:
    return {each["name"]: each["value"] for each in item.get("attributes") or ()}


def _catalog_items(call: Call, skus: set[str]) -> dict[str, Document]:
    def connected() -> list[int]:
        return [
            each["id"]
            for each in call.state.catalogs.each()
            if call.application_id in (each.get("subscribedApplicationsIds") or ())
        ]

    catalogs = call.state.cached(("catalogs", call.application_id), connected)
    if not catalogs or not skus:
        return {}
    found = call.state.catalog_items.each(catalogid=catalogs, sku=sorted(skus))
    return {each["sku"]: each for each in found}
