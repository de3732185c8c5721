"""Evaluation groups: which campaigns apply, per session and per cart item, and nested."""

from __future__ import annotations

from typing import Any

from sandbox.rules.stories import (
    COUPON,
    NEVER,
    campaign,
    coupon,
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
from talon_one.sandbox.rules.outcome import Evaluation
from talon_one.sandbox.rules.shop import CampaignEntry, Group


def _discounting(**discounts: Any) -> list[CampaignEntry]:
    """Return a campaign for each discount; None is a campaign that is not triggered."""
    return [
        campaign(number, rule(NEVER if value is None else note(), off(value or 0, name=name)))
        for number, (name, value) in enumerate(discounts.items(), start=1)
    ]


def _names(evaluation: Evaluation) -> list[str]:
    return [each["name"] for each in props(evaluation, "setDiscount")]


def _applied(tree: Group, **discounts: Any) -> list[str]:
    return _names(run(*_discounting(**discounts), tree=tree))


def test_each_mode_applies_the_campaigns_that_it_promises() -> None:
    members = (1, 2, 3, 4)
    given = {"none": None, "mid": 5, "low": 2, "high": 9}
    found = {
        mode: _applied(Group(mode=mode, members=members), **given)
        for mode in ("stackable", "listOrder", "highestDiscount", "lowestDiscount")
    }
    assert found == {
        "stackable": ["mid", "low", "high"],
        "listOrder": ["mid"],
        "highestDiscount": ["high"],
        "lowestDiscount": ["low"],
    }


def test_the_first_of_equal_campaigns_wins() -> None:
    for mode in ("highestDiscount", "lowestDiscount"):
        assert _applied(Group(mode=mode, members=(2, 1)), a=5, b=5) == ["b"]


def test_the_order_of_the_tree_is_the_order_of_evaluation() -> None:
    assert _applied(Group(members=(3, 1, 2)), a=1, b=2, c=3) == ["c", "a", "b"]
    assert _applied(Group(members=(3,)), a=1, b=2, c=3) == ["c", "a", "b"]
    assert _applied(Group(mode="listOrder", members=(3, 77)), a=1, b=2, c=3) == ["c"]


def test_a_campaign_that_does_not_run_takes_no_part_in_its_group() -> None:
    off_duty = campaign(1, rule(off(9, name="a")), state="disabled")
    running = campaign(2, rule(off(5, name="b")))
    for mode in ("listOrder", "highestDiscount"):
        evaluation = run(off_duty, running, tree=Group(mode=mode, members=(1, 2)))
        assert _names(evaluation) == ["b"], mode
        assert evaluation.triggered == [2]


def test_only_triggered_and_winning_campaigns_are_listed_as_triggered() -> None:
    entries = _discounting(none=None, low=2, high=9)
    tree = Group(mode="highestDiscount", members=(1, 2, 3))
    assert run(*entries, tree=tree).triggered == [3]
    assert sorted(run(*entries).triggered) == [2, 3]


def test_a_losing_campaign_leaves_no_effect_and_no_consequence() -> None:
    entries = _discounting(low=2, high=9)
    tree = Group(mode="highestDiscount", members=(1, 2))
    together = run(*entries, tree=tree)
    alone = run(entries[1], tree=tree)
    assert together.effects == alone.effects
    assert together.consequences == alone.consequences


def test_a_campaign_that_only_fails_keeps_what_handles_its_failures() -> None:
    failing = campaign(1, rule({**NEVER, "onFailure": [note("sorry")]}))
    winner = campaign(2, rule(off(5)))
    for mode in ("listOrder", "highestDiscount"):
        evaluation = run(failing, winner, tree=Group(mode=mode, members=(1, 2)))
        assert sorted(types(evaluation)) == ["setDiscount", "showNotification"]
        assert [each["campaignID"] for each in evaluation.failures] == [1]


def test_groups_nest() -> None:
    best = Group(id=8, mode="highestDiscount", members=(2, 3))
    first = Group(id=9, mode="listOrder", members=(1, best))
    assert _applied(Group(members=(first, 4)), a=None, b=5, c=7, d=1) == ["c", "d"]
    assert _applied(Group(members=(first, 4)), a=3, b=5, c=7, d=1) == ["a", "d"]
    outer = Group(mode="highestDiscount", members=(Group(members=(1, 2)), 3))
    assert _applied(outer, a=4, b=4, c=7) == ["a", "b"]


def test_effects_and_failures_name_their_group() -> None:
    entries = _discounting(none=None, five=5)
    tree = Group(members=(Group(id=9, mode="listOrder", members=(1, 2)),))
    evaluation = run(*entries, tree=tree)
    assert evaluation.effects[0]["evaluationGroupID"] == 9
    assert evaluation.effects[0]["evaluationGroupMode"] == "listOrder"
    assert evaluation.failures[0]["evaluationGroupID"] == 9
    assert "evaluationGroupID" not in run(*entries).effects[0]


def test_groups_can_be_ignored() -> None:
    tree = Group(mode="listOrder", members=(1, Group(mode="highestDiscount", members=(2, 3))))
    evaluation = run(*_discounting(a=1, b=2, c=3), tree=tree, ignore_groups=True)
    assert _names(evaluation) == ["a", "b", "c"]


def test_the_loser_of_an_outer_group_rejects_the_codes_of_all_campaigns_in_it() -> None:
    entries = [campaign(1, rule(off(9))), campaign(2, rule(COUPON, off(1)))]
    inner = Group(id=4, members=(2,))
    tree = Group(mode="highestDiscount", members=(1, inner))
    evaluation = run(*entries, coupons=[coupon(campaign_id=2)], tree=tree)
    (rejection,) = props(evaluation, "rejectCoupon")
    assert rejection["campaignExclusionReason"] == "CampaignGaveLowerDiscount"
    assert "acceptCoupon" not in types(evaluation)


def test_eligibility_says_that_a_campaign_was_skipped() -> None:
    evaluation = run(
        *_discounting(low=2, high=9),
        tree=Group(mode="highestDiscount", members=(1, 2)),
        eligibility=True,
    )
    low, high = sorted(evaluation.eligibility, key=lambda each: int(each["id"]))
    assert low["eligibility"] == [{"passed": False, "details": {"failureCode": "SKIPPED"}}]
    assert high["eligibility"] == [{"passed": True}]


CART = session(item(100, category="a"), item(50, category="b"), item(20, category="c"))


def _per_category(number: int, name: str, **discounts: float) -> CampaignEntry:
    """Return a campaign that discounts items of categories."""
    selectors = [
        {
            "name": f"only_{category}",
            "type": "selector",
            "source": "$Session.CartItems",
            "steps": [
                {
                    "type": "filter",
                    "predicate": {
                        "type": "checkAttribute",
                        "operator": "equals",
                        "attribute": "$Item.Category",
                        "value": category,
                    },
                }
            ],
        }
        for category in discounts
    ]
    blocks = [
        off(value, name=name, target={"type": "selector", "name": f"only_{category}"})
        for category, value in discounts.items()
    ]
    return campaign(number, rule(*blocks), selectors=selectors)


def _per_item(mode: str, *entries: CampaignEntry, **more: Any) -> dict[str, float]:
    members = tuple(entry.campaign["id"] for entry in entries)
    tree = Group(mode=mode, scope="cartItem", members=members)
    evaluation = run(*entries, cart=CART, tree=tree, **more)
    return {each["name"]: each["value"] for each in props(evaluation, "setDiscountPerItem")}


def test_groups_of_item_scope_decide_for_each_cart_item() -> None:
    entries = (_per_category(1, "x", a=5, b=5), _per_category(2, "y", a=9, b=1, c=1))
    assert _per_item("highestDiscount", *entries) == {"y#0": 9, "x#1": 5, "y#2": 1}
    assert _per_item("lowestDiscount", *entries) == {"x#0": 5, "y#1": 1, "y#2": 1}
    assert _per_item("listOrder", *entries) == {"x#0": 5, "x#1": 5, "y#2": 1}
    assert _per_item("stackable", *entries) == {
        "x#0": 5,
        "x#1": 5,
        "y#0": 9,
        "y#1": 1,
        "y#2": 1,
    }


def test_a_campaign_that_wins_no_cart_item_is_excluded() -> None:
    entries = (_per_category(1, "x", a=5), _per_category(2, "y", a=9))
    tree = Group(mode="highestDiscount", scope="cartItem", members=(1, 2))
    evaluation = run(*entries, cart=CART, tree=tree, coupons=[coupon(1)])
    assert evaluation.triggered == [2]
    (rejection,) = props(evaluation, "rejectCoupon")
    assert rejection["campaignExclusionReason"] == "CampaignGaveLowerDiscount"


def test_item_scope_leaves_effects_on_the_session_alone() -> None:
    whole = campaign(3, rule(off(7, name="whole")))
    entries = (_per_category(1, "x", a=5), whole, _per_category(2, "y", a=9))
    tree = Group(mode="highestDiscount", scope="cartItem", members=(1, 3, 2))
    evaluation = run(*entries, cart=CART, tree=tree)
    assert values(evaluation) == [7]
    assert [each["name"] for each in props(evaluation, "setDiscountPerItem")] == ["y#0"]


def test_budgets_count_only_the_items_that_a_campaign_won() -> None:
    limit = {"action": "setDiscountEffect", "limit": 2, "entities": []}
    first = _per_category(1, "x", a=5, b=5)
    second = _per_category(2, "y", a=9, b=1)
    limited = CampaignEntry({**first.campaign, "limits": [limit]}, first.ruleset)
    tree = Group(mode="highestDiscount", scope="cartItem", members=(1, 2))
    evaluation = run(limited, second, cart=CART, tree=tree)
    counted = [each.counters for each in evaluation.consequences if each.campaign_id == 1]
    assert counted == [{"campaign:1:setDiscountEffect::": 1}]
