"""The rule engine on its own: amounts, caps, campaigns that do not run, combined conditions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talon_one.sandbox import campaign as builtin
from talon_one.sandbox.effects import effect, rollbacks, v1_tuples
from talon_one.sandbox.fixed_rules import (
    CouponEntry,
    Evaluation,
    ReferralEntry,
    Situation,
    evaluate,
)
from talon_one.sandbox.records import Campaign, Referral, Rule, Session
from talon_one.sandbox.values import amount, parse_time

NOW = "2026-01-01T00:00:00.000000Z"
SESSION = Session(1, 3, "s", "p", "open", NOW, NOW, 1, True)
TEN_OFF = CouponEntry("TEN-OFF", builtin.COUPON)
REFERRAL = Referral(8, 12, "FRIEND", NOW, "anna", None, 0, 0, None, None, {})


def run(
    content: dict[str, Any],
    *coupons: CouponEntry,
    referral: ReferralEntry | None = None,
    campaign: Campaign = builtin.CAMPAIGN,
    evaluable: frozenset[int] | None = None,
) -> Evaluation:
    session = replace(SESSION, content=content)
    return evaluate(Situation(session, NOW, [campaign], coupons, referral, evaluable))


def cart(price: float, quantity: int = 1) -> dict[str, Any]:
    return {"cartItems": [{"sku": "A", "quantity": quantity, "price": price}]}


def discounts(evaluation: Evaluation) -> list[Any]:
    return [
        made["props"]["value"]
        for made in evaluation.effects
        if made["effectType"].startswith("setDiscount")
    ]


@pytest.mark.parametrize(
    ("price", "discount"), [(10.04, 1), (10.05, 1.01), (10.15, 1.02), (33.33, 3.33), (0.05, 0.01)]
)
def test_a_percentage_is_rounded_to_cents_halves_up(price: float, discount: float) -> None:
    assert discounts(run(cart(price), TEN_OFF)) == [discount]


def test_a_discount_of_nothing_is_no_effect() -> None:
    evaluation = run({}, TEN_OFF)
    assert [made["effectType"] for made in evaluation.effects] == ["acceptCoupon"]


def test_a_fixed_discount_is_cut_to_what_the_session_costs() -> None:
    evaluation = run(cart(3), referral=ReferralEntry("FRIEND", REFERRAL))
    assert discounts(evaluation) == [3]
    assert evaluation.referrals == [REFERRAL]


def test_percentages_do_not_cascade() -> None:
    evaluation = run(cart(100), TEN_OFF, referral=ReferralEntry("FRIEND", REFERRAL))
    assert discounts(evaluation) == [10, 5]


@given(
    price=st.decimals(0, 10_000, places=2),
    quantity=st.integers(1, 50),
    shipping=st.decimals(0, 1_000, places=2),
    codes=st.integers(0, 12),
)
def test_discounts_never_exceed_the_session(
    price: Any, quantity: int, shipping: Any, codes: int
) -> None:
    content = {
        **cart(float(price), quantity),
        "additionalCosts": {"shipping": {"price": float(shipping)}},
    }
    coupons = [
        CouponEntry(f"C{n}", replace(builtin.COUPON, id=n, value=f"C{n}")) for n in range(codes)
    ]
    evaluation = run(content, *coupons, referral=ReferralEntry("FRIEND", REFERRAL))
    total = price * quantity + shipping
    assert sum(amount(value) for value in discounts(evaluation)) <= total
    assert all(value > 0 for value in discounts(evaluation))
    assert len(evaluation.coupons) == codes


def test_a_campaign_that_does_not_run_rejects_its_codes_and_gives_nothing() -> None:
    disabled = replace(builtin.CAMPAIGN, state="disabled")
    evaluation = run(
        {**cart(80), "additionalCosts": {"shipping": {"price": 4}}},
        TEN_OFF,
        referral=ReferralEntry("FRIEND", REFERRAL),
        campaign=disabled,
    )
    assert [made["props"]["rejectionReason"] for made in evaluation.effects] == [
        "CouponPartOfNotRunningCampaign",
        "ReferralPartOfNotRunningCampaign",
    ]
    assert {made["campaignId"] for made in evaluation.effects} == {12}
    assert evaluation.triggered == set()


def test_a_disabled_campaign_runs_when_it_is_asked_for_by_id() -> None:
    disabled = replace(builtin.CAMPAIGN, state="disabled")
    evaluation = run(cart(80), TEN_OFF, campaign=disabled, evaluable=frozenset({12}))
    assert discounts(evaluation) == [8]


@pytest.mark.parametrize("kind", ["coupon", "referral"])
def test_a_code_whose_rule_fails_otherwise_is_rejected_by_condition(kind: str) -> None:
    rule = Rule(
        "Big carts",
        conditions=[{"type": f"{kind}IsValid"}, {"type": "cartItemTotalAtLeast", "amount": 20}],
        effects=[{"type": "amountOffSession", "name": "Five", "amount": 5}],
    )
    campaign = replace(builtin.CAMPAIGN, rules=[rule])
    coupons = [TEN_OFF] if kind == "coupon" else []
    referral = None if coupons else ReferralEntry("FRIEND", REFERRAL)
    refused = run(cart(19.99), *coupons, referral=referral, campaign=campaign)
    [rejection] = refused.effects
    assert rejection["props"]["rejectionReason"] == f"{kind.capitalize()}RejectedByCondition"
    assert rejection["props"]["conditionIndex"] == 1
    [failure] = refused.failures
    assert failure[f"{kind}Value"] == rejection["props"]["value"]
    accepted = run(cart(20), *coupons, referral=referral, campaign=campaign)
    assert discounts(accepted) == [5]
    assert accepted.failures == []


@pytest.mark.parametrize("part", ["conditions", "effects"])
def test_a_rule_of_an_unknown_kind_is_an_error_and_not_ignored(part: str) -> None:
    odd = [{"type": "odd", "name": "odd"}]
    rule = Rule("Odd", odd, []) if part == "conditions" else Rule("Odd", [], odd)
    with pytest.raises(ValueError, match="odd"):
        run(cart(1), campaign=replace(builtin.CAMPAIGN, rules=[rule]))


def test_validity_begins_with_the_start_and_ends_before_the_expiry() -> None:
    starting = replace(builtin.COUPON, start_date=NOW)
    expiring = replace(builtin.COUPON, expiry_date=NOW)
    assert run({}, CouponEntry("TEN-OFF", starting)).coupons == [starting]
    [rejection] = run({}, CouponEntry("TEN-OFF", expiring)).effects
    assert rejection["props"]["rejectionReason"] == "CouponExpired"


def test_rejections_have_no_rollback() -> None:
    assert rollbacks([effect("rejectCoupon", {"value": "A"})]) == []


def test_every_effect_of_the_rules_has_a_v1_form() -> None:
    content = {**cart(80), "additionalCosts": {"shipping": {"price": 4}}}
    made = run(content, TEN_OFF, CouponEntry("NO"), referral=ReferralEntry("FRIEND", REFERRAL))
    effects = [*made.effects, *rollbacks(made.effects)]
    assert [entry[3][0] for entry in v1_tuples(effects)] == [
        entry["effectType"] for entry in effects
    ]


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000000Z"),
        ("2026-01-01t00:00:00.1234567-01:30", "2026-01-01T01:30:00.123456Z"),
    ],
)
def test_timestamps_become_canonical(text: str, canonical: str) -> None:
    assert parse_time(text) == canonical


@pytest.mark.parametrize(
    "text",
    ["", "2026-01-01", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00", "0001-01-01T00:00:00+14:00"],
)
def test_anything_else_is_no_timestamp(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        parse_time(text)
