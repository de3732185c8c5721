"""Running a rule: order, groups, what handles failures and errors, and places in reports."""

from __future__ import annotations

from typing import Any

from sandbox.rules.stories import (
    ALWAYS,
    BROKEN,
    COUPON,
    NEVER,
    campaign,
    coupon,
    group,
    note,
    off,
    props,
    rule,
    run,
    types,
    values,
)

MISSING_COST = {
    "type": "additionalCost",
    "additionalCost": {"id": 1, "name": "gift wrap"},
    "target": {"type": "cart"},
}
FAILING = off(1, target=MISSING_COST)
EMPTY_POOL = {
    "type": "awardGiveaway",
    "giveawayPool": {"id": 2, "name": "Vouchers"},
    "profile": "Current",
}


def _titles(*blocks: Any) -> list[str]:
    evaluation = run(campaign(1, rule(*blocks)))
    return [each["title"] for each in props(evaluation, "showNotification")]


def test_blocks_run_in_order_and_the_first_false_one_ends_the_rule() -> None:
    evaluation = run(campaign(1, rule(note("a"), off(3), ALWAYS, note("b"))))
    assert types(evaluation) == ["showNotification", "setDiscount", "showNotification"]
    failed = run(campaign(1, rule(note("a"), off(3), NEVER, note("b"))))
    assert failed.effects == []
    assert failed.consequences == []
    assert failed.triggered == []
    assert failed.failures == [
        {
            "campaignID": 1,
            "campaignName": "Campaign 1",
            "rulesetID": 10,
            "ruleIndex": 0,
            "ruleName": "Rule",
            "conditionIndex": 0,
        }
    ]


def test_a_rule_that_fails_leaves_the_others_alone() -> None:
    evaluation = run(campaign(1, rule(off(3), NEVER), rule(off(4)), rule(NEVER)))
    assert values(evaluation) == [4]
    assert evaluation.effects[0]["ruleIndex"] == 1
    assert [failure["ruleIndex"] for failure in evaluation.failures] == [0, 2]
    assert evaluation.triggered == [1]


def test_groups_pass_as_their_operator_says() -> None:
    cases = {
        ("all", True, True): True,
        ("all", True, False): False,
        ("all",): True,
        ("atLeastOne", False, True): True,
        ("atLeastOne", False, False): False,
        ("atLeastOne",): False,
        ("none", False, False): True,
        ("none", False, True): False,
        ("none",): True,
    }
    found = {}
    for operator, *outcomes in cases:
        blocks = [ALWAYS if outcome else NEVER for outcome in outcomes]
        passed = _titles(group(str(operator), *blocks), note("passed")) == ["passed"]
        key = (operator, *outcomes)
        found[key] = passed
    assert found == cases
    nested = group("none", group("all", ALWAYS, group("atLeastOne", NEVER, NEVER)))
    assert _titles(nested, note("passed")) == ["passed"]


def test_groups_stop_as_soon_as_they_are_decided() -> None:
    assert _titles(group("atLeastOne", ALWAYS, BROKEN), note("passed")) == ["passed"]
    assert _titles(group("all", NEVER, BROKEN), note("passed")) == []
    stopped = run(campaign(1, rule(group("all", NEVER, BROKEN))))
    assert "error" not in types(stopped)


def test_effects_inside_of_groups_belong_to_the_rule() -> None:
    evaluation = run(campaign(1, rule(group("all", ALWAYS, off(2)), off(3))))
    assert values(evaluation) == [2, 3]
    assert values(run(campaign(1, rule(group("all", off(2), NEVER), off(3))))) == []


def test_the_handler_of_a_false_condition_runs_after_the_effects_are_discarded() -> None:
    handled = {**NEVER, "onFailure": [note("sorry")]}
    evaluation = run(campaign(1, rule(off(3), ALWAYS, handled, off(4))))
    (effect,) = evaluation.effects
    assert effect["props"]["title"] == "sorry"
    assert effect["conditionIndex"] == 1
    assert evaluation.triggered == []
    assert evaluation.failures[0]["conditionIndex"] == 1


def test_handlers_of_children_run_before_that_of_their_group() -> None:
    child = {**NEVER, "onFailure": [note("child")]}
    other = {**NEVER, "onFailure": [note("other")]}
    whole = group("atLeastOne", child, other, onFailure=[note("group")])
    assert _titles(whole) == ["child", "other", "group"]
    # A child that was false has its say even though another one saves the group.
    assert _titles(group("atLeastOne", child, ALWAYS), note("rule")) == ["rule", "child"]
    assert _titles(group("atLeastOne", ALWAYS, child), note("rule")) == ["rule"]


def test_conditions_in_a_handler_decide_about_the_rest_of_it() -> None:
    handled = {**NEVER, "onFailure": [note("one"), NEVER, note("two")]}
    assert _titles(handled) == ["one"]
    inner = {**NEVER, "onFailure": [note("never")]}
    assert _titles({**NEVER, "onFailure": [inner]}) == []


def test_a_failing_effect_takes_the_whole_rule_with_it() -> None:
    evaluation = run(campaign(1, rule(ALWAYS, off(3), FAILING, note("after"))))
    assert evaluation.effects == []
    assert evaluation.consequences == []
    (failure,) = evaluation.failures
    assert failure["effectIndex"] == 1
    assert "conditionIndex" not in failure
    assert "gift wrap" in failure["details"]


def test_an_effect_with_a_handler_of_failures_lets_the_rule_go_on() -> None:
    handled = {**EMPTY_POOL, "onFailure": [note("none left")]}
    assert _titles(off(3), handled, note("after")) == ["none left", "after"]
    silent = {**EMPTY_POOL, "onFailure": []}
    assert _titles(silent, note("after")) == ["after"]
    assert _titles(EMPTY_POOL, note("after")) == []


def test_an_error_fails_the_rule_and_is_reported() -> None:
    evaluation = run(campaign(1, rule(off(3), ALWAYS, BROKEN)))
    (effect,) = evaluation.effects
    assert effect["effectType"] == "error"
    assert "Unknown" in effect["props"]["message"]
    (failure,) = evaluation.failures
    assert failure["conditionIndex"] == 1
    assert failure["details"] == effect["props"]["message"]
    in_effect = run(campaign(1, rule(off(3), off("{{$Session.Attributes.Unknown}}"))))
    assert types(in_effect) == ["error"]
    assert in_effect.failures[0]["effectIndex"] == 1


def test_an_error_is_handled_by_its_name_at_the_block_or_around_it() -> None:
    instead = [note("instead")]
    assert _titles({**BROKEN, "onError": {"other": instead}}, note("after")) == []
    by_block = group("all", BROKEN, onError={"missingValue": instead})
    assert _titles(by_block, note("after")) == ["instead", "after"]
    outer = group("all", group("all", note("gone"), BROKEN), onError={"missingValue": instead})
    assert _titles(outer, note("after")) == ["instead", "after"]
    silent = group("all", BROKEN, onError={"missingValue": []})
    assert _titles(silent, note("after")) == ["after"]
    false = group("all", BROKEN, onError={"missingValue": [NEVER]})
    assert _titles(false, note("after")) == []
    text = note("{{$Session.Attributes.Unknown}}", onError={"missingValue": instead})
    assert _titles(text, note("after")) == ["instead", "after"]


def test_an_error_in_a_handler_is_reported_and_no_more() -> None:
    broken = {**NEVER, "onFailure": [note("{{$Session.Attributes.Unknown}}")]}
    evaluation = run(campaign(1, rule(broken)))
    assert types(evaluation) == ["error"]
    failing = {**NEVER, "onFailure": [note("gone"), FAILING]}
    assert run(campaign(1, rule(failing))).effects == []


def test_places_of_conditions_count_conditions_and_those_of_effects_count_effects() -> None:
    blocks = [note(), group("all", off(1), off(1)), ALWAYS, off(1), NEVER]
    assert run(campaign(1, rule(*blocks))).failures[0]["conditionIndex"] == 1
    blocks[-1] = FAILING
    assert run(campaign(1, rule(*blocks))).failures[0]["effectIndex"] == 4
    nested = rule(ALWAYS, group("all", ALWAYS, group("none", ALWAYS)))
    assert run(campaign(1, nested)).failures[0]["conditionIndex"] == 1


def test_failures_name_the_code_at_hand() -> None:
    evaluation = run(
        campaign(1, rule(COUPON, NEVER), rule(NEVER)),
        coupons=[coupon(coupon_id=5), coupon(coupon_id=6)],
    )
    named = [(each.get("couponID"), each.get("couponValue")) for each in evaluation.failures]
    assert named == [(5, "CODE-5"), (6, "CODE-6"), (None, None)]


def test_names_are_evaluated_once_whatever_rule_asks() -> None:
    count = {
        "name": "count",
        "type": "selector",
        "source": "$Session.CartItems",
        "steps": [{"type": "reduce", "operator": "count"}],
    }
    entry = campaign(1, rule(off("{{$count}}")), rule(off("{{$count * 2}}")), selectors=[count])
    assert values(run(entry)) == [1, 2]


def test_eligibility_is_reported_on_request() -> None:
    entry = campaign(
        1,
        rule(COUPON, off(), title="With code"),
        rule(NEVER, title="Never"),
        rule(FAILING, title="Failing"),
        features=["coupons"],
        tags=["spring"],
    )
    codes = [coupon(coupon_id=5), coupon(coupon_id=6, expiryDate="2026-01-01T00:00:00Z")]
    assert run(entry, coupons=codes).eligibility == []
    (report,) = run(entry, coupons=codes, eligibility=True).eligibility
    assert (report["id"], report["state"], report["features"]) == (1, "enabled", ["coupons"])
    assert report["eligibility"] == [
        {"passed": True, "couponCode": "CODE-5"},
        {
            "passed": False,
            "couponCode": "CODE-6",
            "details": {"failureCode": "ALL_RULES_FAILED"},
        },
        {"passed": False, "details": {"failureCode": "ALL_RULES_FAILED"}},
    ]
    codes_rule, never, failing = report["rules"]
    assert [each["passed"] for each in codes_rule["eligibility"]] == [True, False]
    assert never["eligibility"][0]["details"]["failureCode"] == "CONDITION_NOT_MET"
    details = failing["eligibility"][0]["details"]
    assert details["failureCode"] == "EFFECT_FAILED"
    assert details["effectIndex"] == 0
