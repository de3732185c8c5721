"""Operations on coupon reservations and referrals (Integration API)."""

from __future__ import annotations

from typing import Any, Final

from talon_one.sandbox.call import NO_CONTENT, Call, Result
from talon_one.sandbox.codes import batch_id, find_coupon, new_referral
from talon_one.sandbox.errors import Problem, invalid, not_found
from talon_one.sandbox.profiles import ensure_profile
from talon_one.sandbox.reservations import release, reserve
from talon_one.sandbox.shapes import coupon_facts, profile_facts, referral_facts
from talon_one.sandbox.state.documents import Document


def _coupon(call: Call) -> Document:
    coupon = find_coupon(call, call.ids["couponValue"])
    if coupon is None:
        raise not_found("Coupon")
    return coupon


def create_reservation(call: Call) -> Result:
    """Handle createCouponReservation; unknown profiles are created."""
    coupon = _coupon(call)
    for index, profile_id in enumerate(call.body["integrationIDs"]):
        if coupon.get("recipientIntegrationId") not in (None, profile_id):
            pointer = f"/integrationIDs/{index}"
            raise invalid(Problem("Recipient", "the coupon is for another profile", pointer))
        ensure_profile(call.state, profile_id, call.now)
        reserve(call.state, coupon, profile_id)
    return Result(201, coupon_facts(call.state, coupon))


def delete_reservation(call: Call) -> Result:
    """Handle deleteCouponReservation; profiles without a reservation make no difference."""
    coupon = _coupon(call)
    for profile_id in call.body["integrationIDs"]:
        release(call.state, coupon, profile_id)
    return NO_CONTENT


def get_reserved_customers(call: Call) -> Result:
    """Handle getReservedCustomers."""
    held = call.state.reservations.find(couponId=_coupon(call)["id"])
    profiles = call.state.profiles.find(integrationId=[each["profileId"] for each in held])
    data = [profile_facts(call.state, each) for each in profiles]
    return Result(200, {"totalResultSize": len(data), "data": data})


def _campaign(call: Call, campaign_id: int) -> Document:
    campaign = call.state.campaigns.get(campaign_id)
    if campaign is None or campaign["applicationId"] != call.application_id:
        raise invalid(Problem("Unknown", f"no campaign has ID {campaign_id}", "/campaignId"))
    return campaign


def _new(call: Call, sent: dict[str, Any], advocate: str, **more: Any) -> Document:
    ensure_profile(call.state, advocate, call.now)
    settings = {
        name: value
        for name, value in sent.items()
        if name not in ("advocateProfileIntegrationIds", "friendProfileIntegrationId")
    }
    friend = sent.get("friendProfileIntegrationId") or None
    return new_referral(
        call.state,
        call.world,
        _campaign(call, sent["campaignId"]),
        {
            **settings,
            "advocateProfileIntegrationId": advocate,
            **({"friendProfileIntegrationId": friend} if friend else {}),
            **more,
        },
        now=call.now,
    )


def create_referral(call: Call) -> Result:
    """Handle createReferral; an unknown advocate is created."""
    referral = _new(call, call.body, call.body["advocateProfileIntegrationId"])
    return Result(201, referral_facts(call.state, referral))


def create_referrals(call: Call) -> Result:
    """Handle createReferralsForMultipleAdvocates: one referral for each of them."""
    batch = batch_id(call.world)
    made = [
        referral_facts(call.state, _new(call, call.body, advocate, batchId=batch))
        for advocate in call.body["advocateProfileIntegrationIds"]
    ]
    if call.query.get("silent", "yes") == "yes":
        return NO_CONTENT
    return Result(201, {"totalResultSize": len(made), "data": made})


OPERATIONS: Final = {
    "createCouponReservation": create_reservation,
    "deleteCouponReservation": delete_reservation,
    "getReservedCustomers": get_reserved_customers,
    "createReferral": create_referral,
    "createReferralsForMultipleAdvocates": create_referrals,
}
