"""Coupons and referrals: every reason of rejection, limits over time, reservations, gift cards."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.scenarios.shops import (
    COUPON,
    REFERRAL,
    campaign,
    check,
    effects,
    item,
    kinds,
    off,
    only,
    props,
    reason,
    rule,
)

CODE = {"value": "CODE", "usageLimit": 0}
DISCOUNTED = rule(COUPON, off(5))


def reject(api: Any, session_id: str = "order-1", **session: Any) -> Any:
    """Return the properties of the one rejection of the code `CODE`."""
    given = {"profileId": "ann", "couponCodes": ["CODE"], "cartItems": [item(100)], **session}
    reply = api.session(session_id, **given)
    return only(props(reply, "rejectCoupon"))


@pytest.mark.parametrize(
    ("expected", "coupon", "settings", "session"),
    [
        ("CouponExpired", {"expiryDate": "2026-03-01T00:00:00Z"}, {}, {}),
        ("CouponStartDateInFuture", {"startDate": "2026-03-03T00:00:00Z"}, {}, {}),
        ("CouponRecipientDoesNotMatch", {"recipientIntegrationId": "bob"}, {}, {}),
        ("CouponRecipientDoesNotMatch", {"recipientIntegrationId": "bob"}, {}, {"profileId": ""}),
        ("CouponReservationRequired", {"isReservationMandatory": True}, {}, {}),
        ("ProfileRequired", {"isReservationMandatory": True}, {}, {"profileId": ""}),
        (
            "ProfileRequired",
            {},
            {"limits": [{"action": "redeemCoupon", "limit": 1, "entities": ["Profile"]}]},
            {"profileId": ""},
        ),
        ("CouponPartOfNotRunningCampaign", {}, {"state": "disabled"}, {}),
        ("CouponPartOfNotRunningCampaign", {}, {"startTime": "2026-04-01T00:00:00Z"}, {}),
        ("CouponPartOfNotRunningCampaign", {}, {"endTime": "2026-03-01T00:00:00Z"}, {}),
        ("CouponPartOfNotTriggeredCampaign", {}, {"state": "archived"}, {}),
        ("CouponPartOfNotTriggeredCampaign", {}, {"linkedStoreIds": [1]}, {}),
        (
            "CampaignLimitReached",
            {},
            {"limits": [{"action": "redeemCoupon", "limit": 0, "entities": []}]},
            {},
        ),
        (
            "EffectCouldNotBeApplied",
            {},
            {"limits": [{"action": "setDiscount", "limit": 2, "entities": []}]},
            {},
        ),
    ],
)
def test_a_coupon_is_rejected_with_its_reason(
    open_shop: Any, expected: str, coupon: Any, settings: Any, session: Any
) -> None:
    api = open_shop(
        campaign(DISCOUNTED, coupons=[{**CODE, **coupon}], **settings),
        stores=[{"id": 1, "name": "North", "integrationId": "north"}],
    )
    found = reject(api, **session)
    assert found["rejectionReason"] == expected
    if expected == "CouponPartOfNotTriggeredCampaign":
        assert found["campaignExclusionReason"] == "CampaignNotInEvaluationSet"
    reply = api.session(profileId=session.get("profileId", "ann"))
    rejection = only(effects(reply, "rejectCoupon"))
    assert rejection["campaignId"] == 12
    assert rejection["triggeredByCoupon"] == 1


def test_a_coupon_is_rejected_by_a_condition_with_its_place(open_shop: Any) -> None:
    api = open_shop(
        campaign(rule(COUPON, check("$Session.Total", "greaterThan", 500), off(5)), coupons=[CODE])
    )
    found = reject(api)
    assert found["rejectionReason"] == "CouponRejectedByCondition"
    assert found["conditionIndex"] == 1


def test_a_coupon_without_a_rule_that_checks_it_is_rejected_by_condition(open_shop: Any) -> None:
    api = open_shop(campaign(rule(off(5)), coupons=[CODE]))
    assert reject(api)["rejectionReason"] == "CouponRejectedByCondition"


def test_the_effect_that_failed_is_named_in_rejection_and_failure_reason(open_shop: Any) -> None:
    limits = [{"action": "setDiscount", "limit": 2, "entities": []}]
    api = open_shop(campaign(rule(COUPON, off(1), off(5)), coupons=[CODE], limits=limits))
    reply = api.session("order-1", "ruleFailureReasons", couponCodes=["CODE"], cartItems=[item()])
    rejection = only(props(reply, "rejectCoupon"))
    assert (rejection["rejectionReason"], rejection["effectIndex"]) == (
        "EffectCouldNotBeApplied",
        1,
    )
    assert kinds(reply) == ["rejectCoupon"]
    failure = only(reply.json["ruleFailureReasons"])
    details = failure.pop("details")
    assert details
    assert failure == {
        "campaignID": 12,
        "campaignName": "Campaign 12",
        "rulesetID": 120,
        "ruleIndex": 0,
        "ruleName": "Rule",
        "couponID": 1,
        "couponValue": "CODE",
        "effectIndex": 1,
    }


def test_a_code_is_used_up_after_its_limit_and_again_free_after_a_cancellation(
    open_shop: Any,
) -> None:
    api = open_shop(campaign(DISCOUNTED, coupons=[{**CODE, "usageLimit": 1}]))
    given: dict[str, Any] = {"couponCodes": ["CODE"], "cartItems": [item(100)]}
    assert kinds(api.session("a", **given)) == ["acceptCoupon", "setDiscount"]
    assert kinds(api.session("b", **given)) == ["acceptCoupon", "setDiscount"]
    api.session("a", state="closed")
    closing = api.session("b", state="closed")
    assert reason(closing) == "CouponLimitReached"
    api.session("a", state="cancelled")
    assert kinds(api.session("c", **given)) == ["acceptCoupon", "setDiscount"]


@pytest.mark.parametrize(
    ("period", "same", "next_period"),
    [
        ("daily", {"hours": 11}, {"hours": 2}),
        ("weekly", {"days": 6}, {"days": 1}),
        ("monthly", {"days": 29}, {"days": 1}),
        ("yearly", {"days": 300}, {"days": 66}),
    ],
)
def test_a_limit_per_profile_and_period_starts_again_with_the_period(
    open_shop: Any, period: str, same: Any, next_period: Any
) -> None:
    limit = {"action": "redeemCoupon", "limit": 1, "entities": ["Profile"], "period": period}
    api = open_shop(campaign(DISCOUNTED, coupons=[CODE], limits=[limit]))
    given: dict[str, Any] = {"couponCodes": ["CODE"], "cartItems": [item(100)], "state": "closed"}
    assert kinds(api.session("a", profileId="ann", **given)) == ["acceptCoupon", "setDiscount"]
    api.sandbox.clock.advance(**same)
    assert reason(api.session("b", profileId="ann", **given)) == "ProfileLimitReached"
    assert kinds(api.session("c", profileId="bob", **given)) == ["acceptCoupon", "setDiscount"]
    api.sandbox.clock.advance(**next_period)
    assert kinds(api.session("d", profileId="ann", **given)) == ["acceptCoupon", "setDiscount"]


def test_limits_of_a_coupon_replace_those_of_its_campaign(open_shop: Any) -> None:
    per_profile = {"action": "redeemCoupon", "entities": ["Profile"]}
    api = open_shop(
        campaign(
            DISCOUNTED,
            coupons=[{**CODE, "limits": [{**per_profile, "limit": 2}]}, {**CODE, "value": "OTHER"}],
            limits=[{**per_profile, "limit": 1}],
        )
    )
    given: dict[str, Any] = {"profileId": "ann", "cartItems": [item(100)], "state": "closed"}
    for number, (code, expected) in enumerate(
        [("OTHER", None), ("CODE", None), ("CODE", None), ("CODE", "ProfileLimitReached")]
    ):
        reply = api.session(f"o{number}", couponCodes=[code], **given)
        found = [each["rejectionReason"] for each in props(reply, "rejectCoupon")]
        assert found == ([expected] if expected else []), (number, code)


def test_a_limit_per_profile_and_coupon_counts_each_pair(open_shop: Any) -> None:
    limit = {"action": "redeemCoupon", "limit": 1, "entities": ["Profile", "Coupon"]}
    api = open_shop(
        campaign(DISCOUNTED, coupons=[CODE, {**CODE, "value": "OTHER"}], limits=[limit])
    )
    given: dict[str, Any] = {"profileId": "ann", "cartItems": [item(100)], "state": "closed"}
    accepted = ["acceptCoupon", "setDiscount"]
    assert kinds(api.session("a", couponCodes=["CODE"], **given)) == accepted
    assert kinds(api.session("b", couponCodes=["OTHER"], **given)) == accepted
    assert reason(api.session("c", couponCodes=["CODE"], **given)) == "ProfileLimitReached"


def test_an_identifier_limit_needs_an_identifier_on_closing_and_counts_it(open_shop: Any) -> None:
    limit = {"action": "redeemCoupon", "limit": 1, "entities": ["Identifier"]}
    api = open_shop(campaign(DISCOUNTED, coupons=[CODE], limits=[limit]))
    given: dict[str, Any] = {"couponCodes": ["CODE"], "cartItems": [item(100)]}
    assert kinds(api.session("a", **given)) == ["acceptCoupon", "setDiscount"]
    assert kinds(api.session("a", state="closed")) == ["rejectCoupon"]
    reply = api.session("b", identifiers=["h1"], state="closed", **given)
    assert kinds(reply) == ["acceptCoupon", "setDiscount"]
    assert kinds(api.session("c", identifiers=["h1"], **given)) == ["rejectCoupon"]
    assert kinds(api.session("d", identifiers=["h2"], **given)) == ["acceptCoupon", "setDiscount"]


def test_a_gift_card_pays_over_several_sessions_until_it_is_empty(open_shop: Any) -> None:
    card = {**CODE, "discountLimit": 100}
    api = open_shop(
        campaign(rule(COUPON, off("{{$Session.Total}}", "Gift", partial=True)), coupons=[card])
    )
    given: dict[str, Any] = {"couponCodes": ["CODE"], "state": "closed"}
    first = api.session("a", cartItems=[item(60)], **given)
    assert only(props(first, "setDiscount")) == {"name": "Gift", "value": 60}
    coupon = api.coupon("CODE")
    assert (coupon["discountCounter"], coupon["discountRemainder"]) == (60, 40)
    second = api.session("b", cartItems=[item(60)], **given)
    assert only(props(second, "setDiscount")) == {"name": "Gift", "value": 40, "desiredValue": 60}
    assert reason(api.session("c", cartItems=[item(60)], **given)) == "CouponLimitReached"
    api.session("a", state="cancelled")
    third = api.session("d", cartItems=[item(70)], **given)
    assert only(props(third, "setDiscount"))["value"] == 60


def test_a_budget_of_exactly_nothing_always_fails_and_partial_rewards_are_a_setting(
    open_shop: Any,
) -> None:
    limits = [{"action": "setDiscount", "limit": 7, "entities": []}]
    block = {name: value for name, value in off(5).items() if name != "partial"}
    whole = open_shop(campaign(rule(block), limits=limits))
    part = open_shop(campaign(rule(block), limits=limits), enablePartialDiscounts=True)
    for api in (whole, part):
        assert only(props(api.session("a", cartItems=[item()], state="closed"), "setDiscount"))
    assert effects(whole.session("b", cartItems=[item()], state="closed")) == []
    cut = part.session("b", cartItems=[item()], state="closed")
    assert only(props(cut, "setDiscount")) == {"name": "Off", "value": 2, "desiredValue": 5}
    assert effects(part.session("c", cartItems=[item()], state="closed")) == []


@pytest.mark.parametrize(
    ("sensitivity", "stored", "accepted", "rejected"),
    [
        ("sensitive", "Code", ["Code"], ["CODE", "code"]),
        ("insensitive-uppercase", "CODE", ["Code", "CODE", "code"], []),
        ("insensitive-lowercase", "code", ["Code", "CODE", "code"], []),
    ],
)
def test_the_case_of_codes_follows_the_application(
    open_shop: Any, sensitivity: str, stored: str, accepted: list[str], rejected: list[str]
) -> None:
    api = open_shop(
        campaign(DISCOUNTED, coupons=[{**CODE, "value": "Code"}]), caseSensitivity=sensitivity
    )
    for code in accepted:
        reply = api.session(f"a-{code}", "coupons", couponCodes=[code], cartItems=[item(100)])
        assert kinds(reply) == ["acceptCoupon", "setDiscount"], code
        assert only(reply.json["coupons"])["value"] == stored
    for code in rejected:
        reply = api.session(f"a-{code}", couponCodes=[code], cartItems=[item(100)])
        assert reason(reply) == "CouponNotFound"


def test_a_code_counts_once_however_it_is_written(open_shop: Any) -> None:
    api = open_shop(campaign(DISCOUNTED, coupons=[CODE]), caseSensitivity="insensitive-uppercase")
    reply = api.session(
        "order-1", "coupons", couponCodes=["code", "CODE", "Code", "code"], cartItems=[item(100)]
    )
    assert kinds(reply) == ["acceptCoupon", "setDiscount"]
    assert len(reply.json["coupons"]) == 1
    api.session(state="closed")
    assert api.coupon("CODE")["usageCounter"] == 1


def test_a_rule_runs_once_for_each_code_of_its_campaign(open_shop: Any) -> None:
    api = open_shop(
        campaign(DISCOUNTED, coupons=[CODE, {**CODE, "value": "OTHER"}]),
        campaign(rule(off(1, "All")), id=13),
    )
    reply = api.session(couponCodes=["CODE", "OTHER", "CODE"], cartItems=[item(100)])
    assert kinds(reply) == ["acceptCoupon", "acceptCoupon"] + ["setDiscount"] * 3
    found = {(each["effectType"], each.get("triggeredByCoupon")) for each in effects(reply)}
    assert found == {
        ("acceptCoupon", 1),
        ("acceptCoupon", 2),
        ("setDiscount", 1),
        ("setDiscount", 2),
        ("setDiscount", None),
    }


def test_a_coupon_that_is_only_checked_is_not_redeemed(open_shop: Any) -> None:
    looked = {**COUPON, "redeem": False}
    api = open_shop(campaign(rule(looked, off(5)), coupons=[{**CODE, "usageLimit": 1}]))
    for number in range(3):
        reply = api.session(
            f"o{number}", couponCodes=["CODE"], cartItems=[item(100)], state="closed"
        )
        assert "setDiscount" in kinds(reply)
    assert api.coupon("CODE")["usageCounter"] == 0


def test_a_hard_reservation_lets_its_holder_redeem(open_shop: Any) -> None:
    api = open_shop(campaign(DISCOUNTED, coupons=[{**CODE, "isReservationMandatory": True}]))
    assert reject(api)["rejectionReason"] == "CouponReservationRequired"
    reserve = api.send("POST", "/v1/coupon_reservations/CODE", {"integrationIDs": ["ann"]})
    assert (reserve.status, reserve.json["reservationCounter"]) == (201, 1)
    held = api.send("GET", "/v1/coupon_reservations/customerprofiles/CODE").json
    assert [each["integrationId"] for each in held["data"]] == ["ann"]
    assert kinds(api.session()) == ["acceptCoupon", "setDiscount"]
    gone = api.send("DELETE", "/v1/coupon_reservations/CODE", {"integrationIDs": ["ann"]})
    assert gone.status == 204
    assert reason(api.session()) == "CouponReservationRequired"


def test_an_inventory_shows_reserved_personal_visible_and_redeemed_coupons_with_their_state(
    open_shop: Any,
) -> None:
    coupons = [
        {**CODE, "value": "SOFT"},
        {**CODE, "value": "MINE", "recipientIntegrationId": "ann"},
        {**CODE, "value": "SEEN", "implicitlyReserved": True},
        {**CODE, "value": "USED", "usageLimit": 1},
        {**CODE, "value": "LATE", "expiryDate": "2026-03-01T00:00:00Z", "implicitlyReserved": True},
        {**CODE, "value": "SOON", "startDate": "2026-04-01T00:00:00Z", "implicitlyReserved": True},
        {**CODE, "value": "STRANGE"},
    ]
    api = open_shop(
        campaign(DISCOUNTED, coupons=coupons),
        campaign(
            DISCOUNTED,
            id=13,
            state="disabled",
            coupons=[{**CODE, "value": "DEAD", "implicitlyReserved": True}],
        ),
    )
    api.send("POST", "/v1/coupon_reservations/SOFT", {"integrationIDs": ["ann"]})
    api.session(profileId="ann", couponCodes=["USED"], cartItems=[item(100)], state="closed")
    found = api.send("GET", "/v1/customer_profiles/ann/inventory?coupons=true").json["coupons"]
    assert {each["value"]: each["state"] for each in found} == {
        "SOFT": "active",
        "MINE": "active",
        "SEEN": "active",
        "USED": "used",
        "LATE": "expired",
        "SOON": "pending",
        "DEAD": "disabled",
    }


FRIEND = {"code": "FRIEND", "advocateProfileIntegrationId": "bob", "usageLimit": 0}


@pytest.mark.parametrize(
    ("expected", "referral", "settings", "profile"),
    [
        ("ReferralExpired", {"expiryDate": "2026-03-01T00:00:00Z"}, {}, "ann"),
        ("ReferralStartDateInFuture", {"startDate": "2026-03-03T00:00:00Z"}, {}, "ann"),
        ("ReferralRecipientDoesNotMatch", {"friendProfileIntegrationId": "eve"}, {}, "ann"),
        ("ReferralRecipientIdSameAsAdvocate", {}, {}, "bob"),
        ("ReferralPartOfNotRunningCampaign", {}, {"state": "disabled"}, "ann"),
        ("ReferralPartOfNotTriggeredCampaign", {}, {"state": "archived"}, "ann"),
        (
            "CampaignLimitReached",
            {},
            {"limits": [{"action": "redeemReferral", "limit": 0, "entities": []}]},
            "ann",
        ),
        (
            "ProfileLimitReached",
            {},
            {"limits": [{"action": "redeemReferral", "limit": 0, "entities": ["Profile"]}]},
            "ann",
        ),
        (
            "EffectCouldNotBeApplied",
            {},
            {"limits": [{"action": "setDiscount", "limit": 1, "entities": []}]},
            "ann",
        ),
    ],
)
def test_a_referral_is_rejected_with_its_reason(
    open_shop: Any, expected: str, referral: Any, settings: Any, profile: str
) -> None:
    api = open_shop(
        campaign(rule(REFERRAL, off(5)), referrals=[{**FRIEND, **referral}], **settings)
    )
    reply = api.session(profileId=profile, referralCode="FRIEND", cartItems=[item(100)])
    assert reason(reply, "rejectReferral") == expected


def test_referrals_are_redeemed_once_per_friend_and_up_to_their_limit(open_shop: Any) -> None:
    api = open_shop(
        campaign(
            rule(REFERRAL, off(5)),
            referrals=[{**FRIEND, "usageLimit": 2}, {**FRIEND, "code": "MORE"}],
        )
    )
    given: dict[str, Any] = {"cartItems": [item(100)], "state": "closed"}

    def close(name: str, profile: str, code: str) -> Any:
        return api.session(name, "referral", profileId=profile, referralCode=code, **given)

    first = close("a", "ann", "FRIEND")
    assert kinds(first) == ["acceptReferral", "setDiscount"]
    assert first.json["referral"]["usageCounter"] == 1
    assert first.json["referral"]["referredCustomers"] == ["ann"]
    again = close("b", "ann", "MORE")
    assert reason(again, "rejectReferral") == "ReferralCustomerAlreadyReferred"
    assert kinds(close("c", "cat", "FRIEND")) == ["acceptReferral", "setDiscount"]
    assert reason(close("d", "dan", "FRIEND"), "rejectReferral") == "ReferralLimitReached"
    assert reason(close("e", "dan", "NOPE"), "rejectReferral") == "ReferralNotFound"
    api.session("a", state="cancelled")
    assert kinds(close("f", "ann", "FRIEND")) == ["acceptReferral", "setDiscount"]


def test_an_anonymous_customer_cannot_use_the_code_of_a_friend_twice_as_nobody(
    open_shop: Any,
) -> None:
    api = open_shop(campaign(rule(REFERRAL, off(5)), referrals=[FRIEND]))
    reply = api.session(referralCode="FRIEND", cartItems=[item(100)], state="closed")
    assert reply.status == 200


def test_two_applications_have_codes_and_sessions_of_their_own(
    open_shop: Any, client_of: Any
) -> None:
    from sandbox.scenarios.shops import shop
    from talon_one.sandbox import Sandbox

    seed = shop(campaign(rule(COUPON, off(5, "First")), coupons=[{**CODE, "usageLimit": 1}]))
    second = shop(
        campaign(rule(COUPON, off(7, "Second")), id=20, coupons=[{**CODE, "usageLimit": 1}])
    )["applications"][0]
    seed["applications"].append({**second, "id": 4, "name": "Second", "keys": ["second-key"]})
    with Sandbox(seed=seed) as sandbox:
        api = client_of(sandbox)
        body = {
            "customerSession": {
                "profileId": "ann",
                "couponCodes": ["CODE"],
                "cartItems": [item(100)],
                "state": "closed",
            },
            "responseContent": ["customerSession", "customerProfile"],
        }
        other = {"Authorization": "ApiKey-v1 second-key"}
        target = "/v2/customer_sessions/order-1"
        first = api.send("PUT", target, body)
        reply = api.send("PUT", target, body, headers=other)
        assert only(props(first, "setDiscount"))["name"] == "First"
        assert only(props(reply, "setDiscount"))["name"] == "Second"
        assert first.json["customerSession"]["applicationId"] == 3
        assert reply.json["customerSession"]["applicationId"] == 4
        assert reply.json["customerProfile"]["closedSessions"] == 2
        event = {"profileId": "ann", "type": "hello", "attributes": {}, "integrationId": "e1"}
        assert api.send("POST", "/v3/events", event).status == 200
        assert api.send("GET", "/v3/events/e1", headers=other).status == 404
        assert api.send("POST", "/v3/events", event, headers=other).status == 200
        assert api.send("POST", "/v3/events", event, headers=other).status == 409


def test_a_code_that_is_used_up_says_whose_limit_it_was(open_shop: Any) -> None:
    api = open_shop(campaign(DISCOUNTED, coupons=[{**CODE, "usageLimit": 1}]))
    api.session("first", couponCodes=["CODE"], cartItems=[item(100)], state="closed")
    refused = reject(api, "second")
    assert refused["rejectionReason"] == "CouponLimitReached"
    assert refused["details"] == "the usage limit of the coupon is 1"
