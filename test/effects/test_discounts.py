"""Discounts are summed exactly, each once, and in the right sum."""

from __future__ import annotations

from decimal import Context, Decimal, FloatOperation, Inexact, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from effects.sample_effects import effect_json, response_with
from talon_one import ApiValueError, Effect, IntegrationStateV2, SetDiscountEffectProps
from talon_one.effects import Discounts, ItemCost, ItemUnit, discounts, rolled_back

SHIPPING = {"name": "free", "additionalCostId": 3, "additionalCost": "shipping", "value": 4.9}


def session(value: Any, name: str = "10% off", **more: Any) -> dict[str, Any]:
    return effect_json("setDiscount", {"name": name, "value": value, **more})


def item(value: Any, position: Any, *sub_position: Any, **more: Any) -> dict[str, Any]:
    place = dict(zip(("position", "subPosition"), (position, *sub_position), strict=False))
    props = {"name": f"off#{position}", "value": value, **place, **more}
    return effect_json("setDiscountPerItem", props)


def test_each_discount_counts_in_the_right_sum() -> None:
    found = discounts(
        response_with(
            effect_json("acceptCoupon", {"value": "TEN-OFF"}),
            session(3.4),
            session(0.1, "loyal", scope="additionalCosts"),
            item(1, 0.0, 0.0),
            item(1, 0, 1),
            item(0.5, 0, 1, scope="price"),
            item(2, 1),
            effect_json("setDiscountPerAdditionalCost", SHIPPING),
            effect_json("setDiscountPerAdditionalCost", {**SHIPPING, "value": 0.1}),
            effect_json(
                "setDiscountPerAdditionalCostPerItem",
                {**SHIPPING, "position": 1, "subPosition": 2, "additionalCost": "wrapping"},
            ),
        )
    )
    assert found == Discounts(
        session={"10% off": Decimal("3.4"), "loyal": Decimal("0.1")},
        items={
            ItemUnit(0, 0): Decimal(1),
            ItemUnit(0, 1): Decimal("1.5"),
            ItemUnit(1, 0): Decimal(2),
        },
        costs={"shipping": Decimal("5.0")},
        item_costs={ItemCost(1, 2, "wrapping"): Decimal("4.9")},
        unknown=[],
    )
    assert found.total == Decimal("17.9")
    assert found.lines == {0: Decimal("2.5"), 1: Decimal(2)}
    assert found.items[(0, 1)] == Decimal("1.5")  # type: ignore[index]  # a plain tuple works


def test_no_effects_have_no_discounts() -> None:
    assert discounts([]) == Discounts({}, {}, {}, {}, [])
    assert discounts([]).total == Decimal(0)


@pytest.mark.parametrize("nameless", [{"value": 2}, {"name": None, "value": 2}])
def test_a_discount_without_a_name_counts(nameless: dict[str, Any]) -> None:
    found = discounts(response_with(session(3), effect_json("setDiscount", nameless)))
    assert found.session == {"10% off": Decimal(3), "": Decimal(2)}
    assert found.total == Decimal(5)
    assert rolled_back(response_with(effect_json("rollbackDiscount", nameless))).total == Decimal(2)


def test_a_tenth_stays_a_tenth() -> None:
    assert discounts([session(0.1)] * 3).session == {"10% off": Decimal("0.3")}
    assert discounts(response_with(*[session(0.1)] * 3)).total == Decimal("0.3")


def test_positions_are_compared_as_numbers() -> None:
    found = discounts(response_with(item(1, 1, 0), item(1, 1.0, 0.0), item(1, 1)))
    assert found.items == {(1, 0): 3}
    assert [type(part) for part in next(iter(found.items))] == [int, int]


def test_the_shares_of_a_pro_rata_discount_count_and_their_total_does_not() -> None:
    shared = {"totalDiscount": 10, "desiredTotalDiscount": 12, "desiredValue": 6}
    found = discounts(response_with(item(7.5, 0, 0, **shared), item(2.5, 1, 0, **shared)))
    assert found.items == {(0, 0): Decimal("7.5"), (1, 0): Decimal("2.5")}
    assert found.total == 10


def test_an_amount_beyond_the_budget_is_not_granted() -> None:
    assert discounts(response_with(session(3, desiredValue=5))).total == 3


def test_the_discount_of_a_bundle_counts_for_its_item() -> None:
    bundle = {"bundleIndex": 1, "bundleName": "b", "targetedItemPosition": 5}
    assert discounts(response_with(item(2, 3, 1, **bundle))).items == {(3, 1): 2}


def test_discounts_with_the_same_name_add_up() -> None:
    found = discounts(response_with(session(3), session(4)))
    assert found.session == {"10% off": 7}


def test_a_discount_of_an_unknown_type_is_not_summed_but_listed() -> None:
    found = discounts(response_with(session(1), effect_json("setDiscountPerParcel", {"value": 5})))
    assert found.total == 1
    assert [each.effect_type for each in found.unknown] == ["setDiscountPerParcel"]


def test_effects_constructed_in_python_are_summed_too() -> None:
    constructed = Effect.from_dict(session(1))
    constructed.props = SetDiscountEffectProps(name="n", value=0.2)
    assert discounts([constructed]).session == {"n": Decimal("0.2")}
    constructed.props["value"] = Decimal("0.3")
    assert discounts([constructed]).session == {"n": Decimal("0.3")}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (session("3"), "value is '3', not a number"),
        (session(None), "value is None, not a number"),
        (session(True), "value is True, not a number"),
        (session(float("nan")), "value is nan, not a number"),
        (effect_json("setDiscount", None), "props is None, not an object"),
        (item(1, None), "position is None, not a number"),
        (item(1, 0.5), "position is 0.5, not an index"),
        (item(1, -1), "position is -1, not an index"),
        (item(1, 0, "a"), "subPosition is 'a', not a number"),
        (
            effect_json("setDiscountPerAdditionalCost", {"value": 1, "additionalCostId": 3}),
            "additionalCost is None, not a name",
        ),
        (effect_json("rollbackDiscount", {"name": "n"}), "value is None, not a number"),
        (effect_json("rollbackDiscount", []), r"props is \[\], not an object"),
    ],
)
def test_a_malformed_effect_is_refused_rather_than_left_out(wrong: Any, message: str) -> None:
    kind = wrong["effectType"]
    function = rolled_back if kind == "rollbackDiscount" else discounts
    with pytest.raises(
        ApiValueError, match=rf"{kind} of campaign 12, rule 'Ten percent': {message}"
    ):
        function(response_with(session(1), wrong))


def test_rollbacks_are_summed_separately() -> None:
    def rollback(value: float, **more: Any) -> dict[str, Any]:
        return effect_json("rollbackDiscount", {"name": "n", "value": value, **more})

    item_cost = {"cartItemPosition": 1, "additionalCost": "shipping"}
    state = response_with(
        session(50),
        rollback(0.1),
        rollback(0.2),
        rollback(1, cartItemPosition=2.0, cartItemSubPosition=1),
        rollback(2, additionalCost="shipping", additionalCostId=3),
        rollback(4, **item_cost),
    )
    assert rolled_back(state) == Discounts(
        session={"n": Decimal("0.3")},
        items={ItemUnit(2, 1): Decimal(1)},
        costs={"shipping": Decimal(2)},
        item_costs={ItemCost(1, 0, "shipping"): Decimal(4)},
        unknown=[],
    )
    assert discounts(state).total == 50


def test_a_rollback_on_a_unit_without_an_item_is_refused() -> None:
    props = {"name": "n", "value": 1, "cartItemSubPosition": 1}
    with pytest.raises(ApiValueError, match="cartItemPosition is None, not a number"):
        rolled_back(response_with(effect_json("rollbackDiscount", props)))


def test_sums_do_not_depend_on_the_decimal_context_of_the_caller() -> None:
    state = response_with(session(1234.56), session(0.01), item(1234.56, 0, 0), item(0.01, 0, 1))
    back = [effect_json("rollbackDiscount", {"name": "n", "value": x}) for x in (1234.56, 0.01)]
    with localcontext(Context(prec=4, traps=[Inexact, FloatOperation])):
        found, undone = discounts(state), rolled_back(response_with(*back))
        total, lines = found.total, found.lines
    assert found.session == {"10% off": Decimal("1234.57")}
    assert undone.session == {"n": Decimal("1234.57")}
    assert (total, lines) == (Decimal("2469.14"), {0: Decimal("1234.57")})
    far = discounts(response_with(session(1e308), session(5e-324)))
    assert far.total == Fraction(10**308) + Fraction(5, 10**324)


cents = st.integers(0, 10**9)


@given(st.lists(st.tuples(cents, st.integers(0, 3), st.integers(0, 3)), max_size=30))
def test_the_total_is_exact_to_the_cent(amounts: list[tuple[int, int, int]]) -> None:
    effects = [item(value / 100, *place) for value, *place in amounts]
    effects += [session(value / 100) for value, *_ in amounts]
    found = discounts(response_with(*effects))
    assert found.total * 100 == 2 * sum(value for value, *_ in amounts)
    assert sum(found.lines.values()) == sum(found.session.values())


@pytest.mark.parametrize("name", [{}, {"name": None}, {"name": ""}], ids=str)
def test_discounts_without_a_name_add_up(name: Any) -> None:
    given = response_with(
        effect_json("setDiscount", {"value": 2, **name}),
        effect_json("setDiscount", {"value": 3, **name}),
        effect_json("setDiscount", {"value": 1, "name": "n"}),
    )
    assert discounts(given).session == {"": 5, "n": 1}
    back = response_with(effect_json("rollbackDiscount", {"value": 2, **name}))
    assert rolled_back(back).session == {"": 2}


def test_a_position_with_a_billion_digits_is_refused_without_being_written_out() -> None:
    # A server can send this in a few bytes; as an integer it would take all memory.
    text = response_with(item(1, 7)).to_json().replace('"position":7', '"position":1e999999999')
    with pytest.raises(ApiValueError, match="position is 1e999999999, not an index"):
        discounts(IntegrationStateV2.from_json(text))


def test_an_integer_may_have_more_digits_than_python_writes() -> None:
    assert discounts([session(10**5000)]).total == Decimal(10) ** 5000
