"""Coupons, referrals and reservations: rejection, redemption, giving back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

CART = {"cartItems": [{"sku": "A", "quantity": 1, "price": 30}]}


def rejection(reply: Any) -> tuple[str, int]:
    [effect] = [one for one in reply.json["effects"] if one["effectType"].startswith("reject")]
    return effect["props"]["rejectionReason"], effect["campaignId"]


def kinds(reply: Any) -> list[str]:
    return [effect["effectType"] for effect in reply.json["effects"]]


def test_a_coupon_is_counted_on_close_and_given_back_on_cancel(api: Any) -> None:
    api.session(profileId="p", couponCodes=["TEN-OFF"], **CART)
    assert api.coupon("TEN-OFF")["usageCounter"] == 0
    closed = api.session("order-1", "coupons", state="closed")
    assert kinds(closed) == ["acceptCoupon", "setDiscount"]
    assert closed.json["coupons"][0]["usageCounter"] == 1
    assert closed.json["coupons"][0]["profileRedemptionCount"] == 1
    cancelled = api.session("order-1", "coupons", state="cancelled")
    assert cancelled.json["coupons"][0]["profileRedemptionCount"] == 0
    undone = {one["effectType"]: one["props"] for one in cancelled.json["effects"]}
    assert undone == {
        "rollbackCoupon": {"value": "TEN-OFF"},
        "rollbackDiscount": {"name": "10% off", "value": 3},
    }
    assert api.coupon("TEN-OFF")["usageCounter"] == 0


def test_cancelling_an_open_session_rolls_nothing_back(api: Any) -> None:
    api.session(couponCodes=["TEN-OFF"], **CART)
    assert api.session(state="cancelled").json["effects"] == []
    assert api.coupon("TEN-OFF")["usageCounter"] == 0


def test_free_shipping_is_rolled_back_with_its_additional_cost(api: Any) -> None:
    cart = [{"sku": "A", "quantity": 1, "price": 80}]
    api.session(cartItems=cart, additionalCosts={"shipping": {"price": 4}}, state="closed")
    [effect] = api.session(state="cancelled").json["effects"]
    assert effect["effectType"] == "rollbackDiscount"
    assert effect["props"] == {
        "name": "Free shipping",
        "value": 4,
        "additionalCostId": 7,
        "additionalCost": "shipping",
    }


def test_a_coupon_used_up_by_another_session_is_rejected_on_close(api: Any) -> None:
    code = api.new_coupon(usageLimit=1)["value"]
    for order in ("a", "b"):
        assert "acceptCoupon" in kinds(api.session(order, couponCodes=[code], **CART))
    assert "acceptCoupon" in kinds(api.session("a", state="closed"))
    closed = api.session("b", state="closed")
    assert rejection(closed) == ("CouponLimitReached", 12)
    assert "setDiscount" not in kinds(closed)
    api.session("a", state="cancelled")
    assert api.coupon(code)["usageCounter"] == 0
    assert "acceptCoupon" in kinds(api.session("c", couponCodes=[code], state="closed"))


def test_a_code_given_twice_is_redeemed_once(api: Any) -> None:
    reply = api.session(couponCodes=["TEN-OFF", "TEN-OFF"], state="closed", **CART)
    assert kinds(reply) == ["acceptCoupon", "setDiscount"]
    assert api.coupon("TEN-OFF")["usageCounter"] == 1


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ({"expiryDate": "2020-01-01T00:00:00Z"}, "CouponExpired"),
        ({"startDate": "2090-01-01T00:00:00Z"}, "CouponStartDateInFuture"),
        ({"recipientIntegrationId": "somebody-else"}, "CouponRecipientDoesNotMatch"),
        ({"isReservationMandatory": True}, "CouponReservationRequired"),
    ],
)
def test_an_unusable_coupon_is_rejected_with_its_reason(
    api: Any, order: dict[str, Any], reason: str
) -> None:
    coupon = api.new_coupon(**order)
    reply = api.session(profileId="p", couponCodes=[coupon["value"]], **CART)
    assert rejection(reply) == (reason, 12)
    assert reply.json["effects"][0]["triggeredByCoupon"] == coupon["id"]


def test_a_coupon_that_needs_a_reservation_needs_a_profile(api: Any) -> None:
    code = api.new_coupon(isReservationMandatory=True)["value"]
    assert rejection(api.session(couponCodes=[code]))[0] == "ProfileRequired"


def test_an_empty_code_is_no_code(api: Any) -> None:
    assert api.session(couponCodes=[""], referralCode="").json["effects"] == []


def test_codes_are_case_sensitive(api: Any) -> None:
    assert rejection(api.session(couponCodes=["ten-off"])) == ("CouponNotFound", -1)


def test_a_friend_gets_a_discount_and_counts_as_referred(api: Any) -> None:
    referral = api.new_referral()
    reply = api.session(
        "order-1", "referral", profileId="bert", referralCode=referral["code"], **CART
    )
    assert kinds(reply) == ["acceptReferral", "setDiscount"]
    assert reply.json["effects"][1]["props"] == {"name": "Friend discount", "value": 5}
    assert reply.json["referral"]["referredCustomers"] == []
    closed = api.session("order-1", "referral", state="closed")
    assert closed.json["referral"]["usageCounter"] == 1
    assert closed.json["referral"]["referredCustomers"] == ["bert"]
    again = api.session("order-2", profileId="bert", referralCode=api.new_referral()["code"])
    assert rejection(again) == ("ReferralCustomerAlreadyReferred", 12)
    undone = api.session("order-1", "referral", state="cancelled")
    assert kinds(undone) == ["rollbackReferral", "rollbackDiscount"]
    assert undone.json["referral"]["usageCounter"] == 0
    assert undone.json["referral"]["referredCustomers"] == []
    assert "acceptReferral" in kinds(api.session("order-2"))


@pytest.mark.parametrize(
    ("order", "profile", "reason"),
    [
        ({}, "anna", "ReferralRecipientIdSameAsAdvocate"),
        ({"friendProfileIntegrationId": "carl"}, "bert", "ReferralRecipientDoesNotMatch"),
        ({"expiryDate": "2020-01-01T00:00:00Z"}, "bert", "ReferralExpired"),
        ({"startDate": "2090-01-01T00:00:00Z"}, "bert", "ReferralStartDateInFuture"),
    ],
)
def test_an_unusable_referral_is_rejected_with_its_reason(
    api: Any, order: dict[str, Any], profile: str, reason: str
) -> None:
    code = api.new_referral(**order)["code"]
    assert rejection(api.session(profileId=profile, referralCode=code)) == (reason, 12)


def test_an_unknown_referral_belongs_to_no_campaign(api: Any) -> None:
    assert rejection(api.session(referralCode="NOBODY")) == ("ReferralNotFound", -1)


def test_a_referral_has_a_usage_limit(api: Any) -> None:
    code = api.new_referral(usageLimit=1)["code"]
    api.session("a", profileId="bert", referralCode=code, state="closed")
    reply = api.session("b", profileId="carl", referralCode=code)
    assert rejection(reply) == ("ReferralLimitReached", 12)


def test_a_referral_of_an_unknown_campaign_is_refused(api: Any) -> None:
    sent = {"campaignId": 99, "advocateProfileIntegrationId": "anna"}
    reply = api.send("POST", "/v1/referrals", sent)
    assert (reply.status, reply.json["StatusCode"]) == (400, 400)
    assert reply.json["errors"][0]["source"] == {"pointer": "/campaignId"}


def test_a_reservation_lets_its_holder_redeem_and_can_be_dropped(api: Any) -> None:
    code = api.new_coupon(isReservationMandatory=True)["value"]
    target = f"/v1/coupon_reservations/{code}"
    reserved = api.send("POST", target, {"integrationIDs": ["p", "q", "p"]})
    assert (reserved.status, reserved.json["reservationCounter"]) == (201, 2)
    assert kinds(api.session(profileId="p", couponCodes=[code])) == ["acceptCoupon"]
    holders = api.send("GET", f"/v1/coupon_reservations/customerprofiles/{code}").json
    assert holders["totalResultSize"] == 2
    assert [one["integrationId"] for one in holders["data"]] == ["p", "q"]
    dropped = api.send("DELETE", target, {"integrationIDs": ["p"]})
    assert (dropped.status, dropped.json) == (204, None)
    assert rejection(api.session())[0] == "CouponReservationRequired"


def test_a_personal_coupon_is_reserved_for_nobody_else(api: Any) -> None:
    code = api.new_coupon(recipientIntegrationId="p")["value"]
    reply = api.send("POST", f"/v1/coupon_reservations/{code}", {"integrationIDs": ["p", "q"]})
    assert reply.status == 400
    assert reply.json["errors"][0]["source"] == {"pointer": "/integrationIDs/1"}


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "/v1/coupon_reservations/NOPE"),
        ("DELETE", "/v1/coupon_reservations/NOPE"),
        ("GET", "/v1/coupon_reservations/customerprofiles/NOPE"),
    ],
)
def test_reservations_of_an_unknown_coupon_are_a_404(api: Any, method: str, target: str) -> None:
    body = None if method == "GET" else {"integrationIDs": ["p"]}
    reply = api.send(method, target, body)
    assert (reply.status, reply.json["StatusCode"]) == (404, 404)
    assert api.send("GET", "/v1/customer_profiles/p/inventory").status == 404


def test_many_threads_on_one_session_lose_no_update(api: Any) -> None:
    api.session(profileId="p")
    # Three requests for a session may be in flight; a fourth would be a 409.
    with ThreadPoolExecutor(3) as pool:
        replies = list(pool.map(lambda n: api.session(attributes={f"a{n}": n}), range(64)))
    assert {reply.status for reply in replies} == {200}
    session = api.send("GET", "/v2/customer_sessions/order-1").json["customerSession"]
    assert session["updateCount"] == 65
    assert session["attributes"] == {f"a{n}": n for n in range(64)}


def test_many_threads_never_redeem_a_coupon_beyond_its_limit(api: Any) -> None:
    code = api.new_coupon(usageLimit=5)["value"]
    with ThreadPoolExecutor(8) as pool:
        replies = list(
            pool.map(lambda n: api.session(f"o{n}", couponCodes=[code], state="closed"), range(32))
        )
    assert sum("acceptCoupon" in kinds(reply) for reply in replies) == 5
    assert api.coupon(code)["usageCounter"] == 5
