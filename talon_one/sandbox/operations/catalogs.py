"""Operations on catalogs: synchronize one, list its items, and look up the best prior price."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from talon_one.sandbox.call import Call, Result
from talon_one.sandbox.errors import Problem, invalid, not_found
from talon_one.sandbox.operations.lists import either
from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.values import format_time


def known_catalog(call: Call) -> Document:
    """Return the catalog that the path names.

    Raises:
        ApiError: 404 if there is none.
    """
    catalog = call.state.catalogs.get(call.ids["catalogId"])
    if catalog is None:
        raise not_found("Catalog")
    return catalog


def synchronize(call: Call) -> Result:
    """Handle syncCatalog: all actions, or none if one cannot be carried out."""
    catalog = known_catalog(call)
    version = call.body.get("version")
    if version is not None and version != catalog["version"]:
        details = f"the catalog has version {catalog['version']}, not {version}"
        raise invalid(Problem("Invalid", details, "/version"))
    _check_actions(call.body["actions"])
    catalog["version"] += 1
    catalog["modified"] = call.now
    for index, action in enumerate(call.body["actions"]):
        _Sync(call, catalog, f"/actions/{index}/payload").run(action["type"], action["payload"])
    return Result(200, call.state.catalogs.save(catalog))


def _check_actions(actions: list[Document]) -> None:
    """Refuse actions of several types, and an SKU in two of them."""
    skus = set()
    for index, action in enumerate(actions):
        if action["type"] != actions[0]["type"]:
            details = "all actions of a request are of the same type"
            raise invalid(Problem("Invalid", details, f"/actions/{index}/type"))
        sku = action["payload"].get("sku")
        if sku is not None and sku in skus:
            details = f"the SKU {sku!r} occurs in two actions"
            raise invalid(Problem("Duplicate", details, f"/actions/{index}/payload/sku"))
        skus.add(sku)


class _Sync:
    """One action on the items of a catalog."""

    def __init__(self, call: Call, catalog: Document, pointer: str) -> None:
        self._call = call
        self._catalog = catalog
        self._pointer = pointer

    def run(self, kind: str, payload: Mapping[str, Any]) -> None:
        """Carry out an action."""
        actions: Mapping[str, Callable[[Mapping[str, Any]], None]] = {
            "ADD": self._add,
            "PATCH": self._patch,
            "PATCH_MANY": self._patch_many,
            "REMOVE": self._remove,
            "REMOVE_MANY": self._remove_many,
            "ADD_PRICE_ADJUSTMENT": self._adjust,
        }
        actions[kind](payload)

    def _find(self, sku: str) -> Document | None:
        return self._call.state.catalog_items.first(catalogid=self._catalog["id"], sku=sku)

    def _known(self, sku: str) -> Document:
        found = self._find(sku)
        if found is None:
            details = f"the catalog has no item with the SKU {sku!r}"
            raise invalid(Problem("Unknown", details, f"{self._pointer}/sku"))
        return found

    def _new(self, payload: Mapping[str, Any]) -> None:
        item = self._call.state.catalog_items.add(
            {
                "created": self._call.now,
                "catalogid": self._catalog["id"],
                "sku": payload["sku"],
                "price": payload.get("price"),
                "product": payload.get("product"),
                "attributes": _attributes(payload.get("attributes") or {}),
                "version": self._catalog["version"],
            }
        )
        self._observe(item)

    def _save(self, item: Document) -> None:
        item["version"] = self._catalog["version"]
        self._call.state.catalog_items.save(item)
        self._observe(item)

    def _observe(self, item: Mapping[str, Any], context: str = "") -> None:
        if item.get("price") is None:
            return
        self._call.state.prices.add(
            {
                "sku": item["sku"],
                "observedAt": self._call.now,
                "price": item["price"],
                "contextId": context,
                "contextIds": [context] if context else [],
                "metadata": {"influencingCampaignDetails": []},
                "target": {"type": "NONE"},
            }
        )

    def _add(self, payload: Mapping[str, Any]) -> None:
        found = self._find(payload["sku"])
        if found is None:
            self._new(payload)
            return
        if not payload.get("replaceIfExists"):
            details = f"the catalog has an item with the SKU {payload['sku']!r} already"
            raise invalid(Problem("Duplicate", details, f"{self._pointer}/sku"))
        found["attributes"] = _attributes(payload.get("attributes") or {})
        found["product"] = payload.get("product")
        found["price"] = payload.get("price", found["price"])
        self._save(found)

    def _patch(self, payload: Mapping[str, Any]) -> None:
        if payload.get("createIfNotExists") and self._find(payload["sku"]) is None:
            self._new(payload)
            return
        found = self._known(payload["sku"])
        found["product"] = payload.get("product")
        self._merge(found, payload)

    def _merge(self, item: Document, payload: Mapping[str, Any]) -> None:
        values = {**_values(item), **(payload.get("attributes") or {})}
        item["attributes"] = _attributes(values)
        item["price"] = payload.get("price", item["price"])
        self._save(item)

    def _patch_many(self, payload: Mapping[str, Any]) -> None:
        for item in self._matching(payload.get("filters") or ()):
            self._merge(item, payload)

    def _remove(self, payload: Mapping[str, Any]) -> None:
        self._call.state.catalog_items.delete(id=self._known(payload["sku"])["id"])

    def _remove_many(self, payload: Mapping[str, Any]) -> None:
        ids = [item["id"] for item in self._matching(payload.get("filters") or ())]
        self._call.state.catalog_items.delete(id=ids)

    def _adjust(self, payload: Mapping[str, Any]) -> None:
        item = self._known(payload["sku"])
        prices = {each["priceType"]: each for each in item.get("prices") or ()}
        for adjustment in payload.get("adjustments") or ():
            if adjustment.get("price") is None:
                prices.pop(adjustment["priceType"], None)
                continue
            prices[adjustment["priceType"]] = adjustment
            self._observe(
                {"sku": item["sku"], "price": adjustment["price"]},
                adjustment.get("contextId") or "",
            )
        item["prices"] = list(prices.values())
        item["version"] = self._catalog["version"]
        self._call.state.catalog_items.save(item)

    def _matching(self, filters: Iterable[Mapping[str, Any]]) -> list[Document]:
        found = self._call.state.catalog_items.find(catalogid=self._catalog["id"])
        return [item for item in found if all(_passes(item, each) for each in filters)]


def _attributes(values: Mapping[str, Any]) -> list[Document]:
    return [{"name": name, "value": value} for name, value in values.items()]


def _values(item: Mapping[str, Any]) -> dict[str, Any]:
    return {each["name"]: each["value"] for each in item.get("attributes") or ()}


_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "LT": lambda found, wanted: found < wanted,
    "LE": lambda found, wanted: found <= wanted,
    "GT": lambda found, wanted: found > wanted,
    "GE": lambda found, wanted: found >= wanted,
}


def _passes(item: Mapping[str, Any], condition: Mapping[str, Any]) -> bool:
    facts = {"sku": item["sku"], "price": item.get("price"), **_values(item)}
    found, wanted, operator = facts.get(condition["attr"]), condition["value"], condition["op"]
    if operator == "EQ":
        return str(found) == str(wanted)
    if operator == "IN":
        return str(found) in [part.strip() for part in str(wanted).split(",")]
    try:
        return found is not None and _COMPARISONS[operator](float(found), float(wanted))
    except (TypeError, ValueError):
        return False


def list_items(call: Call) -> Result:
    """Handle listCatalogItems."""
    skus, names = call.query.get("sku"), call.query.get("productNames")
    found = [
        item
        for item in call.state.catalog_items.each(catalogid=known_catalog(call)["id"])
        if (not skus or item["sku"] in skus)
        and (not names or (item.get("product") or {}).get("name") in names)
    ]
    return either(call, found)


def best_prior_price(call: Call) -> Result:
    """Handle bestPriorPrice: the lowest price of each SKU that was observed in the time frame."""
    sent = call.body
    days = sent["timeframe"]
    if not (days.isascii() and days.isdigit() and len(days) < 5):
        raise invalid(Problem("Invalid type", "timeframe is a number of days", "/timeframe"))
    # Prices are those of the catalogs, which have none for an audience.
    target = (sent.get("target") or {}).get("targetType", "NONE")
    found = []
    for sku in dict.fromkeys(sent["skus"]):
        observed = [
            each
            for each in call.state.prices.each(sku=sku)
            if each.get("excludedAt") is None and each["target"]["type"] == target
        ]
        until = _frame_end(observed, sent["timeframeEndDate"], sent["timeframeEndDateType"])
        since = format_time(
            datetime.fromisoformat(until.removesuffix("Z") + "+00:00") - timedelta(days=int(days))
        )
        inside = [
            each
            for each in observed
            if since <= each["observedAt"] < until
            or (each["observedAt"] == until and sent["timeframeEndDateType"] == "strict")
        ]
        if inside:
            found.append(min(inside, key=lambda each: each["price"]))
    return Result(200, found)


def _frame_end(observed: list[Document], end: str, kind: str) -> str:
    """Return the end of the time frame: as given, or where the present price or context began.

    That beginning is not part of the time frame.
    """
    past = [each for each in observed if each["observedAt"] <= end]
    if kind == "strict" or not past:
        return end
    name = "price" if kind == "price" else "contextId"
    begin = past[-1]
    for each in reversed(past):
        if each[name] != past[-1][name]:
            break
        begin = each
    return str(begin["observedAt"])


def price_history(call: Call) -> Result:
    """Handle priceHistory: what was observed of one SKU in a span of time, oldest first."""
    sent = call.body
    found = [
        each
        for each in call.state.prices.each(sku=sent["sku"])
        if sent["startDate"] <= each["observedAt"] <= sent["endDate"]
    ]
    return Result(200, {"sku": sent["sku"], "history": found})


def exclude_prices(call: Call) -> Result:
    """Handle excludePriceHistory: all records, or none if one is unknown or excluded already."""
    for index, number in enumerate(call.body["ids"]):
        record = call.state.prices.get(number)
        if record is None or record.get("excludedAt") is not None:
            details = f"the price record {number} does not exist or is excluded already"
            raise invalid(Problem("Unknown", details, f"/ids/{index}"))
        excluded = {"excludedAt": call.now, "exclusionReason": call.body["reason"]}
        call.state.prices.save({**record, **excluded})
    return Result(200)


OPERATIONS: Final = {
    "syncCatalog": synchronize,
    "listCatalogItems": list_items,
    "bestPriorPrice": best_prior_price,
    "priceHistory": price_history,
    "excludePriceHistory": exclude_prices,
}
