"""Refused codes become sentences for the customer, in any language, and none is lost."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from support.spec import SCHEMAS
from talon_one import (
    AcceptCouponEffectProps,
    ApiTypeError,
    ApiValueError,
    Effect,
    IntegrationStateV2,
    RejectCouponEffectProps,
    RejectReferralEffectProps,
)
from talon_one.checkout import Remedy, msgids, reasons, rejection_of, rejections_of
from talon_one.sandbox import Sandbox

TABLES = (
    (RejectCouponEffectProps, reasons.COUPONS),
    (RejectReferralEffectProps, reasons.REFERRALS),
)


def schema(name: str) -> Any:
    return SCHEMAS[name]["properties"]


def documented(name: str, where: str) -> set[str]:
    """Names in backquotes in the description of a property."""
    return set(re.findall(r"`(\w+)`", schema(name)[where]["description"]))


def coupon(reason: Any, code: Any = "MUGS", **more: Any) -> RejectCouponEffectProps:
    return RejectCouponEffectProps(value=code, rejection_reason=reason, **more)


def effect(kind: Any, props: Any) -> Effect:
    return Effect(
        campaign_id=1, ruleset_id=1, rule_index=0, rule_name="r", effect_type=kind, props=props
    )


def test_every_documented_reason_has_an_explanation_and_there_are_no_others() -> None:
    assert set(reasons.COUPONS) == documented("RejectCouponEffectProps", "rejectionReason")
    assert set(reasons.REFERRALS) == documented("RejectReferralEffectProps", "rejectionReason")
    assert set(reasons.COUPONS) >= set(schema("CouponRejectionReason")["reason"]["enum"])
    assert set(reasons.REFERRALS) >= set(schema("ReferralRejectionReason")["reason"]["enum"])
    exclusions = documented("RejectReferralEffectProps", "campaignExclusionReason")
    assert set(reasons.EXCLUSIONS) == exclusions - reasons.EXCLUDED


def test_every_reason_is_a_constant_with_the_name_that_pep_8_gives_it() -> None:
    constants = {name: value for name, value in vars(reasons).items() if type(value) is str}
    found = {value: name for name, value in constants.items() if name.isupper() and name[0] != "_"}
    wanted = {*reasons.COUPONS, *reasons.REFERRALS, *reasons.EXCLUSIONS}
    assert set(found) == wanted
    wrong = [
        value
        for value, name in found.items()
        if name != re.sub(r"(?<=[a-z])(?=[A-Z])", "_", value).upper()
    ]
    assert not wrong


def test_every_sentence_names_the_code_once_and_is_marked_for_extraction() -> None:
    source = Path(reasons.__file__).read_text(encoding="utf-8")
    marked = [
        str(each.args[0].value)
        for each in ast.walk(ast.parse(source))
        if isinstance(each, ast.Call)
        and isinstance(each.func, ast.Name)
        and each.func.id == "N_"
        and isinstance(each.args[0], ast.Constant)
    ]
    assert sorted(marked) == sorted(msgids())
    for each in msgids():
        assert each.count("{code}") == 1, each
        assert each.replace("{code}", "").count("{") == 0, each
        assert each.endswith("."), each


def test_known_reasons_have_their_sentence_and_remedy() -> None:
    for cls, table in TABLES:
        for reason, explanation in table.items():
            found = rejection_of(cls(value="MUGS", rejection_reason=reason))
            assert found.known, reason
            assert found.sentence() == explanation.msgid.replace("{code}", "MUGS")
            assert (found.reason, found.remedy) == (reason, explanation.remedy)
            assert found.kind == ("coupon" if table is reasons.COUPONS else "referral")


def test_an_unknown_reason_has_a_neutral_sentence_and_is_not_lost() -> None:
    found = rejection_of(coupon("CouponPaused", details="until Monday"))
    assert not found.known
    assert found.sentence() == "The code MUGS cannot be used."
    assert (found.reason, found.remedy, found.props.details) == (
        "CouponPaused",
        Remedy.NONE,
        "until Monday",
    )


def test_an_exclusion_makes_the_reason_more_precise() -> None:
    reason = reasons.COUPON_PART_OF_NOT_TRIGGERED_CAMPAIGN
    better = rejection_of(coupon(reason, campaign_exclusion_reason="CampaignGaveLowerDiscount"))
    assert better.sentence() == "You already get a better discount than that of the code MUGS."
    assert better.remedy is Remedy.NONE
    other = rejection_of(coupon(reason, campaign_exclusion_reason="CampaignIsTired"))
    assert (other.known, other.exclusion) == (False, "CampaignIsTired")
    assert other.msgid == reasons.COUPONS[reason].msgid
    unrelated = rejection_of(
        coupon(reasons.COUPON_EXPIRED, campaign_exclusion_reason="CampaignGaveLowerDiscount")
    )
    assert unrelated.sentence() == "The code MUGS has expired."


def test_a_translation_receives_the_msgid_and_puts_the_code_where_it_likes() -> None:
    german = {"The code {code} has expired.": "Abgelaufen ist der Code {code}."}
    found = rejection_of(coupon("CouponExpired"))
    assert found.sentence(lambda msgid: german[msgid]) == "Abgelaufen ist der Code MUGS."
    # A translator's mistake must not break a checkout.
    for text in ("no code", "{code", "{", "100 % of {codes}", "{code.__class__}"):
        assert found.sentence(lambda msgid, text=text: text) == text  # type: ignore[misc]

    class Lazy:
        def __str__(self) -> str:
            return "später {code}"

    assert found.sentence(lambda msgid: Lazy()) == "später MUGS"


def test_a_code_is_inserted_as_it_is() -> None:
    for code in ("{code}", "%(code)s", "<b>", "\\1", "a b", "", "ä" * 200):
        sentence = rejection_of(coupon("CouponExpired", code)).sentence()
        assert sentence == (f"The code {code} has expired." if code else "The code has expired.")


def test_a_translation_that_raises_is_reported_with_its_cause() -> None:
    found = rejection_of(coupon("CouponExpired"))
    with pytest.raises(ApiValueError, match="the translation of 'The code") as caught:
        found.sentence(lambda msgid: {}[msgid])  # type: ignore[index]
    assert isinstance(caught.value.__cause__, KeyError)
    with pytest.raises(ApiTypeError, match="translate is a function, not 'de'"):
        found.sentence("de")  # type: ignore[arg-type]


def test_broken_props_are_explained_all_the_same() -> None:
    values: tuple[Any, ...] = (None, 7, [], {}, True)
    for value in values:
        props = RejectCouponEffectProps.from_dict({"value": value, "rejectionReason": value})
        found = rejection_of(props)
        assert (found.code, found.reason, found.known) == ("", "", False)
        assert found.sentence() == "The code cannot be used."
    assert rejection_of(RejectReferralEffectProps.from_dict({})).kind == "referral"


def test_it_takes_effects_props_and_whole_responses() -> None:
    rejected = effect("rejectCoupon", coupon("CouponExpired"))
    accepted = effect("acceptCoupon", AcceptCouponEffectProps(value="OK"))
    referral = effect(
        "rejectReferral", RejectReferralEffectProps(value="R", rejection_reason="ReferralExpired")
    )
    assert rejection_of(rejected).sentence() == "The code MUGS has expired."
    response = IntegrationStateV2(
        effects=[accepted, rejected, referral], created_coupons=[], created_referrals=[]
    )
    assert [each.code for each in rejections_of(response)] == ["MUGS", "R"]
    assert [each.code for each in rejections_of([referral])] == ["R"]
    odd = Effect.from_dict({"effectType": ["rejectCoupon"], "props": {}})
    assert rejections_of([odd]) == []


def test_anything_else_is_refused() -> None:
    for wrong in (None, "CouponExpired", {}, 7, object()):
        with pytest.raises(ApiTypeError):
            rejection_of(wrong)  # type: ignore[arg-type]
    for wrong in (None, "CouponExpired", 7, coupon("CouponExpired")):
        with pytest.raises(ApiTypeError):
            rejections_of(wrong)  # type: ignore[arg-type]
    with pytest.raises(ApiTypeError, match="type 'acceptCoupon' rejects no code"):
        rejection_of(effect("acceptCoupon", AcceptCouponEffectProps(value="OK")))
    with pytest.raises(ApiValueError, match="props is None"):
        rejections_of([Effect.from_dict({"effectType": "rejectCoupon", "props": None})])


def test_the_sandbox_rejects_with_reasons_that_are_explained(sandbox: Sandbox, api: Any) -> None:
    session = {"couponCodes": ["NO-SUCH"], "referralCode": "NOBODY"}
    response = api.update_customer_session_v2("refused", {"customerSession": session})
    assert [(each.sentence(), each.remedy.value) for each in rejections_of(response)] == [
        ("We do not know the code NO-SUCH. Please check the spelling.", "fix"),
        ("We do not know the referral code NOBODY. Please check the spelling.", "fix"),
    ]
