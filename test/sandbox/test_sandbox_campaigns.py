"""Campaigns of the Management API: create, change, search, copy and delete."""

from __future__ import annotations

from typing import Any

import pytest

CAMPAIGNS = "/v1/applications/3/campaigns"
NEW = {"name": "Summer", "state": "enabled", "tags": ["hot"], "features": ["coupons"], "limits": []}
CHANGE = {name: NEW[name] for name in ("name", "tags", "features", "limits")}
ALWAYS = [">=", [".", "Session", "Total"], 0]
CART = [{"name": "Shoe", "sku": "S", "quantity": 1, "price": 20, "category": ""}]
DISCOUNT = ["setDiscount", "Five off", 5]


def create(api: Any, **more: Any) -> Any:
    reply = api.send("POST", CAMPAIGNS, {**NEW, **more})
    assert reply.status == 201, reply.json
    return reply.json


def pointers(reply: Any) -> list[str]:
    assert reply.status == 400, reply.json
    return [each["source"]["pointer"] for each in reply.json["errors"]]


def with_rules(api: Any, campaign: Any, *effects: Any) -> Any:
    rules = [{"title": "Always", "condition": ALWAYS, "effects": list(effects)}]
    body = {"rules": rules, "bindings": [], "activate": True}
    reply = api.send("POST", f"{CAMPAIGNS}/{campaign['id']}/rulesets", body)
    assert reply.status == 201, reply.json
    return reply.json


def test_a_campaign_is_created_read_and_listed(api: Any) -> None:
    made = create(api, description="All summer", startTime="2090-06-01T02:00:00+02:00")
    assert (made["frontendState"], made["startTime"]) == (
        "scheduled",
        "2090-06-01T00:00:00.000000Z",
    )
    assert api.send("GET", f"{CAMPAIGNS}/{made['id']}").json == made
    assert made in api.data(f"{CAMPAIGNS}?campaignState=scheduled")


def test_a_new_campaign_runs_with_its_rules(api: Any) -> None:
    with_rules(api, create(api), DISCOUNT)
    effects = api.session(cartItems=CART).json["effects"]
    assert [(each["effectType"], each["props"]["value"]) for each in effects] == [
        ("setDiscount", 5)
    ]


def test_an_update_changes_when_a_campaign_runs(api: Any) -> None:
    made = create(api)
    with_rules(api, made, DISCOUNT)
    reply = api.send("PUT", f"{CAMPAIGNS}/{made['id']}", {**CHANGE, "state": "disabled"})
    assert (reply.status, reply.json["state"]) == (200, "disabled")
    assert api.session(cartItems=CART).json["effects"] == []


def test_an_update_without_a_schedule_removes_the_schedule(api: Any) -> None:
    made = create(api, startTime="2090-01-01T00:00:00Z", description="Later")
    changed = api.send("PUT", f"{CAMPAIGNS}/{made['id']}", {**CHANGE, "name": "Now"}).json
    assert (changed["frontendState"], changed["description"]) == ("running", "Later")


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"activeRulesetId": 99}, "/activeRulesetId"),
        ({"linkedStoreIds": [1]}, "/linkedStoreIds/0"),
        ({"campaignGroups": [7]}, "/campaignGroups/0"),
        ({"evaluationGroupId": 1}, "/evaluationGroupId"),
        (
            {"startTime": "2026-02-01T00:00:00Z", "endTime": "2026-01-01T00:00:00Z"},
            "/endTime",
        ),
        ({"name": ""}, "/name"),
    ],
)
def test_a_campaign_that_cannot_be_is_refused(api: Any, more: Any, pointer: str) -> None:
    assert pointers(api.send("POST", CAMPAIGNS, {**NEW, **more})) == [pointer]
    assert len(api.data(CAMPAIGNS)) == 1


def test_campaigns_are_found_by_their_attributes(api: Any) -> None:
    made = create(api, attributes={"season": "summer", "year": 2026})
    search = "/v1/applications/3/campaigns_search"
    assert api.data(search, {"attributes": {"season": "summer"}}) == [made]
    assert api.data(search, {"attributes": {"season": "winter"}}) == []
    assert api.data(f"{search}?campaignState=archived", {"attributes": {}}) == []


def test_a_deleted_campaign_takes_along_what_it_owns(api: Any) -> None:
    api.session(couponCodes=["TEN-OFF"], state="closed")
    assert api.send("DELETE", f"{CAMPAIGNS}/12").status == 204
    assert api.send("GET", f"{CAMPAIGNS}/12").status == 404
    assert api.send("DELETE", f"{CAMPAIGNS}/12").status == 404
    rejected = api.session("order-2", couponCodes=["TEN-OFF"]).json["effects"][0]
    assert rejected["props"]["rejectionReason"] == "CouponNotFound"
    # A session that used it can still be cancelled.
    undone = api.session(state="cancelled").json["effects"]
    assert "rollbackCoupon" in [each["effectType"] for each in undone]


def test_a_copy_has_the_rules_and_collections_but_is_disabled(api: Any) -> None:
    made = create(api)
    with_rules(api, made, DISCOUNT)
    collections = f"{CAMPAIGNS}/{made['id']}/collections"
    old = api.send("POST", collections, {"name": "Shoes"}).json
    api.upload(f"{collections}/{old['id']}/import", "item\nSKU-1\n")
    order = {"applicationIds": [3], "tags": ["copied"]}
    reply = api.send("POST", f"{CAMPAIGNS}/{made['id']}/copy", order)
    assert (reply.status, reply.json["totalResultSize"]) == (200, 1)
    (copy,) = reply.json["data"]
    assert (copy["name"], copy["tags"], copy["state"]) == ("Copy of Summer", ["copied"], "disabled")
    assert copy["activeRulesetId"] not in (None, made.get("activeRulesetId"))
    (collection,) = api.data(f"{CAMPAIGNS}/{copy['id']}/collections")
    assert api.data(f"/v1/collections/{collection['id']}/items") == [{"item": "SKU-1"}]
    wrong = api.send("POST", f"{CAMPAIGNS}/{made['id']}/copy", {"applicationIds": [3, 9]})
    assert pointers(wrong) == ["/applicationIds/1"]


def test_what_belongs_to_another_application_is_not_found(client_of: Any) -> None:
    from talon_one.sandbox import Sandbox

    seed = {
        "applications": [
            {"id": 1, "name": "One", "campaigns": [{"id": 1, "name": "First"}]},
            {"id": 2, "name": "Two"},
        ],
        "campaignGroups": [{"id": 5, "name": "All"}],
    }
    with Sandbox(seed=seed) as sandbox:
        api = client_of(sandbox)
        assert api.send("GET", "/v1/applications/2/campaigns/1").status == 404
        assert api.send("DELETE", "/v1/applications/2/campaigns/1").status == 404
        assert api.send("GET", "/v1/applications/2/campaigns/1/coupons").status == 404
        joined = {**CHANGE, "campaignGroups": [5]}
        assert api.send("PUT", "/v1/applications/1/campaigns/1", joined).status == 200
        (group,) = api.data("/v1/campaign_groups")
        assert (group["name"], group["campaignIds"]) == ("All", [1])
        assert api.send("GET", "/v1/campaign_groups/5").json == group
        assert api.send("GET", "/v1/campaign_groups/6").status == 404
