"""Conditions about events, audiences, tiers, points, cards and achievements."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from sandbox.rules.facts_double import FactsDouble, make_scope
from talon_one.sandbox.rules.compiled import EvaluationError
from talon_one.sandbox.rules.conditions import CONDITIONS
from talon_one.sandbox.rules.context import Context
from talon_one.sandbox.rules.scope import Scope
from talon_one.sandbox.rules.situation import Json

FACTS = FactsDouble(
    profiles={"Current": {"integrationId": "anna"}, "Advocate": {"integrationId": "bob"}},
    audiences={"Current": {5}, "Advocate": {6}},
    changes={"Current": {5: True, 7: False}},
    balances={(4, "", "current"): Decimal(100), (4, "travel", "pending"): Decimal("7.5")},
    tiers={(4, ""): {"id": 3, "name": "Gold"}, (4, "travel"): {"id": 2}},
    programs_of_tiers={2: 4, 3: 4, 9: 8},
    loyalty_cards=[
        {"identifier": "C-1"},
        {"identifier": "C-2", "profiles": [{"integrationId": "anna"}]},
    ],
    achievements={
        1: {"target": 10, "currentProgress": {"status": "not_started", "progress": 0}},
        2: {"target": 10, "currentProgress": {"status": "inprogress", "progress": 8}},
        3: {"target": 10, "currentProgress": {"status": "completed", "progress": 10}},
        4: {"target": 10, "currentProgress": {"status": "expired", "progress": 9}},
        5: {"target": 10},
    },
)
SCOPE = replace(
    make_scope(
        {"total": 100},
        facts=FACTS,
        event={"type": "newsletterJoined", "attributes": {"Channel": "shop", "Count": 2}},
    ),
    tentative={"4:": Decimal(50)},
)


def holds(kind: str, scope: Scope = SCOPE, **properties: Any) -> Any:
    """Return true, false, `fails`, or the pointers of what is refused."""
    context = Context()
    condition = CONDITIONS[kind]({"id": "c", "type": kind, **properties}, context)
    if context.mistakes:
        return [mistake.pointer for mistake in context.mistakes]
    try:
        return condition(scope)
    except EvaluationError:
        return "fails"


def check(kind: str, cases: list[tuple[dict[str, Any], Any]], scope: Scope = SCOPE) -> None:
    wrong = [
        (properties, expected, found)
        for properties, expected in cases
        if (found := holds(kind, scope, **properties)) != expected
    ]
    assert wrong == []


def matcher(attribute: str, value: Any) -> dict[str, Any]:
    return {
        "type": "checkAttribute",
        "operator": "equals",
        "attribute": f"$Event.{attribute}",
        "value": value,
    }


def test_events_are_checked_by_their_type_and_all_matchers() -> None:
    joined: dict[str, Any] = {"eventType": "newsletterJoined"}
    shop, web = matcher("Channel", "shop"), matcher("Channel", "web")
    group = {"type": "group", "operator": "atLeastOne", "blocks": [web, shop]}
    cases: list[tuple[dict[str, Any], Any]] = [
        (joined, True),
        ({**joined, "matchers": []}, True),
        ({**joined, "matchers": [shop]}, True),
        ({**joined, "matchers": [shop, matcher("Count", 3)]}, False),
        ({**joined, "matchers": [group]}, True),
        ({**joined, "matchers": [{**group, "operator": "none"}]}, False),
        ({**joined, "matchers": [{"type": "passthrough", "expression": [True]}]}, True),
        ({**joined, "matchers": [matcher("Nothing", 1)]}, "fails"),
        # Matchers are not evaluated for other events.
        ({"eventType": "other", "matchers": [matcher("Nothing", 1)]}, False),
        ({"eventType": 5}, ["/eventType"]),
        ({}, [""]),
        ({**joined, "matchers": [{"type": "showNotification"}]}, ["/matchers/0/type"]),
        ({**joined, "matchers": [7]}, ["/matchers/0"]),
        ({**joined, "matchers": [{**shop, "onFailure": [shop]}]}, ["/matchers/0/onFailure"]),
    ]
    check("checkEvent", cases)


def test_built_in_events_have_names_in_camel_case_without_prefix() -> None:
    created = make_scope(event={"type": "talon_profile_created", "attributes": {}})
    cases: list[tuple[dict[str, Any], Any]] = [
        ({"eventType": "profileCreated"}, True),
        ({"eventType": "talon_profile_created"}, True),
        ({"eventType": "profileUpdated"}, False),
        ({"eventType": "ProfileCreated"}, True),
    ]
    check("checkEvent", cases, created)


def test_audiences_are_checked_for_members_and_for_changes_by_the_request() -> None:
    def of(operator: str, audience: int, profile: str = "Current") -> dict[str, Any]:
        return {"operator": operator, "profile": profile, "audience": {"id": audience}}

    cases: list[tuple[dict[str, Any], Any]] = [
        (of("member", 5), True),
        (of("member", 6), False),
        (of("member", 6, "Advocate"), True),
        (of("not(member)", 6), True),
        (of("not(member)", 5), False),
        (of("justJoined", 5), True),
        (of("justJoined", 7), False),
        (of("justJoined", 6), False),
        (of("justLeft", 7), True),
        (of("justLeft", 5), False),
        (of("justLeft", 6), False),
        (of("not(justLeft)", 5), ["/operator"]),
        (of("member", 5, "Friend"), ["/profile"]),
        ({**of("member", 5), "audience": 5}, ["/audience"]),
        ({**of("member", 5), "audience": {"name": "x"}}, ["/audience"]),
        ({}, ["", "", ""]),
    ]
    check("checkAudience", cases)


def test_tiers_are_those_of_their_program_and_ledger() -> None:
    def of(operator: str, tier: int, subledger: str = "") -> dict[str, Any]:
        return {"operator": operator, "subledger": subledger, "tier": {"id": tier}}

    cases: list[tuple[dict[str, Any], Any]] = [
        (of("member", 3), True),
        (of("member", 2), False),
        (of("member", 2, "travel"), True),
        (of("member", 9), False),
        (of("not(member)", 3), False),
        (of("not(member)", 9), True),
        (of("member", 77), "fails"),
        ({"operator": "member", "tier": {"id": 3}}, [""]),
    ]
    check("checkTier", cases)


def test_balances_are_compared_and_tentative_ones_count_this_evaluation() -> None:
    def of(operator: str, value: Any, balance: str, subledger: str = "") -> dict[str, Any]:
        program = {"id": 4, "name": "stars", "title": "Stars"}
        return {
            "operator": operator,
            "program": program,
            "subledger": subledger,
            "balance": balance,
            "value": value,
        }

    cases: list[tuple[dict[str, Any], Any]] = [
        (of("equals", 100, "current"), True),
        (of("not(equals)", 100, "current"), False),
        (of("lessThan", 100, "current"), False),
        (of("lessThanOrEqual", 100, "current"), True),
        (of("greaterThan", 99.5, "current"), True),
        (of("greaterThanOrEqual", 150, "tentativeCurrent"), True),
        (of("greaterThan", 150, "tentativeCurrent"), False),
        (of("equals", 7.5, "pending", "travel"), True),
        (of("equals", 0, "negative"), True),
        (of("greaterThan", "{{$Session.Total - 1}}", "current"), True),
        (of("greaterThan", "{{$Session.Nothing}}", "current"), "fails"),
        (of("greaterThan", "ten", "current"), ["/value"]),
        (of("between", 1, "current"), ["/operator"]),
        (of("equals", 1, "spent"), ["/balance"]),
    ]
    check("checkLoyaltyBalance", cases)


def test_a_card_is_linked_if_the_current_profile_has_it() -> None:
    strangers: list[Json] = [{"identifier": "C-3", "profiles": [{"integrationId": "eve"}]}]
    others = [
        replace(FACTS, loyalty_cards=[]),
        replace(FACTS, loyalty_cards=strangers),
        replace(FACTS, profiles={}),
    ]
    check(
        "checkLoyaltyCard", [({"operator": "linked"}, True), ({"operator": "not(linked)"}, False)]
    )
    for facts in others:
        scope = make_scope(facts=facts)
        cases: list[tuple[dict[str, Any], Any]] = [
            ({"operator": "linked"}, False),
            ({"operator": "not(linked)"}, True),
            ({"operator": "lost"}, ["/operator"]),
        ]
        check("checkLoyaltyCard", cases, scope)


def test_achievements_are_in_exactly_one_state() -> None:
    states = {1: "", 2: "inProgress", 3: "completed", 4: "", 5: ""}
    cases: list[tuple[dict[str, Any], Any]] = []
    for achievement, state in states.items():
        reference = {"id": achievement, "title": "", "name": "", "target": 10}
        for operator in ("inProgress", "completed", "started"):
            expected = state != "" if operator == "started" else state == operator
            cases += [
                ({"operator": operator, "achievement": reference}, expected),
                ({"operator": f"not({operator})", "achievement": reference}, not expected),
            ]
        cases.append(({"operator": "justCompleted", "achievement": reference}, False))
    cases += [
        ({"operator": "completed", "achievement": {"id": 99}}, "fails"),
        ({"operator": "not(justCompleted)", "achievement": {"id": 1}}, ["/operator"]),
    ]
    check("checkAchievement", cases)


def test_progress_of_this_evaluation_counts_for_achievements() -> None:
    scope = replace(SCOPE, progress={1: Decimal(1), 2: Decimal(2), 3: Decimal(5), 4: Decimal(3)})

    def of(operator: str, achievement: int) -> dict[str, Any]:
        return {"operator": operator, "achievement": {"id": achievement}}

    cases: list[tuple[dict[str, Any], Any]] = [
        (of("started", 1), True),
        (of("inProgress", 1), True),
        (of("completed", 2), True),
        (of("justCompleted", 2), True),
        (of("inProgress", 2), False),
        (of("justCompleted", 3), False),
        # Progress of an expired period does not count in the next.
        (of("inProgress", 4), True),
    ]
    check("checkAchievement", cases, scope)


def test_a_passthrough_condition_must_be_a_program_that_gives_a_truth_value() -> None:
    cases: list[tuple[dict[str, Any], Any]] = [
        ({"expression": [">", [".", "Session", "Total"], 50]}, True),
        ({"expression": ["<", [".", "Session", "Total"], 50]}, False),
        ({"expression": [[">", [".", "Session", "Total"], 50]]}, True),
        ({"expression": [False]}, False),
        ({"expression": [".", "Session", "Total"]}, "fails"),
        ({"expression": [".", "Session", "Nothing"]}, "fails"),
        ({"expression": ["=", [".", "Sessions", "Total"], 1]}, ["/expression/1"]),
        ({"expression": [["nope"]]}, ["/expression/0"]),
        ({"expression": []}, ["/expression"]),
        ({"expression": "x"}, ["/expression"]),
        ({}, [""]),
    ]
    check("passthrough", cases)
