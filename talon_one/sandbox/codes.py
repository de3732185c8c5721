"""Coupon reservations, referrals, and the generation of codes."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Sequence

from talon_one.sandbox import views
from talon_one.sandbox.call import NO_CONTENT, Call, Result
from talon_one.sandbox.errors import Problem, invalid, not_found
from talon_one.sandbox.records import Coupon, Referral

ALPHABET = string.ascii_uppercase + string.digits
REFERRAL_PATTERN = "########"


def fill_pattern(pattern: str, characters: Sequence[str]) -> str:
    """Return a code: the pattern with each `#` replaced by a random character."""
    return "".join(secrets.choice(characters) if mark == "#" else mark for mark in pattern)


def new_code(pattern: str, characters: Sequence[str], taken: Callable[[str], bool]) -> str:
    """Return a code that is not taken.

    Raises:
        ApiError: 400 if many attempts with the pattern find no free code.
    """
    for _ in range(10_000 if "#" in pattern else 1):
        code = fill_pattern(pattern, characters)
        if not taken(code):
            return code
    details = "the codes of the pattern are taken"
    raise invalid(Problem("Pattern", details, "/couponPattern"))


def _coupon(call: Call) -> Coupon:
    coupon = call.store.coupon(call.ids[0])
    if coupon is None:
        raise not_found("Coupon")
    return coupon


def create_reservation(call: Call) -> Result:
    """Handle createCouponReservation; unknown profiles are created."""
    coupon = _coupon(call)
    profile_ids = call.body["integrationIDs"]
    for index, profile_id in enumerate(profile_ids):
        if coupon.recipient not in (None, profile_id):
            pointer = f"/integrationIDs/{index}"
            raise invalid(Problem("Recipient", "the coupon is for another profile", pointer))
        call.store.ensure_profile(profile_id, call.now)
    call.store.reserve(coupon.id, profile_ids)
    return Result(201, views.coupon(_coupon(call)))


def delete_reservation(call: Call) -> Result:
    """Handle deleteCouponReservation; profiles without a reservation make no difference."""
    call.store.release(_coupon(call).id, call.body["integrationIDs"])
    return NO_CONTENT


def get_reserved_customers(call: Call) -> Result:
    """Handle getReservedCustomers."""
    profiles = call.store.reserving_profiles(_coupon(call).id)
    data = [views.profile(call.store, one) for one in profiles]
    return Result(200, {"totalResultSize": len(data), "data": data})


def create_referral(call: Call) -> Result:
    """Handle createReferral; an unknown advocate is created."""
    sent, store = call.body, call.store
    if store.campaign(sent["campaignId"]) is None:
        details = f"no campaign has ID {sent['campaignId']}"
        raise invalid(Problem("Unknown", details, "/campaignId"))
    store.ensure_profile(sent["advocateProfileIntegrationId"], call.now)
    code = new_code(REFERRAL_PATTERN, ALPHABET, lambda one: store.referral(one) is not None)
    referral = Referral(
        id=0,
        campaign_id=sent["campaignId"],
        code=code,
        created=call.now,
        advocate=sent["advocateProfileIntegrationId"],
        friend=sent.get("friendProfileIntegrationId") or None,
        usage_limit=sent.get("usageLimit", 0),
        usage_counter=0,
        start_date=sent.get("startDate"),
        expiry_date=sent.get("expiryDate"),
        attributes=sent.get("attributes", {}),
    )
    return Result(201, views.referral(store.add_referral(referral)))
