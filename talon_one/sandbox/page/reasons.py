"""Why a code was refused, in one sentence for the developer of a shop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_BOTH: Final = {
    "NotFound": "The Application has no such code.",
    "Expired": "The expiryDate of the code has passed.",
    "StartDateInFuture": "The startDate of the code is still to come.",
    "LimitReached": "The code, or a budget on it, is used up.",
    "RecipientDoesNotMatch": "The code belongs to another profile.",
    "PartOfNotRunningCampaign": (
        "The campaign of the code does not run: it is disabled, or its schedule has not begun or "
        "has ended."
    ),
    "PartOfNotTriggeredCampaign": "The campaign of the code was left out of the evaluation.",
    "RejectedByCondition": (
        "Another condition of the rule failed, or no rule of the campaign checks the code."
    ),
}

REASONS: Final[Mapping[str, str]] = {
    **{f"Coupon{reason}": sentence for reason, sentence in _BOTH.items()},
    **{f"Referral{reason}": sentence for reason, sentence in _BOTH.items()},
    "CampaignLimitReached": "The campaign allows no further redemptions: its budget is used up.",
    "ProfileLimitReached": "This profile has redeemed the code as often as the campaign allows.",
    "EffectCouldNotBeApplied": (
        "The conditions hold, but an effect could not be applied, often because its budget is "
        "used up."
    ),
    "CouponReservationRequired": (
        "The coupon must be reserved before it is used, and this profile has not reserved it."
    ),
    "ProfileRequired": (
        "The coupon must be reserved, or is limited per profile, and the session has no profile."
    ),
    "ReferralRecipientIdSameAsAdvocate": "Nobody can redeem a referral of their own.",
    "ReferralCustomerAlreadyReferred": "This profile has redeemed a referral before.",
    "AdvocateNotFound": "The profile that gave the referral does not exist any more.",
}
"""Sentences by `rejectionReason`."""

EXCLUSIONS: Final[Mapping[str, str]] = {
    "CampaignGaveLowerDiscount": (
        "Another campaign of its evaluation group gave the discount that counts there."
    ),
    "CampaignIsNotFirst": "An earlier campaign of its evaluation group had an effect.",
    "CampaignNotInEvaluationSet": (
        "The campaign was not evaluated: it is archived, was not asked for, or belongs to another "
        "store."
    ),
}
"""Sentences by `campaignExclusionReason`."""


def sentence_of(reason: str, exclusion: str = "") -> str:
    """Return the sentence of a reason, and of the reason for which a campaign was left out."""
    known = REASONS.get(
        reason, "The code was refused for a reason that this release does not know."
    )
    more = EXCLUSIONS.get(exclusion)
    return f"{known} {more}" if more else known
