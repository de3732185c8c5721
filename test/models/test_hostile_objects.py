"""JSON that the description does not promise: nothing of it is lost, and reading never raises."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import talon_one
from models.everything import read_everything
from support.every import for_every
from support.samples import HOSTILE, JsonObject, hostile_objects, nested, sample_object, written
from support.spec import MODELS, constants, properties
from talon_one import NULL, ApiClient, Model
from talon_one._schema.validation import violations

# The same examples in each run, however slow the machine is.
_EXAMPLES = settings(
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],
)
_STRANGE_KEYS: JsonObject = {
    "": None,
    "_data": 1,
    "self": [],
    "to_dict": {"\ud800": 2**70},
    "an unknown": "x",
}


def _class(name: str) -> type[Model]:
    found: type[Model] = getattr(talon_one, name)
    return found


def _assert_nothing_lost(name: str, data: JsonObject) -> Model:
    """Check that an object is read without an exception and encoded as it came."""
    text = written(data)
    model = _class(name).from_json(text.encode())
    read_everything(model)
    assert written(json.loads(model.to_json())) == text
    assert written(model.to_wire()) == text
    return model


def _assert_usable(name: str, model: Model) -> None:
    """Check that everything an object offers works, whatever it holds."""
    cls = _class(name)
    again = cls.from_json(model.to_json())
    assert again == model, "one is wrapped, the other is not"
    assert pickle.loads(pickle.dumps(model)) == model
    assert copy.copy(model) == model
    assert model.copy() == model
    assert repr(again) == repr(model)
    assert model.to_str()
    assert all(type(each.path) is tuple for each in violations(model))
    for by_alias in (False, True):
        for exclude_none in (False, True):
            cls.from_dict(model.to_dict(by_alias, exclude_none))


@for_every("name", MODELS)
def test_every_property_accepts_every_kind_of_json(name: str) -> None:
    wires = list(properties(name))
    for shift in range(len(HOSTILE)):
        values = [HOSTILE[(index + shift) % len(HOSTILE)] for index in range(len(wires))]
        _assert_nothing_lost(name, dict(zip(wires, values, strict=True)))


@for_every("name", MODELS)
def test_an_object_of_other_types_than_described_is_fully_usable(name: str) -> None:
    wires = list(properties(name))
    for shift in range(0, len(HOSTILE), 7):
        values = [HOSTILE[(index + shift) % len(HOSTILE)] for index in range(len(wires))]
        data = {**_STRANGE_KEYS, **dict(zip(wires, values, strict=True))}
        _assert_usable(name, _assert_nothing_lost(name, data))


@for_every("name", MODELS)
def test_empty_objects_nulls_and_unknown_keys_are_kept(name: str) -> None:
    nulls = dict.fromkeys(properties(name))
    for data in ({}, nulls, {**sample_object(name), **_STRANGE_KEYS}, _STRANGE_KEYS):
        _assert_nothing_lost(name, data)
    model = _class(name).from_json(written(nulls))
    assert all(getattr(model, attribute) is None for attribute in model.attribute_map)
    assert _class(name)(**dict.fromkeys(model.attribute_map, NULL)) == model
    empty = _class(name)(**dict.fromkeys(model.attribute_map))
    assert empty == _class(name)() == _class(name).from_json(written(constants(name))) != model
    assert set(empty.to_dict().values()) - {None} == set(constants(name).values())
    _assert_usable(name, model)


def test_deeply_nested_data_is_usable() -> None:
    deep = nested(150)
    data = {"attributes": deep, "cartItems": [{"attributes": deep, "novelty": deep}]}
    model = _assert_nothing_lost("CustomerSessionV2", data)
    _assert_usable("CustomerSessionV2", model)


@_EXAMPLES
@given(data=st.data(), name=st.sampled_from(MODELS))
def test_any_object_survives(data: st.DataObject, name: str) -> None:
    model = _assert_nothing_lost(name, data.draw(hostile_objects(name)))
    _assert_usable(name, model)


@_EXAMPLES
@given(data=st.data(), name=st.sampled_from(MODELS))
def test_any_object_survives_in_the_hands_of_the_client(data: st.DataObject, name: str) -> None:
    original = data.draw(hostile_objects(name))
    client = ApiClient()
    value = client.deserialize(written([original, {"k": original}]), "object")
    typed = client.deserialize(written([original]), f"list[{name}]")
    read_everything(typed)
    assert written(client.sanitize_for_serialization(typed)) == written([original])
    assert written(client.sanitize_for_serialization(value)) == written([original, {"k": original}])


@_EXAMPLES
@given(data=st.data(), name=st.sampled_from(MODELS))
def test_objects_without_nulls_survive_the_way_through_dicts(
    data: st.DataObject, name: str
) -> None:
    original = _without_nulls(data.draw(hostile_objects(name)))
    # An unknown wire name may equal the Python name of a property; nothing distinguishes the two.
    names = _class(name).attribute_map
    original = {
        key: value for key, value in original.items() if key not in names.keys() - {*names.values()}
    }
    model = _class(name).from_json(written(original))
    assert _class(name).from_dict(model.to_dict(by_alias=True, exclude_none=True)) == model
    assert _class(name).from_dict(model.to_dict()) == model


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value if item is not None]
    return value
