"""Every other effect: free items, giveaways, codes, points, progress, updates, custom effects."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sandbox.rules.facts_double import FactsDouble
from sandbox.rules.stories import (
    COUPON,
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
from talon_one.sandbox.rules.compiled import RulesetError
from talon_one.sandbox.rules.outcome import Consequence, Evaluation
from talon_one.sandbox.rules.payloads import fill
from talon_one.sandbox.rules.situation import ReferralEntry

CLOSED = session(item(100), state="closed")
ANONYMOUS = session(item(100), profileId="")
STARS = {"id": 4, "name": "stars", "title": "Stars"}


def _run(*blocks: Any, **more: Any) -> Evaluation:
    return run(campaign(1, rule(*blocks)), **more)


def _only(evaluation: Evaluation) -> Consequence:
    (consequence,) = evaluation.consequences
    assert any(consequence.effect is effect for effect in evaluation.effects)
    return consequence


def _fails(*blocks: Any, **more: Any) -> bool:
    evaluation = _run(*blocks, **more)
    assert evaluation.consequences == []
    return evaluation.effects == [] and "effectIndex" in evaluation.failures[0]


def test_free_items_come_one_by_one() -> None:
    gift = {
        "type": "awardItem",
        "sku": "TOTE",
        "name": "Tote",
        "quantity": "{{$Session.Total / 30}}",
    }
    evaluation = _run(gift)
    assert props(evaluation, "addFreeItem") == [{"sku": "TOTE", "name": "Tote"}] * 3
    assert [each.kind for each in evaluation.consequences] == ["addFreeItemEffect"] * 3
    none = _run({**gift, "quantity": "0.9"}, note())
    assert types(none) == ["showNotification"]
    assert _fails({**gift, "quantity": "-1"})
    assert _fails({**gift, "quantity": "100000"})


def test_giveaways_are_promised_while_open_and_awarded_on_closing() -> None:
    pool = {"id": 2, "name": "Vouchers"}
    block = {"type": "awardGiveaway", "giveawayPool": pool, "profile": "Current"}
    known = facts(pools={2: 1})
    expected = {"poolId": 2, "poolName": "Vouchers", "recipientIntegrationId": "ann"}
    assert props(_run(block, known=known), "willAwardGiveaway") == [expected]
    closed = _run(block, known=known, cart=CLOSED)
    assert props(closed, "awardGiveaway") == [expected]
    consequence = _only(closed)
    assert (consequence.kind, consequence.target) == ("awardGiveaway", "2")
    assert _fails(block, block, known=known)
    assert _fails(block, known=known, cart=ANONYMOUS)
    friend = _run({**block, "profile": "Advocate"}, known=known)
    assert props(friend, "willAwardGiveaway")[0]["recipientIntegrationId"] == "bob"
    assert _fails(block)


def test_codes_are_created_when_the_session_closes() -> None:
    block = {
        "type": "createCoupon",
        "campaignId": 78,
        "recipientId": "{{$Profile.IntegrationId}}",
        "storeInSession": True,
        "usageLimit": 1,
        "discountLimit": "{{$Session.Total / 10}}",
        "expiryDate": "2027-01-31T23:59:59Z",
        "attributes": {"Reason": "thanks", "Spent": "{{$Session.Total}}"},
        "pattern": "THX-####",
    }
    assert _run(block).effects == []
    closed = _run(block, cart=CLOSED)
    assert props(closed, "couponCreated") == [{"value": "", "profileId": "ann"}]
    consequence = _only(closed)
    assert (consequence.kind, consequence.target) == ("createCoupon", "78")
    assert consequence.details == {
        "campaignId": 78,
        "recipientId": "ann",
        "storeInSession": True,
        "usageLimit": 1,
        "discountLimit": 10,
        "expiryDate": "2027-01-31T23:59:59.000000Z",
        "attributes": {"Reason": "thanks", "Spent": 100},
        "pattern": "THX-####",
    }
    refer = {
        "type": "createReferral",
        "campaignId": "{{$Campaign.Id}}",
        "friendId": "",
        "storeInSession": False,
        "usageLimit": 0,
    }
    created = _run(refer, cart=CLOSED)
    assert props(created, "referralCreated") == [{"value": ""}]
    details = _only(created).details
    assert (details["campaignId"], details["advocateProfileIntegrationId"]) == (1, "ann")
    limit = {"action": "createCoupon", "limit": 0, "entities": []}
    used_up = run(campaign(1, rule(block, off()), limits=[limit]))
    assert used_up.effects == []


def test_coupons_are_reserved_while_the_session_is_open() -> None:
    reserve = {"type": "reserveCoupon"}
    evaluation = _run(COUPON, reserve, coupons=[coupon(reservationLimit=1)])
    assert props(evaluation, "reserveCoupon") == [
        {"couponValue": "CODE-5", "profileIntegrationId": "ann", "isNewReservation": True}
    ]
    consequence = evaluation.consequences[-1]
    assert (consequence.kind, consequence.target, consequence.early) == (
        "reserveCoupon",
        "5",
        True,
    )
    assert consequence.counters == {"coupon:5:reservations": 1}
    held = facts(reservations={(5, "Current")})
    again = _run(COUPON, reserve, coupons=[coupon(reservationLimit=1)], known=held)
    assert props(again, "reserveCoupon")[0]["isNewReservation"] is False
    assert [each.kind for each in again.consequences] == ["redeemCoupon"]
    full = facts(counters={"coupon:5:reservations": Decimal(1)})
    rejected = _run(COUPON, reserve, coupons=[coupon(reservationLimit=1)], known=full)
    assert props(rejected, "rejectCoupon")[0]["rejectionReason"] == "EffectCouldNotBeApplied"
    assert _fails(reserve)


def test_notifications_fill_their_texts() -> None:
    block = {
        "type": "showNotification",
        "notificationType": "Offer",
        "title": "Almost there",
        "body": "Only {{150 - $Session.Total}} to free shipping.",
    }
    evaluation = _run(block)
    assert props(evaluation, "showNotification") == [
        {
            "notificationType": "Offer",
            "title": "Almost there",
            "body": "Only 50 to free shipping.",
        }
    ]
    assert evaluation.consequences == []
    assert props(_run(note("Hi")), "showNotification")[0]["body"] == ""


def test_webhooks_carry_their_parameters_in_order() -> None:
    block = {
        "type": "triggerWebhook",
        "webhook": {"id": 3, "title": "Warehouse"},
        "params": {
            "total": "{{$Session.Total}}",
            "param_1": 12,
            "order": "{{$Session.IntegrationId}}",
        },
    }
    evaluation = _run(block)
    assert props(evaluation, "triggerWebhook") == [{"webhookId": 3, "webhookName": "Warehouse"}]
    consequence = _only(evaluation)
    assert (consequence.kind, consequence.target) == ("callApi", "3")
    assert list(consequence.details["params"].items()) == [
        ("total", 100),
        ("param_1", 12),
        ("order", "order-1"),
    ]


WRAP = {
    "id": 1,
    "name": "giftWrap",
    "payload": '{"text": "In ${Paper color}, for ${order_id}", "count": "${order_id}"}',
    "params": [{"title": "Paper color"}, {"title": "Order ID"}],
    "enabled": True,
}


def _wrap(target: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "triggerCustomEffect",
        "customEffect": {"id": 1, "name": "giftWrap", "title": "Gift wrap"},
        "params": {"paper_color": "red", "order_id": 7},
        "target": {"type": target},
        **more,
    }


def test_custom_effects_fill_the_payload_of_their_definition() -> None:
    known = facts(custom_effects={1: WRAP})
    evaluation = _run(_wrap("cart"), known=known)
    assert props(evaluation, "customEffect") == [
        {"effectId": 1, "name": "giftWrap", "payload": {"text": "In red, for 7", "count": 7}}
    ]
    items = _run(_wrap("allItems"), known=known, cart=session(item(1, 2)))
    places = [
        (each["cartItemPosition"], each["cartItemSubPosition"])
        for each in props(items, "customEffect")
    ]
    assert places == [(0, 0), (0, 1)]
    assert [each.position for each in items.consequences] == [0, 0]
    assert types(_run(_wrap("cart"))) == ["error"]
    assert _fails(_wrap("cart"), known=facts(custom_effects={1: {**WRAP, "enabled": False}}))
    assert types(_run(_wrap("cart", params={}), known=known)) == ["error"]


def test_payloads_may_have_placeholders_without_quotes() -> None:
    assert fill('{"n": ${n}, "l": ${l}}', {"n": 1.5, "l": ["x"]}) == {"n": 1.5, "l": ["x"]}
    assert fill('["${n} of ${b}"]', {"n": 2.50, "b": True}) == ["2.5 of true"]
    assert fill("", {}) == {}


def _points(value: Any, **more: Any) -> dict[str, Any]:
    block = {"type": "awardLoyaltyPoints", "name": "Thanks", "program": STARS, "subledger": ""}
    return {**block, "recipient": "Current", "target": {"type": "cart"}, "value": value, **more}


def test_points_are_awarded_to_a_profile_its_advocate_or_a_card() -> None:
    evaluation = _run(_points("{{$Session.Total / 3}}"))
    assert props(evaluation, "addLoyaltyPoints") == [
        {
            "name": "Thanks",
            "programId": 4,
            "subLedgerId": "",
            "value": 33.33,
            "recipientIntegrationId": "ann",
            "transactionUUID": "",
        }
    ]
    consequence = _only(evaluation)
    assert (consequence.kind, consequence.target) == ("createLoyaltyPoints", "4:")
    assert consequence.amount == Decimal("33.33")
    friend = _run(_points(5, recipient="Advocate", subledger="travel"))
    assert props(friend, "addLoyaltyPoints")[0]["recipientIntegrationId"] == "bob"
    assert friend.consequences[0].target == "4:travel"
    cards = facts(
        loyalty_cards=[{"identifier": "C-0", "programId": 9}, {"identifier": "C-1", "programId": 4}]
    )
    on_card = _run(_points(5), known=cards, cart=ANONYMOUS)
    assert props(on_card, "addLoyaltyPoints")[0]["cardIdentifier"] == "C-1"
    nobody = FactsDouble()
    assert _fails(_points(5), cart=ANONYMOUS, known=nobody)
    assert _fails(_points(-5))
    assert types(_run(_points(0), note())) == ["showNotification"]


def test_points_need_the_program_and_a_card_if_it_counts_points_by_card() -> None:
    spend = {"type": "redeemLoyaltyPoints", "program": STARS, "subledger": "", "value": 1}
    for program in (None, {"id": 4, "cardBased": True}):
        known = FactsDouble(
            profiles={"Current": {"integrationId": "ann"}},
            balances={(4, "", "current"): Decimal(9)},
            programs={4: program},
        )
        assert _fails(_points(5), known=known)
        assert _fails(spend, known=known)
    cards = facts(
        loyalty_cards=[{"identifier": "C-1", "programId": 4}],
        programs={4: {"id": 4, "cardBased": True}},
    )
    assert _fails(_points(5, recipient="Advocate"), known=cards)


def test_points_keep_their_dates_and_places() -> None:
    block = _points(
        "{{$Item.Price}}",
        target={"type": "allItems"},
        startDate="2027-01-01T00:00:00Z",
        validityDuration="30D",
        awaitsActivation=True,
    )
    evaluation = _run(block, cart=session(item(2, 2)))
    assert [
        (each["cartItemPosition"], each["cartItemSubPosition"], each["value"])
        for each in props(evaluation, "addLoyaltyPoints")
    ] == [(0, 0, 2), (0, 1, 2)]
    first = props(evaluation, "addLoyaltyPoints")[0]
    assert first["startDate"] == "2027-01-01T00:00:00.000000Z"
    assert first["validityDuration"] == "30D"
    assert first["awaitsActivation"] is True
    assert evaluation.consequences[0].details["validityDuration"] == "30D"


def test_points_are_cut_to_their_budget() -> None:
    limits = [{"action": "createLoyaltyPoints", "limit": 8, "entities": ["Profile"]}]
    cut = run(campaign(1, rule(_points(20, partial=True)), limits=limits))
    found = props(cut, "addLoyaltyPoints")[0]
    assert (found["value"], found["desiredValue"]) == (8, 20)
    assert run(campaign(1, rule(_points(20, partial=False)), limits=limits)).effects == []


def _redeem(value: Any, **more: Any) -> dict[str, Any]:
    return {
        "type": "redeemLoyaltyPoints",
        "program": STARS,
        "subledger": "",
        "value": value,
        **more,
    }


def test_points_are_redeemed_up_to_the_balance() -> None:
    known = facts(balances={(4, "", "current"): Decimal(50)})
    evaluation = _run(_redeem(30, name="Paid"), known=known)
    assert props(evaluation, "deductLoyaltyPoints") == [
        {
            "ruleTitle": "Rule",
            "programId": 4,
            "subLedgerId": "",
            "value": 30,
            "transactionUUID": "",
            "name": "Paid",
        }
    ]
    assert _only(evaluation).kind == "redeemLoyaltyPoints"
    two = run(campaign(1, rule(_redeem(30)), rule(_redeem(30)), rule(_redeem(20))), known=known)
    assert values(two, "deductLoyaltyPoints") == [30, 20]
    # Points of this evaluation are not in the ledger yet, so they cannot be spent.
    assert _fails(_points(100), _redeem(60), known=known)
    assert _fails(_redeem(1))


def test_points_of_a_card_are_redeemed_without_a_profile() -> None:
    known = facts(
        balances={(4, "", "current"): Decimal(50)},
        loyalty_cards=[{"identifier": "C-1", "programId": 4}],
    )
    evaluation = _run(_redeem(30), known=known, cart=ANONYMOUS)
    assert props(evaluation, "deductLoyaltyPoints")[0]["cardIdentifier"] == "C-1"
    assert _only(evaluation).details["cardIdentifier"] == "C-1"
    assert _fails(_redeem(30), known=facts(balances=known.balances), cart=ANONYMOUS)


def test_tentative_balances_see_what_the_evaluation_does() -> None:
    tentative = {
        "type": "checkLoyaltyBalance",
        "operator": "equals",
        "program": STARS,
        "subledger": "",
        "balance": "tentativeCurrent",
        "value": 65,
    }
    known = facts(balances={(4, "", "current"): Decimal(50)})
    later = _points(9, startDate="2027-01-01T00:00:00Z")
    blocks = (_points(20), _redeem(5), later, tentative, note())
    assert "showNotification" in types(_run(*blocks, known=known))


def _ride(value: str = "1") -> dict[str, Any]:
    return {
        "type": "updateAchievementProgress",
        "operator": "increaseBy",
        "value": value,
        "achievement": {"id": 6, "name": "tenRides", "title": "Ten rides", "target": 10},
    }


def _rides(progress: int | None = None, **more: Any) -> FactsDouble:
    achievement: dict[str, Any] = {"id": 6, "name": "tenRides", "target": 10, **more}
    if progress is not None:
        status = "completed" if progress == 10 else "inprogress"
        achievement["currentProgress"] = {"status": status, "progress": progress}
    return facts(achievements={6: achievement})


def test_progress_begins_grows_and_completes() -> None:
    begun = _run(_ride("3"), known=_rides())
    assert types(begun) == ["startAchievementProgress", "increaseAchievementProgress"]
    assert props(begun, "increaseAchievementProgress") == [
        {
            "achievementId": 6,
            "achievementName": "tenRides",
            "progressTrackerId": 0,
            "target": 10,
            "delta": 3,
            "value": 3,
            "isJustCompleted": False,
        }
    ]
    consequence = _only(begun)
    assert (consequence.kind, consequence.target, consequence.amount) == (
        "increaseProgress",
        "6",
        Decimal(3),
    )
    done = _run(_ride("3"), _ride("3"), _ride("3"), known=_rides(5))
    assert [
        (each["delta"], each["value"], each["isJustCompleted"])
        for each in props(done, "increaseAchievementProgress")
    ] == [(3, 8, False), (2, 10, True)]
    assert types(_run(_ride(), note(), known=_rides(10))) == ["showNotification"]


def test_achievements_that_start_over_give_an_effect_for_each_iteration() -> None:
    repeating = {"recurrencePolicy": "on_completion"}
    evaluation = _run(_ride("25"), _ride("5"), known=_rides(7, **repeating))
    steps = [
        (each["delta"], each["value"], each["isJustCompleted"])
        for each in props(evaluation, "increaseAchievementProgress")
    ]
    assert steps == [(3, 10, True), (10, 10, True), (10, 10, True), (2, 2, False), (5, 7, False)]
    assert types(evaluation).count("startAchievementProgress") == 3
    assert sum(each.amount for each in evaluation.consequences) == 30
    again = _run(_ride(), known=_rides(10, **repeating))
    assert types(again) == ["startAchievementProgress", "increaseAchievementProgress"]


def test_progress_knows_no_other_operator() -> None:
    with pytest.raises(RulesetError, match="blocks/0/operator"):
        _run({**_ride(), "operator": "setTo"})


def test_progress_fails_without_profile_achievement_or_time() -> None:
    assert _fails(_ride(), known=facts())
    assert _fails(_ride("0"), known=_rides())
    assert _fails(_ride(), known=_rides(endDate="2026-01-01T00:00:00Z"))
    assert _fails(_ride(), known=_rides(fixedStartDate="2027-01-01T00:00:00Z"))
    nobody = _rides()
    nobody.profiles.clear()
    assert _fails(_ride(), known=nobody, cart=ANONYMOUS)


def _update(operator: str, value: Any = None, target: Any = "profile", name: str = "X") -> Any:
    attribute = {"id": 31, "entity": "profile", "name": name, "title": name, "type": "number"}
    target = target if isinstance(target, dict) else {"type": target}
    block = {"type": "updateAttributeValue", "operator": operator, "attribute": attribute}
    return {**block, "target": target, **({} if value is None else {"value": value})}


def test_attributes_are_computed_from_their_old_values() -> None:
    attributes = {"X": 12, "Flag": True, "When": "2026-01-31T10:00:00Z"}
    known = facts()
    known.profiles["Current"] = {"id": 1, "integrationId": "ann", "attributes": attributes}
    stories: dict[tuple[str, Any, str], Any] = {
        ("setTo", "{{$Session.Total}}", "X"): 100,
        ("increaseBy", 3, "X"): 15,
        ("decreaseBy", 3, "X"): 9,
        ("multiplyBy", 0.5, "X"): 6,
        ("divideBy", 8, "X"): 1.5,
        ("increaseBy", 3, "New"): 3,
        ("toggle", None, "Flag"): False,
        ("toggle", None, "New"): True,
        ("laterBy", "3D", "When"): "2026-02-03T10:00:00.000000Z",
        ("earlierBy", "12h", "When"): "2026-01-30T22:00:00.000000Z",
        ("setTo", "text", "New"): "text",
    }
    found = {}
    for operator, value, name in stories:
        evaluation = _run(_update(operator, value, name=name), known=known)
        (effect,) = props(evaluation, "updateAttribute")
        assert effect["path"] == f"Profile.Attributes.{name}"
        found[operator, value, name] = effect["value"]
    assert found == stories
    wrong = [("divideBy", 0, "X"), ("toggle", None, "X"), ("laterBy", "soon", "When")]
    wrong += [("laterBy", "3D", "New"), ("increaseBy", 1, "Flag")]
    for operator, value, name in wrong:
        failed = _run(_update(operator, value, name=name), known=known)
        assert types(failed) == ["error"], operator


def test_several_updates_of_an_attribute_build_on_one_another() -> None:
    entry = campaign(1, rule(_update("increaseBy", 2)), rule(_update("increaseBy", 3)))
    assert values(run(entry), "updateAttribute") == [2, 5]


def test_attributes_of_every_target_have_their_path() -> None:
    friend = ReferralEntry("FRIEND", referral())
    paths = {}
    for target in ("profile", "advocateProfile", "session", "coupon", "referral", "allItems"):
        evaluation = _run(COUPON, _update("setTo", 1, target), coupons=[coupon()], friend=friend)
        consequence = evaluation.consequences[-1]
        identity = (consequence.details["entity"], consequence.details["id"])
        paths[target] = (consequence.target, *identity)
    assert paths == {
        "profile": ("Profile.Attributes.X", "Profile", "ann"),
        "advocateProfile": ("Advocate.Attributes.X", "Advocate", "bob"),
        "session": ("Session.Attributes.X", "Session", "order-1"),
        "coupon": ("Coupon.Attributes.X", "Coupon", "5"),
        "referral": ("Referral.Attributes.X", "Referral", "7"),
        "allItems": ("Session.CartItems[0].Attributes.X", "Session", "order-1"),
    }
    assert _fails(_update("setTo", 1, "coupon"))


def test_an_attribute_of_an_item_is_updated_once_whatever_its_quantity() -> None:
    cart = session(item(5, 3, attributes={"X": 1}), item(7))
    evaluation = _run(_update("increaseBy", "{{$Item.Price}}", "allItems"), cart=cart)
    assert values(evaluation, "updateAttribute") == [6, 7]
    assert [each.position for each in evaluation.consequences] == [0, 1]


def test_memberships_of_audiences_change_while_the_session_is_open() -> None:
    block = {
        "type": "updateAudienceMembership",
        "operator": "add",
        "profile": "Current",
        "audience": {"id": 5, "name": "Lamp club"},
    }
    evaluation = _run(block)
    assert props(evaluation, "addToAudience") == [
        {
            "audienceId": 5,
            "audienceName": "Lamp club",
            "profileIntegrationId": "ann",
            "profileId": 1,
        }
    ]
    consequence = _only(evaluation)
    assert (consequence.kind, consequence.target) == ("addToAudience", "5")
    assert consequence.early
    removed = _run({**block, "operator": "remove", "profile": "Advocate"})
    assert props(removed, "removeFromAudience")[0]["profileIntegrationId"] == "bob"


def test_effects_need_the_feature_of_their_campaign() -> None:
    stories = {
        "loyalty": (_points(5), {}),
        "achievements": (_ride(), {"known": _rides()}),
    }
    for feature, (block, more) in stories.items():
        with_it = run(campaign(1, rule(block), features=[feature]), **more)
        without = run(campaign(1, rule(block), features=["coupons"]), **more)
        assert with_it.effects, feature
        assert without.effects == [], feature
        assert feature in without.failures[0]["details"]


def test_numbers_without_measure_fail_the_rule_and_nothing_else() -> None:
    huge, known = "{{$Session.Attributes.Huge}}", _rides(3, recurrencePolicy="on_completion")
    known.balances[4, "", "current"] = Decimal(10) ** 40
    blocks: list[dict[str, Any]] = [
        off(huge),
        off(huge, target="allItems"),
        off(huge, target={"type": "allItems", "prorated": True}),
        {"type": "awardItem", "sku": "T", "name": "T", "quantity": huge},
        _points(huge),
        _redeem(huge),
        _ride(huge),
        _update("laterBy", huge),
        {"type": "createCoupon", "campaignId": huge, "recipientId": ""},
    ]
    infinite = {"type": "passthrough", "expression": ["addLoyaltyPoints", "x", 4, "", ["/", 1, 0]]}
    program = {"type": "passthrough", "expression": ["addLoyaltyPoints", "x", ["/", 1, 0], "", 1]}
    discount = {"type": "passthrough", "expression": ["setDiscount", "x", ["/", 1, 0]]}
    for value in (1e19, 1e40, 1e300, -1e300):
        cart = session(item(100), attributes={"Huge": value})
        for block in (*blocks, infinite, program, discount):
            evaluation = _run(note(), block, cart=cart, known=known)
            assert set(types(evaluation)) <= {"error"}, (value, block)
            assert len(evaluation.failures) == 1, (value, block)


def test_which_consequences_are_early_and_which_can_be_reversed() -> None:
    club = {
        "type": "updateAudienceMembership",
        "profile": "Current",
        "audience": {"id": 5, "name": "Lamp club"},
    }
    known = _rides()
    known.balances[4, "", "current"] = Decimal(50)
    known.custom_effects[1] = WRAP
    known.pools[2] = 1
    evaluation = _run(
        {**COUPON, "redeem": True},
        {"type": "checkReferral", "redeem": True},
        off(),
        {"type": "awardItem", "sku": "T", "name": "T", "quantity": "1"},
        {"type": "awardGiveaway", "giveawayPool": {"id": 2, "name": "V"}, "profile": "Current"},
        {"type": "createCoupon", "campaignId": 1, "recipientId": "ann"},
        {"type": "createReferral", "campaignId": 1, "friendId": ""},
        {"type": "reserveCoupon"},
        {"type": "triggerWebhook", "webhook": {"id": 3, "title": "Warehouse"}},
        _wrap("cart"),
        _points(5),
        _redeem(5),
        _ride(),
        _update("setTo", 1),
        {**club, "operator": "add"},
        {**club, "operator": "remove"},
        known=known,
        cart=CLOSED,
        coupons=[coupon()],
        friend=ReferralEntry("FRIEND", referral()),
    )
    found = {each.kind: (each.early, each.reversible) for each in evaluation.consequences}
    assert found == {
        "redeemCoupon": (False, True),
        "redeemReferral": (False, True),
        "setDiscount": (False, True),
        "addFreeItemEffect": (False, True),
        "awardGiveaway": (False, True),
        "createCoupon": (False, False),
        "createReferral": (False, False),
        "reserveCoupon": (True, False),
        "callApi": (False, True),
        "customEffect": (False, True),
        "createLoyaltyPoints": (False, True),
        "redeemLoyaltyPoints": (False, True),
        "increaseProgress": (False, True),
        "updateAttribute": (False, False),
        "addToAudience": (True, False),
        "removeFromAudience": (True, False),
    }


def test_effects_on_bundles_name_the_bundle_of_each_unit() -> None:
    pairs = {
        "id": "b",
        "name": "pair",
        "type": "bundle",
        "sources": ["{{$all}}"],
        "counts": [2],
        "matchers": [],
    }
    every = {"name": "all", "type": "selector", "source": "$Session.CartItems", "steps": []}
    target = {"type": "bundle", "name": "pair"}
    entry = campaign(
        1,
        rule({**_wrap("cart"), "target": target}, _points("{{$Item.Price}}", target=target)),
        selectors=[every],
        bundles=[pairs],
    )
    known = facts(custom_effects={1: WRAP})
    evaluation = run(entry, known=known, cart=session(item(2, 3), item(5)))
    expected = [(0, 0, 0), (0, 0, 1), (1, 0, 2), (1, 1, 0)]
    for effect_type in ("customEffect", "addLoyaltyPoints"):
        found = props(evaluation, effect_type)
        assert [
            (each["bundleIndex"], each["cartItemPosition"], each["cartItemSubPosition"])
            for each in found
        ] == expected
        assert {each["bundleName"] for each in found} == {"pair"}
    assert values(evaluation, "addLoyaltyPoints") == [2, 2, 2, 5]
