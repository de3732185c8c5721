"""Merging, dry runs, content on request, keys, events, profiles and audiences, V1."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from sandbox.scenarios.shops import (
    COUPON,
    MUGS,
    TEA,
    campaign,
    check,
    effects,
    item,
    kinds,
    note,
    off,
    only,
    points,
    problem,
    props,
    reason,
    reopened,
    returned,
    rule,
    shop,
    spend,
    v1_campaign,
)
from talon_one.sandbox import Sandbox

CODE = {"value": "CODE", "usageLimit": 0}
PROGRAM = {"id": 1, "name": "stars", "title": "Stars"}
ALL_OF_SESSIONS = [
    "customerSession",
    "customerProfile",
    "coupons",
    "triggeredCampaigns",
    "referral",
    "loyalty",
    "event",
    "awardedGiveaways",
    "ruleFailureReasons",
    "previousReturns",
    "achievements",
]
ALWAYS = {"effects", "createdCoupons", "createdReferrals"}


def busy(open_shop: Any, **more: Any) -> Any:
    """Open a shop in which every part of `responseContent` has something to say."""
    return open_shop(
        campaign(
            rule(COUPON, off(1), points(3)),
            rule(check("$Session.Total", "greaterThan", 10_000), note()),
            coupons=[CODE],
            referrals=[{"code": "FRIEND", "advocateProfileIntegrationId": "bob"}],
            achievements=[{"id": 1, "name": "rides", "title": "Rides"}],
            reevaluateOnReturn=True,
        ),
        account={"loyaltyPrograms": [PROGRAM]},
        **more,
    )


GIVEN: dict[str, Any] = {
    "profileId": "ann",
    "couponCodes": ["CODE"],
    "referralCode": "FRIEND",
    "cartItems": [MUGS],
}


def test_every_value_of_response_content_adds_its_part_of_a_session_and_nothing_else(
    open_shop: Any,
) -> None:
    api = busy(open_shop)
    for name in ALL_OF_SESSIONS:
        reply = api.session("order-1", name, **GIVEN)
        assert set(reply.json) == ALWAYS | {name}, name
    reply = api.session("order-1", *ALL_OF_SESSIONS, **GIVEN)
    assert set(reply.json) == ALWAYS | set(ALL_OF_SESSIONS)
    assert reply.json["customerProfile"]["integrationId"] == "ann"
    assert reply.json["referral"]["code"] == "FRIEND"
    assert [each["id"] for each in reply.json["triggeredCampaigns"]] == [12]
    assert len(reply.json["ruleFailureReasons"]) == 1
    assert "1" in reply.json["loyalty"]["programs"]
    dry = api.session("order-1", "campaignEligibility", query="?dry=true", **GIVEN)
    assert set(dry.json) == ALWAYS | {"campaignEligibility"}
    assert "campaignEligibility" not in api.session("order-1", "campaignEligibility").json


def test_every_value_of_response_content_of_a_return(open_shop: Any) -> None:
    api = busy(open_shop)
    api.session(**GIVEN, state="closed")
    wanted = [
        "customerSession",
        "customerProfile",
        "coupons",
        "triggeredCampaigns",
        "referral",
        "loyalty",
        "event",
        "previousReturns",
    ]
    reply = returned(api, {"position": 0, "quantity": 1}, wanted=wanted)
    assert set(reply.json) == ALWAYS | {"return"} | set(wanted)
    assert reply.json["event"]["type"] == "talon_session_partially_returned"
    assert set(returned(api, {"position": 0}).json) == ALWAYS | {"return"}


def test_every_value_of_response_content_of_profiles_and_events(open_shop: Any) -> None:
    api = busy(open_shop)
    common = [
        "customerProfile",
        "triggeredCampaigns",
        "loyalty",
        "awardedGiveaways",
        "ruleFailureReasons",
    ]
    wanted = [*common, "event", "achievements"]
    body: Any = {"responseContent": wanted}
    reply = api.send("PUT", "/v2/customer_profiles/ann?runRuleEngine=true", body)
    assert set(reply.json) == ALWAYS | set(wanted)
    assert reply.json["event"]["type"] == "talon_profile_created"
    body = {"profileId": "ann", "type": "hello", "attributes": {}, "responseContent": wanted}
    reply = api.send("POST", "/v2/events?silent=no", body)
    assert set(reply.json) == ALWAYS | set(wanted)
    assert reply.json["event"]["type"] == "hello"
    wanted = [*common, "advancedEvent"]
    body |= {"responseContent": wanted, "integrationId": "e1"}
    reply = api.send("POST", "/v3/events", body)
    assert set(reply.json) == ALWAYS | set(wanted)
    assert reply.json["advancedEvent"]["integrationId"] == "e1"


def test_dry_runs_of_every_operation_leave_nothing_behind(open_shop: Any) -> None:
    api = busy(open_shop)
    api.session(**GIVEN, state="closed")
    api.session("open", profileId="ann", cartItems=[TEA])
    seen = api.profile("ann")["lastActivity"]
    api.sandbox.clock.advance(hours=1)
    event = {"profileId": "new", "type": "hello", "attributes": {}}
    requests: list[tuple[str, str, Any]] = [
        ("PUT", "/v2/customer_sessions/new", {"customerSession": {**GIVEN, "state": "closed"}}),
        ("PUT", "/v2/customer_sessions/open", {"customerSession": {"cartItems": []}}),
        ("PUT", "/v2/customer_sessions/order-1", {"customerSession": {"state": "cancelled"}}),
        (
            "POST",
            "/v2/customer_sessions/order-1/returns",
            {"return": {"returnedCartItems": [{"position": 0}]}},
        ),
        ("PUT", "/v2/customer_profiles/new", {"attributes": {"a": 1}}),
        ("PUT", "/v2/customer_profiles/ann", {"attributes": {"a": 1}}),
        ("POST", "/v2/events", event),
        ("POST", "/v3/events", {**event, "integrationId": "e1"}),
        ("PUT", "/v1/customer_sessions/new", {"profileId": "new"}),
        ("PUT", "/v1/customer_profiles/new", {"attributes": {"a": 1}}),
        ("POST", "/v1/events", {**event, "sessionId": "new"}),
    ]
    for method, target, body in requests:
        reply = api.send(method, f"{target}?dry=true", body)
        assert reply.status in (200, 201, 204), (target, reply.json)
    assert api.send("GET", "/v2/customer_sessions/new").status == 404
    assert api.send("GET", "/v3/events/e1").status == 404
    assert api.send("GET", "/v1/customer_profiles/new/inventory?profile=true").status == 404
    session = api.send("GET", "/v2/customer_sessions/open").json["customerSession"]
    assert (session["cartItemTotal"], session["updateCount"]) == (5, 1)
    assert api.profile("ann")["lastActivity"] == seen
    assert api.coupon("CODE")["usageCounter"] == 1


def test_a_dry_closing_request_sees_its_own_content_alone(open_shop: Any) -> None:
    api = open_shop(campaign(rule(off("{{$Session.Total}}"))))
    api.session(profileId="ann", cartItems=[item(100)])
    merged = api.session("order-1", "customerSession", query="?dry=true")
    assert only(props(merged, "setDiscount"))["value"] == 100
    alone = api.session(
        "order-1", "customerSession", "customerProfile", query="?dry=true", state="closed"
    )
    assert effects(alone) == []
    assert "customerProfile" not in alone.json
    assert alone.json["customerSession"]["cartItems"] == []
    own = api.session("order-1", query="?dry=true", state="closed", cartItems=[item(7)])
    assert only(props(own, "setDiscount"))["value"] == 7


def test_now_moves_campaigns_codes_budgets_and_points_of_a_dry_run(open_shop: Any) -> None:
    later: dict[str, Any] = {"startDate": "2026-03-09T00:00:00Z", "name": "Later"}
    limit = {"action": "setDiscount", "limit": 1, "entities": [], "period": "daily"}
    api = open_shop(
        campaign(rule(points(50, **later)), id=11, endTime="2026-03-03T00:00:00Z"),
        campaign(rule(COUPON, off(1)), coupons=[{**CODE, "startDate": "2026-03-05T00:00:00Z"}]),
        campaign(rule(spend(50), off(3, "Paid")), id=13, startTime="2026-03-08T00:00:00Z"),
        campaign(rule(off(1, "Daily")), id=14, limits=[limit]),
        account={"loyaltyPrograms": [PROGRAM]},
    )
    given: dict[str, Any] = {
        "profileId": "ann",
        "couponCodes": ["CODE"],
        "cartItems": [item(100)],
    }
    first = api.session("first", **given, state="closed")
    assert kinds(first) == ["addLoyaltyPoints", "rejectCoupon", "setDiscount"]
    for state in ("open", "closed"):
        later_on = api.session(
            "second", **given, state=state, query="?dry=true&now=2026-03-10T00:00:00%2B02:00"
        )
        assert kinds(later_on) == [
            "acceptCoupon",
            "deductLoyaltyPoints",
            "setDiscount",
            "setDiscount",
            "setDiscount",
        ], state
    assert api.session("x", query="?now=2026-03-10T00:00:00Z").status == 400
    assert api.session("x", query="?dry=true&now=2020-03-10T00:00:00Z").status == 400


def with_keys(keys: list[Any], *campaigns: Any, **more: Any) -> Any:
    return Sandbox(seed=shop(*campaigns, keys=keys, **more), clock="2026-03-02T12:00:00Z")


def as_key(key: str) -> dict[str, str]:
    return {"Authorization": f"ApiKey-v1 {key}"}


def test_a_staging_key_makes_every_request_dry_and_sees_staged_campaigns(client_of: Any) -> None:
    with with_keys(
        [{"key": "stage", "type": "staging"}],
        campaign(rule(off(1, "Running"))),
        campaign(rule(off(2, "Staged")), id=13, frontendState="staged"),
    ) as sandbox:
        api = client_of(sandbox)
        body = {"customerSession": {"cartItems": [item(100)], "state": "closed"}}
        target = "/v2/customer_sessions/order-1"
        stage = as_key("stage")
        reply = api.send("PUT", target, body, headers=stage)
        assert sorted(each["name"] for each in props(reply, "setDiscount")) == ["Running", "Staged"]
        assert api.send("GET", target).status == 404
        reply = api.send("PUT", target, body)
        assert [each["name"] for each in props(reply, "setDiscount")] == ["Running"]
        profile = "/v2/customer_profiles/ann"
        reply = api.send("PUT", f"{profile}?runRuleEngine=true", {}, headers=stage)
        assert reply.status == 200
        assert api.send("PUT", profile, {}, headers=stage).status == 403
        event = {"profileId": "ann", "type": "hello", "attributes": {}}
        assert api.send("POST", "/v2/events", event, headers=stage).status == 204
        assert api.send("GET", "/v1/customer_profiles/ann/inventory").status == 404
        assert api.send("GET", target, headers=stage).status == 403
        assert api.send("POST", "/v2/audiences", {"name": "A"}, headers=stage).status == 403


def test_a_key_with_a_time_offset_evaluates_at_the_shifted_moment(client_of: Any) -> None:
    day = 24 * 3600 * 10**9
    with with_keys(
        [{"key": "ahead", "timeOffset": 2 * day}, {"key": "behind", "timeOffset": -2 * day}],
        campaign(rule(off(1, "Today")), endTime="2026-03-03T00:00:00Z"),
        campaign(rule(off(2, "Soon")), id=13, startTime="2026-03-04T00:00:00Z"),
    ) as sandbox:
        api = client_of(sandbox)
        body = {"customerSession": {"cartItems": [item(100)]}}
        names = []
        for key in (sandbox.api_key, "ahead", "behind"):
            reply = api.send("PUT", f"/v2/customer_sessions/{key}", body, headers=as_key(key))
            names.append([each["name"] for each in props(reply, "setDiscount")])
        assert names == [["Today"], ["Soon"], ["Today"]]


def test_an_expired_key_is_unknown(client_of: Any) -> None:
    with with_keys(
        [{"key": "old", "expires": "2026-03-02T13:00:00Z"}], campaign(rule(off(1)))
    ) as sandbox:
        api = client_of(sandbox)
        target = "/v2/customer_sessions/order-1"
        body: Any = {"customerSession": {}}
        assert api.send("PUT", target, body, headers=as_key("old")).status == 200
        sandbox.clock.advance(hours=2)
        reply = api.send("PUT", target, body, headers=as_key("old"))
        assert (reply.status, reply.json["StatusCode"]) == (401, 401)


def test_events_of_three_generations_run_rules_and_are_silent_by_their_rules(
    open_shop: Any,
) -> None:
    event_rule = rule(
        {
            "type": "checkEvent",
            "eventType": "newsletter",
            "matchers": [{"id": "m", **check("$Event.Attributes.Channel", "equals", "shop")}],
        },
        note("{{$Event.Attributes.Channel}} {{$Profile.IntegrationId}}"),
    )
    api = open_shop(campaign(event_rule))
    event = {"profileId": "ann", "type": "newsletter", "attributes": {"Channel": "shop"}}
    assert api.send("POST", "/v2/events", event).status == 204
    reply = api.send("POST", "/v2/events?silent=no", event)
    assert only(props(reply, "showNotification"))["title"] == "shop ann"
    other = {**event, "attributes": {"Channel": "web"}}
    assert effects(api.send("POST", "/v2/events?silent=no", other)) == []
    third = {**event, "integrationId": "e/1 %"}
    reply = api.send("POST", "/v3/events", third)
    assert kinds(reply) == ["showNotification"]
    conflict = api.send("POST", "/v3/events", third)
    assert (conflict.status, conflict.json["StatusCode"]) == (409, 409)
    assert api.send("GET", "/v3/events/e%2F1%20%25").json["integrationId"] == "e/1 %"
    assert api.send("GET", "/v3/events/none").status == 404
    first = api.send("POST", "/v1/events", {**event, "sessionId": "order-1"})
    assert first.status == 201
    assert first.json["event"]["effects"] == [
        [12, 120, 0, ["showNotification", "Info", "shop ann", ""]]
    ]
    assert api.send("GET", "/v2/customer_sessions/order-1").status == 200
    assert problem(api.send("POST", "/v2/events", {**event, "profileId": ""})) is not None


def test_an_event_connects_to_a_closed_session_that_rules_see_and_leave_alone(
    open_shop: Any,
) -> None:
    api = open_shop(
        campaign(
            rule(check("$Session.Total", "greaterThan", 20), note("Big")),
            rule(COUPON, note("Coupon")),
            rule(off(1)),
            rule(off(1, target="allItems")),
            coupons=[CODE],
        )
    )
    event = {"profileId": "ann", "type": "hello", "attributes": {}, "connectedSessionId": "order-1"}
    assert problem(api.send("POST", "/v3/events", {**event, "integrationId": "e1"}))
    api.session(profileId="ann", cartItems=[MUGS], couponCodes=["CODE"])
    assert problem(api.send("POST", "/v3/events", {**event, "integrationId": "e1"}))
    api.session(state="closed")
    reply = api.send("POST", "/v3/events", {**event, "integrationId": "e1"})
    assert [each["title"] for each in props(reply, "showNotification")] == ["Big"]
    assert kinds(reply) == ["showNotification"]
    assert api.send("GET", "/v3/events/e1").json["connectedSessionId"] == "order-1"
    assert api.coupon("CODE")["usageCounter"] == 1
    alone = {**event, "integrationId": "e2"}
    del alone["connectedSessionId"]
    assert kinds(api.send("POST", "/v3/events", alone)) == []


def test_an_event_may_bring_the_code_of_a_friend(open_shop: Any) -> None:
    api = open_shop(
        campaign(
            rule({"type": "checkReferral", "redeem": True}, points(5, recipient="Advocate")),
            referrals=[{"code": "FRIEND", "advocateProfileIntegrationId": "bob", "usageLimit": 1}],
        ),
        account={"loyaltyPrograms": [PROGRAM]},
    )
    event = {"profileId": "ann", "type": "hello", "attributes": {}, "referralCode": "FRIEND"}
    reply = api.send("POST", "/v3/events", {**event, "integrationId": "e1"})
    assert kinds(reply) == ["acceptReferral", "addLoyaltyPoints"]
    other = {**event, "integrationId": "e2", "profileId": "eve"}
    assert reason(api.send("POST", "/v3/events", other), "rejectReferral") == "ReferralLimitReached"
    assert api.send("GET", "/v3/events/e1").json["referralCode"] == "FRIEND"


def test_rules_see_who_joined_and_left_an_audience_only_in_that_request(open_shop: Any) -> None:
    def audience(operator: str) -> Any:
        return {
            "type": "checkAudience",
            "operator": operator,
            "profile": "Current",
            "audience": {"id": 5, "name": "Club"},
        }

    api = open_shop(
        campaign(
            *(
                rule(audience(operator), note(operator), title=operator)
                for operator in ("member", "not(member)", "justJoined", "justLeft")
            )
        ),
        account={"audiences": [{"id": 5, "name": "Club"}]},
    )

    def update(adds: list[int], deletes: list[int]) -> list[str]:
        body = {"audiencesChanges": {"adds": adds, "deletes": deletes}}
        reply = api.send("PUT", "/v2/customer_profiles/ann?runRuleEngine=true", body)
        return [each["title"] for each in props(reply, "showNotification")]

    assert update([], []) == ["not(member)"]
    assert update([5], []) == ["member", "justJoined"]
    assert update([5], []) == ["member"]
    assert update([], [5]) == ["not(member)", "justLeft"]
    assert update([], [5]) == ["not(member)"]
    body: Any = {"data": [{"action": "add", "profileIntegrationId": "ann", "audienceId": 5}]}
    assert api.send("POST", "/v2/customer_audiences", body).status == 204
    assert update([], []) == ["member"]
    assert api.send("DELETE", "/v2/audiences/5").status == 204
    assert update([], []) == ["not(member)"]


def test_a_rule_moves_a_customer_between_audiences_at_every_update(open_shop: Any) -> None:
    def move(operator: str) -> Any:
        return {
            "type": "updateAudienceMembership",
            "operator": operator,
            "profile": "Current",
            "audience": {"id": 5, "name": "Club"},
        }

    api = open_shop(
        campaign(
            rule(check("$Session.Total", "greaterThanOrEqual", 50), move("add")),
            rule(check("$Session.Total", "lessThan", 50), move("remove")),
        ),
        account={"audiences": [{"id": 5, "name": "Club"}]},
    )
    seen = []
    for price in (60, 10, 70, 20, 80):
        reply = api.session("order-1", "customerProfile", profileId="ann", cartItems=[item(price)])
        assert kinds(reply) == [["addToAudience"], ["removeFromAudience"]][price < 50]
        seen.append(len(reply.json["customerProfile"]["audienceMemberships"]))
    assert seen == [1, 0, 1, 0, 1]


def test_a_rule_writes_attributes_of_every_entity(open_shop: Any) -> None:
    def update(target: Any, entity: str, value: Any = "new") -> Any:
        attribute = {"id": 1, "entity": entity, "name": "Seen", "title": "S", "type": "string"}
        return {
            "type": "updateAttributeValue",
            "operator": "setTo",
            "attribute": attribute,
            "target": {"type": target},
            "value": value,
        }

    api = open_shop(
        campaign(
            rule(
                COUPON,
                {"type": "checkReferral", "redeem": True},
                update("profile", "profile"),
                update("advocateProfile", "profile"),
                update("session", "session"),
                update("coupon", "coupon"),
                update("referral", "referral"),
                update("allItems", "cartItem"),
            ),
            coupons=[CODE],
            referrals=[{"code": "FRIEND", "advocateProfileIntegrationId": "bob"}],
        )
    )
    reply = api.session(
        "order-1", "customerSession", "referral", "coupons", **GIVEN, state="closed"
    )
    assert len(props(reply, "updateAttribute")) == 6
    assert {each["value"] for each in props(reply, "updateAttribute")} == {"new"}
    assert reply.json["customerSession"]["attributes"] == {"Seen": "new"}
    assert reply.json["customerSession"]["cartItems"][0]["attributes"] == {"Seen": "new"}
    assert reply.json["referral"]["attributes"] == {"Seen": "new"}
    assert only(reply.json["coupons"])["attributes"] == {"Seen": "new"}
    assert api.profile("ann")["attributes"] == {"Seen": "new"}
    assert api.profile("bob")["attributes"] == {"Seen": "new"}


def test_explicit_null_empty_and_absent_mean_different_things_in_every_property(
    open_shop: Any,
) -> None:
    api = open_shop(campaign())
    full: dict[str, Any] = {
        "profileId": "ann",
        "couponCodes": ["A-CODE"],
        "referralCode": "R",
        "cartItems": [MUGS],
        "additionalCosts": {"shipping": {"price": 4}},
        "identifiers": ["i"],
        "loyaltyCards": ["c"],
        "storeIntegrationId": "north",
        "attributes": {"a": "x", "b": [1]},
    }
    api.session(**full)
    stored = api.send("GET", "/v2/customer_sessions/order-1").json["customerSession"]
    for change in ({}, dict.fromkeys(full), {"attributes": {"a": None}}):
        now = api.session("order-1", "customerSession", **change).json["customerSession"]
        assert {name: now.get(name) for name in full} == {name: stored.get(name) for name in full}
    empty: dict[str, Any] = {
        "couponCodes": [],
        "referralCode": "",
        "cartItems": [],
        "additionalCosts": {},
        "identifiers": [],
        "loyaltyCards": [],
        "attributes": {"a": "", "b": []},
    }
    now = api.session("order-1", "customerSession", **empty).json["customerSession"]
    assert {name: now.get(name) for name in empty} == empty
    assert (now["total"], now["updateCount"], now["profileId"]) == (0, 5, "ann")


def test_v1_signs_bodies_and_shares_sessions_with_v2(open_shop: Any) -> None:
    api = open_shop(
        v1_campaign(
            {
                "title": "Ten",
                "condition": ["and", ["couponValid"], [">", [".", "Session", "Total"], 20]],
                "effects": [["setDiscount", "10% off", ["*", [".", "Session", "Total"], 0.1]]],
            },
            {
                "title": "Quiet",
                "condition": ["=", 1, 1],
                "effects": ["catch", ["noop"], ["setDiscount", "Bad", [".", "Session", "Nothing"]]],
            },
            coupons=[{**CODE, "usageLimit": 1}],
        )
    )
    body = json.dumps({"profileId": "ann", "coupon": "CODE", "total": 50, "state": "open"}).encode()
    key = bytes.fromhex("fefecafedeadbeef")
    signature = hmac.new(key, body, hashlib.md5).hexdigest()
    target = "/v1/customer_sessions/order-1"
    for form in (f"signer=3; signature={signature}", f"signer=3;signature={signature}"):
        reply = api.send("PUT", target, body, headers={"Content-Signature": form})
        assert reply.status == 200
    wrong = api.send(
        "PUT",
        target,
        body + b" ",
        headers={"Content-Signature": f"signer=3; signature={signature}"},
    )
    assert (wrong.status, wrong.json["message"]) == (400, "HMAC signature mismatch.")
    assert reply.json["event"]["effects"] == [
        [12, 120, 0, ["acceptCoupon", "CODE"]],
        [12, 120, 0, ["setDiscount", "10% off", 5]],
    ]
    assert reply.json["session"]["discounts"] == {"10% off": 5}
    assert (reply.json["session"]["coupon"], reply.json["session"]["total"]) == ("CODE", 50)
    closing = api.send("PUT", target, {"state": "closed"})
    assert closing.json["coupon"]["usageCounter"] == 1
    unknown = api.send("PUT", "/v1/customer_sessions/o2", {"coupon": "NOPE", "total": 1})
    assert unknown.json["event"]["effects"] == [[-1, 0, 0, ["rejectCoupon", "NOPE"]]]
    meta = unknown.json["event"]["meta"]["couponRejectionReason"]
    assert meta["reason"] == "CouponNotFound"
    used = api.send("PUT", "/v1/customer_sessions/o3", {"coupon": "CODE", "total": 100})
    meta = used.json["event"]["meta"]["couponRejectionReason"]
    # V1 has no reason for a coupon whose own limit is reached.
    assert meta == {"campaignId": 12, "couponId": 1, "reason": "CampaignLimitReached"}
    cancelled = api.session(state="cancelled")
    assert kinds(cancelled) == ["rollbackCoupon", "rollbackDiscount"]
    other = api.send("PUT", target, {"profileId": "eve"})
    assert other.status == 400
    profile = api.send("PUT", "/v1/customer_profiles/ann", {"attributes": {}})
    assert profile.json["event"]["type"] == "talon_profile_updated"


def test_v1_shows_the_points_of_its_customer(open_shop: Any) -> None:
    api = open_shop(campaign(rule(points(3))), account={"loyaltyPrograms": [PROGRAM]})
    target = "/v1/customer_sessions/order-1"
    body: dict[str, Any] = {"profileId": "ann", "total": 10, "state": "open"}
    opened = api.send("PUT", target, body).json
    ledger = opened["loyalty"]["programs"]["1"]["ledger"]
    assert (ledger["currentBalance"], ledger["tentativeCurrentBalance"]) == (0, 3)
    closed = api.send("PUT", target, {"state": "closed"}).json
    assert closed["loyalty"]["programs"]["1"]["ledger"]["currentBalance"] == 3
    [effect] = closed["event"]["effects"]
    assert effect[3][:5] == ["addLoyaltyPoints", "Earned", 1, "", 3]
    anonymous = api.send("PUT", "/v1/customer_sessions/b", {"total": 10}).json
    assert "loyalty" not in anonymous


def test_totals_of_profiles_and_first_sessions_follow_closing_reopening_and_returns(
    open_shop: Any,
) -> None:
    api = open_shop(campaign(rule(off(5))))

    def sales() -> Any:
        profile = api.profile("ann")
        return profile["closedSessions"], profile["totalSales"]

    first = api.session("order-1", "customerSession", profileId="ann", cartItems=[MUGS, TEA])
    assert first.json["customerSession"]["firstSession"] is True
    second = api.session("o2", "customerSession", profileId="ann", cartItems=[TEA], state="closed")
    assert second.json["customerSession"]["firstSession"] is False
    assert sales() == (1, 5)
    closing = api.session("order-1", "customerSession", state="closed")
    assert closing.json["customerSession"]["firstSession"] is True
    assert sales() == (2, 35)
    assert kinds(reopened(api)) == ["rollbackDiscount"]
    assert sales() == (1, 5)
    api.session(state="closed")
    returned(api, {"position": 0, "quantity": 1})
    assert sales() == (2, 22.5)
    assert reopened(api).status == 400
    api.session(state="cancelled")
    assert sales() == (1, 5)
    read = api.send("GET", "/v2/customer_sessions/order-1").json["customerSession"]
    assert (read["state"], read["updateCount"]) == ("cancelled", 6)


def test_a_personal_code_and_an_anonymous_cart_get_on_once_the_customer_logs_in(
    open_shop: Any,
) -> None:
    api = open_shop(
        campaign(rule(COUPON, off(5)), coupons=[{**CODE, "recipientIntegrationId": "ann"}])
    )
    reply = api.session(couponCodes=["CODE"], cartItems=[item()])
    assert reason(reply) == "CouponRecipientDoesNotMatch"
    assert kinds(api.session(profileId="ann")) == ["acceptCoupon", "setDiscount"]
    assert api.session(profileId="bob").status == 400


@pytest.mark.parametrize("in_session", [True, False])
def test_a_created_coupon_joins_the_session_if_its_rule_says_so(
    open_shop: Any, in_session: bool
) -> None:
    create = {
        "type": "createCoupon",
        "campaignId": 13,
        "recipientId": "{{$Profile.IntegrationId}}",
        "storeInSession": in_session,
        "pattern": "THX-####",
        "expiryDate": "2027-01-31T23:59:59Z",
        "usageLimit": 1,
    }
    api = open_shop(campaign(rule(create)), campaign(rule(COUPON, off(5)), id=13))
    reply = api.session(
        "order-1", "customerSession", profileId="ann", cartItems=[item()], state="closed"
    )
    made = only(reply.json["createdCoupons"])
    assert made["value"].startswith("THX-")
    assert (made["campaignId"], made["recipientIntegrationId"]) == (13, "ann")
    assert only(props(reply, "couponCreated")) == {"value": made["value"], "profileId": "ann"}
    codes = reply.json["customerSession"]["couponCodes"]
    assert codes == ([made["value"]] if in_session else [])
    again = api.session("o2", profileId="ann", couponCodes=[made["value"]], cartItems=[item()])
    assert kinds(again) == ["acceptCoupon", "setDiscount"]
