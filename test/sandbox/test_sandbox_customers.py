"""What the Management API reads of customers, their sessions and events."""

from __future__ import annotations

from typing import Any

APPLICATION = "/v1/applications/3"
SESSIONS = f"{APPLICATION}/sessions"
EVENTS = f"{APPLICATION}/events/no_total"
CART = [{"name": "Shoe", "sku": "S", "quantity": 1, "price": 100, "category": ""}]
ALWAYS = "rangeStart=2020-01-01T00:00:00Z&rangeEnd=2090-01-01T00:00:00Z"


def names(api: Any, target: str, body: Any = None) -> list[str]:
    return [each["integrationId"] for each in api.data(target, body)]


def order(api: Any, session_id: str, profile: str, *codes: str, state: str = "closed") -> None:
    reply = api.session(
        session_id, profileId=profile, couponCodes=list(codes), cartItems=CART, state=state
    )
    assert reply.status == 201 or reply.status == 200, reply.json


def number_of(api: Any, profile: str) -> int:
    (found,) = api.data(f"{APPLICATION}/customers?integrationId={profile}")
    return int(found["id"])


def test_customers_are_those_that_the_application_has_seen(api: Any) -> None:
    audience = api.send("POST", "/v2/audiences", {"name": "VIP"}).json
    target = f"/v1/audiences/{audience['id']}/memberships/import"
    api.upload(target, "profileintegrationid\nunseen\n")
    api.session(profileId="anna")
    api.send("PUT", "/v2/customer_profiles/bert", {"attributes": {"Name": "Bert"}})
    assert names(api, f"{APPLICATION}/customers") == ["anna", "bert"]
    assert names(api, "/v1/customers/no_total") == ["unseen", "anna", "bert"]
    counted = api.send("GET", f"{APPLICATION}/customers?withTotalResultSize=true&pageSize=1").json
    assert (counted["totalResultSize"], len(counted["data"])) == (2, 1)
    customer = api.data(f"{APPLICATION}/customers?integrationId=bert")[0]
    assert api.send("GET", f"{APPLICATION}/customers/{customer['id']}").json == customer
    assert api.send("GET", f"/v1/customers/{customer['id']}").json == customer
    assert api.send("GET", f"{APPLICATION}/customers/1").status == 404
    assert api.send("GET", "/v1/customers/99").status == 404


def test_a_dry_run_makes_no_customer(api: Any) -> None:
    api.session(query="?dry=true", profileId="anna")
    assert names(api, f"{APPLICATION}/customers") == []


def test_customers_are_found_by_attributes_and_ids(api: Any) -> None:
    for name, city in (("anna", "Berlin"), ("bert", "Paris")):
        api.send("PUT", f"/v2/customer_profiles/{name}", {"attributes": {"City": city}})
    bert = number_of(api, "bert")
    for search in (f"{APPLICATION}/customer_search", "/v1/customer_search/no_total"):
        assert names(api, search, {"attributes": {"City": "Paris"}}) == ["bert"]
        assert names(api, search, {"integrationIDs": ["anna", "carl"]}) == ["anna"]
        assert names(api, search, {"profileIDs": [bert]}) == ["bert"]
        assert names(api, search, {"attributes": {"City": "Paris"}, "integrationIDs": ["a"]}) == []


def test_friends_of_an_advocate_are_listed(api: Any) -> None:
    referral = api.new_referral()
    api.session("one", profileId="bert", referralCode=referral["code"], state="closed")
    (friend,) = api.data(f"{APPLICATION}/profile/anna/friends")
    assert (friend["friendIntegrationId"], friend["sessionId"]) == ("bert", "one")
    assert (friend["code"], friend["advocateIntegrationId"]) == (referral["code"], "anna")
    (bert,) = api.data(f"{APPLICATION}/customers?integrationId=bert")
    assert bert["advocateIntegrationId"] == "anna"
    api.session("one", state="cancelled")
    assert api.data(f"{APPLICATION}/profile/anna/friends") == []


def test_a_session_has_its_discounts_only_when_it_is_read_alone(api: Any) -> None:
    order(api, "one", "anna", "TEN-OFF")
    (listed,) = api.data(SESSIONS)
    assert (listed["totalDiscounts"], listed["total"], listed["coupon"]) == (0, 100, "TEN-OFF")
    read = api.send("GET", f"{SESSIONS}/{listed['id']}").json
    assert (read["totalDiscounts"], read["discounts"]) == (10, {"10% off": 10})
    assert (read["profileId"], read["profileintegrationid"]) == (number_of(api, "anna"), "anna")
    api.session("one", state="cancelled")
    assert api.send("GET", f"{SESSIONS}/{listed['id']}").json["totalDiscounts"] == 0
    assert api.send("GET", f"{SESSIONS}/99").status == 404


def test_sessions_are_filtered(api: Any) -> None:
    order(api, "first-1", "anna", "TEN-OFF")
    order(api, "second-2", "bert", state="open")
    for query, found in (
        ("", ["first-1", "second-2"]),
        ("?state=open", ["second-2"]),
        ("?profile=anna", ["first-1"]),
        ("?profile=ann", []),
        ("?profile=ANN&partialMatch=true", ["first-1"]),
        ("?profile=an&partialMatch=true", []),
        ("?coupon=TEN-OFF", ["first-1"]),
        ("?integrationId=second-2", ["second-2"]),
        ("?storeIntegrationId=s", []),
        ("?referral=r", []),
        ("?createdBefore=2020-01-01T00:00:00Z", []),
        ("?sort=-integrationId", ["second-2", "first-1"]),
    ):
        assert names(api, f"{SESSIONS}{query}") == found, query
    api.send("PUT", "/v2/customer_profiles/bert", {"attributes": {"City": "Paris"}})
    search = f"{APPLICATION}/sessions_search"
    assert names(api, search, {"attributes": {"City": "Paris"}}) == ["second-2"]


def test_sessions_are_exported(api: Any) -> None:
    order(api, "one", "anna", "TEN-OFF")
    export = f"{APPLICATION}/export_customer_sessions"
    (row,) = api.rows(export)
    assert (row["integrationid"], row["state"], row["total"]) == ("one", "closed", "100")
    assert (row["discounts"], row["coupons"]) == ('{"10% off":10}', '["TEN-OFF"]')
    assert (row["firstsession"], bool(row["closedat"]), row["cancelledat"]) == ("true", True, "")
    assert api.rows(f"{export}?customerSessionState=open") == []
    assert api.rows(f"{export}?profileIntegrationId=bert") == []
    assert api.rows(f"{export}?updatedAfter=2090-01-01T00:00:00Z") == []


def test_events_are_read_and_filtered(api: Any) -> None:
    order(api, "one", "anna", "TEN-OFF")
    event = {"profileId": "bert", "type": "reviewed", "attributes": {}}
    api.send("POST", "/v2/events", event)
    api.send("PUT", "/v2/customer_profiles/bert", {"attributes": {"Name": "Bert B"}})
    found = api.data(EVENTS)
    kinds = ["talon_session_created", "talon_session_closed", "reviewed"]
    assert [each["type"] for each in found] == kinds
    closed = found[1]
    assert (closed["profileId"], closed["sessionId"]) == (number_of(api, "anna"), 1)
    assert [each["effectType"] for each in closed["effects"]] == ["acceptCoupon", "setDiscount"]
    for query, expected in (
        ("type=reviewed,other", [2]),
        ("session=one", [0, 1]),
        ("profile=bert", [2]),
        ("customerName=bert%20b", [2]),
        ("couponCode=TEN-OFF", [0, 1]),
        ("effectType=setDiscount", [1]),
        ("ruleQuery=TEN%20PER", [1]),
        ("campaignQuery=welcome", [1]),
        ("campaignQuery=other", []),
        ("createdBefore=2020-01-01T00:00:00Z", []),
        ("sort=-id", [2, 1, 0]),
    ):
        assert api.data(f"{EVENTS}?{query}") == [found[index] for index in expected], query
    assert api.send("GET", f"{APPLICATION}/events").json["totalResultSize"] == 3
    types = api.send("GET", f"{APPLICATION}/event_types").json
    assert (types["totalResultSize"], types["data"]) == (3, sorted(kinds))


def test_effects_are_exported(api: Any) -> None:
    order(api, "one", "anna", "TEN-OFF")
    export = f"{APPLICATION}/export_effects"
    accepted, discount = api.rows(export)
    assert (accepted["name"], accepted["couponid"]) == ("acceptCoupon", "55")
    assert (discount["name"], discount["sessionintegrationid"]) == ("setDiscount", "one")
    assert (discount["total_revenue"], discount["event_type"]) == ("100", "talon_session_closed")
    assert api.rows(f"{export}?campaignId=13") == []


def test_reports_sum_up_what_a_customer_did(api: Any) -> None:
    order(api, "one", "anna", "TEN-OFF")
    order(api, "two", "anna")
    order(api, "three", "anna", "WRONG", state="open")
    anna = number_of(api, "anna")
    analytics = api.send("GET", f"{APPLICATION}/customers/{anna}/analytics").json
    assert analytics == {
        "acceptedCoupons": 1,
        "createdCoupons": 0,
        "freeItems": 0,
        "totalOrders": 2,
        "totalDiscountedOrders": 1,
        "totalRevenue": 200,
        "totalDiscounts": 10,
    }
    reports = f"{APPLICATION}/customer_activity_reports"
    report = api.send("GET", f"{reports}/{anna}?{ALWAYS}").json
    counted = {name: report[name] for name in report if name.startswith(("coupon", "total"))}
    assert counted == {
        "couponRedemptions": 1,
        "couponUseAttempts": 2,
        "couponFailedAttempts": 1,
        "totalOrders": 2,
        "totalOrdersNoCoupon": 1,
    }
    assert (report["accruedRevenue"], report["accruedDiscounts"]) == (200, 10)
    assert api.data(f"{reports}/no_total?{ALWAYS}&integrationId=anna") == [report]
    assert api.send("GET", f"{reports}?{ALWAYS}").json["totalResultSize"] == 1
    assert api.data(f"{reports}/no_total?{ALWAYS}&campaignName=other") == []
    assert api.data(f"{reports}/no_total?{ALWAYS}&advocateName=x") == []
    turned = "rangeStart=2026-02-01T00:00:00Z&rangeEnd=2026-01-01T00:00:00Z"
    assert api.send("GET", f"{reports}?{turned}").status == 400
    assert api.send("GET", f"{reports}/99?{ALWAYS}").status == 404
