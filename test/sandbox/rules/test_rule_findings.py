"""For a rule that fails, the evaluation says which block failed, and with which values."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sandbox.rules.stories import (
    ALWAYS,
    COUPON,
    NEVER,
    REFERRAL,
    Block,
    campaign,
    coupon,
    facts,
    group,
    item,
    note,
    off,
    referral,
    rule,
    run,
    session,
)
from talon_one.sandbox.rules.campaign_run import CampaignOutcome, RuleOutcome
from talon_one.sandbox.rules.compile import compile_ruleset
from talon_one.sandbox.rules.compiled import Rule, Ruleset
from talon_one.sandbox.rules.rule_run import Failure
from talon_one.sandbox.rules.scope import Unit
from talon_one.sandbox.rules.shop import CampaignEntry, Group
from talon_one.sandbox.rules.situation import ReferralEntry
from talon_one.sandbox.rules.traces import MAX_RUNS, traces_of
from talon_one.sandbox.rules.wording import (
    MAX_ELEMENTS,
    MAX_TEXT,
    condition_text,
    program_text,
    shown,
)

Found = dict[str, Any]


def check(attribute: Any, operator: str, **more: Any) -> Block:
    return {"type": "checkAttribute", "attribute": attribute, "operator": operator, **more}


def traced(*blocks: Block, **more: Any) -> Found:
    """Return the trace of the only run of a rule."""
    evaluation = run(campaign(1, rule(*blocks)), **more)
    [trace] = evaluation.traces
    json.dumps(trace, allow_nan=False)
    [found] = trace["rules"]
    return dict(found)


def finding(*blocks: Block, **more: Any) -> Found:
    found = traced(*blocks, **more)
    assert found["passed"] is False
    return dict(found["finding"])


def values(found: Found) -> dict[str, Any]:
    return {each["name"]: each.get("value", each.get("missing")) for each in found["values"]}


def test_a_rule_that_succeeds_leaves_its_title_alone() -> None:
    assert traced(ALWAYS, off()) == {"index": 0, "title": "Rule", "passed": True}


def test_a_condition_that_fails_is_named_with_its_place_and_its_values() -> None:
    computed = "{{$Application.Id * 500}}"
    found = finding(ALWAYS, check("$Session.CartItemTotal", "greaterThan", value=computed), off())
    assert found == {
        "type": "checkAttribute",
        "pointer": "/promotionRules/0/blocks/1",
        "condition": "$Session.CartItemTotal greater than {{$Application.Id * 500}}",
        "values": [
            {"name": "$Session.CartItemTotal", "value": 100},
            {"name": computed, "value": 500},
        ],
    }


def test_a_value_that_is_missing_is_named_with_the_error() -> None:
    found = finding(check("$Session.Attributes.Unknown", "isTrue"))
    assert values(found) == {
        "$Session.Attributes.Unknown": "$Session.Attributes.Unknown has no value"
    }
    assert found["error"] == "$Session.Attributes.Unknown has no value"


def test_a_group_names_the_blocks_that_decided_it() -> None:
    total = check("$Session.Total", "lessThan", value=7)
    everything = finding(group("all", ALWAYS, NEVER, total))
    assert [each["pointer"][-8:] for each in everything["blocks"]] == ["blocks/1"]
    one = finding(group("atLeastOne", NEVER, group("all", ALWAYS, total)))
    assert [each["type"] for each in one["blocks"]] == ["checkAttribute", "group"]
    [[inner]] = [each["blocks"] for each in one["blocks"] if "blocks" in each]
    assert values(inner) == {"$Session.Total": 100}
    nothing = finding(group("none", NEVER, ALWAYS))
    assert [each["pointer"][-8:] for each in nothing["blocks"]] == ["blocks/1"]
    assert nothing["condition"] == "none of these holds"


def test_a_block_that_stands_in_for_an_error_is_named_with_it() -> None:
    broken = check("$Session.Attributes.Unknown", "isTrue", onError={"missingValue": [NEVER]})
    [inner] = finding(broken)["blocks"]
    assert inner["condition"] == "$Application.Id not exists"


def test_effects_that_cannot_be_applied_are_named_with_the_reason() -> None:
    limits = [{"action": "setDiscount", "limit": 5, "entities": []}]
    evaluation = run(campaign(1, rule(ALWAYS, off(10, "Tenth")), limits=limits))
    [found] = evaluation.traces[0]["rules"]
    assert found["finding"]["condition"] == "award discount Tenth"
    assert found["finding"]["error"] == "the budget of setDiscount allows 5, not 10.00"
    assert found["details"] == found["finding"]["error"]


def test_every_kind_of_condition_says_what_it_had_found() -> None:
    known = facts(
        balances={(3, "", "current"): Decimal("12.5")},
        programs_of_tiers={8: 3},
        tiers={(3, ""): {"id": 7, "name": "Linen"}},
        achievements={
            4: {"id": 4, "target": 5, "currentProgress": {"status": "inprogress", "progress": 2}}
        },
        changes={"Current": {5: False}},
    )
    vip = {"id": 5, "name": "VIP"}
    points = {"type": "checkLoyaltyBalance", "operator": "greaterThan", "program": {"id": 3}}
    event: Block = {"type": "checkEvent", "eventType": "sessionUpdated"}
    expected: list[tuple[Block, Any]] = [
        (
            {"type": "checkAudience", "operator": "member", "profile": "Current", "audience": vip},
            ("the current profile is a member of the audience VIP", {"member": False}),
        ),
        (
            {
                "type": "checkAudience",
                "operator": "justJoined",
                "profile": "Current",
                "audience": vip,
            },
            ("the current profile has just joined the audience VIP", {"in this request": "left"}),
        ),
        (
            {"type": "checkTier", "operator": "member", "subledger": "", "tier": {"id": 8}},
            ("the profile is a member of the tier 8", {"tier of the profile": "Linen"}),
        ),
        (
            {**points, "subledger": "", "balance": "current", "value": "{{$Session.Total}}"},
            (
                "the current points of 3 greater than {{$Session.Total}}",
                {"points": 12.5, "{{$Session.Total}}": 100},
            ),
        ),
        (
            {**points, "subledger": "", "balance": "tentativeCurrent", "value": 90},
            ("the tentative current points of 3 greater than 90", {"points": 12.5}),
        ),
        (
            {"type": "checkLoyaltyCard", "operator": "linked"},
            (
                "the profile is linked to a loyalty card of the session",
                {"loyalty cards of the session": []},
            ),
        ),
        (
            {"type": "checkAchievement", "operator": "completed", "achievement": {"id": 4}},
            (
                "the achievement 4 is completed",
                {"status": "inprogress", "progress": 2, "target": 5},
            ),
        ),
        (
            {**event, "eventType": "profileCreated"},
            ("the event is profileCreated", {"event": "talon_session_updated"}),
        ),
        (COUPON, ("the coupon code is valid", {"coupon of this campaign": None})),
        (REFERRAL, ("the referral code is valid", {"referral of this campaign": None})),
    ]
    wrong = []
    for block, wanted in expected:
        found = finding(block, known=known)
        if (found["condition"], values(found)) != wanted:
            wrong.append((found, wanted))
    assert wrong == []
    matched = finding({**event, "matchers": [ALWAYS, group("none", NEVER, ALWAYS)]}, known=known)
    [matcher] = matched["blocks"]
    assert (matcher["condition"], matcher["pointer"][-10:]) == ("none of these holds", "matchers/1")
    assert [each["condition"] for each in matcher["blocks"]] == ["$Application.Id exists"]


def test_a_budget_says_what_is_left_of_it() -> None:
    block = {"type": "checkBudget", "operator": "enoughFor", "action": "setDiscount"}
    limits = [{"action": "setDiscount", "limit": 5, "entities": []}]
    wanted = {**block, "value": "{{$Session.Total}}"}
    [found] = run(campaign(1, rule(wanted), limits=limits)).traces[0]["rules"]
    assert values(found["finding"]) == {"left": 5, "{{$Session.Total}}": 100}


def test_codes_are_named_with_the_reason() -> None:
    expired = coupon(expiryDate="2020-01-01T00:00:00Z")
    found = traced(COUPON, coupons=[expired])
    assert found["coupon"] == "CODE-5"
    assert values(found["finding"]) == {"coupon": "CODE-5", "reason": "CouponExpired"}
    mine = referral(advocateProfileIntegrationId="ann")
    found = traced(REFERRAL, friend=ReferralEntry("FRIEND", mine))
    assert values(found["finding"])["reason"] == "ReferralRecipientIdSameAsAdvocate"


def test_conditions_in_talang_show_the_parts_that_decide_them() -> None:
    total = [".", "Session", "Total"]
    condition = [
        "and",
        [">", total, 1],
        ["or", ["=", total, ["+", 1, 2]], ["not", ["<", total, 500]]],
    ]
    ruleset = {
        "id": 40,
        "rules": [{"id": "a", "title": "T", "condition": condition, "effects": []}],
        "strikethroughRules": [],
        "bindings": [],
    }
    entry = CampaignEntry({"id": 1, "name": "V1", "state": "enabled"}, compile_ruleset(ruleset))
    [found] = run(entry).traces[0]["rules"]
    assert found["finding"] == {
        "type": "passthrough",
        "pointer": "/rules/0/condition/2",
        "condition": "(Session.Total = (1 + 2)) or not(Session.Total < 500)",
        "values": [{"name": "Session.Total", "value": 100}, {"name": "1 + 2", "value": 3}],
    }


def test_names_that_are_read_for_a_finding_are_not_remembered_for_later_rules() -> None:
    # The first rule fails before it reads the name, so the second one must compute it anew.
    first = rule(check("$Session.Attributes.No", "equals", value="{{$tally}}"), title="first")
    second = rule(check("$tally", "equals", value=100), note())
    parameters = [{"name": "tally", "value": 7, "valueType": "number"}]
    compiled = compile_ruleset(
        {
            "id": 1,
            "promotionRules": [first, second],
            "strikethroughRules": [],
            "selectors": [],
            "bundles": [],
            "parameters": parameters,
        }
    )
    reads: list[Any] = []

    def counting(scope: Any) -> Any:
        reads.append(scope)
        return Decimal(100)

    entry = CampaignEntry(
        {"id": 1, "name": "C", "state": "enabled"}, Ruleset(1, compiled.rules, {"tally": counting})
    )
    [failed, passed] = run(entry).traces[0]["rules"]
    assert values(failed["finding"])["{{$tally}}"] == 100
    assert passed["passed"] is True
    assert len(reads) == 2


def test_values_and_texts_have_a_limited_size() -> None:
    long = "x" * 5000
    many = list(range(5000))
    cart = session(item(), attributes={"Long": long, "Many": many, "Deep": {"a": {"b": {"c": {}}}}})
    found = finding(check("$Session.Attributes.Many", "contains", value=long), cart=cart)
    assert len(json.dumps(found)) < 2000
    assert values(found)["$Session.Attributes.Many"] == [*range(10), "… and 4990 more"]
    assert len(shown(long)) == MAX_TEXT
    assert shown({str(each): 1 for each in many})["…"] == "and 4990 more"
    assert shown([[[["deep"]]]]) == [[["a list"]]]
    deep = group("atLeastOne", *[group("atLeastOne", *[NEVER] * 100)] * 100)
    assert json.dumps(finding(deep)).count('"pointer"') == 50


def test_values_that_json_cannot_express_become_text() -> None:
    moment = datetime(2026, 1, 2, tzinfo=timezone.utc)
    unit = Unit(2, 0, {"sku": "SKU"}, Decimal(1))
    assert shown([Decimal("1E+300"), Decimal("NaN"), moment, unit, "\ud800", Decimal("10.50")]) == [
        "1E+300",
        "NaN",
        "2026-01-02T00:00:00.000000Z",
        "SKU (item 2)",
        "\\ud800",
        10.5,
    ]


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
anything = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=30
)


@given(anything)
def test_any_value_and_program_has_a_text(value: Any) -> None:
    program_text(value).encode()
    condition_text({"type": "checkAttribute", "operator": "equals", "attribute": value}).encode()
    condition_text({"type": "passthrough", "expression": value if value.__class__ is list else []})


def test_a_deep_program_has_a_text() -> None:
    source: Any = ["+", 1, 2]
    for _ in range(200):
        source = ["not", source]
    assert "…" in program_text(source)


def test_operators_read_as_words() -> None:
    cases: dict[str, dict[str, Any]] = {
        "$a between 1 and 2": {"operator": "between", "min": 1, "max": 2},
        "$a not within x to y": {"operator": "not(within)", "start": "x", "end": "y"},
        "$a contains at least 2 of [1, b]": {
            "operator": "containsAtLeast",
            "count": 2,
            "values": [1, "b"],
        },
        "$a one of [1]": {"operator": "oneOf", "value": [1]},
        "$a in collection Sale": {"operator": "inCollection", "value": {"id": 1, "name": "Sale"}},
        "$a equals true": {"operator": "equals", "value": True},
    }
    found = [
        condition_text({"type": "checkAttribute", "attribute": "$a", **block})
        for block in cases.values()
    ]
    assert found == list(cases)


def test_traces_have_a_limited_number_of_runs() -> None:
    one = RuleOutcome(Rule("", 0, "R", ()), Failure(0), None, None, Group())
    outcomes = {number: CampaignOutcome(rules=[one] * 300) for number in (1, 2, 3)}
    campaigns = {
        number: CampaignEntry({"id": number, "name": "C"}, Ruleset(number)) for number in outcomes
    }
    traces = traces_of(campaigns, outcomes)
    assert [len(each["rules"]) for each in traces] == [300, MAX_RUNS - 300, 0]
    assert [each.get("omitted") for each in traces] == [None, 100, 300]


def test_lists_longer_than_the_limit_are_cut_in_conditions() -> None:
    block = check("$a", "oneOf", value=list(range(MAX_ELEMENTS + 5)))
    assert condition_text(block).endswith("and 5 more]")
