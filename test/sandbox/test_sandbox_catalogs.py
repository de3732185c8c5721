"""Catalogs: synchronized, listed, used by sessions, and the history of their prices."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.loyalty_shop import Shop, earn, shop

CATALOG: dict[str, Any] = {
    "catalogs": [{"id": 7, "name": "Goods", "subscribedApplicationsIds": [3]}]
}


def sync(api: Shop, kind: str, *payloads: dict[str, Any], **more: Any) -> Any:
    """Send actions of one type."""
    actions = [{"type": kind, "payload": payload} for payload in payloads]
    return api.send("PUT", "/v1/catalogs/7/sync", {"actions": actions, **more})


def items(api: Shop, query: str = "") -> dict[str, Any]:
    """Return price, product and attributes of the items by their SKUs."""
    found = api.manage("GET", f"/v1/catalogs/7/items{query}").json["data"]
    return {
        each["sku"]: (
            each.get("price"),
            (each.get("product") or {}).get("name"),
            {attribute["name"]: attribute["value"] for attribute in each["attributes"]},
        )
        for each in found
    }


def stocked(api: Shop) -> None:
    """Add two items."""
    sync(
        api,
        "ADD",
        {"sku": "A", "price": 10, "attributes": {"size": 1}, "product": {"name": "Ant"}},
        {"sku": "B", "price": 20, "attributes": {"size": 2, "color": "red"}},
    )


STOCK = {"A": (10, "Ant", {"size": 1}), "B": (20, None, {"size": 2, "color": "red"})}


def test_each_sync_adds_items_and_raises_the_version() -> None:
    with shop(**CATALOG) as api:
        assert sync(api, "ADD", {"sku": "A"}).json["version"] == 2
        assert sync(api, "REMOVE", {"sku": "A"}, version=2).json["version"] == 3
        assert sync(api, "ADD", {"sku": "A"}, version=2).status == 400
        assert items(api) == {}


CHANGES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("ADD", {"sku": "C"}, {**STOCK, "C": (None, None, {})}),
    (
        "ADD",
        {"sku": "A", "replaceIfExists": True, "attributes": {"new": True}},
        {**STOCK, "A": (10, None, {"new": True})},
    ),
    (
        "PATCH",
        {"sku": "B", "price": 5, "attributes": {"size": 3}},
        {**STOCK, "B": (5, None, {"size": 3, "color": "red"})},
    ),
    ("PATCH", {"sku": "A"}, {**STOCK, "A": (10, None, {"size": 1})}),
    (
        "PATCH",
        {"sku": "C", "price": 1, "createIfNotExists": True},
        {**STOCK, "C": (1, None, {})},
    ),
    (
        "PATCH_MANY",
        {"price": 7, "filters": [{"attr": "size", "op": "GE", "value": 2}]},
        {**STOCK, "B": (7, None, {"size": 2, "color": "red"})},
    ),
    (
        "PATCH_MANY",
        {"attributes": {"sale": True}},
        {
            "A": (10, "Ant", {"size": 1, "sale": True}),
            "B": (20, None, {"size": 2, "color": "red", "sale": True}),
        },
    ),
    ("REMOVE", {"sku": "A"}, {"B": STOCK["B"]}),
    (
        "REMOVE_MANY",
        {"filters": [{"attr": "color", "op": "EQ", "value": "red"}]},
        {"A": STOCK["A"]},
    ),
    ("REMOVE_MANY", {"filters": [{"attr": "sku", "op": "IN", "value": "A, Z"}]}, {"B": STOCK["B"]}),
    (
        "REMOVE_MANY",
        {
            "filters": [
                {"attr": "size", "op": "LE", "value": 2},
                {"attr": "price", "op": "LT", "value": 20},
            ]
        },
        {"B": STOCK["B"]},
    ),
    ("REMOVE_MANY", {"filters": [{"attr": "color", "op": "GT", "value": 1}]}, STOCK),
    ("REMOVE_MANY", {}, {}),
]


def test_actions_change_the_items_they_name() -> None:
    wrong = []
    for kind, payload, expected in CHANGES:
        with shop(**CATALOG) as api:
            stocked(api)
            assert items(api) == STOCK
            reply = sync(api, kind, payload)
            if (reply.status, items(api)) != (200, expected):
                wrong.append((kind, payload, reply.json, items(api)))
    assert not wrong


@pytest.mark.parametrize(
    "actions",
    [
        [("ADD", {"sku": "N"}), ("ADD", {"sku": "A"})],
        [("PATCH", {"sku": "A", "price": 1}), ("PATCH", {"sku": "N"})],
        [("REMOVE", {"sku": "N"})],
        [("ADD_PRICE_ADJUSTMENT", {"sku": "N", "adjustments": []})],
        [("ADD", {"sku": "N"}), ("REMOVE", {"sku": "A"})],
        [("ADD", {"sku": "N"}), ("ADD", {"sku": "N"})],
        [("EXPLODE", {"sku": "A"})],
    ],
)
def test_a_sync_with_an_impossible_action_changes_nothing(
    actions: list[tuple[str, dict[str, Any]]],
) -> None:
    with shop(**CATALOG) as api:
        stocked(api)
        body = {"actions": [{"type": kind, "payload": payload} for kind, payload in actions]}
        assert api.send("PUT", "/v1/catalogs/7/sync", body).status == 400
        assert items(api) == STOCK
        assert sync(api, "PATCH", {"sku": "A"}).json["version"] == 3


def test_items_are_filtered_and_paged() -> None:
    with shop(**CATALOG) as api:
        stocked(api)
        assert set(items(api, "?sku=A&sku=Z")) == {"A"}
        assert set(items(api, "?productNames=Ant")) == {"A"}
        assert set(items(api, "?pageSize=1&skip=1")) == {"B"}
        counted = api.manage("GET", "/v1/catalogs/7/items?withTotalResultSize=true").json
        assert counted["totalResultSize"] == 2
        assert api.manage("GET", "/v1/catalogs/8/items").status == 404
        assert api.send("PUT", "/v1/catalogs/8/sync", {"actions": []}).status in (400, 404)


def test_sessions_take_prices_from_the_catalog_unless_they_send_one() -> None:
    with shop(earn(), **CATALOG) as api:
        stocked(api)
        lines = [{"sku": "A", "quantity": 1}, {"sku": "B", "quantity": 1, "price": 3}]
        reply = api.session("o", "customerSession", profileId="anna", cartItems=lines)
        assert [each["price"] for each in reply.json["customerSession"]["cartItems"]] == [10, 3]
        lines = [{"sku": "none", "quantity": 1}]
        assert api.session("p", profileId="anna", cartItems=lines).status == 400


def best(api: Shop, end: str, kind: str = "strict", days: str = "30") -> list[Any]:
    """Return the best prior prices of A and of an item that nobody knows."""
    body = {
        "skus": ["A", "none"],
        "timeframeEndDate": f"2026-{end}T00:00:00Z",
        "timeframe": days,
        "timeframeEndDateType": kind,
    }
    return [
        (each["sku"], each["price"]) for each in api.send("POST", "/v1/best_prior_price", body).json
    ]


def history(api: Shop) -> list[Any]:
    """Return the records of the price of A."""
    span = {"startDate": "2026-01-01T00:00:00Z", "endDate": "2026-12-31T00:00:00Z"}
    reply = api.manage("POST", "/v1/applications/3/price_history", {"sku": "A", **span})
    assert (reply.status, reply.json["sku"]) == (200, "A")
    found: list[Any] = reply.json["history"]
    return found


def test_prices_are_observed_and_the_best_prior_one_is_found() -> None:
    with shop(**CATALOG) as api:
        for price in (10, 8, 12):
            if price == 10:
                sync(api, "ADD", {"sku": "A", "price": price})
            else:
                sync(api, "PATCH", {"sku": "A", "price": price})
            api.sandbox.clock.advance(days=10)
        assert [each["price"] for each in history(api)] == [10, 8, 12]
        assert best(api, "02-09") == [("A", 8)]
        assert best(api, "01-15") == [("A", 10)]
        assert best(api, "02-09", days="12") == [("A", 12)]
        assert best(api, "02-09", "price") == [("A", 8)]
        assert best(api, "01-30", "price") == best(api, "01-21", "price") == [("A", 10)]
        assert best(api, "02-09", "sale") == []
        assert best(api, "01-01") == []
        wrong = {
            "skus": ["A"],
            "timeframeEndDate": "2026-02-09T00:00:00Z",
            "timeframe": "a month",
            "timeframeEndDateType": "strict",
        }
        assert api.send("POST", "/v1/best_prior_price", wrong).status == 400


def test_excluded_records_no_longer_count() -> None:
    with shop(**CATALOG) as api:
        sync(api, "ADD", {"sku": "A", "price": 1})
        sync(api, "PATCH", {"sku": "A", "price": 9})
        [first, _] = history(api)
        target = "/v1/applications/3/price_history/exclusions"
        assert (
            api.manage("POST", target, {"ids": [first["id"], 99], "reason": "typo"}).status == 400
        )
        assert best(api, "01-20") == [("A", 1)]
        assert api.manage("POST", target, {"ids": [first["id"]], "reason": "typo"}).status == 200
        assert best(api, "01-20") == [("A", 9)]
        assert history(api)[0]["exclusionReason"] == "typo"
        assert api.manage("POST", target, {"ids": [first["id"]], "reason": "typo"}).status == 400


def test_price_adjustments_are_observed_and_end() -> None:
    with shop(**CATALOG) as api:
        stocked(api)
        adjustment = {"priceType": "member", "price": 7, "referenceId": "r1", "contextId": "sale"}
        assert (
            sync(api, "ADD_PRICE_ADJUSTMENT", {"sku": "A", "adjustments": [adjustment]}).status
            == 200
        )
        assert [(each["price"], each["contextId"]) for each in history(api)] == [
            (10, ""),
            (7, "sale"),
        ]
        over = {**adjustment, "price": None}
        assert sync(api, "ADD_PRICE_ADJUSTMENT", {"sku": "A", "adjustments": [over]}).status == 200


def test_running_campaigns_are_listed_with_their_rules() -> None:
    with shop(earn()) as api:
        [campaign] = api.send("GET", "/v1/integration/campaigns").json["data"]
        assert [rule["title"] for rule in campaign["rules"]] == ["Rule 0"]
        assert api.send("GET", "/v1/integration/campaigns?campaignIds=13").json["data"] == []
