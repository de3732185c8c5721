"""Valid objects of every schema: decoded, read, encoded, copied, and built by hand."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import date, datetime, timezone
from typing import Any

import pytest

import talon_one
from models.everything import read_everything
from support.every import for_every
from support.samples import JsonObject, sample_object, sample_of, written
from support.spec import (
    MODELS,
    SCHEMAS,
    Node,
    choices,
    is_union,
    model_of,
    properties,
    python_name,
    resolved,
)
from talon_one import ApiClient, Model

_SCALARS = {"integer": int, "number": float, "boolean": bool, "string": str}


def _class(name: str) -> type[Model]:
    found: type[Model] = getattr(talon_one, name)
    return found


def _valid_objects(name: str) -> list[JsonObject]:
    """Return an object with all properties, and one with the required ones only."""
    return [sample_object(name), sample_object(name, everything=False)]


@for_every("name", MODELS)
def test_an_object_encodes_as_it_came_after_every_property_was_read(name: str) -> None:
    cls = _class(name)
    for text in map(written, _valid_objects(name)):
        model = cls.from_json(text)
        read_everything(model)
        assert written(json.loads(model.to_json())) == text
        assert written(model.to_wire()) == text
        again = cls.from_json(model.to_json())
        assert again == model
        assert repr(again) == repr(model)


@for_every("name", SCHEMAS)
def test_the_client_decodes_and_encodes_it_by_the_name_of_its_schema(
    client: ApiClient, name: str
) -> None:
    for everything in (True, False):
        text = written(sample_of(name, everything))
        value = client.deserialize(text, name, "application/json")
        read_everything(value)
        assert written(client.sanitize_for_serialization(value)) == text
        assert client.deserialize(f"[{text}]", f"list[{name}]") == [value]
        assert client.deserialize(f'{{"k": {text}}}', f"dict(str, {name})") == {"k": value}


@for_every("name", MODELS)
def test_every_property_reads_as_the_type_it_is_described_with(name: str) -> None:
    model = _class(name).from_json(written(sample_object(name)))
    for wire, node in properties(name).items():
        _assert_typed(getattr(model, python_name(wire, node)), node, model)


def test_timestamps_as_the_platform_writes_them_need_no_lenient_parser(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr("talon_one._schema.dates._read_unusual")
    coupon = talon_one.Coupon.from_json('{"startDate": "2026-01-02T03:04:05Z"}')
    assert coupon.start_date == datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    assert coupon.start_date.tzinfo is timezone.utc
    coupon = talon_one.Coupon.from_json('{"startDate": "2026-01-02T03:04:05.678901+02:00"}')
    assert str(coupon.start_date) == "2026-01-02 03:04:05.678901+02:00"


@for_every("name", MODELS)
def test_it_survives_the_way_through_a_dict(name: str) -> None:
    cls = _class(name)
    wires = {python_name(wire, node): wire for wire, node in properties(name).items()}
    for data in _valid_objects(name):
        model = cls.from_json(written(data))
        assert cls.from_dict(model.to_dict()) == model
        assert cls.from_dict(model.to_dict(exclude_none=True)) == model
        assert cls.from_dict(model.to_dict(by_alias=True, exclude_none=True)) == model
        assert list(model.to_dict()) == list(wires)
        assert list(model.to_dict(by_alias=True)) == list(wires.values())
        assert model.to_dict(by_alias=True, exclude_none=True).keys() == data.keys()


@for_every("name", MODELS)
def test_copies_and_pickles_are_equal_and_independent(name: str) -> None:
    data = sample_object(name)
    model = _class(name).from_json(written(data))
    read_everything(model)
    deep = [model.copy(), copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    for other in [*deep, copy.copy(model)]:
        assert type(other) is type(model)
        assert other == model
        other["added"] = 1
        assert other != model
        assert "added" not in model
    containers = [wire for wire in data if isinstance(model[wire], (list, dict, Model))]
    for other in deep:
        assert not any(other[wire] is model[wire] for wire in containers)


@for_every("name", MODELS)
def test_it_can_be_built_with_keywords_positions_and_assignments(name: str) -> None:
    cls = _class(name)
    for data in _valid_objects(name):
        decoded = cls.from_json(written(data))
        values = {each: getattr(decoded, each) for each in decoded.attribute_map}
        first, *others = values
        assigned = cls()
        for each, value in values.items():
            setattr(assigned, each, value)
        ways = {
            "keywords": cls(**values),
            "positions": cls(*values.values()),
            "both": cls(values[first], **{each: values[each] for each in others}),
            "assignments": assigned,
        }
        for way, built in ways.items():
            assert built == decoded, way
            assert set(built) == set(data), way
            assert cls.from_json(built.to_json()) == decoded, way


def _assert_typed(value: Any, node: Node, around: Model) -> None:
    name = model_of(node)
    if name is not None and is_union(name):
        by, classes = choices(SCHEMAS[name]) or ("", {})
        assert type(value) is _class(classes[value[by]])
        assert isinstance(value, _class(name))
        return
    if name is not None:
        assert type(value) is _class(name)
        return
    node = resolved(node)
    kind = node.get("type")
    if "x-variants" in node:
        by, classes = choices(node) or ("", {})
        assert type(value) is (_class(classes[around[by]]) if around[by] in classes else Model)
    elif "oneOf" in node:
        assert isinstance(value, (str, int, float))
    elif kind == "array":
        assert isinstance(value, list)
        for item in value:
            _assert_typed(item, node["items"], around)
    elif isinstance(node.get("additionalProperties"), dict):
        assert value
        for item in value.values():
            _assert_typed(item, node["additionalProperties"], around)
    elif kind == "string" and node.get("format") == "date-time":
        assert isinstance(value, datetime)
        assert value.utcoffset() is not None
    elif kind == "string" and node.get("format") == "date":
        assert type(value) is date
    elif kind in _SCALARS:
        assert isinstance(value, (_SCALARS[kind], int) if kind == "number" else _SCALARS[kind])
    else:
        free = (dict,) if kind == "object" else (dict, list, str, int, float)
        assert type(value) in free, "free-form data are handed over as they are"
