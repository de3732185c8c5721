"""Coupons of the Management API: search, create for many, change and delete."""

from __future__ import annotations

from typing import Any

import pytest

APPLICATION = "/v1/applications/3"
CAMPAIGN = f"{APPLICATION}/campaigns/12"
COUPONS = f"{CAMPAIGN}/coupons"
OF_CAMPAIGN = ("coupons_search", "coupons_search_advanced", "coupons_search_advanced/no_total")


def codes(api: Any, target: str = COUPONS, body: Any = None) -> list[str]:
    return [each["value"] for each in api.data(target, body)]


def test_lists_count_all_coupons_or_say_whether_more_follow(api: Any) -> None:
    api.new_coupon(couponPattern="MORE-1")
    counted = api.send("GET", f"{COUPONS}?pageSize=1").json
    assert (counted["totalResultSize"], len(counted["data"])) == (2, 1)
    assert api.send("GET", f"{COUPONS}/no_total?pageSize=1").json["hasMore"] is True


@pytest.mark.parametrize("root", [CAMPAIGN, APPLICATION])
@pytest.mark.parametrize("name", OF_CAMPAIGN)
def test_coupons_are_found_by_attributes_and_filters(api: Any, root: str, name: str) -> None:
    api.new_coupon(couponPattern="RED-1", attributes={"color": "red", "size": 3})
    api.new_coupon(couponPattern="RED-2", attributes={"color": "red"}, usageLimit=1)
    search, red = f"{root}/{name}", {"attributes": {"color": "red"}}
    assert codes(api, search, red) == ["RED-1", "RED-2"]
    assert codes(api, search, {"attributes": {"color": "red", "size": 3}}) == ["RED-1"]
    assert codes(api, search, {"attributes": {"color": "RED"}}) == []
    assert codes(api, search, {"attributes": {}}) == ["TEN-OFF", "RED-1", "RED-2"]
    assert codes(api, f"{search}?value=red2", red) == ["RED-2"]
    assert codes(api, f"{search}?sort=-value", red) == ["RED-2", "RED-1"]
    api.session(couponCodes=["RED-2"], state="closed")
    assert codes(api, f"{search}?usable=false", red) == ["RED-2"]
    wrong = api.send("POST", search, {"attributes": 5})
    assert wrong.json["errors"][0]["source"] == {"pointer": "/attributes"}


def test_a_search_of_the_application_takes_the_state_of_campaigns(api: Any) -> None:
    search = f"{APPLICATION}/coupons_search_advanced"
    every: dict[str, Any] = {"attributes": {}}
    assert codes(api, f"{search}?campaignState=running", every) == ["TEN-OFF"]
    assert codes(api, f"{search}?campaignState=disabled", every) == []


def test_each_recipient_gets_a_personal_coupon(api: Any) -> None:
    order = {"recipientsIntegrationIds": ["anna", "bert"], "couponPattern": "FOR-####"}
    target = f"{CAMPAIGN}/coupons_with_recipients"
    reply = api.send("POST", f"{target}?silent=no", order)
    assert (reply.status, reply.json["totalResultSize"]) == (200, 2)
    anna, bert = reply.json["data"]
    assert [each["recipientIntegrationId"] for each in (anna, bert)] == ["anna", "bert"]
    assert anna["batchId"] == bert["batchId"]
    assert api.send("POST", target, order).status == 204
    fixed = api.send("POST", target, {**order, "couponPattern": "FIXED"})
    assert fixed.json["errors"][0]["source"] == {"pointer": "/couponPattern"}


def test_a_job_creates_its_coupons(api: Any) -> None:
    settings = {"couponPattern": "JOB-####", "validCharacters": ["X", "Y"]}
    order = {"numberOfCoupons": 3, "attributes": {"from": "job"}, "couponSettings": settings}
    reply = api.send("POST", f"{CAMPAIGN}/coupons_async", order)
    assert reply.status == 200
    made = api.data(f"{COUPONS}?batchId={reply.json['batchId']}")
    assert len(made) == 3
    assert {each["value"][:4] for each in made} == {"JOB-"}
    assert {each["attributes"]["from"] for each in made} == {"job"}
    many = api.send("POST", f"{CAMPAIGN}/coupons_async", {**order, "numberOfCoupons": 200_001})
    assert many.json["errors"][0]["source"] == {"pointer": "/numberOfCoupons"}


def test_an_update_resets_what_it_leaves_out(api: Any) -> None:
    coupon = api.new_coupon(
        couponPattern="MINE-1",
        recipientIntegrationId="anna",
        startDate="2020-01-01T00:00:00Z",
        expiryDate="2090-01-01T00:00:00Z",
        attributes={"color": "red"},
    )
    change = {"usageLimit": 7, "attributes": {"size": 3}}
    reply = api.send("PUT", f"{COUPONS}/{coupon['id']}", change)
    assert (reply.status, reply.json["usageLimit"]) == (200, 7)
    gone = [reply.json[name] for name in ("startDate", "expiryDate", "recipientIntegrationId")]
    assert gone == [None, None, None]
    assert reply.json["attributes"] == {"color": "red", "size": 3}
    assert api.coupon("MINE-1") == reply.json
    for unknown in ("999", "x", "%2055", "9" * 30):
        assert api.send("PUT", f"{COUPONS}/{unknown}", change).status == 404
    turned = {"startDate": "2026-02-01T00:00:00Z", "expiryDate": "2026-01-01T00:00:00Z"}
    assert api.send("PUT", f"{COUPONS}/{coupon['id']}", turned).status == 400


def test_a_batch_is_updated_and_its_dates_are_reset(api: Any) -> None:
    order = {"numberOfCoupons": 2, "expiryDate": "2090-01-01T00:00:00Z"}
    made = api.send("POST", f"{COUPONS}?silent=no", order).json["data"]
    change = {"batchID": made[0]["batchId"], "usageLimit": 9}
    assert api.send("PUT", COUPONS, change).status == 204
    changed = api.data(f"{COUPONS}?batchId={made[0]['batchId']}")
    assert [(each["usageLimit"], each["expiryDate"]) for each in changed] == [(9, None)] * 2
    assert api.coupon("TEN-OFF")["usageLimit"] == 0
    assert api.send("PUT", COUPONS, {"usageLimit": 4}).status == 204
    assert {each["usageLimit"] for each in api.data(COUPONS)} == {4}


def test_a_coupon_is_deleted_with_its_reservations(api: Any) -> None:
    coupon = api.new_coupon(couponPattern="GONE-1")
    api.send("POST", "/v1/coupon_reservations/GONE-1", {"integrationIDs": ["anna"]})
    assert api.send("DELETE", f"{COUPONS}/{coupon['id']}").status == 204
    assert api.send("DELETE", f"{COUPONS}/{coupon['id']}").status == 404
    inventory = api.send("GET", "/v1/customer_profiles/anna/inventory?coupons=true").json
    assert inventory["coupons"] == []
    rejected = api.session(couponCodes=["GONE-1"]).json["effects"][0]
    assert rejected["props"]["rejectionReason"] == "CouponNotFound"


def test_coupons_are_deleted_by_filters_and_all_without(api: Any) -> None:
    for code, more in (
        ("OLD-1", {"expiryDate": "2020-01-01T00:00:00Z"}),
        ("NEW-1", {"startDate": "2090-01-01T00:00:00Z"}),
        ("ANNA-1", {"recipientIntegrationId": "anna"}),
    ):
        api.new_coupon(couponPattern=code, **more)
    assert api.send("DELETE", f"{COUPONS}?valid=expired").status == 204
    assert codes(api) == ["TEN-OFF", "NEW-1", "ANNA-1"]
    assert api.send("DELETE", f"{COUPONS}?startsAfter=2080-01-01T00:00:00Z").status == 204
    assert codes(api) == ["TEN-OFF", "ANNA-1"]
    assert api.send("DELETE", f"{COUPONS}?recipientIntegrationId=anna").status == 204
    assert codes(api) == ["TEN-OFF"]
    assert api.send("DELETE", f"{COUPONS}?valid=x").status == 400
    assert api.send("DELETE", COUPONS).status == 204
    assert codes(api) == []


def test_a_deletion_job_takes_its_filters_from_the_body(api: Any) -> None:
    api.new_coupon(couponPattern="USED-1", usageLimit=1)
    api.session(couponCodes=["USED-1"], state="closed")
    target = f"{CAMPAIGN}/coupons_deletion_jobs"
    reply = api.send("POST", target, {"filters": {"redeemed": True}})
    assert (reply.status, reply.json) == (202, {"id": 1})
    assert codes(api) == ["TEN-OFF"]
    both = api.send("POST", target, {"filters": {"redeemed": True, "usable": False}})
    assert both.status == 400
    assert api.send("POST", target, {"filters": {}}).json == {"id": 2}
    assert codes(api) == []
