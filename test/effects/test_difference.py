"""What to undo and what to apply when one response follows another."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from effects.sample_effects import effect, effect_json, response_with
from models.everything import read_everything
from support.samples import JSON
from talon_one import ApiValueError, Effect
from talon_one.effects import Difference, difference

ACCEPTED = effect_json("acceptCoupon", {"value": "TEN-OFF"})
THREE = effect_json("setDiscount", {"name": "10% off", "value": 3})
FOUR = effect_json("setDiscount", {"name": "10% off", "value": 4})
FREE = effect_json("addFreeItem", {"sku": "MUG", "name": "a mug"})


def counted(effects: Iterable[Effect]) -> Counter[str]:
    """Count effects by their JSON text, normalized in numbers and in the order of keys."""
    return Counter(json.dumps(normalized(each.to_wire()), sort_keys=True) for each in effects)


def normalized(value: Any) -> Any:
    if isinstance(value, dict):
        # A null property equals a missing one.
        return {key: normalized(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [normalized(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def test_a_changed_value_is_undone_and_applied() -> None:
    old, new = response_with(ACCEPTED, THREE), response_with(FOUR, ACCEPTED)
    found = difference(old, new)
    assert found.undo == [effect("setDiscount", THREE["props"])]
    assert found.apply == [effect("setDiscount", FOUR["props"])]
    assert found.unchanged == [effect("acceptCoupon", ACCEPTED["props"])]
    assert found


def test_a_difference_is_true_if_there_is_anything_to_do() -> None:
    only_undo = difference(response_with(THREE, FREE), response_with(FREE))
    only_apply = difference(response_with(FREE), response_with(THREE, FREE))
    assert (len(only_undo.undo), len(only_undo.apply)) == (1, 0)
    assert (len(only_apply.undo), len(only_apply.apply)) == (0, 1)
    assert bool(only_undo) is bool(only_apply) is True
    assert bool(difference(response_with(FREE), response_with(FREE))) is False
    assert bool(difference(response_with(), response_with())) is False


def test_the_same_effects_in_another_order_change_nothing() -> None:
    found = difference(response_with(ACCEPTED, THREE), response_with(THREE, ACCEPTED))
    assert not found
    assert (found.undo, found.apply) == ([], [])
    assert len(found.unchanged) == 2


def test_equal_effects_count_as_often_as_they_are_listed() -> None:
    found = difference(response_with(FREE, FREE, FREE), response_with(FREE))
    assert (len(found.undo), len(found.apply), len(found.unchanged)) == (2, 0, 1)
    found = difference(response_with(FREE), response_with(FREE, THREE, FREE))
    assert [each.effect_type for each in found.apply] == ["setDiscount", "addFreeItem"]


def test_the_first_response_is_compared_with_an_empty_list() -> None:
    assert difference([], response_with(THREE)) == Difference(
        [], [effect("setDiscount", THREE["props"])], []
    )


@pytest.mark.parametrize(
    "other",
    [
        effect_json("setDiscount", THREE["props"], campaignId=13),
        effect_json("setDiscount", THREE["props"], rulesetId=41),
        effect_json("setDiscount", THREE["props"], ruleIndex=1),
        effect_json("newDiscount", THREE["props"]),
        effect_json("setDiscount", {**THREE["props"], "scope": "cartItems"}),
        effect_json("setDiscount", None),
    ],
)
def test_effects_differ_by_type_props_campaign_ruleset_and_rule(other: dict[str, Any]) -> None:
    found = difference(response_with(THREE), response_with(other))
    assert (len(found.undo), len(found.apply)) == (1, 1)


def test_true_does_not_equal_one() -> None:
    one, true = ({"path": "Profile.Attributes.A", "value": value} for value in (1, True))
    found = difference([effect("updateAttribute", one)], [effect("updateAttribute", true)])
    assert (len(found.undo), len(found.apply)) == (1, 1)


@pytest.mark.parametrize(
    "other",
    [
        effect_json("setDiscount", {"value": 3.0, "name": "10% off"}),
        effect_json("setDiscount", THREE["props"], ruleName="renamed"),
        effect_json("setDiscount", THREE["props"], triggeredByCoupon=7),
    ],
)
def test_effects_differ_by_nothing_else(other: dict[str, Any]) -> None:
    assert not difference(response_with(THREE), response_with(other))


def test_true_equals_neither_a_list_nor_a_number() -> None:
    for one, other in (([True], [["bool", True]]), ([True], [1]), ([["list"]], [[]])):
        old = effect_json("unknown", {"payload": one})
        assert difference([old], [effect_json("unknown", {"payload": other})])
    assert difference([effect_json("x", {"a": True})], [effect_json("x", {"a": ["bool", 1]})])


def test_a_null_property_equals_a_missing_one() -> None:
    null = effect_json("setDiscount", {**THREE["props"], "scope": None})
    assert not difference([THREE], [null])


def test_timestamps_are_compared_as_they_are_written() -> None:
    one, other = (
        effect_json("addLoyaltyPoints", {"value": 1, "startDate": f"2026-01-01T00:00:00{end}"})
        for end in ("Z", ".000Z")
    )
    assert difference([one], [other])


def test_reading_props_does_not_change_the_result() -> None:
    old, new = response_with(THREE, FREE), response_with(FREE, THREE)
    read_everything(old)
    assert not difference(old, new)


@pytest.mark.parametrize("old", [[], [ACCEPTED]])
def test_a_response_with_rollbacks_is_refused(old: list[dict[str, Any]]) -> None:
    undone = response_with(effect_json("rollbackCoupon", {"value": "TEN-OFF"}))
    with pytest.raises(ApiValueError, match="rollbackCoupon says itself what to undo"):
        difference(old, undone)
    with pytest.raises(ApiValueError, match="compare the next response with an empty list"):
        difference(undone, old)


props = st.sampled_from([{"value": 1}, {"value": 2}, {"value": [1, {"a": None}]}, None]) | JSON
effects = st.builds(
    effect,
    st.sampled_from(["setDiscount", "acceptCoupon", "unknown", None]),
    props,
    campaignId=st.integers(-1, 1),
)


@given(st.lists(effects, max_size=8), st.lists(effects, max_size=8), st.randoms())
def test_old_effects_minus_undone_plus_applied_are_the_new_effects(
    old: list[Effect], new: list[Effect], chance: random.Random
) -> None:
    # Some effects stay from one response to the next.
    new = [*new, *chance.sample(old, k=len(old) // 2)]
    chance.shuffle(new)
    found = difference(old, new)
    assert counted(found.undo) <= counted(old)
    assert counted(old) - counted(found.undo) == counted(found.unchanged)
    assert counted(found.unchanged) + counted(found.apply) == counted(new)
    assert not counted(found.undo) & counted(found.apply)


@given(st.lists(effects, max_size=8))
def test_a_copy_of_the_same_effects_changes_nothing(listed: list[Effect]) -> None:
    assert not difference(listed, [each.copy() for each in reversed(listed)])


@given(st.lists(effects, max_size=6), st.lists(effects, max_size=6))
def test_the_opposite_difference_is_the_reverse(old: list[Effect], new: list[Effect]) -> None:
    there, back = difference(old, new), difference(new, old)
    assert counted(there.undo) == counted(back.apply)
    assert counted(there.apply) == counted(back.undo)
