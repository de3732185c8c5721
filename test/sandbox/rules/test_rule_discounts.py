"""Discounts: bases, scopes, cascading, sharing to the cent, bundles and additional costs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sandbox.rules.stories import (
    campaign,
    facts,
    item,
    off,
    props,
    rule,
    run,
    session,
    types,
    values,
)
from talon_one.sandbox.rules.discounts import share

TEN_PERCENT = "{{$Session.Total * 0.1}}"
TEN_PERCENT_OF_ITEM = "{{$Item.Price * 0.1}}"
PER_ITEM = "setDiscountPerItem"
ALL: dict[str, Any] = {
    "name": "all",
    "type": "selector",
    "source": "$Session.CartItems",
    "steps": [],
}


def _run(*blocks: Any, cart: Any = None, application: Any = None, **more: Any) -> Any:
    cart = cart or session(item(100))
    return run(campaign(1, rule(*blocks), **more), cart=cart, application=application)


def test_a_discount_of_the_session_is_rounded_to_cents() -> None:
    evaluation = _run(off(TEN_PERCENT, name="Ten"), cart=session(item(10.25)))
    assert props(evaluation, "setDiscount") == [{"name": "Ten", "value": 1.03}]
    (consequence,) = evaluation.consequences
    assert (consequence.kind, consequence.target) == ("setDiscount", "Ten")
    assert consequence.amount == Decimal("1.03")
    assert consequence.effect is evaluation.effects[0]


def test_discounts_together_never_exceed_what_they_apply_to() -> None:
    cart = session(item(100), costs={"shipping": 20})
    stories = {"sessionTotal": [90, 30], "cartItems": [90, 10], "additionalCosts": [20]}
    for scope, expected in stories.items():
        evaluation = _run(off(90), off(90), cart=cart, application={"defaultDiscountScope": scope})
        assert values(evaluation) == expected, scope
    mixed = _run(off(70, target="allItems"), off(90), cart=cart)
    assert values(mixed, PER_ITEM) == [70]
    assert values(mixed) == [50]


def test_negative_discounts_fail() -> None:
    evaluation = _run(off("{{50 - $Session.Total}}"))
    assert evaluation.effects == []
    assert evaluation.failures[0]["effectIndex"] == 0


def test_without_cascading_every_discount_sees_the_whole_base() -> None:
    evaluation = _run(off(TEN_PERCENT), off(TEN_PERCENT))
    assert values(evaluation) == [10, 10]
    assert "scope" not in props(evaluation, "setDiscount")[0]


def test_cascading_discounts_see_what_earlier_ones_have_left() -> None:
    cascading = {"enableCascadingDiscounts": True}
    evaluation = _run(off(TEN_PERCENT), off(TEN_PERCENT), off(5), application=cascading)
    assert values(evaluation) == [10, 9, 5]
    assert props(evaluation, "setDiscount")[0]["scope"] == "sessionTotal"
    items = _run(
        off(TEN_PERCENT_OF_ITEM, target="allItems"),
        off(TEN_PERCENT_OF_ITEM, target="allItems"),
        off(TEN_PERCENT),
        cart=session(item(100), item(50)),
        application=cascading,
    )
    assert values(items, PER_ITEM) == [10, 5, 9, 4.5]
    assert props(items, PER_ITEM)[0]["scope"] == "price"
    assert values(items) == [12.15]
    across = run(
        campaign(1, rule(off(TEN_PERCENT))),
        campaign(2, rule(off(TEN_PERCENT))),
        application=cascading,
    )
    assert values(across) == [10, 9]


def test_conditions_see_totals_before_discounts_even_when_cascading() -> None:
    still = {
        "type": "checkAttribute",
        "operator": "equals",
        "attribute": "$Session.Total",
        "value": 100,
    }
    evaluation = _run(off(50), still, off(1), application={"enableCascadingDiscounts": True})
    assert values(evaluation) == [50, 1]


def test_items_are_discounted_unit_by_unit() -> None:
    cart = session(item(12.5, 2), item(5))
    evaluation = _run(off(1, target="allItems"), cart=cart)
    assert props(evaluation, PER_ITEM) == [
        {"name": "Off#0", "value": 1, "position": 0, "subPosition": 0},
        {"name": "Off#0", "value": 1, "position": 0, "subPosition": 1},
        {"name": "Off#1", "value": 1, "position": 1, "subPosition": 0},
    ]
    places = [(each.position, each.sub_position) for each in evaluation.consequences]
    assert places == [(0, 0), (0, 1), (1, 0)]


def test_units_that_were_returned_are_left_out() -> None:
    cart = session(item(10, 3, returnedQuantity=1), item(5, 1, returnedQuantity=1))
    evaluation = _run(off(1, target="allItems"), cart=cart)
    found = [(each["position"], each["subPosition"]) for each in props(evaluation, PER_ITEM)]
    assert found == [(0, 1), (0, 2)]


def test_without_flattening_there_is_one_effect_per_item() -> None:
    evaluation = _run(
        off("{{$Item.Price * $Item.Quantity / 2}}", target="allItems"),
        cart=session(item(12.5, 2), item(5)),
        application={"enableFlattenedCartItems": False},
    )
    assert props(evaluation, PER_ITEM) == [
        {"name": "Off#0", "value": 12.5, "position": 0},
        {"name": "Off#1", "value": 2.5, "position": 1},
    ]


def test_a_discount_of_an_item_never_exceeds_the_base_of_its_scope() -> None:
    cart = session(item(10, additionalCosts={"wrap": {"price": 3}}))
    stories = {"price": [10], "itemTotal": [13], "additionalCosts": [3]}
    for scope, expected in stories.items():
        evaluation = _run(
            off(50, target="allItems"),
            off(50, target="allItems"),
            cart=cart,
            application={"defaultDiscountAdditionalCostPerItemScope": scope},
        )
        assert values(evaluation, PER_ITEM) == expected, scope


def test_selectors_and_filters_of_the_application_pick_the_items() -> None:
    cheap = {
        "type": "checkAttribute",
        "operator": "lessThan",
        "attribute": "$Item.Price",
        "value": 20,
    }
    steps = [{"type": "filter", "predicate": cheap}]
    selector = {**ALL, "name": "cheap", "steps": steps}
    cart = session(item(10), item(50))
    evaluation = _run(
        off(1, target={"type": "selector", "name": "cheap"}), cart=cart, selectors=[selector]
    )
    assert [each["position"] for each in props(evaluation, PER_ITEM)] == [0]
    known = facts(item_filters={"Cheap things": selector})
    by_filter = run(
        campaign(1, rule(off(1, target={"type": "globalFilter", "name": "Cheap things"}))),
        cart=cart,
        known=known,
    )
    assert [each["position"] for each in props(by_filter, PER_ITEM)] == [0]
    one = {**ALL, "steps": [{"type": "select", "operator": "one", "index": 1}]}
    picked = _run(off(1, target={"type": "selector", "name": "all"}), cart=cart, selectors=[one])
    assert [each["position"] for each in props(picked, PER_ITEM)] == [1]


def test_a_selector_that_gives_no_items_cannot_be_discounted() -> None:
    count = {**ALL, "steps": [{"type": "reduce", "operator": "count"}]}
    evaluation = _run(off(1, target={"type": "selector", "name": "all"}), selectors=[count])
    assert types(evaluation) == ["error"]


def test_a_prorated_discount_is_shared_by_price_and_adds_up() -> None:
    cart = session(item(10, 3), item(70))
    evaluation = _run(off(10, target={"type": "allItems", "prorated": True}), cart=cart)
    found = props(evaluation, PER_ITEM)
    assert [each["value"] for each in found] == [1, 1, 1, 7]
    assert {each["totalDiscount"] for each in found} == {10}
    third = session(item(1, 3))
    shared = _run(off(1, target={"type": "allItems", "prorated": True}), cart=third)
    assert values(shared, PER_ITEM) == [0.34, 0.33, 0.33]
    capped = _run(off(500, target={"type": "allItems", "prorated": True}), cart=cart)
    assert values(capped, PER_ITEM) == [10, 10, 10, 70]


@given(
    st.lists(st.integers(0, 10_000), min_size=1, max_size=30),
    st.integers(0, 100_000),
)
def test_shares_add_up_to_the_cent_and_exceed_no_price(prices: list[int], total: int) -> None:
    weights = [Decimal(price) / 100 for price in prices]
    amount = min(Decimal(total) / 100, sum(weights, Decimal(0)))
    shares = share(amount, weights)
    assert sum(shares) == amount
    assert all(0 <= part <= weight for part, weight in zip(shares, weights, strict=True))


def test_additional_costs_of_the_session_are_discounted() -> None:
    shipping = {"id": 9, "name": "shipping", "title": "Shipping"}
    target = {"type": "additionalCost", "additionalCost": shipping, "target": {"type": "cart"}}
    cart = session(item(10), costs={"shipping": 4})
    evaluation = _run(off(50, target=target), cart=cart)
    assert props(evaluation, "setDiscountPerAdditionalCost") == [
        {"name": "Off", "additionalCostId": 9, "additionalCost": "shipping", "value": 4}
    ]
    missing = _run(off(50, target=target), cart=session(item(10)))
    assert missing.effects == []
    assert "shipping" in missing.failures[0]["details"]


def test_additional_costs_of_items_are_discounted_for_each_unit() -> None:
    wrap = {"id": 3, "name": "wrap"}
    target = {"type": "additionalCost", "additionalCost": wrap, "target": {"type": "allItems"}}
    wrapped = item(10, 2, additionalCosts={"wrap": {"price": 3}})
    evaluation = _run(off(2, target=target), cart=session(wrapped))
    assert props(evaluation, "setDiscountPerAdditionalCostPerItem")[1] == {
        "name": "Off#0",
        "value": 2,
        "position": 0,
        "subPosition": 1,
        "additionalCostId": 3,
        "additionalCost": "wrap",
    }
    lacking = _run(off(2, target=target), cart=session(wrapped, item(5)))
    assert lacking.effects == []


BUNDLES = [{**ALL, "name": "lamps"}, {**ALL, "name": "bulbs"}]


def _bundle_run(block: Any) -> Any:
    def by_category(name: str) -> dict[str, Any]:
        predicate = {
            "type": "checkAttribute",
            "operator": "equals",
            "attribute": "$Item.Category",
            "value": name,
        }
        return {**ALL, "name": name, "steps": [{"type": "filter", "predicate": predicate}]}

    return _run(
        block,
        cart=session(item(40, 2, category="lamps"), item(5, 4, category="bulbs")),
        selectors=[by_category("lamps"), by_category("bulbs")],
        bundles=[
            {
                "id": "b",
                "name": "set",
                "type": "bundle",
                "sources": ["{{$lamps}}", "{{$bulbs}}"],
                "counts": [1, 2],
                "matchers": [],
            }
        ],
    )


def test_bundles_are_discounted_whole_by_share_or_by_one_item() -> None:
    target: dict[str, Any] = {"type": "bundle", "name": "set"}
    each = _bundle_run(off(1, target=target))
    assert [found["bundleIndex"] for found in props(each, PER_ITEM)] == [0, 0, 0, 1, 1, 1]
    assert values(each, PER_ITEM) == [1] * 6
    shared = _bundle_run(off(10, target={**target, "prorated": True}))
    assert values(shared, PER_ITEM) == [8, 1, 1, 8, 1, 1]
    cheapest = {"type": "byAttribute", "attribute": "{{$Item.Price}}", "direction": "lowest"}
    one = _bundle_run(off("{{$Item.Price}}", target={**target, "item": cheapest}))
    assert [
        (found["position"], found["subPosition"], found["value"], found["bundleName"])
        for found in props(one, PER_ITEM)
    ] == [(1, 0, 5, "set"), (1, 2, 5, "set")]
    assert props(one, PER_ITEM)[0]["targetedItemPosition"] == 1
    first = {"type": "byIndex", "value": 0}
    basis = _bundle_run(
        off("{{$Item.Price / 4}}", target={**target, "item": first, "prorated": True})
    )
    assert values(basis, PER_ITEM) == [8, 1, 1, 8, 1, 1]
    assert props(basis, PER_ITEM)[2]["targetedItemPosition"] == 0
    outside = _bundle_run(off(1, target={**target, "item": {"type": "byIndex", "value": 7}}))
    assert types(outside) == ["error"]


def test_campaigns_of_type_cart_item_discount_items_only() -> None:
    evaluation = run(campaign(1, rule(off(1)), rule(off(2, target="allItems")), type="cartItem"))
    assert types(evaluation) == [PER_ITEM]


def test_values_that_are_no_numbers_are_errors() -> None:
    assert types(_run(off("{{$Session.State}}"))) == ["error"]


def test_without_a_session_there_is_nothing_to_discount() -> None:
    evaluation = run(campaign(1, rule(off(1)), rule(off(1, target="allItems"))), session=None)
    assert evaluation.effects == []
    assert [each["ruleIndex"] for each in evaluation.failures] == [0]
