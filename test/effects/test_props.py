"""`effect.props` is an object of the class that the type names, and all that a dict was."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import talon_one
from effects.making import effect, effect_json
from models.everything import read_everything
from support.samples import HOSTILE, JSON, sample_object, written
from support.spec import MODELS, SCHEMAS
from talon_one import (
    ApiClient,
    ApiKeyError,
    CustomEffectProps,
    Effect,
    Model,
    ModelValidationError,
    RejectCouponEffectProps,
    SetDiscountEffectProps,
    StrikethroughEffect,
)

# What integrators know the types by, decided here once more: the name of the schema, with the one
# exception that the platform makes.
KINDS = {
    "customEffect"
    if name == "CustomEffectProps"
    else name[0].lower() + name.removesuffix("EffectProps")[1:]: name
    for name in MODELS
    if name == "CustomEffectProps"
    or (name.endswith("EffectProps") and not name.startswith("Strikethrough"))
}
STRIKETHROUGH = {
    "setDiscountPerItem": "StrikethroughSetDiscountPerItemEffectProps",
    "setDiscountPerItemMember": "StrikethroughSetDiscountPerItemMemberEffectProps",
    "customEffectPerItem": "StrikethroughCustomEffectPerItemProps",
}
TEN_OFF = {"name": "10% off", "value": 3.4}


def test_all_props_of_the_catalogue_are_known() -> None:
    assert {"error", "customEffect", "setDiscount", "startAchievementProgress"} <= KINDS.keys()
    assert set(KINDS.values()) == {name for name in SCHEMAS if "EffectProps" in name} - {
        "EffectProps",
        "StrikethroughEffectProps",
        *STRIKETHROUGH.values(),
    }


@pytest.mark.parametrize("kind", KINDS)
def test_props_have_the_class_that_the_effect_type_names(kind: str) -> None:
    sample = sample_object(KINDS[kind])
    made = effect(kind, sample)
    assert type(made.props) is getattr(talon_one, KINDS[kind])
    assert made.props is made.props
    assert made.props == getattr(talon_one, KINDS[kind]).from_dict(sample)
    read_everything(made)
    assert written(json.loads(made.to_json())) == written(effect_json(kind, sample))


@pytest.mark.parametrize("kind", STRIKETHROUGH)
def test_so_do_those_of_strikethrough_pricing(kind: str) -> None:
    made = StrikethroughEffect.from_dict(
        {"type": kind, "props": sample_object(STRIKETHROUGH[kind])}
    )
    assert type(made.props) is getattr(talon_one, STRIKETHROUGH[kind])


@pytest.mark.parametrize("kind", ["newEffect", "Custom", "custom", "", None, 7, ["a"], {"a": 1}])
def test_props_of_an_unknown_type_are_a_plain_model_that_has_everything(kind: Any) -> None:
    props = {"value": 3, "deep": {"list": [1, None]}, "null": None}
    made = effect(kind, props)
    assert type(made.props) is Model
    assert made.props["deep"] == {"list": [1, None]}
    assert dict(made.props) == props
    assert written(json.loads(made.to_json())) == written(effect_json(kind, props))


@pytest.mark.parametrize("props", [each for each in HOSTILE if type(each) is not dict], ids=repr)
def test_props_that_are_no_object_are_handed_over_unchanged(props: Any) -> None:
    made = effect("setDiscount", props)
    assert made.props == props
    assert type(made.props) is type(props)


@given(kind=st.sampled_from([*KINDS, "unknown"]) | JSON, props=JSON)
def test_whatever_comes_is_read_and_sent_back_as_it_came(kind: Any, props: Any) -> None:
    made = effect(kind, props)
    read_everything(made)
    assert written(json.loads(made.to_json())) == written(effect_json(kind, props))
    assert Effect.from_dict(made.to_wire()) == made


def test_patterns_find_the_class_and_its_properties() -> None:
    match effect("setDiscount", TEN_OFF).props:
        case RejectCouponEffectProps():
            pytest.fail("this is another class")
        case SetDiscountEffectProps(name=name, value=value):
            assert (name, value) == ("10% off", 3.4)
        case _:
            pytest.fail("no pattern matches")


def test_code_that_was_written_for_a_dict_goes_on_working() -> None:
    props: Any = effect("setDiscount", TEN_OFF).props
    assert props["value"] == 3.4
    assert props.get("value") == 3.4
    assert props.get("scope") is None
    assert props.get("scope", "cartItems") == "cartItems"
    assert "value" in props
    assert "scope" not in props
    assert list(props) == list(props.keys()) == ["name", "value"]
    assert list(props.values()) == ["10% off", 3.4]
    assert list(props.items()) == [("name", "10% off"), ("value", 3.4)]
    assert dict(props) == {**props} == TEN_OFF
    assert len(props) == len(props.items()) == 2
    assert ("value", 3.4) in props.items()
    assert SetDiscountEffectProps(**props) == props
    with pytest.raises(KeyError):
        props["scope"]
    with pytest.raises(ApiKeyError, match=r"Did you mean 'value'\?"):
        props["vlaue"]
    del props["name"]
    assert dict(props) == {"value": 3.4}


def test_changes_land_in_the_json_object_whichever_way_they_are_made() -> None:
    made = effect("setDiscount", TEN_OFF)
    assert isinstance(made.props, SetDiscountEffectProps)
    made.props.value = 3
    assert json.loads(made.to_json())["props"] == {"name": "10% off", "value": 3}
    made.props["value"] = 1
    made.props["new"] = None
    assert made.props.value == 1
    assert json.loads(made.to_json())["props"] == {"name": "10% off", "value": 1, "new": None}
    made.props = {"name": "other"}
    assert isinstance(made.props, SetDiscountEffectProps)
    assert made.props.name == "other"


def test_an_effect_is_made_with_a_dict_or_with_props() -> None:
    typed = Effect(
        campaign_id=1,
        ruleset_id=2,
        rule_index=0,
        rule_name="r",
        effect_type="setDiscount",
        props=SetDiscountEffectProps(name="10% off", value=3.4),
    )
    plain = Effect(
        campaign_id=1,
        ruleset_id=2,
        rule_index=0,
        rule_name="r",
        effect_type="setDiscount",
        props=TEN_OFF,
    )
    assert typed == plain
    assert typed.to_json() == plain.to_json()
    assert repr(typed) == repr(plain)
    assert "SetDiscountEffectProps(name='10% off', value=3.4)" in repr(typed)
    assert plain.to_dict() == typed.to_dict()


def test_vendor_code_turns_props_into_their_class() -> None:
    made = effect("setDiscount", TEN_OFF)
    found = ApiClient().deserialize_model(made.props, SetDiscountEffectProps)
    assert found is made.props
    assert SetDiscountEffectProps.from_dict(made.props) == found


def test_a_dict_of_an_effect_has_props_as_on_the_wire() -> None:
    sample = sample_object("SetLoyaltyPointsExpiryDateEffectProps")
    made = effect("setLoyaltyPointsExpiryDate", sample)
    for _ in range(2):
        assert made.to_dict()["props"] == sample
        assert made.to_dict(by_alias=True, exclude_none=True)["props"] == sample
        read_everything(made)


def test_copies_and_pickles_have_props_of_their_own() -> None:
    made = effect("setDiscount", TEN_OFF)
    assert type(made.props) is SetDiscountEffectProps
    for other in (made.copy(), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert other == made
        assert type(other.props) is SetDiscountEffectProps
        other.props.value = 99
        assert other != made


def test_timestamps_in_props_read_as_such() -> None:
    made = effect("addLoyaltyPoints", {"startDate": "2026-01-02T03:04:05Z"})
    assert isinstance(made.props, talon_one.AddLoyaltyPointsEffectProps)
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    assert made.props.start_date == made.props["startDate"] == moment
    assert made.props.to_wire() == {"startDate": "2026-01-02T03:04:05Z"}


@pytest.mark.parametrize(
    ("props", "violation"),
    [
        ({"name": "n"}, "$.props.value is required"),
        ({"name": "n", "value": "3"}, "$.props.value must be a number, not str"),
        ({"name": 1, "value": 2}, "$.props.name must be text, not int"),
        ([1], "$.props must be an object, not list"),
        (None, "$.props is required"),
    ],
)
@pytest.mark.parametrize("read", [False, True])
def test_props_are_validated_by_their_class_read_or_not(
    props: Any, violation: str, read: bool
) -> None:
    made = effect("setDiscount", props)
    if read:
        assert made.props == made.props
    with pytest.raises(ModelValidationError) as caught:
        made.validate()
    assert [str(each) for each in caught.value.violations] == [violation]


def test_props_of_an_unknown_type_may_be_anything() -> None:
    effect("newEffect", {"value": {"any": ["thing"]}}).validate()
    CustomEffectProps(effect_id=1, name="n", payload={"a": None}).validate()
