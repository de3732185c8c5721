"""Stores of the Management API, and the stores of campaigns."""

from __future__ import annotations

from typing import Any

STORES = "/v1/applications/3/stores"
CAMPAIGN = "/v1/applications/3/campaigns/12"


def create(api: Any, integration_id: str, **more: Any) -> Any:
    body = {"name": f"Store {integration_id}", "description": "", "integrationId": integration_id}
    reply = api.send("POST", STORES, {**body, **more})
    assert reply.status == 201, reply.json
    return reply.json


def test_a_store_is_created_changed_and_deleted(api: Any) -> None:
    made = create(api, "B-1", attributes={"city": "Berlin"})
    target = f"{STORES}/{made['id']}"
    assert api.send("GET", target).json == made
    body = {"name": "Mitte", "description": "Big", "integrationId": "B-1", "attributes": {"m2": 9}}
    changed = api.send("PUT", target, body).json
    assert (changed["name"], changed["attributes"]) == ("Mitte", {"city": "Berlin", "m2": 9})
    moved = api.send("PUT", target, {**body, "integrationId": "B-2"})
    assert (moved.status, "StatusCode" in moved.json) == (400, False)
    assert api.send("POST", STORES, body).status == 409
    assert api.send("DELETE", target).status == 204
    assert api.send("GET", target).status == 404


def test_stores_are_listed_and_filtered(api: Any) -> None:
    berlin, paris = create(api, "B-1"), create(api, "P-1")
    listed = api.send("GET", f"{STORES}?withTotalResultSize=true&sort=-integrationId").json
    assert (listed["totalResultSize"], listed["data"]) == (2, [paris, berlin])
    for query in ("name=b-1", "integrationId=B-1", "query=b-"):
        assert api.data(f"{STORES}?{query}") == [berlin]


def test_a_campaign_is_limited_to_the_stores_of_a_file(api: Any) -> None:
    store, other = create(api, "B-1"), create(api, "P-1")
    target = f"{CAMPAIGN}/stores"
    unknown = api.upload(f"{target}/import", "store_integration_id\nB-1\nX-1\n")
    assert unknown.json["errors"][0]["source"] == {"line": "3"}
    assert api.upload(f"{target}/import", "store_integration_id\nB-1\nB-1\n").json["amount"] == 1
    campaign = api.send("GET", CAMPAIGN).json
    assert (campaign["linkedStoreIds"], campaign["storesImported"]) == ([store["id"]], True)
    assert api.send("GET", f"{STORES}/{store['id']}").json["linkedCampaignIds"] == [12]
    (linked,) = api.data(f"{STORES}?campaignId=12")
    assert linked["id"] == store["id"]
    assert api.rows(f"{target}/export") == [{"store_integration_id": "B-1"}]
    here = api.session("a", couponCodes=["TEN-OFF"], storeIntegrationId="B-1").json["effects"]
    there = api.session("b", couponCodes=["TEN-OFF"], storeIntegrationId="P-1").json["effects"]
    assert [each[0]["effectType"] for each in (here, there)] == ["acceptCoupon", "rejectCoupon"]
    assert other["linkedCampaignIds"] == []
    assert api.send("DELETE", target).status == 204
    assert api.send("GET", CAMPAIGN).json["linkedStoreIds"] == []


def test_a_deleted_store_leaves_its_campaigns(api: Any) -> None:
    store, other = create(api, "B-1"), create(api, "P-1")
    api.upload(f"{CAMPAIGN}/stores/import", "store_integration_id\nB-1\nP-1\n")
    assert api.send("DELETE", f"{STORES}/{store['id']}").status == 204
    assert api.send("GET", CAMPAIGN).json["linkedStoreIds"] == [other["id"]]
