"""What became of the coupon and referral codes of a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from talon_one.effects.comparison import effects_of

if TYPE_CHECKING:
    from talon_one.effects.comparison import Answer
    from talon_one.models import RejectCouponEffectProps, RejectReferralEffectProps


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


def codes(answer: Answer) -> Codes:
    """Return the codes that an answer accepts and rejects.

    A code that was accepted while the session was open may be used up by others and rejected when
    the session is closed. So look at every answer, and at that one above all.

    Raises:
        ApiTypeError: *answer* has no effects.
    """
    from talon_one.models import (
        AcceptCouponEffectProps,
        AcceptReferralEffectProps,
        RedeemReferralEffectProps,
        RejectCouponEffectProps,
        RejectReferralEffectProps,
    )

    coupons: list[str] = []
    referrals: list[str] = []
    found = Codes(coupons, [], referrals, [])
    for effect in effects_of(answer):
        match effect.props:
            case AcceptCouponEffectProps(value=str(code)):
                coupons += [code] * (code not in coupons)
            # The latter is how servers of old say it.
            case (
                AcceptReferralEffectProps(value=str(code))
                | RedeemReferralEffectProps(value=str(code))
            ):
                referrals += [code] * (code not in referrals)
            case RejectCouponEffectProps() as props:
                found.rejected_coupons.append(props)
            case RejectReferralEffectProps() as props:
                found.rejected_referrals.append(props)
    return found
