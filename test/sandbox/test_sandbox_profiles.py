"""Profiles: merging, audiences, inventory, erasure."""

from __future__ import annotations

from typing import Any

import pytest


def update(api: Any, profile_id: str = "p", query: str = "", **body: Any) -> Any:
    return api.send("PUT", f"/v2/customer_profiles/{profile_id}{query}", body)


def test_the_body_of_2020_returns_the_profile(api: Any) -> None:
    reply = update(api, attributes={"Name": "Ada", "Tags": ["a", 1, None]})
    assert reply.status == 200
    assert set(reply.json) == {"effects", "createdCoupons", "createdReferrals", "customerProfile"}
    profile = reply.json["customerProfile"]
    assert profile["integrationId"] == "p"
    assert profile["attributes"] == {"Name": "Ada", "Tags": ["a", 1, None]}
    assert (profile["closedSessions"], profile["totalSales"]) == (0, 0)


def test_attributes_merge_by_name(api: Any) -> None:
    update(api, attributes={"a": 1, "b": 2})
    reply = update(api, attributes={"b": "", "a": None, "c": [3]})
    assert reply.json["customerProfile"]["attributes"] == {"a": 1, "b": "", "c": [3]}


def test_the_rule_engine_runs_only_on_request(api: Any) -> None:
    wanted = ["event", "ruleFailureReasons"]
    assert "event" not in update(api, responseContent=wanted).json
    reply = update(api, query="?runRuleEngine=true", responseContent=wanted)
    assert reply.json["event"]["type"] == "talon_profile_updated"
    assert "customerProfile" not in reply.json
    failed = [one["ruleName"] for one in reply.json["ruleFailureReasons"]]
    assert failed == ["Ten percent", "Friend discount", "Free shipping"]
    # A rule about a session does not apply to a profile alone, which is no error.
    assert reply.json["effects"] == []
    new = update(api, "q", query="?runRuleEngine=true", responseContent=["event"])
    assert new.json["event"]["type"] == "talon_profile_created"


def test_a_dry_update_stores_nothing_and_leaves_the_last_activity(api: Any) -> None:
    before = update(api, attributes={"a": 1}).json["customerProfile"]
    dry = update(api, query="?dry=true", attributes={"a": 2}).json["customerProfile"]
    assert dry["attributes"] == {"a": 2}
    assert dry["lastActivity"] == before["lastActivity"]
    assert api.profile("p") == before


def test_audiences_change_with_the_profile(api: Any) -> None:
    changes = {"adds": [1, 2], "deletes": []}
    reply = update(api, audiencesChanges=changes)
    assert reply.json["customerProfile"]["audienceMemberships"] == [
        {"id": 1, "name": "Newsletter"},
        {"id": 2, "name": "VIP"},
    ]
    reply = update(api, audiencesChanges={"adds": [2], "deletes": [1]})
    assert [one["id"] for one in reply.json["customerProfile"]["audienceMemberships"]] == [2]


def test_an_unknown_audience_undoes_the_whole_update(api: Any) -> None:
    reply = update(api, attributes={"a": 1}, audiencesChanges={"adds": [1, 99], "deletes": []})
    assert (reply.status, reply.json["StatusCode"]) == (400, 400)
    assert reply.json["errors"][0]["source"] == {"pointer": "/audiencesChanges/adds/1"}
    assert api.send("GET", "/v1/customer_profiles/p/inventory").status == 404


def test_audience_changes_need_both_lists(api: Any) -> None:
    reply = update(api, audiencesChanges={"adds": [1]})
    assert reply.json["errors"][0]["source"] == {"pointer": "/audiencesChanges/deletes"}


def test_many_profiles_are_updated_silently_unless_asked(api: Any) -> None:
    body = {"customerProfiles": [{"integrationId": "p", "attributes": {"a": 1}}]}
    for query in ("", "?silent=yes"):
        quiet = api.send("PUT", f"/v2/customer_profiles{query}", body)
        assert (quiet.status, quiet.json) == (204, None)
    loud = api.send("PUT", "/v2/customer_profiles?silent=no", body)
    assert loud.status == 200
    [state] = loud.json["integrationStates"]
    assert state["customerProfile"]["attributes"] == {"a": 1}
    assert api.send("PUT", "/v2/customer_profiles?silent=true", body).status == 400


def test_at_most_1000_profiles_are_updated_together(api: Any) -> None:
    profiles = [{"integrationId": f"p{n}"} for n in range(1001)]
    refused = api.send("PUT", "/v2/customer_profiles", {"customerProfiles": profiles})
    assert refused.status == 400
    assert refused.json["errors"][0]["source"] == {"pointer": "/customerProfiles"}
    assert api.send("GET", "/v1/customer_profiles/p0/inventory").status == 404
    taken = api.send("PUT", "/v2/customer_profiles", {"customerProfiles": profiles[:1000]})
    assert taken.status == 204
    assert api.send("GET", "/v1/customer_profiles/p999/inventory").status == 200


def action(kind: str, profile_id: str = "p", audience_id: int = 1) -> dict[str, Any]:
    return {"action": kind, "profileIntegrationId": profile_id, "audienceId": audience_id}


def test_audience_actions_create_profiles_and_move_them(api: Any) -> None:
    reply = api.send("POST", "/v2/customer_audiences", {"data": [action("add")]})
    assert (reply.status, reply.json) == (204, None)
    assert [one["id"] for one in api.profile("p")["audienceMemberships"]] == [1]
    api.send("POST", "/v2/customer_audiences", {"data": [action("delete")]})
    assert api.profile("p")["audienceMemberships"] == []


@pytest.mark.parametrize(
    "wrong", [action("add", audience_id=99), action("delete", profile_id="nobody")]
)
def test_an_audience_action_on_an_unknown_thing_undoes_all(api: Any, wrong: dict[str, Any]) -> None:
    reply = api.send("POST", "/v2/customer_audiences", {"data": [action("add"), wrong]})
    assert (reply.status, reply.json["StatusCode"]) == (404, 404)
    assert api.send("GET", "/v1/customer_profiles/p/inventory").status == 404


def test_audience_actions_are_checked(api: Any) -> None:
    many = api.send("POST", "/v2/customer_audiences", {"data": [action("add")] * 1001})
    assert many.json["errors"][0]["source"] == {"pointer": "/data"}
    odd = api.send("POST", "/v2/customer_audiences", {"data": [action("remove")]})
    assert odd.json["errors"][0]["title"] == "enum"
    assert odd.json["errors"][0]["source"] == {"pointer": "/data/0/action"}


def test_the_inventory_holds_only_the_sections_asked_for(api: Any) -> None:
    update(api)
    target = "/v1/customer_profiles/p/inventory"
    assert api.send("GET", target).json == {}
    assert set(api.send("GET", f"{target}?profile=true&coupons=false").json) == {"profile"}
    flags = ("profile", "referrals", "coupons", "loyalty", "giveaways", "achievements")
    everything = api.send("GET", f"{target}?" + "&".join(f"{flag}=true" for flag in flags))
    assert set(everything.json) == set(flags)
    assert api.send("GET", f"{target}?profile=yes").status == 400


def test_the_inventory_shows_the_state_of_every_coupon_of_the_profile(api: Any) -> None:
    expected = {}
    orders: dict[str, dict[str, Any]] = {
        "active": {},
        "expired": {"expiryDate": "2020-01-01T00:00:00Z"},
        "pending": {"startDate": "2090-01-01T00:00:00Z"},
        "used": {"usageLimit": 1},
    }
    for state, order in orders.items():
        code = api.new_coupon(**order)["value"]
        api.send("POST", f"/v1/coupon_reservations/{code}", {"integrationIDs": ["p"]})
        expected[code] = state
        if state == "used":
            api.session(profileId="q", couponCodes=[code], state="closed")
    expected[api.new_coupon(recipientIntegrationId="p")["value"]] = "active"
    expected[api.new_coupon(implicitlyReserved=True)["value"]] = "active"
    api.session("redeeming", profileId="p", couponCodes=["TEN-OFF"], state="closed")
    expected["TEN-OFF"] = "active"
    api.new_coupon()
    coupons = api.send("GET", "/v1/customer_profiles/p/inventory?coupons=true").json["coupons"]
    assert {one["value"]: one["state"] for one in coupons} == expected
    redeemed = {one["value"]: one["profileRedemptionCount"] for one in coupons}
    assert redeemed["TEN-OFF"] == 1


def test_the_inventory_holds_the_referrals_of_the_advocate(api: Any) -> None:
    code = api.new_referral()["code"]
    api.session(profileId="bert", referralCode=code, state="closed")
    inventory = api.send("GET", "/v1/customer_profiles/anna/inventory?referrals=true").json
    [referral] = inventory["referrals"]
    assert (referral["code"], referral["referredCustomers"]) == (code, ["bert"])


def test_erasing_customer_data_wipes_attributes_and_keeps_the_rest(api: Any) -> None:
    update(api, attributes={"a": 1})
    item = {"sku": "A", "quantity": 1, "price": 2, "attributes": {"note": "for Ada"}}
    api.session(profileId="p", attributes={"b": 2}, cartItems=[item])
    reply = api.send("DELETE", "/v1/customer_data/p")
    assert (reply.status, reply.json) == (204, None)
    assert api.profile("p")["attributes"] == {}
    session = api.send("GET", "/v2/customer_sessions/order-1").json["customerSession"]
    assert session["attributes"] == {}
    assert session["cartItems"] == [{"sku": "A", "quantity": 1, "price": 2, "position": 0}]


@pytest.mark.parametrize(
    ("method", "target"),
    [("DELETE", "/v1/customer_data/nobody"), ("GET", "/v1/customer_profiles/nobody/inventory")],
)
def test_an_unknown_profile_is_a_404(api: Any, method: str, target: str) -> None:
    reply = api.send(method, target)
    assert (reply.status, reply.json["StatusCode"]) == (404, 404)
