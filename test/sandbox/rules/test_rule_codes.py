"""Coupons and referrals: the order of their checks, and every reason for a rejection."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.rules.facts_double import FactsDouble
from sandbox.rules.stories import (
    COUPON,
    NEVER,
    REFERRAL,
    campaign,
    coupon,
    facts,
    item,
    note,
    off,
    props,
    referral,
    rule,
    run,
    session,
    types,
    values,
)
from talon_one.sandbox.rules.shop import Group
from talon_one.sandbox.rules.situation import ReferralEntry

PAST = "2026-11-01T00:00:00Z"
FUTURE = "2026-12-24T00:00:00Z"
ANONYMOUS = session(item(100), profileId="")
PER_PROFILE = {"action": "redeemCoupon", "limit": 1, "entities": ["Profile"]}


def _limit(limit: float, *entities: str, action: str = "redeemCoupon") -> dict[str, Any]:
    return {"action": action, "limit": limit, "entities": list(entities)}


def _counted(**counters: int) -> FactsDouble:
    return facts(counters={key.replace("_", ":"): Decimal(n) for key, n in counters.items()})


def _rejection(
    *blocks: Any, code: Any = None, friend: ReferralEntry | None = None, **more: Any
) -> dict[str, Any]:
    kind = "Coupon" if friend is None else "Referral"
    properties = more.pop("properties", {})
    blocks = blocks or ((COUPON if friend is None else REFERRAL), off())
    evaluation = run(
        campaign(1, rule(*blocks), **properties),
        coupons=[code or coupon()] if friend is None else [],
        friend=friend,
        **more,
    )
    assert f"accept{kind}" not in types(evaluation)
    assert "setDiscount" not in types(evaluation)
    assert not [each for each in evaluation.consequences if each.kind.startswith("redeem")]
    (rejection,) = props(evaluation, f"reject{kind}")
    return rejection


def _with_limit(*limits: Any) -> dict[str, Any]:
    return {"limits": list(limits)}


def test_every_reason_for_which_a_coupon_is_rejected() -> None:
    key = "campaign:1:redeemCoupon::"
    used = {"counters": {key: Decimal(1)}}
    per_ann = {"counters": {"campaign:1:redeemCoupon::Profile=ann": Decimal(1)}}
    per_coupon = {"counters": {"campaign:1:redeemCoupon::Coupon=5": Decimal(1)}}
    stories: dict[str, dict[str, Any]] = {
        "CouponNotFound": {"code": "NOBODY"},
        "CouponPartOfNotRunningCampaign": {"properties": {"state": "disabled"}},
        "CouponStartDateInFuture": {"code": coupon(startDate=FUTURE)},
        "CouponExpired": {"code": coupon(expiryDate=PAST)},
        "CouponRecipientDoesNotMatch": {"code": coupon(recipientIntegrationId="bob")},
        "CouponReservationRequired": {"code": coupon(isReservationMandatory=True)},
        "ProfileRequired": {"code": coupon(isReservationMandatory=True), "cart": ANONYMOUS},
        "CouponLimitReached": {"code": coupon(usageLimit=2), "known": _counted(coupon_5=2)},
        "CampaignLimitReached": {"properties": _with_limit(_limit(1)), "known": facts(**used)},
        "ProfileLimitReached": {
            "properties": _with_limit(PER_PROFILE),
            "known": facts(**per_ann),
        },
    }
    wrong = {
        reason: found
        for reason, story in stories.items()
        if (found := _rejection(**story)["rejectionReason"]) != reason
    }
    assert wrong == {}
    limited = _rejection(properties=_with_limit(_limit(1, "Coupon")), known=facts(**per_coupon))
    assert limited["rejectionReason"] == "CouponLimitReached"
    nobody = _rejection(properties=_with_limit(PER_PROFILE), cart=ANONYMOUS)
    assert nobody["rejectionReason"] == "ProfileRequired"
    personal = _rejection(code=coupon(recipientIntegrationId="ann"), cart=ANONYMOUS)
    assert personal["rejectionReason"] == "CouponRecipientDoesNotMatch"
    empty = _rejection(
        code=coupon(discountLimit=5), known=facts(counters={"coupon:5:discount": Decimal(5)})
    )
    assert empty["rejectionReason"] == "CouponLimitReached"


def test_a_coupon_that_breaks_all_rules_is_rejected_for_the_first_of_them() -> None:
    broken: dict[str, Any] = {
        "startDate": FUTURE,
        "expiryDate": PAST,
        "recipientIntegrationId": "bob",
        "isReservationMandatory": True,
        "usageLimit": 1,
    }
    limits = [_limit(0), PER_PROFILE]
    counted = {
        "coupon:5": Decimal(1),
        "campaign:1:redeemCoupon::Profile=ann": Decimal(1),
    }
    found = []
    state = "disabled"
    for repaired in (None, "state", *broken, "campaign", "profile"):
        if repaired == "state":
            state = "enabled"
        elif repaired in broken:
            del broken[repaired]
        elif repaired is not None:
            limits = limits[1:]
        evaluation = run(
            campaign(1, rule(COUPON, NEVER, off()), state=state, limits=limits),
            coupons=[coupon(**{"usageLimit": 0, **broken})],
            known=facts(counters=counted),
        )
        found += [each["rejectionReason"] for each in props(evaluation, "rejectCoupon")]
    assert found == [
        "CouponPartOfNotRunningCampaign",
        "CouponStartDateInFuture",
        "CouponExpired",
        "CouponRecipientDoesNotMatch",
        "CouponReservationRequired",
        "CouponLimitReached",
        "CampaignLimitReached",
        "ProfileLimitReached",
        "CouponRejectedByCondition",
    ]


def test_every_reason_for_which_a_referral_is_rejected() -> None:
    alone = facts()
    del alone.profiles["Advocate"]
    limit = _limit(0, action="redeemReferral")
    per_profile = _limit(0, "Profile", action="redeemReferral")
    stories: dict[str, tuple[dict[str, Any] | None, dict[str, Any]]] = {
        "ReferralNotFound": (None, {}),
        "ReferralPartOfNotRunningCampaign": ({}, {"properties": {"state": "disabled"}}),
        "ReferralStartDateInFuture": ({"startDate": FUTURE}, {}),
        "ReferralExpired": ({"expiryDate": PAST}, {}),
        "ReferralRecipientDoesNotMatch": ({"friendProfileIntegrationId": "eve"}, {}),
        "ReferralRecipientIdSameAsAdvocate": ({"advocateProfileIntegrationId": "ann"}, {}),
        "AdvocateNotFound": ({}, {"known": alone}),
        "ReferralLimitReached": ({"usageLimit": 1}, {"known": _counted(referral_7=1)}),
        "CampaignLimitReached": ({}, {"properties": _with_limit(limit)}),
        "ProfileLimitReached": ({}, {"properties": _with_limit(per_profile)}),
    }
    wrong = {}
    for reason, (properties, story) in stories.items():
        entity = None if properties is None else referral(**properties)
        found = _rejection(friend=ReferralEntry("FRIEND", entity), **story)["rejectionReason"]
        if found != reason:
            wrong[reason] = found
    assert wrong == {}
    again = ReferralEntry("FRIEND", referral(), already_referred=True)
    assert _rejection(friend=again)["rejectionReason"] == "ReferralCustomerAlreadyReferred"
    entry = ReferralEntry("FRIEND", referral())
    failed = _rejection(REFERRAL, NEVER, off(), friend=entry)
    assert failed["rejectionReason"] == "ReferralRejectedByCondition"
    assert failed["conditionIndex"] == 1


def test_a_valid_coupon_is_accepted_before_the_effects_and_redeemed_once() -> None:
    entry = campaign(1, rule(COUPON, off(10)), rule(COUPON, off(5), title="Second"))
    evaluation = run(entry, coupons=[coupon()])
    assert types(evaluation) == ["acceptCoupon", "setDiscount", "setDiscount"]
    assert evaluation.effects[0] == {
        "campaignId": 1,
        "rulesetId": 10,
        "ruleIndex": 0,
        "ruleName": "Rule",
        "triggeredByCoupon": 5,
        "effectType": "acceptCoupon",
        "props": {"value": "CODE-5"},
    }
    (redemption,) = [each for each in evaluation.consequences if each.kind == "redeemCoupon"]
    assert redemption.target == "5"
    assert redemption.counters == {"coupon:5": 1, "coupon:5:profile:ann": 1}
    assert redemption.reversible
    assert evaluation.triggered == [1]


def test_a_coupon_checked_without_redemption_is_accepted_but_not_counted() -> None:
    without = {"type": "checkCoupon", "redeem": False}
    evaluation = run(campaign(1, rule(without, off())), coupons=[coupon()])
    assert types(evaluation) == ["acceptCoupon", "setDiscount"]
    assert [each.kind for each in evaluation.consequences] == ["setDiscount"]
    both = run(campaign(1, rule(without, off()), rule(COUPON, off())), coupons=[coupon()])
    assert [each.kind for each in both.consequences].count("redeemCoupon") == 1
    assert types(both).count("acceptCoupon") == 1


def test_a_rule_with_the_coupon_condition_runs_once_for_each_code() -> None:
    codes = [coupon(coupon_id=5), coupon(coupon_id=6), coupon(coupon_id=8, campaign_id=2)]
    evaluation = run(
        campaign(1, rule(COUPON, off(10)), rule(off(1), title="Any")),
        campaign(2, rule(COUPON, off(3))),
        coupons=[*codes, "NOPE"],
    )
    discounts = [
        (effect.get("triggeredByCoupon"), effect["props"]["value"])
        for effect in evaluation.effects
        if effect["effectType"] == "setDiscount"
    ]
    assert discounts == [(5, 10), (6, 10), (None, 1), (8, 3)]
    (unknown,) = [each for each in evaluation.effects if each["effectType"] == "rejectCoupon"]
    assert unknown == {
        "campaignId": -1,
        "rulesetId": 0,
        "ruleIndex": 0,
        "ruleName": "",
        "effectType": "rejectCoupon",
        "props": {"value": "NOPE", "rejectionReason": "CouponNotFound"},
    }


def test_a_campaign_limit_of_one_accepts_the_first_of_two_codes() -> None:
    evaluation = run(
        campaign(1, rule(COUPON, off(10)), rule(COUPON, off(1)), limits=[_limit(1)]),
        coupons=[coupon(coupon_id=5), coupon(coupon_id=6)],
    )
    assert values(evaluation, "acceptCoupon") == ["CODE-5"]
    (rejection,) = props(evaluation, "rejectCoupon")
    assert rejection["value"] == "CODE-6"
    assert rejection["rejectionReason"] == "CampaignLimitReached"
    assert values(evaluation) == [10, 1]


def test_a_coupon_is_rejected_where_no_rule_checks_coupons() -> None:
    evaluation = run(campaign(1, rule(off())), coupons=[coupon()])
    assert values(evaluation) == [10]
    (rejection,) = props(evaluation, "rejectCoupon")
    assert rejection["rejectionReason"] == "CouponRejectedByCondition"
    expired = run(campaign(1, rule(off())), coupons=[coupon(expiryDate=PAST)])
    assert props(expired, "rejectCoupon")[0]["rejectionReason"] == "CouponExpired"


def test_a_referral_is_rejected_where_no_rule_checks_referrals() -> None:
    stories: list[tuple[dict[str, Any], str]] = [
        ({}, "RejectedByCondition"),
        ({"expiryDate": PAST}, "Expired"),
    ]
    for properties, reason in stories:
        entry = ReferralEntry("FRIEND", referral(**properties))
        evaluation = run(campaign(1, rule(off())), friend=entry)
        (rejection,) = props(evaluation, "rejectReferral")
        assert rejection["rejectionReason"] == f"Referral{reason}"


def test_a_failing_rule_rejects_with_the_place_of_what_failed() -> None:
    by_condition = _rejection(COUPON, NEVER, off())
    assert by_condition == {
        "value": "CODE-5",
        "rejectionReason": "CouponRejectedByCondition",
        "conditionIndex": 1,
    }
    costs = {"type": "additionalCost", "additionalCost": {"id": 1, "name": "wrap"}}
    missing = off(1, target={**costs, "target": {"type": "cart"}})
    by_effect = _rejection(COUPON, note(), missing)
    assert by_effect["rejectionReason"] == "EffectCouldNotBeApplied"
    assert by_effect["effectIndex"] == 1
    assert "conditionIndex" not in by_effect


def test_codes_of_campaigns_that_are_not_evaluated_say_why() -> None:
    stories: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"state": "archived"}, {}),
        ({}, {"evaluable": frozenset({2})}),
        ({"linkedStoreIds": [3]}, {}),
        ({"linkedStoreIds": [3]}, {"store": {"id": 4}}),
    ]
    for properties, more in stories:
        rejection = _rejection(properties=properties, **more)
        assert rejection["rejectionReason"] == "CouponPartOfNotTriggeredCampaign", properties
        assert rejection["campaignExclusionReason"] == "CampaignNotInEvaluationSet"
    for properties in ({"startTime": FUTURE}, {"endTime": PAST}, {"frontendState": "staged"}):
        rejection = _rejection(properties=properties)
        assert rejection["rejectionReason"] == "CouponPartOfNotRunningCampaign", properties


def test_disabled_campaigns_are_evaluated_where_the_request_names_them() -> None:
    entry = campaign(1, rule(COUPON, off()), state="disabled", endTime=PAST)
    evaluation = run(entry, coupons=[coupon()], evaluable=frozenset({1}))
    assert types(evaluation) == ["acceptCoupon", "setDiscount"]
    linked = campaign(1, rule(COUPON, off()), linkedStoreIds=[3])
    assert "acceptCoupon" in types(run(linked, coupons=[coupon()], store={"id": 3}))


def test_a_campaign_without_the_feature_accepts_no_codes() -> None:
    rejection = _rejection(properties={"features": ["loyalty"]})
    assert rejection["rejectionReason"] == "CouponRejectedByCondition"
    entry = ReferralEntry("FRIEND", referral())
    rejection = _rejection(friend=entry, properties={"features": ["coupons"]})
    assert rejection["rejectionReason"] == "ReferralRejectedByCondition"


def test_a_referral_is_accepted_and_redeemed() -> None:
    entry = ReferralEntry("FRIEND", referral())
    evaluation = run(campaign(1, rule(REFERRAL, off())), friend=entry)
    assert types(evaluation) == ["acceptReferral", "setDiscount"]
    assert values(evaluation, "acceptReferral") == ["FRIEND"]
    redemption = evaluation.consequences[0]
    assert (redemption.kind, redemption.target) == ("redeemReferral", "7")
    assert redemption.counters == {"referral:7": 1}
    limit = _limit(50, action="setDiscount")
    limited = run(campaign(1, rule(REFERRAL, off()), limits=[limit]), friend=entry)
    assert limited.consequences[1].counters == {"campaign:1:setDiscount::": 10}
    assert "triggeredByCoupon" not in evaluation.effects[0]


def test_a_rule_can_check_a_coupon_and_a_referral() -> None:
    both = campaign(1, rule(COUPON, REFERRAL, off()))
    entry = ReferralEntry("FRIEND", referral())
    accepted = run(both, coupons=[coupon()], friend=entry)
    assert sorted(types(accepted)) == ["acceptCoupon", "acceptReferral", "setDiscount"]
    alone = run(both, coupons=[coupon()])
    (rejection,) = props(alone, "rejectCoupon")
    assert rejection["rejectionReason"] == "CouponRejectedByCondition"
    assert rejection["conditionIndex"] == 1


def test_what_handles_an_invalid_coupon_runs_with_the_code_and_without_one() -> None:
    handled = {**COUPON, "onFailure": [note("No such luck")]}
    entry = campaign(1, rule(handled, off()))
    invalid = run(entry, coupons=[coupon(expiryDate=PAST)])
    assert types(invalid) == ["showNotification", "rejectCoupon"]
    assert props(invalid, "rejectCoupon")[0]["rejectionReason"] == "CouponExpired"
    assert types(run(entry)) == ["showNotification"]
    assert types(run(entry, coupons=[coupon()])) == ["acceptCoupon", "setDiscount"]


def test_codes_of_a_campaign_that_lost_are_rejected_for_that() -> None:
    rules = [campaign(1, rule(off(5))), campaign(2, rule(COUPON, off(9)))]
    codes = [coupon(campaign_id=2, expiryDate=PAST)]
    first = run(*rules, coupons=codes, tree=Group(mode="listOrder", members=(1, 2)))
    assert props(first, "rejectCoupon") == [
        {
            "value": "CODE-5",
            "rejectionReason": "CouponPartOfNotTriggeredCampaign",
            "campaignExclusionReason": "CampaignIsNotFirst",
        }
    ]
    codes = [coupon(campaign_id=2)]
    (effect,) = [each for each in first.effects if each["effectType"] == "rejectCoupon"]
    assert (effect["campaignId"], effect["triggeredByCoupon"]) == (2, 5)
    lowest = run(*rules, coupons=codes, tree=Group(mode="lowestDiscount", members=(1, 2)))
    (rejection,) = props(lowest, "rejectCoupon")
    assert rejection["campaignExclusionReason"] == "CampaignGaveLowerDiscount"
    assert not [each for each in lowest.consequences if each.kind == "redeemCoupon"]
    highest = run(*rules, coupons=codes, tree=Group(mode="highestDiscount", members=(1, 2)))
    assert types(highest) == ["acceptCoupon", "setDiscount"]
    assert values(highest) == [9]


def test_limits_per_profile_of_a_coupon_stand_in_place_of_those_of_its_campaign() -> None:
    own = coupon(limits=[{**PER_PROFILE, "limit": 3}])
    counted = facts(
        counters={
            "campaign:1:redeemCoupon::Profile=ann": Decimal(1),
            "coupon:5:redeemCoupon::Profile=ann": Decimal(2),
        }
    )
    entry = campaign(1, rule(COUPON, off()), limits=[PER_PROFILE])
    evaluation = run(entry, coupons=[own], known=counted)
    assert values(evaluation) == [10]
    assert evaluation.consequences[0].counters["coupon:5:redeemCoupon::Profile=ann"] == 1
    counted.counters["coupon:5:redeemCoupon::Profile=ann"] = Decimal(3)
    rejected = run(entry, coupons=[own], known=counted)
    assert props(rejected, "rejectCoupon")[0]["rejectionReason"] == "ProfileLimitReached"


def test_a_valid_and_an_unknown_code_in_one_session() -> None:
    cart = session(item(12.5, 2), item(5), costs={"shipping": 4})
    ten = campaign(12, rule(COUPON, off("{{$Session.Total * 0.1}}", name="10% off"), title="Ten"))
    evaluation = run(ten, cart=cart, coupons=[coupon(12, 55), "NOPE"])
    envelope = {"campaignId": 12, "rulesetId": 120, "ruleIndex": 0, "ruleName": "Ten"}
    nowhere = {"campaignId": -1, "rulesetId": 0, "ruleIndex": 0, "ruleName": ""}
    unknown = {"value": "NOPE", "rejectionReason": "CouponNotFound"}
    assert evaluation.effects == [
        {
            **envelope,
            "triggeredByCoupon": 55,
            "effectType": "acceptCoupon",
            "props": {"value": "CODE-55"},
        },
        {
            **envelope,
            "triggeredByCoupon": 55,
            "effectType": "setDiscount",
            "props": {"name": "10% off", "value": 3.4},
        },
        {**nowhere, "effectType": "rejectCoupon", "props": unknown},
    ]
    assert evaluation.failures == []
