"""Coupons, referrals and reservations that effects create, and giveaways that they award."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from talon_one.sandbox.codes import new_coupon, new_referral
from talon_one.sandbox.consequences.occasion import Occasion
from talon_one.sandbox.profiles import ensure_profile
from talon_one.sandbox.reservations import reserve
from talon_one.sandbox.rules.outcome import Consequence
from talon_one.sandbox.shapes import coupon_facts, referral_facts
from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.state.state import State

# Details of a block, by the properties of what it creates.
_NAMES = {
    "recipientId": "recipientIntegrationId",
    "friendId": "friendProfileIntegrationId",
    "advocateProfileIntegrationId": "advocateProfileIntegrationId",
    "usageLimit": "usageLimit",
    "discountLimit": "discountLimit",
    "startDate": "startDate",
    "expiryDate": "expiryDate",
    "attributes": "attributes",
    "validCharacters": "validCharacters",
}


def create_coupon(occasion: Occasion, consequence: Consequence) -> Mapping[str, Any]:
    """Create a coupon and put its code into the effect."""
    call, details = occasion.call, consequence.details
    coupon = new_coupon(
        call.state,
        call.world,
        _campaign(occasion, consequence),
        _settings(details, "couponPattern"),
        now=call.now,
    )
    consequence.effect["props"]["value"] = coupon["value"]
    _store_in_session(occasion, details, "couponCodes", coupon["value"])
    occasion.created_coupons.append(coupon_facts(call.state, coupon))
    return {"couponId": coupon["id"]}


def create_referral(occasion: Occasion, consequence: Consequence) -> Mapping[str, Any]:
    """Create a referral of the current profile and put its code into the effect."""
    call, details = occasion.call, consequence.details
    referral = new_referral(
        call.state,
        call.world,
        _campaign(occasion, consequence),
        _settings(details, "referralPattern"),
        now=call.now,
    )
    consequence.effect["props"]["value"] = referral["code"]
    occasion.created_referrals.append(referral_facts(call.state, referral))
    return {"referralId": referral["id"]}


def reserve_coupon(occasion: Occasion, consequence: Consequence) -> Mapping[str, Any]:
    """Reserve a coupon for a profile, and say in the effect whether that is new."""
    call = occasion.call
    coupon = call.state.coupons.get(int(consequence.target))
    profile_id = consequence.effect["props"]["profileIntegrationId"]
    ensure_profile(call.state, profile_id, call.now)
    new = coupon is not None and reserve(call.state, coupon, profile_id)
    consequence.effect["props"]["isNewReservation"] = new
    return {}


def award_giveaway(occasion: Occasion, consequence: Consequence) -> Mapping[str, Any]:
    """Hand out the oldest code of a pool that may be awarded now.

    A session that was reopened and closes again has the code that it had before.
    """
    call = occasion.call
    props = consequence.effect["props"]
    recipient = props["recipientIntegrationId"]
    giveaway = _kept_giveaway(occasion, int(consequence.target), recipient)
    if giveaway is None:
        unused = call.state.giveaways.each(poolId=int(consequence.target), used=False)
        giveaway = next((each for each in unused if in_time(each, call.now)), None)
    if giveaway is None:
        return {}
    giveaway |= {
        "used": True,
        "profileIntegrationId": recipient,
        "profileId": ensure_profile(call.state, recipient, call.now)["id"],
        "_sessionId": occasion.session["id"] if occasion.session else None,
    }
    call.state.giveaways.save(giveaway)
    props["giveawayId"] = giveaway["id"]
    props["code"] = giveaway["code"]
    occasion.awarded_giveaways.append(giveaway)
    return {"giveawayId": giveaway["id"]}


def giveaways_of_session(
    state: State, session_id: int, pool_id: int, recipients: list[str]
) -> list[Document]:
    """Return the codes of a pool that a session gave to profiles before it was reopened."""
    held = {
        entry.details.get("giveawayId")
        for entry in state.journal.standing(session_id)
        if entry.kind == "awardGiveaway"
    }
    return [
        each
        for each in state.giveaways.each(poolId=pool_id, profileIntegrationId=recipients)
        if each.get("_sessionId") == session_id and each["id"] not in held
    ]


def _kept_giveaway(occasion: Occasion, pool_id: int, recipient: str) -> Document | None:
    if occasion.session is None:
        return None
    kept = giveaways_of_session(occasion.call.state, occasion.session["id"], pool_id, [recipient])
    return next(iter(kept), None)


def in_time(thing: Mapping[str, Any], now: str) -> bool:
    """Return whether a moment lies between the `startDate` and the `endDate` of something."""
    start, end = thing.get("startDate"), thing.get("endDate")
    return (start is None or start <= now) and (end is None or now < end)


def _campaign(occasion: Occasion, consequence: Consequence) -> Document:
    state = occasion.call.state
    found = state.campaigns.get(int(consequence.details["campaignId"]))
    assert found is not None  # noqa: S101  the evaluation has just seen it
    return found


def _settings(details: Mapping[str, Any], pattern: str) -> dict[str, Any]:
    found = {
        name: details[given]
        for given, name in _NAMES.items()
        if details.get(given) not in (None, "")
    }
    if details.get("pattern"):
        found[pattern] = details["pattern"]
    return found


def _store_in_session(occasion: Occasion, details: Mapping[str, Any], name: str, code: str) -> None:
    session = occasion.session
    if session is not None and details.get("storeInSession"):
        session[name] = [*(session.get(name) or ()), code]
