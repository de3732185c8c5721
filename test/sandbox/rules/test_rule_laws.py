"""Laws of evaluation: pure, deterministic, within budgets and bases, and rewinding is complete."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sandbox.rules.stories import (
    COUPON,
    NEVER,
    campaign,
    coupon,
    facts,
    item,
    note,
    off,
    rule,
    run,
    session,
    situation,
)
from support.examples import examples
from talon_one.sandbox.rules.budgets import budgets
from talon_one.sandbox.rules.cart import flatten
from talon_one.sandbox.rules.evaluate import evaluate
from talon_one.sandbox.rules.outcome import Evaluation
from talon_one.sandbox.rules.run import Run
from talon_one.sandbox.rules.scope import Scope
from talon_one.sandbox.rules.shop import Group

SHIPPING = {
    "type": "additionalCost",
    "additionalCost": {"id": 1, "name": "shipping"},
    "target": {"type": "cart"},
}
POINTS = {
    "type": "awardLoyaltyPoints",
    "name": "Thanks",
    "program": {"id": 4, "name": "stars", "title": "Stars"},
    "subledger": "",
    "value": "{{$Session.Total}}",
    "partial": True,
}
REDEEM = {
    "type": "redeemLoyaltyPoints",
    "program": {"id": 4, "name": "stars", "title": "Stars"},
    "subledger": "",
    "value": 30,
}
RIDE = {
    "type": "updateAchievementProgress",
    "operator": "increaseBy",
    "value": "7",
    "achievement": {"id": 6, "name": "rides", "title": "Rides", "target": 10},
}
UPDATE = {
    "type": "updateAttributeValue",
    "operator": "increaseBy",
    "attribute": {"id": 1, "entity": "profile", "name": "X", "title": "X", "type": "number"},
    "target": {"type": "profile"},
    "value": 1,
}
GIVEAWAY = {
    "type": "awardGiveaway",
    "giveawayPool": {"id": 2, "name": "Vouchers"},
    "profile": "Current",
}
FREE = {"type": "awardItem", "sku": "T", "name": "T", "quantity": "2", "partial": True}

values = st.sampled_from(["{{$Session.Total * 0.3}}", 7, 12.34, 500])
partial = st.booleans()
targets = st.sampled_from(["cart", "allItems", {"type": "allItems", "prorated": True}, SHIPPING])
discounts = st.builds(
    lambda value, target, cut: off(value, target=target, partial=cut), values, targets, partial
)
effects = st.one_of(
    discounts,
    discounts,
    st.sampled_from([POINTS, REDEEM, RIDE, UPDATE, GIVEAWAY, FREE, note("Hi")]),
)
conditions = st.sampled_from([COUPON, NEVER, {**NEVER, "onFailure": [note("sorry")]}])
blocks = st.lists(st.one_of(effects, effects, conditions), max_size=5)
rules = st.lists(st.builds(lambda each: rule(*each), blocks), min_size=1, max_size=3)
limits = st.lists(
    st.builds(
        lambda action, limit, entities: {"action": action, "limit": limit, "entities": entities},
        st.sampled_from(
            [
                "setDiscount",
                "setDiscountEffect",
                "redeemCoupon",
                "createLoyaltyPoints",
                "addFreeItemEffect",
                "awardGiveaway",
            ]
        ),
        st.sampled_from([0, 1, 2, 25.5, 60]),
        st.sampled_from([[], ["Profile"], ["Coupon"], ["Session", "Profile"]]),
    ),
    max_size=3,
)
modes = st.sampled_from(["stackable", "listOrder", "highestDiscount", "lowestDiscount"])
scopes = st.sampled_from(["session", "cartItem"])
applications = st.fixed_dictionaries(
    {
        "enableCascadingDiscounts": st.booleans(),
        "enablePartialDiscounts": st.booleans(),
        "enableFlattenedCartItems": st.booleans(),
        "defaultDiscountScope": st.sampled_from(["sessionTotal", "cartItems", "additionalCosts"]),
        "defaultDiscountAdditionalCostPerItemScope": st.sampled_from(
            ["price", "itemTotal", "additionalCosts"]
        ),
    }
)
carts = st.builds(
    lambda items, shipping: session(*items, costs={"shipping": shipping}),
    st.lists(
        st.builds(
            lambda price, quantity: item(price, quantity, additionalCosts={"wrap": {"price": 2}}),
            st.sampled_from([0, 0.99, 10, 33.33, 100]),
            st.integers(1, 3),
        ),
        max_size=4,
    ),
    st.sampled_from([0, 4.9]),
)


@st.composite
def situations(draw: st.DrawFn) -> Any:
    """Return a situation with up to three campaigns in one group."""
    entries = [
        campaign(number, *draw(rules), limits=draw(limits))
        for number in range(1, draw(st.integers(1, 3)) + 1)
    ]
    members = tuple(range(1, len(entries) + 1))
    codes = [
        coupon(campaign_id=number, coupon_id=number, **draw(_coupon_limits)) for number in members
    ]
    return situation(
        *entries,
        cart=draw(carts),
        coupons=codes,
        application=draw(applications),
        tree=Group(id=3, mode=draw(modes), scope=draw(scopes), members=members),
        known=facts(
            balances={(4, "", "current"): Decimal(50)},
            achievements={6: {"id": 6, "name": "rides", "target": 10}},
            pools={2: 1},
        ),
        eligibility=True,
    )


_coupon_limits = st.sampled_from([{}, {"usageLimit": 1}, {"discountLimit": 20}])


@examples(60)
@given(situations())
def test_the_same_situation_gives_the_same_evaluation_and_stays_as_it_was(given_: Any) -> None:
    before = copy.deepcopy((given_.session, given_.application, given_.coupons, given_.event))
    campaigns = {key: copy.deepcopy(each.campaign) for key, each in given_.campaigns.items()}
    first, second = evaluate(given_), evaluate(given_)
    assert first == second
    assert (given_.session, given_.application, given_.coupons, given_.event) == before
    assert {key: each.campaign for key, each in given_.campaigns.items()} == campaigns
    assert given_.facts.counters == {}


def _counted(evaluation: Evaluation) -> dict[str, Decimal]:
    counted: dict[str, Decimal] = {}
    for each in evaluation.consequences:
        for key, count in each.counters.items():
            counted[key] = counted.get(key, Decimal(0)) + count
    return counted


@examples(60)
@given(situations())
def test_no_budget_is_exceeded(given_: Any) -> None:
    evaluation = evaluate(given_)
    counted = _counted(evaluation)
    for entry in given_.coupons:
        limit = entry.coupon.get("discountLimit", 10**9)
        assert counted.get(f"coupon:{entry.coupon['id']}:discount", 0) <= limit
        assert counted.get(f"coupon:{entry.coupon['id']}", 0) <= 1
        scope = Scope(
            given_,
            (),
            {},
            coupon=entry.coupon,
            campaign=given_.campaigns[entry.coupon["campaignId"]].campaign,
        )
        for limit_config in scope.campaign["limits"] if scope.campaign else ():
            for budget in budgets(scope, limit_config["action"]):
                for key in budget.keys:
                    assert counted.get(key, 0) <= budget.limit, key
    assert sum(each.kind == "awardGiveaway" for each in evaluation.consequences) <= 1


@examples(60)
@given(situations())
def test_no_discount_exceeds_what_it_applies_to(given_: Any) -> None:
    found = [each for each in evaluate(given_).consequences if each.kind == "setDiscount"]
    assert all(each.amount >= 0 for each in found)
    cart = given_.session
    assert sum(each.amount for each in found) <= Decimal(str(cart["total"]))
    shipping = [
        each.amount for each in found if each.effect["effectType"] == "setDiscountPerAdditionalCost"
    ]
    assert sum(shipping) <= Decimal(str(cart["additionalCosts"]["shipping"]["price"]))
    for unit in flatten(cart, given_.application["enableFlattenedCartItems"]):
        here = [
            each.amount
            for each in found
            if (each.position, each.sub_position) == (unit.position, unit.sub_position)
        ]
        assert sum(here) <= unit.price * unit.quantity + 2


@examples(40)
@given(st.lists(effects, max_size=5), situations())
def test_a_campaign_whose_last_block_fails_leaves_no_trace(first: list[Any], given_: Any) -> None:
    failing = campaign(9, rule(*first, NEVER), limits=[])
    nothing = campaign(9, rule(NEVER), limits=[])
    outcomes = []
    for entry in (failing, nothing):
        tree = Group(members=(9, given_.tree))
        changed = situation(
            *given_.campaigns.values(),
            entry,
            cart=given_.session,
            coupons=[each.coupon for each in given_.coupons],
            application=given_.application,
            tree=tree,
            known=given_.facts,
        )
        outcomes.append(evaluate(changed))
    with_effects, without = outcomes
    reported = [each for each in with_effects.effects if each["campaignId"] == 9]
    assert {each["effectType"] for each in reported} <= {"error"}
    others = [each for each in with_effects.effects if each["campaignId"] != 9]
    assert others == without.effects
    assert with_effects.consequences == without.consequences
    assert with_effects.triggered == without.triggered


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(-5, 5)), max_size=20), st.data())
def test_rewinding_restores_every_table(changes: list[tuple[str, int]], data: Any) -> None:
    own = Run(situation())
    cut = data.draw(st.integers(0, len(changes)))
    for key, amount in changes[:cut]:
        own.add(own.used, key, Decimal(amount))
    before, mark = dict(own.used), own.mark()
    for key, amount in changes[cut:]:
        own.add(own.used, key, Decimal(amount))
        own.emit("x", {})
    after, effects_after = dict(own.used), list(own.effects)
    taken = own.take(mark)
    assert own.used == before
    assert own.effects == []
    own.put(taken)
    assert own.used == after
    assert own.effects == effects_after
    own.rewind(mark)
    assert own.used == before


def test_a_cart_of_many_units_is_evaluated() -> None:
    evaluation = run(campaign(1, rule(off(1, target="allItems"))), cart=session(item(10, 2000)))
    assert len(evaluation.effects) == 2000
