"""Codes: which coupon and referral codes of a session were accepted or rejected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from talon_one._utils.quoting import quoted
from talon_one.effects.extraction import effects_of, place, props_of
from talon_one.exceptions import ApiValueError

if TYPE_CHECKING:
    from talon_one.effects.extraction import EffectSource
    from talon_one.models import Effect, RejectCouponEffectProps, RejectReferralEffectProps


@dataclass(frozen=True)
class Codes:
    """Codes that a response accepts or rejects, as the server writes them.

    A code that one rule accepts and another rejects is in both lists. It is valid, but only some of
    its rules apply.
    """

    accepted_coupons: list[str]
    """Coupon codes, each once, even if several rules accept it."""
    rejected_coupons: list[RejectCouponEffectProps]
    """Coupon codes (`value`) with the `rejection_reason`, and `details` if any."""
    accepted_referrals: list[str]
    """Referral codes, each once, even if several rules accept it."""
    rejected_referrals: list[RejectReferralEffectProps]
    """Referral codes (`value`) with the `rejection_reason`, and `details` if any."""


def codes(response: EffectSource) -> Codes:
    """Return the codes that a response accepts and rejects.

    Other customers may use up a code that was accepted while the session was open. Closing the
    session then rejects it, so check the response to the closing as well.

    Raises:
        ApiValueError: An accepted code is missing or not a string, or a rejection has no props.
        ApiTypeError: *response* has no effects.
    """
    coupons: list[str] = []
    referrals: list[str] = []
    found = Codes(coupons, [], referrals, [])
    for effect in effects_of(response):
        match effect.effect_type:
            case "acceptCoupon":
                code = code_of(effect)
                coupons += [code] * (code not in coupons)
            # Older servers send the second one.
            case "acceptReferral" | "redeemReferral":
                code = code_of(effect)
                referrals += [code] * (code not in referrals)
            case "rejectCoupon":
                found.rejected_coupons.append(props_of(effect))
            case "rejectReferral":
                found.rejected_referrals.append(props_of(effect))
    return found


def code_of(effect: Effect) -> str:
    """Return the code that an effect accepts.

    Raises:
        ApiValueError: It is missing, or not a string.
    """
    code = props_of(effect).get("value")
    if not isinstance(code, str):
        raise ApiValueError(f"{place(effect)}: value is {quoted(code)}, not a code")
    return code
