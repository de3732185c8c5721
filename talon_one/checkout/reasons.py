"""Reasons for which the platform rejects codes: constants, sentences, and what helps.

The sentences are msgids of gettext. ``N_`` marks them for extraction without translating them::

    pybabel extract --keyword=N_ --output=talon_one.pot path/to/talon_one/checkout/reasons.py
    xgettext --keyword=N_ --output=talon_one.pot path/to/talon_one/checkout/reasons.py
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final, NamedTuple


def N_(text: str) -> str:
    """Mark a text for translation, and return it unchanged."""
    return text


class Remedy(Enum):
    """What helps after a rejection. The value is a short name, for logs and templates."""

    FIX = "fix"
    """The customer can act: correct the code, change the cart, sign in."""
    WAIT = "wait"
    """The code becomes valid later, without anybody doing anything."""
    NONE = "none"
    """Nothing helps: the code is used up or expired, or a better offer applies."""
    SHOP = "shop"
    """Somebody in the shop should look: a budget is too small, or a campaign cannot work."""


class Explanation(NamedTuple):
    """What a reason means to the customer."""

    msgid: str
    """English sentence with the placeholder ``{code}``."""
    remedy: Remedy


# -- Reasons that coupons and referrals share ------------------------------------------------------

CAMPAIGN_LIMIT_REACHED: Final = "CampaignLimitReached"
EFFECT_COULD_NOT_BE_APPLIED: Final = "EffectCouldNotBeApplied"
PROFILE_LIMIT_REACHED: Final = "ProfileLimitReached"

# -- Reasons of coupons ----------------------------------------------------------------------------

COUPON_EXPIRED: Final = "CouponExpired"
COUPON_LIMIT_REACHED: Final = "CouponLimitReached"
COUPON_NOT_FOUND: Final = "CouponNotFound"
COUPON_PART_OF_NOT_RUNNING_CAMPAIGN: Final = "CouponPartOfNotRunningCampaign"
COUPON_PART_OF_NOT_TRIGGERED_CAMPAIGN: Final = "CouponPartOfNotTriggeredCampaign"
COUPON_RECIPIENT_DOES_NOT_MATCH: Final = "CouponRecipientDoesNotMatch"
COUPON_REJECTED_BY_CONDITION: Final = "CouponRejectedByCondition"
COUPON_RESERVATION_REQUIRED: Final = "CouponReservationRequired"
COUPON_START_DATE_IN_FUTURE: Final = "CouponStartDateInFuture"
PROFILE_REQUIRED: Final = "ProfileRequired"

# -- Reasons of referrals --------------------------------------------------------------------------

ADVOCATE_NOT_FOUND: Final = "AdvocateNotFound"
REFERRAL_CUSTOMER_ALREADY_REFERRED: Final = "ReferralCustomerAlreadyReferred"
REFERRAL_EXPIRED: Final = "ReferralExpired"
REFERRAL_LIMIT_REACHED: Final = "ReferralLimitReached"
REFERRAL_NOT_FOUND: Final = "ReferralNotFound"
REFERRAL_PART_OF_NOT_RUNNING_CAMPAIGN: Final = "ReferralPartOfNotRunningCampaign"
REFERRAL_PART_OF_NOT_TRIGGERED_CAMPAIGN: Final = "ReferralPartOfNotTriggeredCampaign"
REFERRAL_RECIPIENT_DOES_NOT_MATCH: Final = "ReferralRecipientDoesNotMatch"
REFERRAL_RECIPIENT_ID_SAME_AS_ADVOCATE: Final = "ReferralRecipientIdSameAsAdvocate"
REFERRAL_REJECTED_BY_CONDITION: Final = "ReferralRejectedByCondition"
REFERRAL_START_DATE_IN_FUTURE: Final = "ReferralStartDateInFuture"

# -- Why the campaign of a code was not triggered --------------------------------------------------

CAMPAIGN_GAVE_LOWER_DISCOUNT: Final = "CampaignGaveLowerDiscount"
CAMPAIGN_IS_NOT_FIRST: Final = "CampaignIsNotFirst"
CAMPAIGN_NOT_IN_EVALUATION_SET: Final = "CampaignNotInEvaluationSet"

_USED_UP = N_("The code {code} has been used up.")
_USED_BY_YOU = N_("You have used the code {code} as often as it allows.")
_EXPIRED = N_("The code {code} has expired.")
_NOT_YET = N_("The code {code} is not valid yet. Please try again later.")
_NOT_NOW = N_("The code {code} is not valid at the moment.")
_NOT_APPLICABLE = N_("The code {code} cannot be applied to this order.")
_OTHER_OFFER = N_("The code {code} cannot be combined with another offer in your cart.")
_CONDITIONS = N_("Your cart does not meet the conditions of the code {code}.")

FALLBACK: Final[Explanation] = Explanation(N_("The code {code} cannot be used."), Remedy.NONE)
"""For reasons that this release does not know."""

COUPONS: Final[Mapping[str, Explanation]] = MappingProxyType(
    {
        CAMPAIGN_LIMIT_REACHED: Explanation(_USED_UP, Remedy.NONE),
        COUPON_EXPIRED: Explanation(_EXPIRED, Remedy.NONE),
        COUPON_LIMIT_REACHED: Explanation(_USED_UP, Remedy.NONE),
        COUPON_NOT_FOUND: Explanation(
            N_("We do not know the code {code}. Please check the spelling."), Remedy.FIX
        ),
        COUPON_PART_OF_NOT_RUNNING_CAMPAIGN: Explanation(_NOT_NOW, Remedy.NONE),
        COUPON_PART_OF_NOT_TRIGGERED_CAMPAIGN: Explanation(_OTHER_OFFER, Remedy.FIX),
        COUPON_RECIPIENT_DOES_NOT_MATCH: Explanation(
            N_("The code {code} belongs to another customer. Please sign in as its recipient."),
            Remedy.FIX,
        ),
        COUPON_REJECTED_BY_CONDITION: Explanation(_CONDITIONS, Remedy.FIX),
        COUPON_RESERVATION_REQUIRED: Explanation(
            N_("Please reserve the code {code} for your account before you use it."), Remedy.FIX
        ),
        COUPON_START_DATE_IN_FUTURE: Explanation(_NOT_YET, Remedy.WAIT),
        EFFECT_COULD_NOT_BE_APPLIED: Explanation(_NOT_APPLICABLE, Remedy.SHOP),
        PROFILE_LIMIT_REACHED: Explanation(_USED_BY_YOU, Remedy.NONE),
        PROFILE_REQUIRED: Explanation(N_("Please sign in to use the code {code}."), Remedy.FIX),
    }
)
"""Explanations of the documented reasons for which coupon codes are rejected."""

REFERRALS: Final[Mapping[str, Explanation]] = MappingProxyType(
    {
        ADVOCATE_NOT_FOUND: Explanation(
            N_("The customer who shared the code {code} is no longer with us."), Remedy.NONE
        ),
        CAMPAIGN_LIMIT_REACHED: Explanation(_USED_UP, Remedy.NONE),
        EFFECT_COULD_NOT_BE_APPLIED: Explanation(_NOT_APPLICABLE, Remedy.SHOP),
        PROFILE_LIMIT_REACHED: Explanation(_USED_BY_YOU, Remedy.NONE),
        REFERRAL_CUSTOMER_ALREADY_REFERRED: Explanation(
            N_("You have been referred already, so the code {code} cannot be used."), Remedy.NONE
        ),
        REFERRAL_EXPIRED: Explanation(_EXPIRED, Remedy.NONE),
        REFERRAL_LIMIT_REACHED: Explanation(_USED_UP, Remedy.NONE),
        REFERRAL_NOT_FOUND: Explanation(
            N_("We do not know the referral code {code}. Please check the spelling."), Remedy.FIX
        ),
        REFERRAL_PART_OF_NOT_RUNNING_CAMPAIGN: Explanation(_NOT_NOW, Remedy.NONE),
        REFERRAL_PART_OF_NOT_TRIGGERED_CAMPAIGN: Explanation(_OTHER_OFFER, Remedy.FIX),
        REFERRAL_RECIPIENT_DOES_NOT_MATCH: Explanation(
            N_("The code {code} was shared with another person. Please sign in as its recipient."),
            Remedy.FIX,
        ),
        REFERRAL_RECIPIENT_ID_SAME_AS_ADVOCATE: Explanation(
            N_("You cannot use your own referral code {code}."), Remedy.NONE
        ),
        REFERRAL_REJECTED_BY_CONDITION: Explanation(_CONDITIONS, Remedy.FIX),
        REFERRAL_START_DATE_IN_FUTURE: Explanation(_NOT_YET, Remedy.WAIT),
    }
)
"""Explanations of the documented reasons for which referral codes are rejected."""

EXCLUSIONS: Final[Mapping[str, Explanation]] = MappingProxyType(
    {
        CAMPAIGN_GAVE_LOWER_DISCOUNT: Explanation(
            N_("You already get a better discount than that of the code {code}."), Remedy.NONE
        ),
        CAMPAIGN_IS_NOT_FIRST: Explanation(_OTHER_OFFER, Remedy.FIX),
        CAMPAIGN_NOT_IN_EVALUATION_SET: Explanation(_NOT_NOW, Remedy.NONE),
    }
)
"""Explanations of the documented reasons for which the campaign of a code was not triggered."""

EXCLUDED: Final[frozenset[str]] = frozenset(
    {COUPON_PART_OF_NOT_TRIGGERED_CAMPAIGN, REFERRAL_PART_OF_NOT_TRIGGERED_CAMPAIGN}
)
"""Reasons that an exclusion makes more precise."""
