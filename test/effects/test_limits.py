"""Where the rules of effects begin and end: missing parts, numbers, messages, lists."""

from __future__ import annotations

import pickle
from decimal import Decimal
from typing import Any

import pytest

import talon_one
from effects.sample_effects import effect, effect_json, response_with
from support.hostile import assert_ours
from talon_one import ApiTypeError, ApiValueError
from talon_one.effects import (
    EffectHandler,
    EffectHandlingError,
    codes,
    difference,
    discounts,
    rolled_back,
    summary,
)
from talon_one.effects.amounts import ItemCost, ItemUnit
from talon_one.effects.extraction import effects_of
from talon_one.effects.handling import DispatchResult, EffectFailure


def failures(count: int) -> list[EffectFailure]:
    return [EffectFailure(effect("setDiscount", {}), KeyError(n)) for n in range(count)]


# -- Failures of functions ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "begin", "listed", "end"),
    [
        (1, "1 effect could not be handled: setDiscount of campaign 12", 1, "KeyError: 0"),
        (2, "2 effects could not be handled: ", 2, "KeyError: 1"),
        (10, "10 effects could not be handled: ", 10, "KeyError: 9"),
        (11, "11 effects could not be handled: ", 10, "KeyError: 9; and 1 more"),
    ],
)
def test_a_message_lists_ten_failures_and_counts_the_others(
    count: int, begin: str, listed: int, end: str
) -> None:
    error = EffectHandlingError(failures(count))
    assert str(error).startswith(begin)
    assert str(error).count("KeyError") == listed
    assert str(error).endswith(end)
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), len(copy.failures)) == (str(error), count)


def test_only_failures_are_raised() -> None:
    DispatchResult().raise_for_failures()
    DispatchResult(handled=[effect("x", {})], unhandled=[effect("x", {})]).raise_for_failures()
    found = failures(2)
    with pytest.raises(EffectHandlingError) as caught:
        DispatchResult(failures=found).raise_for_failures()
    assert caught.value.__cause__ is found[0].error
    assert DispatchResult().handled is not DispatchResult().handled


def test_a_handler_needs_a_kind_and_has_one_default() -> None:
    handler = EffectHandler()
    with pytest.raises(ApiTypeError, match="at least one effect type"):
        handler.on()  # type: ignore[call-overload]  # the mistake that is meant
    first = handler.default(print)
    assert first is print
    with pytest.raises(ApiValueError, match="there is a default already"):
        handler.default(repr)
    handler.on("b", "a")(print)
    register = handler.on("c", "b", "a")
    with pytest.raises(ApiValueError, match=r"^'a' has a function already"):
        register(print)


# -- Lists of effects --------------------------------------------------------------------------


def test_effects_come_from_responses_and_lists_alone() -> None:
    one = effect("setDiscount", {})
    assert effects_of([one]) == effects_of((one,)) == effects_of(iter([one])) == [one]
    assert effects_of([]) == effects_of(response_with()) == []
    assert effects_of(talon_one.IntegrationStateV2.from_dict({"effects": None})) == []
    wrong: Any
    for wrong, message in (
        (None, "there is no response; to get one for an event, pass silent='no'"),
        ("abc", "effects come from a response or a list, not str"),
        (b"abc", "effects come from a response or a list, not bytes"),
        ({"effects": []}, "effects come from a response or a list, not dict"),
        (5, "effects come from a response or a list, not int"),
        (talon_one.Coupon.from_dict({}), "Coupon has no effects$"),
        ([5], "an effect is an Effect or a dict, not int$"),
        ([["setDiscount"]], "not list; effects of V1 responses are lists"),
        ([("setDiscount",)], "not tuple; effects of V1 responses are lists"),
    ):
        with pytest.raises(ApiTypeError, match=message):
            effects_of(wrong)


# -- Sums --------------------------------------------------------------------------------------


def of_unit(**props: Any) -> list[Any]:
    return [effect("setDiscountPerItem", {"name": "x", "value": 1, **props})]


def test_units_are_counted_from_zero_by_whole_numbers() -> None:
    position: Any
    sub_position: Any
    for position, sub_position in ((0, 0), (3, 2), (3.0, 2.0)):
        found = discounts(of_unit(position=position, subPosition=sub_position))
        assert found.items == {ItemUnit(int(position), int(sub_position)): 1}
    assert discounts(of_unit(position=1)).items == {ItemUnit(1, 0): 1}
    assert discounts(of_unit(position=1, subPosition=None)).items == {ItemUnit(1, 0): 1}
    for position, message in (
        (-1, "position is -1, not an index"),
        (0.5, "position is 0.5, not an index"),
        (True, "position is True, not a number"),
        (None, "position is None, not a number"),
        ("1", "position is '1', not a number"),
        (float("inf"), "position is inf, not a number"),
    ):
        with pytest.raises(ApiValueError, match=message):
            discounts(of_unit(position=position))
    with pytest.raises(ApiValueError, match="subPosition is -1, not an index"):
        discounts(of_unit(position=1, subPosition=-1))


def test_the_lines_of_a_cart_sum_their_units() -> None:
    found = discounts(
        [
            *of_unit(position=1, subPosition=0, value=0.1),
            *of_unit(position=1, subPosition=1, value=0.2),
            *of_unit(position=2, value=5),
        ]
    )
    assert found.lines == {1: Decimal("0.3"), 2: 5}
    assert found.total == Decimal("5.3")
    with pytest.raises(KeyError):
        found.items[ItemUnit(9, 9)]
    with pytest.raises(KeyError):
        found.lines[9]


def test_a_rollback_belongs_to_the_sum_that_its_positions_and_names_say() -> None:
    base = {"name": "x", "value": 2}
    item = {"cartItemPosition": 1, "cartItemSubPosition": 0}
    unit = ItemUnit(1, 0)
    cost = {"additionalCost": "gift", "additionalCostId": 7}
    for props, session, items, costs, item_costs in (
        ({}, {"x": 2}, {}, {}, {}),
        (item, {}, {unit: 2}, {}, {}),
        ({"cartItemPosition": 1}, {}, {unit: 2}, {}, {}),
        (cost, {}, {}, {"gift": 2}, {}),
        ({"additionalCost": "gift"}, {}, {}, {"gift": 2}, {}),
        ({**item, **cost}, {}, {}, {}, {ItemCost(1, 0, "gift"): 2}),
    ):
        found = rolled_back([effect("rollbackDiscount", {**base, **props})])
        sums: tuple[Any, ...] = (found.session, found.items, found.costs, found.item_costs)
        assert sums == (session, items, costs, item_costs)
    for props, message in (
        ({"cartItemSubPosition": 0}, "cartItemPosition is None, not a number"),
        ({"additionalCostId": 7}, "additionalCost is None, not a name"),
        ({**item, "additionalCostId": 7}, "additionalCost is None, not a name"),
    ):
        with pytest.raises(ApiValueError, match=message):
            rolled_back([effect("rollbackDiscount", {**base, **props})])
    assert rolled_back([effect("setDiscount", base)]).total == 0
    assert discounts([effect("rollbackDiscount", base)]).total == 0
    assert discounts([effect("rollbackDiscount", base)]).unknown == []


# -- Differences and codes ---------------------------------------------------------------------


def test_the_last_of_several_equal_effects_are_undone_in_their_order() -> None:
    def numbered(kind: str, number: int) -> dict[str, Any]:
        return effect_json(kind, {"value": 1}, ruleName=str(number))

    old = [numbered("a", 0), numbered("b", 1), numbered("a", 2), numbered("b", 3), numbered("a", 4)]
    found = difference(old, [numbered("a", 5), numbered("b", 6)])
    assert [each.rule_name for each in found.undo] == ["2", "3", "4"]
    assert [each.rule_name for each in found.unchanged] == ["5", "6"]
    assert found.apply == []
    back = difference(old[:1], [numbered("a", 7), numbered("a", 8)])
    assert [each.rule_name for each in back.apply] == ["8"]
    assert [each.rule_name for each in back.unchanged] == ["7"]


def test_a_referral_is_accepted_under_both_names_of_its_effect() -> None:
    listed = [
        effect("acceptReferral", {"value": "R"}),
        effect("redeemReferral", {"value": "S"}),
        effect("redeemReferral", {"value": "R"}),
        effect("acceptCoupon", {"value": "C"}),
        effect("rejectReferral", {"value": "T", "rejectionReason": "x"}),
    ]
    found = codes(listed)
    assert (found.accepted_referrals, found.accepted_coupons) == (["R", "S"], ["C"])
    assert [each.value for each in found.rejected_referrals] == ["T"]
    assert found.rejected_coupons == []


def test_an_effect_with_foreign_values_is_listed_or_refused_as_one_of_ours() -> None:
    def summarized(value: Any) -> object:
        place = {"campaignId": value, "rulesetId": 1, "ruleIndex": 0, "ruleName": value}
        props = {"name": value, "value": value}
        return summary([{"effectType": "setDiscount", **place, "props": props}])

    assert_ours({"summary": summarized}, count=300)
