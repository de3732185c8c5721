"""Checks of coupons and referrals, in their documented order, and the reasons of rejections."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from talon_one.sandbox.rules.budgets import (
    budgets,
    coupon_discount_key,
    coupon_key,
    profile_id,
    referral_key,
    room_of,
)
from talon_one.sandbox.rules.scope import Scope
from talon_one.sandbox.rules.situation import Json, ReferralEntry, Situation
from talon_one.sandbox.values import ZERO, amount, parse_time

NOT_FOUND: Final = "NotFound"
NOT_RUNNING: Final = "PartOfNotRunningCampaign"
NOT_TRIGGERED: Final = "PartOfNotTriggeredCampaign"
REJECTED_BY_CONDITION: Final = "RejectedByCondition"
EFFECT_FAILED: Final = "EffectCouldNotBeApplied"

STAGED: Final = "staged"
"""The only `frontendState` of a campaign that is stored; others follow from its schedule."""

NOT_EVALUATED: Final = "CampaignNotInEvaluationSet"
NOT_FIRST: Final = "CampaignIsNotFirst"
LOWER_DISCOUNT: Final = "CampaignGaveLowerDiscount"

_BARE: Final = frozenset({EFFECT_FAILED, "CampaignLimitReached", "ProfileLimitReached"})
"""Reasons that coupons and referrals spell alike."""


class Rejection(NamedTuple):
    """Why a code cannot be used.

    Attributes:
        reason: Value of `rejectionReason`.
        exclusion: Value of `campaignExclusionReason`, if the campaign was not evaluated or lost.
        details: Value of `details`.
    """

    reason: str
    exclusion: str = ""
    details: str = ""


def rejection_of(kind: str, reason: str, exclusion: str = "", details: str = "") -> Rejection:
    """Return a rejection of a code, with the reason as that kind of code spells it.

    Args:
        kind: `coupon` or `referral`.
        reason: A reason without the kind, such as `NotFound`.
        exclusion: Value of `campaignExclusionReason`.
        details: Value of `details`.
    """
    spelled = reason if reason in _BARE else f"{kind.capitalize()}{reason}"
    return Rejection(spelled, exclusion, details)


@lru_cache(maxsize=4096)
def _moment(text: str) -> str:
    return parse_time(text)


def has_begun(entity: Json, name: str, now: str) -> bool:
    """Return whether the moment in a property is not in the future."""
    moment = entity.get(name)
    return not moment or _moment(moment) <= now


def has_passed(entity: Json, name: str, now: str) -> bool:
    """Return whether the moment in a property has come: what ends then has ended."""
    moment = entity.get(name)
    return bool(moment) and _moment(moment) <= now


def is_running(situation: Situation, campaign: Json) -> bool:
    """Return whether a campaign is enabled and inside its schedule; staged ones run in staging."""
    if campaign.get("state", "enabled") != "enabled":
        return False
    if campaign.get("frontendState") == STAGED:
        return situation.staging
    now = situation.now
    return has_begun(campaign, "startTime", now) and not has_passed(campaign, "endTime", now)


def takes_part(situation: Situation, campaign: Json) -> bool:
    """Return whether a campaign is evaluated: it runs or was asked for, and the store fits."""
    if campaign.get("state") == "archived":
        return False
    if situation.evaluable is not None:
        if campaign["id"] not in situation.evaluable:
            return False
    elif not is_running(situation, campaign):
        return False
    stores = campaign.get("linkedStoreIds")
    return not stores or (situation.store is not None and situation.store["id"] in stores)


def campaign_rejection(situation: Situation, campaign: Json, kind: str) -> Rejection:
    """Return why a code of a campaign that does not take part is rejected."""
    if (
        situation.evaluable is None
        and campaign.get("state") != "archived"
        and not is_running(situation, campaign)
    ):
        return rejection_of(kind, NOT_RUNNING)
    return rejection_of(kind, NOT_TRIGGERED, NOT_EVALUATED)


def has_feature(campaign: Json | None, feature: str) -> bool:
    """Return whether a feature is switched on; a campaign that lists none has all."""
    features = None if campaign is None else campaign.get("features")
    return features is None or feature in features


def check_coupon(scope: Scope) -> Rejection | None:
    """Return why the coupon at hand cannot be redeemed now, None if it can."""
    coupon = scope.coupon
    if coupon is None:
        return rejection_of("coupon", NOT_FOUND)
    if not has_feature(scope.campaign, "coupons"):
        return rejection_of("coupon", REJECTED_BY_CONDITION, details="coupons are switched off")
    return (
        _check_dates(coupon, "coupon", scope.situation.now)
        or _check_recipient(scope, coupon)
        or _check_reservation(scope, coupon)
        or _check_coupon_limits(scope, coupon)
        or _check_limits(scope, "coupon", "redeemCoupon")
    )


def _check_dates(code: Json, kind: str, now: str) -> Rejection | None:
    if not has_begun(code, "startDate", now):
        return rejection_of(kind, "StartDateInFuture")
    if has_passed(code, "expiryDate", now):
        return rejection_of(kind, "Expired")
    return None


def _check_recipient(scope: Scope, coupon: Json) -> Rejection | None:
    recipient = coupon.get("recipientIntegrationId")
    if recipient and recipient != profile_id(scope):
        return rejection_of("coupon", "RecipientDoesNotMatch")
    return None


def _check_reservation(scope: Scope, coupon: Json) -> Rejection | None:
    if profile_id(scope):
        if coupon.get("isReservationMandatory") and not scope.situation.facts.reservation(
            coupon["id"], "Current"
        ):
            return rejection_of("coupon", "ReservationRequired")
        return None
    if coupon.get("isReservationMandatory"):
        return Rejection("ProfileRequired")
    if any("Profile" in budget.entities for budget in budgets(scope, "redeemCoupon")):
        return Rejection("ProfileRequired")
    return None


def _check_coupon_limits(scope: Scope, coupon: Json) -> Rejection | None:
    if _is_used_up(scope, coupon_key(coupon["id"]), coupon.get("usageLimit")):
        details = f"the usage limit of the coupon is {coupon['usageLimit']}"
        return rejection_of("coupon", "LimitReached", details=details)
    if _is_used_up(scope, coupon_discount_key(coupon["id"]), coupon.get("discountLimit")):
        return rejection_of("coupon", "LimitReached", details="the coupon has no money left")
    return None


def _is_used_up(scope: Scope, key: str, limit: int | float | None) -> bool:
    if not limit:
        return False
    return scope.situation.facts.counter(key) + scope.used.get(key, ZERO) >= amount(limit)


def _check_limits(scope: Scope, kind: str, action: str) -> Rejection | None:
    """Check limits on redemptions: those per code, those of the campaign, those per profile."""
    found = []
    for budget in budgets(scope, action):
        left = room_of(scope, budget)
        if left is not None and left < 1:
            if "Profile" in budget.entities:
                found.append((2, "ProfileLimitReached"))
            elif not budget.entities:
                found.append((1, "CampaignLimitReached"))
            else:
                found.append((0, "LimitReached"))
    return rejection_of(kind, min(found)[1]) if found else None


def check_referral(scope: Scope, entry: ReferralEntry) -> Rejection | None:
    """Return why the referral at hand cannot be redeemed now, None if it can."""
    referral = scope.referral
    if referral is None:
        return rejection_of("referral", NOT_FOUND)
    if not has_feature(scope.campaign, "referrals"):
        return rejection_of("referral", REJECTED_BY_CONDITION, details="referrals are switched off")
    return (
        _check_dates(referral, "referral", scope.situation.now)
        or _check_friend(scope, referral, entry)
        or _check_referral_limits(scope, referral)
        or _check_limits(scope, "referral", "redeemReferral")
    )


def _check_friend(scope: Scope, referral: Json, entry: ReferralEntry) -> Rejection | None:
    friend = referral.get("friendProfileIntegrationId")
    profile = profile_id(scope)
    if friend and friend != profile:
        return rejection_of("referral", "RecipientDoesNotMatch")
    advocate = referral.get("advocateProfileIntegrationId")
    if advocate and advocate == profile:
        return rejection_of("referral", "RecipientIdSameAsAdvocate")
    if entry.already_referred:
        return rejection_of("referral", "CustomerAlreadyReferred")
    if scope.situation.facts.profile("Advocate") is None:
        return Rejection("AdvocateNotFound")
    return None


def _check_referral_limits(scope: Scope, referral: Json) -> Rejection | None:
    if _is_used_up(scope, referral_key(referral["id"]), referral.get("usageLimit")):
        details = f"the usage limit of the referral is {referral['usageLimit']}"
        return rejection_of("referral", "LimitReached", details=details)
    return None
