"""Rulesets V1 and passthrough blocks: Talang conditions, effects, bindings and `catch`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sandbox.rules.stories import (
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
from talon_one.sandbox.rules.compile import compile_ruleset
from talon_one.sandbox.rules.compiled import RulesetError
from talon_one.sandbox.rules.outcome import Evaluation
from talon_one.sandbox.rules.shop import CampaignEntry
from talon_one.sandbox.rules.situation import ReferralEntry

TEN_PERCENT = ["setDiscount", "10% off", ["*", [".", "Session", "Total"], ["/", 10, 100]]]
CAUGHT = ["catch", ["noop"], TEN_PERCENT]


def _ruleset(condition: Any, effects: Any, bindings: Any = (), **more: Any) -> dict[str, Any]:
    first = {"id": "a", "title": "Rule", "condition": condition, "effects": effects, **more}
    return {"id": 40, "rules": [first], "strikethroughRules": [], "bindings": list(bindings)}


def _entry(condition: Any, effects: Any, bindings: Any = (), **more: Any) -> CampaignEntry:
    properties = more.pop("properties", {})
    compiled = compile_ruleset(_ruleset(condition, effects, bindings, **more))
    return CampaignEntry({"id": 1, "name": "V1", "state": "enabled", **properties}, compiled)


def _run(condition: Any, effects: Any, bindings: Any = (), **more: Any) -> Evaluation:
    rule_properties = more.pop("rule_properties", {})
    return run(_entry(condition, effects, bindings, **rule_properties), **more)


def _refused(condition: Any, effects: Any, bindings: Any = (), **more: Any) -> list[str]:
    with pytest.raises(RulesetError) as error:
        compile_ruleset(_ruleset(condition, effects, bindings, **more))
    return [mistake.pointer for mistake in error.value.mistakes]


def test_the_example_of_the_specification_gives_ten_percent() -> None:
    for effects in ([CAUGHT], CAUGHT, [TEN_PERCENT], TEN_PERCENT):
        evaluation = _run(["and", ["couponValid"]], effects, coupons=[coupon()])
        assert types(evaluation) == ["acceptCoupon", "setDiscount"]
        assert props(evaluation, "setDiscount") == [{"name": "10% off", "value": 10}]
        assert evaluation.effects[1]["triggeredByCoupon"] == 5
        assert [each.kind for each in evaluation.consequences] == ["redeemCoupon", "setDiscount"]
    assert _run(["and", ["couponValid"]], [CAUGHT]).effects == []


def test_a_referral_is_checked_in_talang() -> None:
    friend = ReferralEntry("FRIEND", referral())
    evaluation = _run(["referralValid"], [TEN_PERCENT], friend=friend)
    assert types(evaluation) == ["acceptReferral", "setDiscount"]
    assert [each.kind for each in evaluation.consequences] == ["redeemReferral", "setDiscount"]
    assert _run(["referralValid"], [TEN_PERCENT]).effects == []


def test_rules_without_a_condition_always_apply() -> None:
    for condition in (None, [], ["and"], [True]):
        assert values(_run(condition, [TEN_PERCENT])) == [10], condition


def test_a_false_part_of_and_is_named_by_its_place() -> None:
    condition = ["and", ["couponValid"], [">", [".", "Session", "Total"], 500]]
    evaluation = _run(condition, [TEN_PERCENT], coupons=[coupon()])
    (rejection,) = props(evaluation, "rejectCoupon")
    assert rejection["rejectionReason"] == "CouponRejectedByCondition"
    assert rejection["conditionIndex"] == 1


def test_catch_makes_a_failing_effect_silent() -> None:
    limits = {"limits": [{"action": "setDiscount", "limit": 5, "entities": []}]}
    then = ["showNotification", "Info", "Hi", "There"]
    caught = run(_entry(None, [CAUGHT, then], properties=limits))
    assert types(caught) == ["showNotification"]
    assert caught.failures == []
    failed = run(_entry(None, [then, TEN_PERCENT], properties=limits))
    assert failed.effects == []
    assert failed.failures[0]["effectIndex"] == 1


def test_catch_leaves_nothing_of_an_effect_that_fails_half_way() -> None:
    limits = {"limits": [{"action": "setDiscount", "limit": 25, "entities": []}]}
    each = ["catch", ["noop"], ["setDiscountPerItem", "Off", 10]]
    then = ["setDiscount", "Rest", 25]
    evaluation = run(_entry(None, [each, then], properties=limits), cart=session(item(100, 3)))
    assert types(evaluation) == ["setDiscount"]


def test_errors_of_talang_are_reported() -> None:
    evaluation = _run(["=", [".", "Session", "Attributes", "Unknown"], 1], [TEN_PERCENT])
    assert types(evaluation) == ["error"]
    assert evaluation.failures[0]["conditionIndex"] == 0
    in_effect = _run(None, [["setDiscount", "Off", [".", "Session", "Attributes", "Unknown"]]])
    assert types(in_effect) == ["error"]
    assert in_effect.failures[0]["effectIndex"] == 0
    text = _run(None, [["setDiscount", "Off", [".", "Session", "State"]]])
    assert types(text) == ["error"]
    assert types(_run([".", "Session", "Total"], [TEN_PERCENT])) == ["error"]


def test_the_calls_for_effects_give_their_effects() -> None:
    known = facts(balances={(4, "", "current"): Decimal(50)})
    calls: dict[str, Any] = {
        "setDiscountPerItem": ["setDiscountPerItem", "Off", [".", "Item", "Price"]],
        "addFreeItem": ["addFreeItem", "TOTE", "Tote bag"],
        "addLoyaltyPoints": ["addLoyaltyPoints", "Thanks", 4, "", 20],
        "deductLoyaltyPoints": ["deductLoyaltyPoints", "Paid", 4, "", 20],
        "showNotification": ["showNotification", "Offer", "Title", "Body"],
        "updateAttribute": ["updateAttribute", "Profile.Attributes.Tier", "gold"],
    }
    evaluation = _run(None, list(calls.values()), known=known, cart=session(item(5, 2)))
    assert types(evaluation) == ["setDiscountPerItem", *calls]
    assert values(evaluation, "setDiscountPerItem") == [5, 5]
    assert props(evaluation, "addFreeItem") == [{"sku": "TOTE", "name": "Tote bag"}]
    points = props(evaluation, "addLoyaltyPoints")[0]
    assert "awaitsActivation" not in points
    assert (points["name"], points["programId"], points["value"]) == ("Thanks", 4, 20)
    assert props(evaluation, "deductLoyaltyPoints")[0]["ruleTitle"] == "Rule"
    assert props(evaluation, "showNotification")[0]["body"] == "Body"
    assert props(evaluation, "updateAttribute") == [
        {"path": "Profile.Attributes.Tier", "value": "gold"}
    ]
    old = _run(None, [["addFreeItem", "ann", "TOTE", "Tote bag"]])
    assert props(old, "addFreeItem") == [{"sku": "TOTE", "name": "Tote bag"}]
    wrong = _run(None, [["updateAttribute", "Nobody.Tier", 1]])
    assert types(wrong) == ["error"]


def test_bindings_see_those_before_them_and_pick_cart_items() -> None:
    bindings = [
        {"name": "half", "type": "templateParameter", "expression": [10]},
        {"name": "percent", "type": "templateParameter", "expression": ["*", [".", "half"], 2]},
        {"name": "factor", "expression": ["/", [".", "percent"], 100]},
        {
            "name": "lamps",
            "type": "cartItemFilter",
            "expression": [
                "filter",
                [".", "Session", "CartItems"],
                [["it"], ["=", [".", "it", "Category"], "lamps"]],
            ],
        },
        {"name": "points", "type": "subledgerBalance", "expression": ["subledgerBalance", 4, ""]},
    ]
    price = ["*", [".", "Item", "Price"], [".", "factor"]]
    evaluation = _run(
        [">=", ["count", [".", "lamps"]], 2],
        [
            ["setDiscountPerItem", "Lamps", price, [".", "lamps"]],
            ["setDiscount", "Points", [".", "points"]],
        ],
        bindings,
        cart=session(item(50, category="sofas"), item(10, 2, category="lamps")),
        known=facts(balances={(4, "", "current"): Decimal(7)}),
    )
    found = props(evaluation, "setDiscountPerItem")
    assert [(each["name"], each["value"]) for each in found] == [("Lamps#1", 2), ("Lamps#1", 2)]
    assert values(evaluation) == [7]


def test_bindings_of_bundles_are_discounted_bundle_by_bundle() -> None:
    items = [".", "Session", "CartItems"]
    pair = ["list", ["item", items, 0], ["item", items, 1]]
    bindings = [{"name": "pairs", "type": "bundle", "expression": ["list", pair]}]
    effect = ["setDiscountPerItem", "Pair", 1, [".", "pairs"]]
    evaluation = _run(None, [effect], bindings, cart=session(item(5, 3)))
    assert [
        (each["subPosition"], each["bundleIndex"], each["bundleName"])
        for each in props(evaluation, "setDiscountPerItem")
    ] == [(0, 0, "pairs"), (1, 0, "pairs")]
    wrong = _run(None, [["setDiscountPerItem", "Pair", 1, ["list", 1]]])
    assert types(wrong) == ["error"]


def test_bindings_of_a_rule_are_its_own() -> None:
    ruleset = _ruleset(None, [["setDiscount", "Off", [".", "mine"]]])
    first, second = ruleset["rules"][0], {**ruleset["rules"][0], "id": "b"}
    first["bindings"] = [{"name": "mine", "expression": ["+", 1, 1]}]
    second["bindings"] = [{"name": "mine", "expression": ["+", 2, 2]}]
    compiled = compile_ruleset({**ruleset, "rules": [first, second]})
    entry = CampaignEntry({"id": 1, "name": "V1", "state": "enabled"}, compiled)
    assert values(run(entry)) == [2, 4]


def test_what_cannot_be_evaluated_is_refused_with_its_place() -> None:
    good = [TEN_PERCENT]
    stories: list[tuple[tuple[Any, ...], list[str]]] = [
        ((["unknownCall"], good), ["/rules/0/condition"]),
        ((["and", ["couponValid"], ["nope"]], good), ["/rules/0/condition/2"]),
        ((["or", True, ["nope"]], good), ["/rules/0/condition/2"]),
        ((None, [["nope", 1]]), ["/rules/0/effects/0"]),
        ((None, [["catch", ["noop"], ["nope"]]]), ["/rules/0/effects/0/2"]),
        ((None, [["setDiscount", "Off"]]), ["/rules/0/effects/0"]),
        ((None, ["setDiscount", "Off"]), ["/rules/0/effects"]),
        ((None, [["acceptCoupon", "X"]]), ["/rules/0/effects/0"]),
        ((None, [["setDiscount", "Off", [".", "nobody"]]]), ["/rules/0/effects/0/2"]),
        ((None, [7]), ["/rules/0/effects/0"]),
        ((None, [["showNotification", "Loud", "T", "B"]]), ["/rules/0/effects/0/1"]),
        ((None, good, [{"name": "x", "expression": [".", "y"]}]), ["/bindings/0/expression"]),
        ((None, good, [{"name": "x"}]), ["/bindings/0"]),
        ((None, good, [{"name": "x", "type": "odd", "expression": [1]}]), ["/bindings/0/type"]),
        ((None, good, [{"name": "Session", "expression": [1]}]), ["/bindings/0/name"]),
        (
            (["setDiscount", "Off", 1], good),
            ["/rules/0/condition"],
        ),
    ]
    wrong = [(case, found) for case, places in stories if (found := _refused(*case)) != places]
    assert wrong == []


def test_rules_and_bindings_that_are_none_are_refused() -> None:
    with pytest.raises(RulesetError) as error:
        compile_ruleset({"id": 1, "rules": [7], "bindings": [8]})
    pointers = sorted(mistake.pointer for mistake in error.value.mistakes)
    assert pointers == ["/bindings/0", "/rules/0"]


def test_passthrough_blocks_are_conditions_or_effects_by_what_they_call() -> None:
    def block(*expression: Any) -> dict[str, Any]:
        return {"type": "passthrough", "expression": list(expression)}

    valid, discount = block("couponValid"), block(*TEN_PERCENT)
    entry = campaign(1, rule(valid, discount, block(*CAUGHT)))
    evaluation = run(entry, coupons=[coupon()])
    assert types(evaluation) == ["acceptCoupon", "setDiscount", "setDiscount"]
    assert evaluation.consequences[0].kind == "redeemCoupon"
    failed = run(campaign(1, rule(note(), block(">", [".", "Session", "Total"], 500), off())))
    assert failed.effects == []
    assert failed.failures[0]["conditionIndex"] == 0
    with pytest.raises(RulesetError, match="promotionRules/0/blocks/0/expression"):
        campaign(1, rule(block("setDiscount", "Off")))


def test_points_in_talang_need_the_feature() -> None:
    award = ["addLoyaltyPoints", "Thanks", 4, "", 20]
    entry = _entry(None, [award], properties={"features": ["coupons"]})
    assert run(entry).effects == []
