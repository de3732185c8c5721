"""Codes that a response accepts or rejects."""

from __future__ import annotations

from typing import Any

import pytest

from effects.sample_effects import effect_json, response_with
from talon_one import ApiValueError, RejectCouponEffectProps, RejectReferralEffectProps
from talon_one.effects import Codes, codes


def test_codes_are_accepted_or_rejected_with_reasons() -> None:
    nope = {"value": "NOPE", "rejectionReason": "CouponNotFound", "details": "none such"}
    own = {"value": "ME", "rejectionReason": "ReferralRecipientIdSameAsAdvocate"}
    found = codes(
        response_with(
            effect_json("setDiscount", {"name": "n", "value": 1}),
            effect_json("acceptCoupon", {"value": "TEN-OFF"}),
            effect_json("rejectCoupon", nope, campaignId=-1),
            effect_json("acceptCoupon", {"value": "FREE"}),
            effect_json("acceptReferral", {"value": "FRIEND"}),
            effect_json("redeemReferral", {"id": 1, "value": "PAL"}),
            effect_json("rejectReferral", own),
        )
    )
    assert found == Codes(
        ["TEN-OFF", "FREE"],
        [RejectCouponEffectProps.from_dict(nope)],
        ["FRIEND", "PAL"],
        [RejectReferralEffectProps.from_dict(own)],
    )
    assert found.rejected_coupons[0].rejection_reason == "CouponNotFound"


def test_a_code_that_several_rules_accept_is_accepted_once() -> None:
    accepted = effect_json("acceptCoupon", {"value": "TEN-OFF"})
    assert codes(response_with(accepted, accepted)).accepted_coupons == ["TEN-OFF"]


def test_a_code_that_rules_disagree_on_is_in_both_lists() -> None:
    limit = {"value": "TEN-OFF", "rejectionReason": "EffectCouldNotBeApplied"}
    found = codes(
        response_with(
            effect_json("acceptCoupon", {"value": "TEN-OFF"}),
            effect_json("rejectCoupon", limit),
        )
    )
    assert found.accepted_coupons == [each.value for each in found.rejected_coupons] == ["TEN-OFF"]


@pytest.mark.parametrize("value", [None, 7, ["A"]], ids=repr)
@pytest.mark.parametrize("kind", ["acceptCoupon", "acceptReferral", "redeemReferral"])
def test_a_malformed_accepted_code_is_an_error(kind: str, value: Any) -> None:
    message = rf"{kind} of campaign 12, rule 'Ten percent': value is .*, not a code"
    with pytest.raises(ApiValueError, match=message):
        codes(response_with(effect_json(kind, {"value": value})))
    with pytest.raises(ApiValueError, match="props is None, not an object"):
        codes(response_with(effect_json(kind, None)))


@pytest.mark.parametrize("kind", ["rejectCoupon", "rejectReferral"])
def test_a_rejection_without_props_is_an_error(kind: str) -> None:
    with pytest.raises(
        ApiValueError, match=f"{kind} of campaign 12.*: props is None, not an object"
    ):
        codes(response_with(effect_json(kind, None)))
    found = codes(response_with(effect_json(kind, {"value": 7})))
    assert len(found.rejected_coupons + found.rejected_referrals) == 1
