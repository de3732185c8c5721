"""Management: reading Applications and campaigns, reading and creating coupons."""

from __future__ import annotations

from typing import Any

import pytest

import talon_one
from talon_one.sandbox import Sandbox

COUPONS = "/v1/applications/3/campaigns/12/coupons"


def codes(api: Any, query: str = "") -> list[str]:
    reply = api.send("GET", f"{COUPONS}/no_total{query}")
    assert reply.status == 200, reply.json
    return [one["value"] for one in reply.json["data"]]


def test_the_application_can_be_listed_and_read(api: Any) -> None:
    listed = api.send("GET", "/v1/applications").json
    assert listed["totalResultSize"] == 1
    assert listed["data"] == [api.send("GET", "/v1/applications/3").json]
    assert listed["data"][0]["id"] == api.sandbox.application_id


def test_the_campaign_can_be_listed_and_read(api: Any) -> None:
    listed = api.send("GET", "/v1/applications/3/campaigns").json
    assert listed["totalResultSize"] == 1
    assert listed["data"] == [api.send("GET", "/v1/applications/3/campaigns/12").json]
    api.session(couponCodes=["TEN-OFF"], state="closed")
    campaign = api.send("GET", "/v1/applications/3/campaigns/12").json
    assert (campaign["id"], campaign["couponRedemptionCount"]) == (api.sandbox.campaign_id, 1)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("campaignState=running", 1),
        ("campaignState=enabled", 1),
        ("campaignState=disabled", 0),
        ("name=SANDBOX", 1),
        ("name=nope", 0),
        ("tags=sandbox", 1),
        ("tags=sandbox,other", 0),
        ("createdAfter=2023-12-31T00:00:00Z", 1),
        ("createdBefore=2023-12-31T00:00:00Z", 0),
        ("startAfter=2023-12-31T00:00:00Z", 0),
        ("storeId=1", 0),
        ("skip=1", 0),
    ],
)
def test_campaigns_are_filtered(api: Any, query: str, found: int) -> None:
    assert len(api.send("GET", f"/v1/applications/3/campaigns?{query}").json["data"]) == found


@pytest.mark.parametrize(
    "query",
    ["campaignState=happy", "createdAfter=x", "pageSize=0", "pageSize=1001", "skip=-1", "sort=x"],
)
def test_a_wrong_filter_is_a_400(api: Any, query: str) -> None:
    reply = api.send("GET", f"/v1/applications/3/campaigns?{query}")
    assert reply.status == 400
    assert reply.json["errors"][0]["source"] == {"parameter": query.partition("=")[0]}


@pytest.mark.parametrize(
    "target",
    [
        "/v1/applications/4",
        "/v1/applications/x",
        "/v1/applications/4/campaigns",
        "/v1/applications/3/campaigns/13",
        "/v1/applications/3/campaigns/13/coupons/no_total",
    ],
)
def test_an_unknown_id_is_a_404(api: Any, target: str) -> None:
    reply = api.send("GET", target)
    assert (reply.status, reply.json["StatusCode"]) == (404, 404)


def test_coupons_are_created_silently_unless_asked(api: Any) -> None:
    quiet = api.send("POST", COUPONS, {"numberOfCoupons": 2, "usageLimit": 1})
    assert (quiet.status, quiet.json) == (204, None)
    loud = api.send("POST", f"{COUPONS}?silent=no", {"numberOfCoupons": 3, "usageLimit": 7})
    assert (loud.status, loud.json["totalResultSize"]) == (200, 3)
    made = loud.json["data"]
    assert {one["usageLimit"] for one in made} == {7}
    assert len({one["batchId"] for one in made}) == 1
    assert len({one["value"] for one in made}) == 3
    assert len(codes(api)) == 6
    assert codes(api, f"?batchId={made[0]['batchId']}") == [one["value"] for one in made]
    assert api.send("POST", f"{COUPONS}?silent=maybe", {"numberOfCoupons": 1}).status == 400


def test_codes_follow_the_pattern(api: Any) -> None:
    order = {"numberOfCoupons": 9, "couponPattern": "SUMMER-##", "validCharacters": list("XYZ")}
    made = api.send("POST", f"{COUPONS}?silent=no", order).json["data"]
    values = {one["value"] for one in made}
    assert values == {f"SUMMER-{a}{b}" for a in "XYZ" for b in "XYZ"}
    refused = api.send("POST", COUPONS, {**order, "numberOfCoupons": 1})
    assert refused.status == 400


def test_a_fixed_code_is_a_pattern_without_placeholders(api: Any) -> None:
    assert api.new_coupon(couponPattern="WELCOME")["value"] == "WELCOME"
    again = api.send("POST", COUPONS, {"numberOfCoupons": 1, "couponPattern": "WELCOME"})
    assert again.status == 400
    two = api.send("POST", COUPONS, {"numberOfCoupons": 2, "couponPattern": "HELLO"})
    assert two.json["errors"][0]["source"] == {"pointer": "/couponPattern"}


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"numberOfCoupons": 0},
        {"numberOfCoupons": 20_001},
        {"numberOfCoupons": 1, "usageLimit": 1_000_000},
        {"numberOfCoupons": 1, "startDate": "tomorrow"},
        {"numberOfCoupons": 1, "validCharacters": ["AB"]},
        {"numberOfCoupons": 1, "discountLimit": -5},
    ],
)
def test_a_wrong_order_creates_nothing(api: Any, order: dict[str, Any]) -> None:
    assert api.send("POST", COUPONS, order).status == 400
    assert codes(api) == ["TEN-OFF"]


def test_dates_with_offsets_are_kept_in_utc(api: Any) -> None:
    coupon = api.new_coupon(startDate="2026-01-01T00:30:00.5+02:00")
    assert coupon["startDate"] == "2025-12-31T22:30:00.500000Z"


def test_coupons_are_filtered(api: Any) -> None:
    api.new_coupon(couponPattern="OLD-1", expiryDate="2020-01-01T00:00:00Z")
    api.new_coupon(couponPattern="NEW-1", startDate="2090-01-01T00:00:00Z")
    api.new_coupon(couponPattern="MINE-1", recipientIntegrationId="p", usageLimit=1)
    api.session(profileId="p", couponCodes=["MINE-1"], state="closed")
    assert codes(api, "?valid=expired") == ["OLD-1"]
    assert codes(api, "?valid=validFuture") == ["NEW-1"]
    assert codes(api, "?valid=validNow") == ["TEN-OFF", "MINE-1"]
    assert codes(api, "?usable=false") == codes(api, "?redeemed=true") == ["MINE-1"]
    assert codes(api, "?usable=true") == codes(api, "?redeemed=false")
    assert codes(api, "?recipientIntegrationId=p") == ["MINE-1"]
    assert codes(api, "?value=ten%20off") == codes(api, "?value=tenoff") == ["TEN-OFF"]
    assert codes(api, "?value=tenoff&exactMatch=true") == []
    assert codes(api, "?value=ten-off&exactMatch=true") == ["TEN-OFF"]
    assert codes(api, "?expiresBefore=2021-01-01T00:00:00Z") == ["OLD-1"]
    assert codes(api, "?startsAfter=2021-01-01T00:00:00Z") == ["NEW-1"]
    assert codes(api, "?referralId=1") == []
    assert api.send("GET", f"{COUPONS}/no_total?usable=true&redeemed=true").status == 400


def test_coupons_come_sorted_and_in_pages(api: Any) -> None:
    for value in ("BBBB", "AAAA"):
        api.new_coupon(couponPattern=value)
    assert codes(api, "?sort=value") == ["AAAA", "BBBB", "TEN-OFF"]
    assert codes(api, "?sort=-value") == ["TEN-OFF", "BBBB", "AAAA"]
    first = api.send("GET", f"{COUPONS}/no_total?pageSize=2").json
    rest = api.send("GET", f"{COUPONS}/no_total?pageSize=2&skip=2").json
    assert (first["hasMore"], rest["hasMore"]) == (True, False)
    assert [one["value"] for one in first["data"] + rest["data"]] == ["TEN-OFF", "BBBB", "AAAA"]
    values = api.send("GET", f"{COUPONS}/no_total?valuesOnly=true").json
    assert values["data"][0] == {"value": "TEN-OFF"}


def test_the_sdk_manages_a_sandbox(sandbox: Sandbox) -> None:
    with talon_one.ManagementApi(host=sandbox.url, api_key=sandbox.management_key) as management:
        store = management.create_store(
            3, talon_one.NewStore(name="Mitte", description="", integration_id="B-1")
        )
        assert [each.id for each in management.list_stores(3).data] == [store.id]
        collection = management.create_account_collection(talon_one.NewCollection(name="Shoes"))
        assert management.import_account_collection(collection.id, b"item\nA\nB\n").amount == 2
        assert management.export_account_collection_items(collection.id) == "item\nA\nB\n"
        coupon = management.get_coupons_without_total_count(3, 12).data[0]
        number = str(coupon.id)
        changed = management.update_coupon(3, 12, number, talon_one.UpdateCoupon(usage_limit=4))
        assert changed.usage_limit == 4
        management.delete_coupon(3, 12, number)
        assert management.get_coupons_without_total_count(3, 12).data == []
        with pytest.raises(talon_one.ApiException) as missing:
            management.delete_coupon(3, 12, number)
    assert missing.value.status == 404
