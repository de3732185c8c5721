"""`effect.props` is an object of the class for the effect type, and works like a dict."""

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
from effects.sample_effects import effect, effect_json
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

# The effect type follows from the name of the schema, with one exception. The test derives it again
# instead of reading it from the generated code.
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


def test_all_props_in_the_spec_are_known() -> None:
    assert {"error", "customEffect", "setDiscount", "startAchievementProgress"} <= KINDS.keys()
    assert set(KINDS.values()) == {name for name in SCHEMAS if "EffectProps" in name} - {
        "EffectProps",
        "StrikethroughEffectProps",
        *STRIKETHROUGH.values(),
    }


@pytest.mark.parametrize("kind", KINDS)
def test_props_have_the_class_for_the_effect_type(kind: str) -> None:
    sample = sample_object(KINDS[kind])
    parsed = effect(kind, sample)
    assert type(parsed.props) is getattr(talon_one, KINDS[kind])
    assert parsed.props is parsed.props
    assert parsed.props == getattr(talon_one, KINDS[kind]).from_dict(sample)
    read_everything(parsed)
    assert written(json.loads(parsed.to_json())) == written(effect_json(kind, sample))


@pytest.mark.parametrize("kind", STRIKETHROUGH)
def test_props_of_strikethrough_effects_have_their_class(kind: str) -> None:
    parsed = StrikethroughEffect.from_dict(
        {"type": kind, "props": sample_object(STRIKETHROUGH[kind])}
    )
    assert type(parsed.props) is getattr(talon_one, STRIKETHROUGH[kind])


@pytest.mark.parametrize("kind", ["newEffect", "Custom", "custom", "", None, 7, ["a"], {"a": 1}])
def test_props_of_an_unknown_type_are_a_plain_model_with_all_properties(kind: Any) -> None:
    props = {"value": 3, "deep": {"list": [1, None]}, "null": None}
    parsed = effect(kind, props)
    assert type(parsed.props) is Model
    assert parsed.props["deep"] == {"list": [1, None]}
    assert dict(parsed.props) == props
    assert written(json.loads(parsed.to_json())) == written(effect_json(kind, props))


@pytest.mark.parametrize("props", [each for each in HOSTILE if type(each) is not dict], ids=repr)
def test_props_that_are_not_an_object_are_unchanged(props: Any) -> None:
    parsed = effect("setDiscount", props)
    assert parsed.props == props
    assert type(parsed.props) is type(props)


@given(kind=st.sampled_from([*KINDS, "unknown"]) | JSON, props=JSON)
def test_any_props_survive_a_round_trip(kind: Any, props: Any) -> None:
    parsed = effect(kind, props)
    read_everything(parsed)
    assert written(json.loads(parsed.to_json())) == written(effect_json(kind, props))
    assert Effect.from_dict(parsed.to_wire()) == parsed


def test_patterns_match_the_class_and_its_properties() -> None:
    match effect("setDiscount", TEN_OFF).props:
        case RejectCouponEffectProps():
            pytest.fail("this is another class")
        case SetDiscountEffectProps(name=name, value=value):
            assert (name, value) == ("10% off", 3.4)
        case _:
            pytest.fail("no pattern matches")


def test_code_written_for_a_dict_still_works() -> None:
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


def test_changes_by_key_and_by_attribute_reach_the_json_object() -> None:
    parsed = effect("setDiscount", TEN_OFF)
    assert isinstance(parsed.props, SetDiscountEffectProps)
    parsed.props.value = 3
    assert json.loads(parsed.to_json())["props"] == {"name": "10% off", "value": 3}
    parsed.props["value"] = 1
    parsed.props["new"] = None
    assert parsed.props.value == 1
    assert json.loads(parsed.to_json())["props"] == {"name": "10% off", "value": 1, "new": None}
    parsed.props = {"name": "other"}
    assert isinstance(parsed.props, SetDiscountEffectProps)
    assert parsed.props.name == "other"


def test_an_effect_is_constructed_with_a_dict_or_with_props() -> None:
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


def test_vendor_code_converts_props_into_their_class() -> None:
    parsed = effect("setDiscount", TEN_OFF)
    found = ApiClient().deserialize_model(parsed.props, SetDiscountEffectProps)
    assert found is parsed.props
    assert SetDiscountEffectProps.from_dict(parsed.props) == found


def test_to_dict_has_props_in_their_wire_form() -> None:
    sample = sample_object("SetLoyaltyPointsExpiryDateEffectProps")
    parsed = effect("setLoyaltyPointsExpiryDate", sample)
    for _ in range(2):
        assert parsed.to_dict()["props"] == sample
        assert parsed.to_dict(by_alias=True, exclude_none=True)["props"] == sample
        read_everything(parsed)


def test_copies_and_pickles_have_their_own_props() -> None:
    parsed = effect("setDiscount", TEN_OFF)
    assert type(parsed.props) is SetDiscountEffectProps
    for other in (parsed.copy(), copy.deepcopy(parsed), pickle.loads(pickle.dumps(parsed))):
        assert other == parsed
        assert type(other.props) is SetDiscountEffectProps
        other.props.value = 99
        assert other != parsed


def test_timestamps_in_props_read_as_datetime() -> None:
    parsed = effect("addLoyaltyPoints", {"startDate": "2026-01-02T03:04:05Z"})
    assert isinstance(parsed.props, talon_one.AddLoyaltyPointsEffectProps)
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    assert parsed.props.start_date == parsed.props["startDate"] == moment
    assert parsed.props.to_wire() == {"startDate": "2026-01-02T03:04:05Z"}


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
def test_props_are_validated_by_their_class(props: Any, violation: str, read: bool) -> None:
    parsed = effect("setDiscount", props)
    if read:
        assert parsed.props == parsed.props
    with pytest.raises(ModelValidationError) as caught:
        parsed.validate()
    assert [str(each) for each in caught.value.violations] == [violation]


def test_props_of_an_unknown_type_may_be_anything() -> None:
    effect("newEffect", {"value": {"any": ["thing"]}}).validate()
    CustomEffectProps(effect_id=1, name="n", payload={"a": None}).validate()
