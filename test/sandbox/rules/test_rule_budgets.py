"""Budgets: periods, entities, partial rewards, gift cards, and conditions about them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.rules.facts_double import FactsDouble
from sandbox.rules.stories import (
    COUPON,
    campaign,
    counters,
    coupon,
    facts,
    item,
    note,
    off,
    props,
    rule,
    run,
    session,
    types,
    values,
)
from talon_one.sandbox.rules.budgets import period_of


def _limit(limit: float, *entities: str, action: str = "setDiscount", **more: Any) -> Any:
    return {"action": action, "limit": limit, "entities": list(entities), **more}


def _limited(*blocks: Any, limits: Any, **more: Any) -> Any:
    return run(campaign(1, rule(*blocks), limits=limits), **more)


def _counted(key: str, count: float) -> FactsDouble:
    return facts(counters={key: Decimal(str(count))})


def test_periods_follow_the_time_zone_and_weeks_begin_on_monday() -> None:
    late = "2026-12-31T23:30:00.000000Z"
    found = {
        (zone, period): period_of(late, zone, period)
        for zone in ("UTC", "Europe/Berlin")
        for period in ("", "daily", "weekly", "monthly", "yearly")
    }
    assert found == {
        ("UTC", ""): "",
        ("UTC", "daily"): "2026-12-31",
        ("UTC", "weekly"): "week of 2026-12-28",
        ("UTC", "monthly"): "2026-12",
        ("UTC", "yearly"): "2026",
        ("Europe/Berlin", ""): "",
        ("Europe/Berlin", "daily"): "2027-01-01",
        ("Europe/Berlin", "weekly"): "week of 2026-12-28",
        ("Europe/Berlin", "monthly"): "2027-01",
        ("Europe/Berlin", "yearly"): "2027",
    }
    assert period_of("2026-11-29T23:59:59.000000Z", "UTC", "weekly") == "week of 2026-11-23"
    for unknown in ("Nowhere/Else", "../etc/passwd", "/etc/passwd", "\0", "Mars" * 1000):
        assert period_of(late, unknown, "daily") == "2026-12-31"


def test_a_discount_larger_than_its_budget_fails_or_is_cut() -> None:
    limits = [_limit(30)]
    assert values(_limited(off(20), limits=limits)) == [20]
    whole = _limited(off(40), limits=limits)
    assert whole.effects == []
    assert whole.failures[0]["effectIndex"] == 0
    cut = _limited(off(40, partial=True), limits=limits)
    assert props(cut, "setDiscount") == [{"name": "Off", "value": 30, "desiredValue": 40}]
    assert counters(cut) == {"campaign:1:setDiscount::": 30}
    used_up = _limited(off(40, partial=True), limits=limits, known=_counted(_KEY, 30))
    assert used_up.effects == []


_KEY = "campaign:1:setDiscount::"


def test_what_is_left_is_given_out_in_whole_cents() -> None:
    cut = _limited(off(40, partial=True), limits=[_limit(10.009)])
    assert values(cut) == [10]
    assert _limited(off(40, partial=True), limits=[_limit(0.009)]).effects == []


def test_what_a_rule_uses_is_gone_for_the_next_one() -> None:
    entry = campaign(1, rule(off(20)), rule(off(20)), rule(off(10)), limits=[_limit(30)])
    evaluation = run(entry)
    assert values(evaluation) == [20, 10]
    assert counters(evaluation) == {_KEY: 30}


def test_a_failing_rule_gives_its_budget_back() -> None:
    never = {"type": "checkBudget", "operator": "enoughFor", "action": "setDiscount", "value": 99}
    entry = campaign(1, rule(off(20), never), rule(off(30)), limits=[_limit(30)])
    assert values(run(entry)) == [30]


def test_the_default_of_the_application_holds_where_a_block_says_nothing() -> None:
    limits = [_limit(30)]
    block = off(40)
    del block["partial"]
    allowed = {"enablePartialDiscounts": True}
    assert values(_limited(block, limits=limits, application=allowed)) == [30]
    assert values(_limited(block, limits=limits)) == []
    assert values(_limited(off(40), limits=limits, application=allowed)) == []


def test_limits_count_per_combination_of_entities() -> None:
    limits = [_limit(30, "Profile", "Coupon", period="monthly")]
    known = _counted("campaign:1:setDiscount:2026-11:Coupon=5;Profile=ann", 25)
    evaluation = _limited(
        COUPON, off(40, partial=True), limits=limits, coupons=[coupon()], known=known
    )
    assert values(evaluation) == [5]
    other = _limited(
        COUPON, off(40, partial=True), limits=limits, coupons=[coupon(coupon_id=6)], known=known
    )
    assert values(other) == [30]


def test_every_identifier_of_a_session_has_its_own_counter() -> None:
    limits = [_limit(30, "Identifier")]
    cart = session(item(100), identifiers=["x", "y"])
    known = _counted("campaign:1:setDiscount::Identifier=y", 20)
    evaluation = _limited(off(40, partial=True), limits=limits, cart=cart, known=known)
    assert values(evaluation) == [10]
    assert counters(evaluation) == {
        "campaign:1:setDiscount::Identifier=x": 10,
        "campaign:1:setDiscount::Identifier=y": 10,
    }


def test_limits_per_store_and_session_have_their_own_counters() -> None:
    limits = [_limit(30, "Store"), _limit(20, "Session")]
    evaluation = _limited(off(40, partial=True), limits=limits, store={"id": 8})
    assert counters(evaluation) == {
        "campaign:1:setDiscount::Store=8": 20,
        "campaign:1:setDiscount::Session=order-1": 20,
    }
    assert values(_limited(off(40), limits=[_limit(5, "Store")])) == [40]


def test_a_limit_whose_entity_is_missing_lets_nothing_through_when_it_matters() -> None:
    anonymous = session(item(100), profileId="")
    assert values(_limited(off(1), limits=[_limit(30, "Profile")], cart=anonymous)) == []
    closed = session(item(100), state="closed")
    for entity in ("Identifier", "Coupon", "Referral"):
        limits = [_limit(30, entity)]
        assert values(_limited(off(1), limits=limits)) == [1], entity
        assert values(_limited(off(1), limits=limits, cart=closed)) == [], entity


def test_limits_on_how_often_count_effects() -> None:
    limits = [_limit(2, action="setDiscountEffect")]
    cart = session(item(10, 3))
    whole = _limited(off(1, target="allItems"), limits=limits, cart=cart)
    assert whole.effects == []
    cut = _limited(off(1, target="allItems", partial=True), limits=limits, cart=cart)
    assert values(cut, "setDiscountPerItem") == [1, 1]


def test_a_cut_discount_of_items_is_given_out_in_the_order_of_the_units() -> None:
    cart = session(item(10, 3))
    evaluation = _limited(off(10, target="allItems", partial=True), limits=[_limit(15)], cart=cart)
    found = props(evaluation, "setDiscountPerItem")
    assert [each["value"] for each in found] == [10, 5]
    assert found[1]["desiredValue"] == 10


def test_a_cut_prorated_discount_says_what_it_wanted() -> None:
    cart = session(item(10), item(30))
    target = {"type": "allItems", "prorated": True}
    evaluation = _limited(off(20, target=target, partial=True), limits=[_limit(10)], cart=cart)
    assert props(evaluation, "setDiscountPerItem")[1] == {
        "name": "Off#1",
        "value": 7.5,
        "position": 1,
        "subPosition": 0,
        "totalDiscount": 10,
        "desiredValue": 15,
        "desiredTotalDiscount": 20,
    }
    assert counters(evaluation) == {_KEY: 10}
    assert _limited(off(20, target=target), limits=[_limit(10)], cart=cart).effects == []


def test_a_gift_card_pays_what_it_has_left() -> None:
    card = coupon(discountLimit=50)
    known = _counted("coupon:5:discount", 20)
    entry = campaign(1, rule(COUPON, off("{{$Session.Total}}", partial=True)))
    evaluation = run(entry, coupons=[card], known=known)
    assert props(evaluation, "setDiscount")[0] == {
        "name": "Off",
        "value": 30,
        "desiredValue": 100,
    }
    assert counters(evaluation)["coupon:5:discount"] == 30
    two = run(entry, coupons=[card, coupon(coupon_id=6, discountLimit=90)], known=known)
    assert values(two) == [30, 70]


def _budget(operator: str, action: str, **more: Any) -> Any:
    return {"type": "checkBudget", "operator": operator, "action": action, **more}


def test_budgets_can_be_conditions() -> None:
    limits = [_limit(30), _limit(1, action="customEffect")]

    def passes(check: Any, *before: Any, **more: Any) -> bool:
        evaluation = _limited(*before, check, note(), limits=limits, **more)
        return "showNotification" in types(evaluation)

    available = _budget("available", "setDiscount")
    assert passes(available)
    assert passes(available, off(29))
    assert not passes(available, off(30))
    assert passes(_budget("enoughFor", "setDiscount", value=30))
    assert not passes(_budget("enoughFor", "setDiscount", value=30.01))
    assert passes(_budget("available", "createCoupon"))
    known = _counted("campaign:1:customEffect::", 1)
    assert not passes(_budget("available", "customEffect"), known=known)
    once = coupon(usageLimit=1)
    checks = (COUPON, _budget("available", "redeemCoupon"), note())
    assert "showNotification" in types(run(campaign(1, rule(*checks)), coupons=[once]))


def test_a_limit_on_free_items_is_known_under_both_spellings() -> None:
    gift = {"type": "awardItem", "sku": "TOTE", "name": "Tote", "quantity": "3", "partial": True}
    for action in ("addFreeItem", "addFreeItemEffect"):
        evaluation = _limited(gift, limits=[_limit(2, action=action)])
        assert (
            props(evaluation, "addFreeItem")
            == [{"sku": "TOTE", "name": "Tote", "desiredQuantity": 3}] * 2
        )
        assert counters(evaluation) == {"campaign:1:addFreeItemEffect::": 2}
