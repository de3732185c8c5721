"""What to undo and what to apply when one answer follows another."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from effects.making import answer, effect, effect_json
from models.everything import read_everything
from support.samples import JSON
from talon_one import ApiValueError, Effect
from talon_one.effects import Difference, difference

ACCEPTED = effect_json("acceptCoupon", {"value": "TEN-OFF"})
THREE = effect_json("setDiscount", {"name": "10% off", "value": 3})
FOUR = effect_json("setDiscount", {"name": "10% off", "value": 4})
FREE = effect_json("addFreeItem", {"sku": "MUG", "name": "a mug"})


def said(effects: Iterable[Effect]) -> Counter[str]:
    """Count effects by their texts, in which a number has one spelling and keys have one order."""
    return Counter(json.dumps(spelled(each.to_wire()), sort_keys=True) for each in effects)


def spelled(value: Any) -> Any:
    if isinstance(value, dict):
        # What is null is not there.
        return {key: spelled(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [spelled(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def test_a_changed_value_is_one_to_undo_and_one_to_apply() -> None:
    old, new = answer(ACCEPTED, THREE), answer(FOUR, ACCEPTED)
    found = difference(old, new)
    assert found.undo == [effect("setDiscount", THREE["props"])]
    assert found.apply == [effect("setDiscount", FOUR["props"])]
    assert found.unchanged == [effect("acceptCoupon", ACCEPTED["props"])]
    assert found


def test_it_is_true_if_there_is_anything_to_do() -> None:
    only_undo = difference(answer(THREE, FREE), answer(FREE))
    only_apply = difference(answer(FREE), answer(THREE, FREE))
    assert (len(only_undo.undo), len(only_undo.apply)) == (1, 0)
    assert (len(only_apply.undo), len(only_apply.apply)) == (0, 1)
    assert bool(only_undo) is bool(only_apply) is True
    assert bool(difference(answer(FREE), answer(FREE))) is False
    assert bool(difference(answer(), answer())) is False


def test_nothing_is_done_for_the_same_effects_in_another_order() -> None:
    found = difference(answer(ACCEPTED, THREE), answer(THREE, ACCEPTED))
    assert not found
    assert (found.undo, found.apply) == ([], [])
    assert len(found.unchanged) == 2


def test_equal_effects_count_as_often_as_they_are_listed() -> None:
    found = difference(answer(FREE, FREE, FREE), answer(FREE))
    assert (len(found.undo), len(found.apply), len(found.unchanged)) == (2, 0, 1)
    found = difference(answer(FREE), answer(FREE, THREE, FREE))
    assert [each.effect_type for each in found.apply] == ["setDiscount", "addFreeItem"]


def test_the_first_answer_is_compared_with_none() -> None:
    assert difference([], answer(THREE)) == Difference(
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
def test_effects_differ_in_what_they_say(other: dict[str, Any]) -> None:
    found = difference(answer(THREE), answer(other))
    assert (len(found.undo), len(found.apply)) == (1, 1)


def test_true_is_not_the_number_that_python_takes_it_for() -> None:
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
def test_and_in_nothing_else(other: dict[str, Any]) -> None:
    assert not difference(answer(THREE), answer(other))


def test_true_is_no_list_and_no_number() -> None:
    for one, other in (([True], [["bool", True]]), ([True], [1]), ([["list"]], [[]])):
        old = effect_json("unknown", {"payload": one})
        assert difference([old], [effect_json("unknown", {"payload": other})])
    assert difference([effect_json("x", {"a": True})], [effect_json("x", {"a": ["bool", 1]})])


def test_a_property_that_is_null_is_as_one_that_is_missing() -> None:
    null = effect_json("setDiscount", {**THREE["props"], "scope": None})
    assert not difference([THREE], [null])


def test_timestamps_are_compared_as_they_are_written() -> None:
    one, other = (
        effect_json("addLoyaltyPoints", {"value": 1, "startDate": f"2026-01-01T00:00:00{end}"})
        for end in ("Z", ".000Z")
    )
    assert difference([one], [other])


def test_it_does_not_matter_which_props_were_read() -> None:
    old, new = answer(THREE, FREE), answer(FREE, THREE)
    read_everything(old)
    assert not difference(old, new)


@pytest.mark.parametrize("old", [[], [ACCEPTED]])
def test_an_answer_that_says_itself_what_to_undo_is_refused(old: list[dict[str, Any]]) -> None:
    undone = answer(effect_json("rollbackCoupon", {"value": "TEN-OFF"}))
    with pytest.raises(ApiValueError, match="rollbackCoupon says itself what to undo"):
        difference(old, undone)
    with pytest.raises(ApiValueError, match="compare the next answer with an empty list"):
        difference(undone, old)


props = st.sampled_from([{"value": 1}, {"value": 2}, {"value": [1, {"a": None}]}, None]) | JSON
effects = st.builds(
    effect,
    st.sampled_from(["setDiscount", "acceptCoupon", "unknown", None]),
    props,
    campaignId=st.integers(-1, 1),
)


@given(st.lists(effects, max_size=8), st.lists(effects, max_size=8), st.randoms())
def test_what_was_applied_less_what_is_undone_is_what_the_new_answer_lists(
    old: list[Effect], new: list[Effect], chance: random.Random
) -> None:
    # Some effects stay, as they do from one answer to the next.
    new = [*new, *chance.sample(old, k=len(old) // 2)]
    chance.shuffle(new)
    found = difference(old, new)
    assert said(found.undo) <= said(old)
    assert said(old) - said(found.undo) == said(found.unchanged)
    assert said(found.unchanged) + said(found.apply) == said(new)
    assert not said(found.undo) & said(found.apply)


@given(st.lists(effects, max_size=8))
def test_an_answer_changes_nothing_that_it_lists_again(listed: list[Effect]) -> None:
    assert not difference(listed, [each.copy() for each in reversed(listed)])


@given(st.lists(effects, max_size=6), st.lists(effects, max_size=6))
def test_the_way_back_is_the_reverse(old: list[Effect], new: list[Effect]) -> None:
    there, back = difference(old, new), difference(new, old)
    assert said(there.undo) == said(back.apply)
    assert said(there.apply) == said(back.undo)
