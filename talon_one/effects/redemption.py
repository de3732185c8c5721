"""What became of the coupon and referral codes of a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from talon_one._utils.quoting import quoted
from talon_one.effects.comparison import effects_of, place, props_of
from talon_one.exceptions import ApiValueError

if TYPE_CHECKING:
    from talon_one.effects.comparison import RawResponse
    from talon_one.models import Effect, RejectCouponEffectProps, RejectReferralEffectProps


@dataclass(frozen=True)
class Codes:
    """Codes that an answer accepts or rejects, as the server writes them.

    A code that one rule accepts and another one rejects is in both lists: it is valid, but does
    not do all that it might.
    """

    accepted_coupons: list[str]
    """Coupon codes, each once, however many rules accept it."""
    rejected_coupons: list[RejectCouponEffectProps]
    """Coupon codes (`value`) with the `rejection_reason`, and `details` if there are any."""
    accepted_referrals: list[str]
    """Referral codes, each once, however many rules accept it."""
    rejected_referrals: list[RejectReferralEffectProps]
    """Referral codes (`value`) with the `rejection_reason`, and `details` if there are any."""


def codes(answer: RawResponse) -> Codes:
    """Return the codes that an answer accepts and rejects.

    A code that was accepted while the session was open may be used up by others and rejected when
    the session is closed. So look at every answer, and at that one above all.

    Raises:
        ApiValueError: An accepted code is missing or no text, or a rejection tells nothing.
        ApiTypeError: *answer* has no effects.
    """
    coupons: list[str] = []
    referrals: list[str] = []
    found = Codes(coupons, [], referrals, [])
    for effect in effects_of(answer):
        match effect.effect_type:
            case "acceptCoupon":
                code = _code(effect)
                coupons += [code] * (code not in coupons)
            # The latter is how servers of old say it.
            case "acceptReferral" | "redeemReferral":
                code = _code(effect)
                referrals += [code] * (code not in referrals)
            case "rejectCoupon":
                found.rejected_coupons.append(props_of(effect))
            case "rejectReferral":
                found.rejected_referrals.append(props_of(effect))
    return found


def _code(effect: Effect) -> str:
    code = props_of(effect).get("value")
    if not isinstance(code, str):
        raise ApiValueError(f"{place(effect)}: value is {quoted(code)}, no code")
    return code
