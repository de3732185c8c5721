"""Entities with what is computed rather than stored: counters, memberships, states."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from talon_one.sandbox.profiles import sales_key, sessions_key
from talon_one.sandbox.rules.budgets import (
    action_of,
    coupon_discount_key,
    coupon_key,
    coupon_profile_key,
    limit_key,
    period_of,
    referral_key,
)
from talon_one.sandbox.rules.codes import STAGED
from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.state.state import State
from talon_one.sandbox.values import json_number


def coupon_facts(state: State, coupon: Document) -> Document:
    """Return a coupon with its counters."""
    made = {**coupon, "usageCounter": int(state.journal.counter(coupon_key(coupon["id"])))}
    limit = coupon.get("discountLimit")
    if limit:
        spent = state.journal.counter(coupon_discount_key(coupon["id"]))
        made["discountCounter"] = json_number(spent)
        made["discountRemainder"] = json_number(Decimal(str(limit)) - spent)
    return made


def redeemable_coupon(state: State, coupon: Document, profile_id: str) -> Document:
    """Return an `IntegrationCoupon`: a coupon for one profile."""
    count = state.journal.counter(coupon_profile_key(coupon["id"], profile_id)) if profile_id else 0
    return {**coupon_facts(state, coupon), "profileRedemptionCount": int(count)}


def coupon_state(state: State, coupon: Document, now: str) -> str:
    """Return the state of a coupon in an inventory."""
    campaign = state.campaigns.get(coupon["campaignId"])
    if used_up(coupon):
        return "used"
    if campaign is None or frontend_state(campaign, now) != "running":
        return "disabled"
    if coupon.get("expiryDate") is not None and coupon["expiryDate"] <= now:
        return "expired"
    if coupon.get("startDate") is not None and coupon["startDate"] > now:
        return "pending"
    return "active"


def used_up(code: Mapping[str, Any]) -> bool:
    """Return whether the usage limit of a coupon or referral is reached; 0 stands for none."""
    limit: int = code.get("usageLimit") or 0
    return 0 < limit <= int(code["usageCounter"])


def referral_facts(state: State, referral: Document) -> Document:
    """Return a referral with its counter."""
    return {**referral, "usageCounter": int(state.journal.counter(referral_key(referral["id"])))}


def inventory_referral(state: State, referral: Document) -> Document:
    """Return an `InventoryReferral`: a referral and the friends who redeemed it."""
    entries = state.journal.of_target("redeemReferral", str(referral["id"]))
    friends = dict.fromkeys(entry.profile_id for entry in entries if entry.profile_id)
    return {**referral_facts(state, referral), "referredCustomers": list(friends)}


def profile_facts(state: State, profile: Document) -> Document:
    """Return a profile with its sales and audiences."""
    integration_id = profile["integrationId"]
    counter = state.journal.counter
    return {
        **profile,
        "closedSessions": int(counter(sessions_key(integration_id))),
        "totalSales": json_number(counter(sales_key(integration_id))),
        "audienceMemberships": [
            {"id": each["id"], "name": each["name"]} for each in _audiences(state, integration_id)
        ],
    }


def _audiences(state: State, integration_id: str) -> list[Document]:
    ids = [each["audienceId"] for each in state.memberships.each(profileId=integration_id)]
    return state.audiences.find(id=ids) if ids else []


# What a campaign counts: the kind of consequence, and whether its amount or its number counts.
_TALLIES: Final = (
    ("couponRedemptionCount", "redeemCoupon", "times"),
    ("referralRedemptionCount", "redeemReferral", "times"),
    ("discountCount", "setDiscount", "amount"),
    ("discountEffectCount", "setDiscount", "times"),
    ("couponCreationCount", "createCoupon", "times"),
    ("customEffectCount", "customEffect", "times"),
    ("referralCreationCount", "createReferral", "times"),
    ("addFreeItemEffectCount", "addFreeItemEffect", "times"),
    ("awardedGiveawaysCount", "awardGiveaway", "times"),
    ("createdLoyaltyPointsCount", "createLoyaltyPoints", "amount"),
    ("createdLoyaltyPointsEffectCount", "createLoyaltyPoints", "times"),
    ("redeemedLoyaltyPointsCount", "redeemLoyaltyPoints", "amount"),
    ("redeemedLoyaltyPointsEffectCount", "redeemLoyaltyPoints", "times"),
    ("callApiEffectCount", "callApi", "times"),
    ("reservecouponEffectCount", "reserveCoupon", "times"),
)


def tallies(campaign_id: int, kind: str, amount: Decimal) -> dict[str, Decimal]:
    """Return what a consequence adds to the counts of its campaign, by the keys of counters."""
    owner = f"campaign:{campaign_id}:{kind}"
    return {f"{owner}:amount": amount, f"{owner}:times": Decimal(1)}


def campaign_facts(state: State, campaign: Document, now: str) -> Document:
    """Return a campaign with its state at a moment and with what it counts."""
    counter = state.journal.counter
    made = {**campaign, "frontendState": frontend_state(campaign, now)}
    for name, kind, what in _TALLIES:
        made[name] = json_number(counter(f"campaign:{campaign['id']}:{kind}:{what}"))
    made["budgets"] = _budgets(state, campaign, now)
    return made


def _budgets(state: State, campaign: Document, now: str) -> list[Document]:
    """Return the limits of a campaign as a whole, with what the present period has used."""
    zone = state.application(campaign["applicationId"]).get("timezone") or "UTC"
    owner = f"campaign:{campaign['id']}"
    found = []
    for limit in campaign.get("limits") or ():
        if limit.get("entities"):
            continue
        action = action_of(limit)
        key = limit_key(owner, action, period_of(now, zone, limit.get("period") or ""), ())
        counter = json_number(state.journal.counter(key))
        found.append({"action": limit["action"], "limit": limit["limit"], "counter": counter})
    return found


def frontend_state(campaign: Mapping[str, Any], now: str) -> str:
    """Return the `frontendState` of a campaign at a moment."""
    if campaign["state"] != "enabled":
        return str(campaign["state"])
    if campaign.get("frontendState") == STAGED:
        return STAGED
    if campaign.get("startTime") and now < campaign["startTime"]:
        return "scheduled"
    if campaign.get("endTime") and now >= campaign["endTime"]:
        return "expired"
    return "running"
