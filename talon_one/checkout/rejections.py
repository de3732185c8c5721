"""Rejections: why a code was refused, in the language of the customer.

::

    for rejection in checkout.rejections_of(response):
        show(rejection.sentence(gettext))

`talon_one.checkout.reasons` has the reasons as constants, with their English sentences.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from talon_one._utils.guard import guarded
from talon_one._utils.quoting import quoted
from talon_one.checkout import reasons
from talon_one.checkout.reasons import Remedy
from talon_one.effects.extraction import effects_of, props_of
from talon_one.exceptions import ApiTypeError
from talon_one.models import Effect, RejectCouponEffectProps, RejectReferralEffectProps

if TYPE_CHECKING:
    from talon_one.effects.extraction import EffectSource

PLACEHOLDER = "{code}"

_REJECTING = ("rejectCoupon", "rejectReferral")


@dataclass(frozen=True)
class Rejection:
    """A code that was refused, and why."""

    kind: Literal["coupon", "referral"]
    code: str
    """The code as the server writes it; empty if the server sent none."""
    reason: str
    """The reason as the server writes it, such as ``CouponExpired``; empty if it sent none."""
    exclusion: str
    """Why the campaign of the code was not triggered, such as ``CampaignIsNotFirst``; empty for
    most reasons."""
    known: bool
    """Whether this release knows the reason. Log the others: their sentence says little."""
    remedy: Remedy
    """What helps."""
    msgid: str
    """English sentence with the placeholder ``{code}``, for catalogs of translations."""
    props: RejectCouponEffectProps | RejectReferralEffectProps
    """Everything that the server sent, such as `details`."""

    def sentence(self, translate: Callable[[str], Any] | None = None) -> str:
        """Return a sentence for the customer.

        The code is inserted as it is, and a customer may have typed anything. In HTML, escape the
        sentence, as templates of Django and Jinja do.

        Args:
            translate: Returns the translation of a msgid, as `gettext.gettext` does. The result is
                text in which ``{code}`` stands for the code, or something that ``str`` makes text,
                such as a lazy translation. Without it the sentence is English.

        Raises:
            ApiTypeError: *translate* is not a function.
            ApiValueError: *translate* raises; the exception is its cause.
        """
        text = self.msgid
        if translate is not None:
            if not callable(translate):
                raise ApiTypeError(f"translate is a function, not {quoted(translate)}")
            with guarded("the translation of ", quoted(self.msgid)):
                text = str(translate(self.msgid))
        if not self.code:
            text = text.replace(f" {PLACEHOLDER}", "")
        # Not `format`: a translation with a stray brace must not break a checkout.
        return text.replace(PLACEHOLDER, self.code)


def rejections_of(response: EffectSource | None) -> list[Rejection]:
    """Return the codes that a response rejects, in the order of its effects. Does no I/O.

    A code that one rule accepts and another rejects is valid, but listed as well; see
    `talon_one.effects.codes`.

    Args:
        response: A response of a V2 or V3 operation, a `StateChange`, or a list of effects.

    Raises:
        ApiValueError: A rejection has no props.
        ApiTypeError: *response* has no effects.
    """
    found = effects_of(response)
    return [_explained(props_of(each)) for each in found if each.effect_type in _REJECTING]


def rejection_of(
    rejected: Effect | RejectCouponEffectProps | RejectReferralEffectProps,
) -> Rejection:
    """Return why one code was rejected. Does no I/O.

    Args:
        rejected: An effect of type ``rejectCoupon`` or ``rejectReferral``, or its props, as
            `talon_one.effects.codes` returns them.

    Raises:
        ApiTypeError: *rejected* is something else.
        ApiValueError: The effect has no props.
    """
    if isinstance(rejected, Effect):
        if rejected.effect_type not in _REJECTING:
            raise ApiTypeError(f"an effect of type {quoted(rejected.effect_type)} rejects no code")
        return _explained(props_of(rejected))
    if not isinstance(rejected, (RejectCouponEffectProps, RejectReferralEffectProps)):
        raise ApiTypeError(
            "a rejection is an Effect, RejectCouponEffectProps or RejectReferralEffectProps, not"
            f" {type(rejected).__name__}"
        )
    return _explained(rejected)


def msgids() -> list[str]:
    """Return all English sentences, each once, for a catalog of translations."""
    tables = (reasons.COUPONS, reasons.REFERRALS, reasons.EXCLUSIONS)
    found = [each.msgid for table in tables for each in table.values()]
    return list(dict.fromkeys([*found, reasons.FALLBACK.msgid]))


def _explained(props: RejectCouponEffectProps | RejectReferralEffectProps) -> Rejection:
    is_referral = isinstance(props, RejectReferralEffectProps)
    reason = _text(props.get("rejectionReason"))
    exclusion = _text(props.get("campaignExclusionReason"))
    table = reasons.REFERRALS if is_referral else reasons.COUPONS
    explanation = table.get(reason, reasons.FALLBACK)
    if reason in reasons.EXCLUDED:
        explanation = reasons.EXCLUSIONS.get(exclusion, explanation)
    return Rejection(
        "referral" if is_referral else "coupon",
        code=_text(props.get("value")),
        reason=reason,
        exclusion=exclusion,
        known=reason in table and (not exclusion or exclusion in reasons.EXCLUSIONS),
        remedy=explanation.remedy,
        msgid=explanation.msgid,
        props=props,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
