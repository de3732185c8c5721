"""Effects find their way back to a shop's own lines, whatever happened to the cart."""

from __future__ import annotations

import pickle
from decimal import Context, Decimal, Inexact, localcontext
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkout.lines import MAPPER, Row, cost_off, off, rows, session_off
from effects.sample_effects import effect_json
from support.hostile import assert_ours
from talon_one import ApiTypeError, ApiValueError
from talon_one.checkout import Applied, CartMapper, LineChange, apply
from talon_one.effects import Points, discounts, rolled_back, summary


def amounts(applied: Applied[Row]) -> dict[Any, Decimal]:
    """Return the amounts of the lines by their keys, as far as they are not 0."""
    return {each.line.key: each.amount for each in applied.lines if each.amount}


def test_each_line_has_its_discounts() -> None:
    cart = MAPPER.cart([Row("A", 2, id=1), Row("B", 0, id=2), Row("C", 1, id=3)])
    applied = apply(cart, [off(0.1, 0, 1), off(0.2, 0, 1), off(3, 1, 0), session_off(5)])
    first, removed, last = applied.lines
    assert [first.amount, removed.amount, last.amount] == [Decimal("0.3"), 0, 3]
    assert [(unit, len(found)) for unit, found in first.units.items()] == [(1, 2)]
    assert [each.name for each in applied.summary.session] == ["Session"]
    assert first.line.line is cart.lines[0].line


def test_lines_in_a_merged_item_have_the_discounts_of_their_own_units() -> None:
    cart = MAPPER.cart([Row("A", 2, id=1), Row("B", id=2), Row("A", 2, id=3)], merge=True)
    applied = apply(cart, [off(1, 0, 0), off(2, 0, 2), off(4, 0, 3), off(8, 1, 0)])
    assert amounts(applied) == {1: 1, 2: 8, 3: 6}
    assert list(applied.lines[2].units) == [0, 1]


def test_a_discount_on_a_merged_item_as_a_whole_is_shared_by_units() -> None:
    cart = MAPPER.cart([Row("A", 1, id=1), Row("A", 2, id=2)], merge=True)
    applied = apply(cart, [off(1, 0), off(Decimal("0.001"), 0)])
    assert amounts(applied) == {1: Decimal("0.33"), 2: Decimal("0.671")}
    assert [each.unit for each in applied.lines[1].discounts] == [None, None]
    alone = apply(MAPPER.cart(rows("A", count=3)), [off(1, 0)])
    assert amounts(alone) == {1: 1}


def test_shares_are_exact_in_any_decimal_context() -> None:
    cart = MAPPER.cart([Row("A", 1, id=1), Row("A", 2, id=2)], merge=True)
    with localcontext(Context(prec=2, traps=[Inexact])):
        found = apply(cart, [off(Decimal("1234.567"), 0)])
        assert [each.amount for each in found.lines] == [Decimal("411.522"), Decimal("823.045")]
        assert Points(Decimal("1234.5"), Decimal("0.01")).net == Decimal("1234.49")


def test_a_discount_beyond_all_money_cannot_be_shared() -> None:
    cart = MAPPER.cart([Row("A", 1, id=1), Row("A", 2, id=2)], merge=True)
    with pytest.raises(ApiValueError, match=r"discount 'Off#0' is .*, which is too large"):
        apply(cart, [off(Decimal("1e999999"), 0)])


def test_costs_points_and_custom_effects_belong_to_lines_too() -> None:
    place = {"cartItemPosition": 1, "cartItemSubPosition": 0}
    points = {"value": 5, "programId": 1, "subLedgerId": "", **place}
    whole = {**points, "cartItemSubPosition": None}
    effects = [
        cost_off(2, "wrap", 1, 0),
        cost_off(3, "shipping"),
        effect_json("addLoyaltyPoints", points),
        effect_json("addLoyaltyPoints", whole),
        effect_json("addLoyaltyPoints", {**points, "cartItemPosition": None}),
        effect_json("customEffect", {"name": "engrave", "payload": {}, **place}),
    ]
    applied = apply(MAPPER.cart(rows("A", "B")), effects)
    first, second = applied.lines
    assert [first.cost_amount, second.cost_amount, second.amount] == [0, 2, 0]
    assert [each.effect.effect_type for each in second.entries] == [
        "addLoyaltyPoints",
        "addLoyaltyPoints",
        "customEffect",
    ]


def test_points_of_a_merged_item_as_a_whole_belong_to_none_of_its_lines() -> None:
    points = {"value": 5, "programId": 1, "subLedgerId": "", "cartItemPosition": 0}
    cart = MAPPER.cart([Row("A", id=1), Row("A", id=2)], merge=True)
    applied = apply(cart, [effect_json("addLoyaltyPoints", points)])
    assert [each.entries for each in applied.lines] == [[], []]
    assert len(applied.summary.added_points) == 1


def test_a_return_lists_what_is_taken_back_for_each_line() -> None:
    back = {"name": "Off#1", "value": 2.5, "cartItemPosition": 1, "cartItemSubPosition": 1}
    applied = apply(
        MAPPER.cart(rows("A", "B", count=3)),
        [effect_json("rollbackDiscount", back), effect_json("rollbackCoupon", {"value": "C"})],
    )
    (found,) = applied.lines[1].rolled_back
    assert (found.amount, found.unit) == (Decimal("2.5"), 1)
    assert applied.lines[1].rolled_back_amount == Decimal("2.5")
    assert applied.lines[1].amount == 0


def test_free_items_are_compared_with_those_in_the_cart() -> None:
    free = [effect_json("addFreeItem", {"sku": sku, "name": "n"}) for sku in ("MUG", "MUG", "TEA")]
    lines = [*rows("A"), Row("MUG", 1, 0, id=8, gift=True), Row("PEN", 2, 0, id=9, gift=True)]
    applied = apply(MAPPER.cart(lines), free)
    assert applied.free_items_to_add == {"MUG": 1, "TEA": 1}
    assert applied.free_items_to_remove == {"PEN": 2}
    # They are not sent, so they cost no position.
    assert [each.position for each in applied.cart.lines] == [0, None, None]


@pytest.mark.parametrize(
    ("effects", "message"),
    [
        ([off(1, 2, 0)], "an effect on cart item 2, and the cart has 2 items"),
        ([off(1, 0, 3)], "an effect on unit 3 of cart item 0, which has 3 units"),
        ([off(1, 5)], "an effect on cart item 5, and the cart has 2 items"),
        ([off("x", 0, 0)], "value is 'x', not a number"),
    ],
)
def test_a_response_to_another_cart_is_refused(effects: Any, message: str) -> None:
    with pytest.raises(ApiValueError, match=message):
        apply(MAPPER.cart(rows("A", "B", count=3)), effects)


# --- Differences ------------------------------------------------------------------------------


def changed(changes: list[LineChange[Row]]) -> list[tuple[Any, Any]]:
    """Return the keys of lines and the amounts of changes."""
    return sorted(
        (tuple(line.key for line in change.lines), change.effect.props["value"])
        for change in changes
    )


def test_a_discount_stays_on_its_line_when_the_line_moves() -> None:
    a, b, c = rows("A", "B", "C")
    before = apply(MAPPER.cart([a, b, c]), [off(1, 0, 0), off(2, 1, 0), off(3, 2, 0)])
    after = apply(MAPPER.cart([c, Row("D", id=7), b]), [off(3, 0, 0), off(9, 1, 0), off(4, 2, 0)])
    found = after.difference(before)
    assert changed(found.unchanged) == [((3,), 3)]
    assert changed(found.undo) == [((1,), 1), ((2,), 2)]
    assert changed(found.apply) == [((2,), 4), ((7,), 9)]
    # The effects are those that were received.
    assert found.unchanged[0].effect.props["position"] == 0
    assert found.unchanged[0].lines[0].line is c


def test_units_and_bundles_move_with_their_lines() -> None:
    a, b = rows("A", "B", count=2)
    bundle = {"bundleIndex": 0, "bundleName": "pair"}

    def basis(position: int) -> dict[str, Any]:
        return {**bundle, "targetedItemPosition": position, "targetedItemSubPosition": 1}

    before = apply(MAPPER.cart([a, b]), [off(1, 0, 1, **basis(1)), off(2, 1, 1, **basis(0))])
    after = apply(MAPPER.cart([b, a]), [off(1, 1, 1, **basis(0)), off(2, 0, 1, **basis(1))])
    assert not after.difference(before)
    assert [each.unit for each in after.difference(before).unchanged] == [1, 1]
    other = apply(MAPPER.cart([b, a]), [off(1, 1, 0, **basis(0)), off(2, 0, 1, **basis(1))])
    assert changed(other.difference(before).undo) == [((1,), 1)]


def test_merging_moves_nothing() -> None:
    lines = [Row("A", 2, id=1), Row("A", 1, id=2)]
    before = apply(MAPPER.cart(lines), [off(1, 0, 0), off(1, 0, 1), off(1, 1, 0)])
    after = apply(MAPPER.cart(lines, merge=True), [off(1, 0, 0), off(1, 0, 1), off(1, 0, 2)])
    assert not after.difference(before)
    # A discount on the item as a whole is about both lines.
    whole = apply(MAPPER.cart(lines, merge=True), [off(5, 0)])
    assert changed(whole.difference().apply) == [((1, 2), 5)]
    assert not whole.difference(whole)


def test_what_is_on_no_line_is_compared_as_it_is() -> None:
    cart = MAPPER.cart(rows("A"))
    code = effect_json("acceptCoupon", {"value": "CODE"})
    before = apply(cart, [session_off(1), code])
    after = apply(cart, [session_off(2), code])
    found = after.difference(before)
    assert changed(found.undo) == [((), 1)]
    assert changed(found.apply) == [((), 2)]
    assert changed(found.unchanged) == [((), "CODE")]
    assert len(before.difference().apply) == 2


def test_rollbacks_are_not_compared() -> None:
    cart = MAPPER.cart(rows("A"))
    back = apply(cart, [effect_json("rollbackDiscount", {"name": "n", "value": 1})])
    with pytest.raises(ApiValueError, match="rollbackDiscount says itself what to undo"):
        back.difference()


def test_only_an_applied_response_can_be_the_earlier_one() -> None:
    wrong: Any = []
    with pytest.raises(ApiTypeError, match="the earlier response is \\[\\], not an Applied"):
        apply(MAPPER.cart(rows("A")), []).difference(wrong)
    with pytest.raises(ApiTypeError, match="the cart is \\[\\], not a Cart"):
        apply(wrong, [])


def test_an_applied_response_can_be_pickled() -> None:
    applied = apply(MAPPER.cart(rows("A", "B")), [off(1, 0, 0), off(2, 1), session_off(3)])
    again = pickle.loads(pickle.dumps(applied))
    assert again.lines == applied.lines
    assert not again.difference(applied)


# --- Laws -------------------------------------------------------------------------------------


@st.composite
def carts(draw: Any) -> tuple[list[Row], list[dict[str, Any]]]:
    """Return lines, and effects on the items that they make, without merging."""
    articles = draw(st.lists(st.sampled_from("ABC"), min_size=1, max_size=6))
    lines = [
        Row(article, draw(st.integers(0, 3)), id=index) for index, article in enumerate(articles)
    ]
    sent = [line for line in lines if line.count]
    value = st.decimals(0, 20, places=2).map(float)
    effects = [session_off(draw(value))]
    for position, line in enumerate(sent):
        for unit in draw(st.lists(st.integers(0, line.count - 1), max_size=3)):
            effects.append(off(draw(value), position, unit))
        if draw(st.booleans()):
            effects.append(off(draw(value), position))
        back = {"name": "n", "value": draw(value), "cartItemPosition": position}
        effects.append(effect_json("rollbackDiscount", back))
    return lines, effects


@settings(max_examples=50)
@given(carts())
def test_amounts_of_lines_add_up_to_those_of_the_items(given_cart: Any) -> None:
    lines, effects = given_cart
    applied = apply(MAPPER.cart(lines), effects)
    sums, back = discounts(effects), rolled_back(effects)
    for position, line in enumerate(line for line in applied.lines if line.line.quantity):
        assert line.amount == sums.lines.get(position, 0)
        assert line.rolled_back_amount == back.lines[position]
    assert applied.summary == summary(effects)


@settings(max_examples=50)
@given(carts(), st.randoms(use_true_random=False))
def test_a_shuffled_cart_changes_nothing(given_cart: Any, chance: Any) -> None:
    lines, effects = given_cart
    effects = [each for each in effects if each["effectType"] != "rollbackDiscount"]
    before = apply(MAPPER.cart(lines), effects)
    shuffled = chance.sample(lines, len(lines))
    cart = MAPPER.cart(shuffled)
    places = {line.key: line.position for line in cart.lines}
    positions = [places[line.key] for line in before.cart.lines if line.position is not None]
    moved = []
    for each in effects:
        props = dict(each["props"])
        if "position" in props:
            props["position"] = positions[props["position"]]
            props["name"] = f"Off#{props['position']}"
        moved.append({**each, "props": props})
    found = apply(cart, moved).difference(before)
    assert (found.undo, found.apply) == ([], [])
    assert len(found.unchanged) == len(effects)


def test_whatever_is_applied_only_our_own_exceptions_come_of_it() -> None:
    cart = CartMapper().cart([{"sku": "A", "quantity": 2, "price": 1}])
    anything: Any = apply
    assert_ours(
        {
            "response": lambda v: anything(cart, v),
            "cart": lambda v: anything(v, []),
            "an effect": lambda v: anything(cart, [v]).difference(),
            "a position": lambda v: anything(
                cart, [effect_json("setDiscountPerItem", {"value": 1, "position": v})]
            ),
            "of points": lambda v: anything(
                cart, [effect_json("customEffect", {"cartItemPosition": v, "payload": {}})]
            ),
            "earlier": lambda v: anything(cart, []).difference(v),
        },
        count=80,
    )
