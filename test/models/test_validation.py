"""What may be sent and what may not: every constraint of every property of the description."""

from __future__ import annotations

import pytest

import talon_one
from models.everything import read_everything
from support.every import for_every
from support.samples import forbidden, sample_object, written
from support.spec import MODELS, is_nullable, properties, required
from talon_one import Model, ModelValidationError, Violation
from talon_one.exceptions import json_path

# What the message about each constraint says.
_SAYS = {
    "type": ("must be",),
    "required": ("is required",),
    "enum": ("must be one of",),
    "format": ("must be an RFC 3339 timestamp", "must be a date"),
    "minLength": ("must have at least", "must not be empty"),
    "maxLength": ("must have at most",),
    "pattern": ("must match",),
    "minimum": ("must be at least", "must be above"),
    "exclusiveMinimum": ("must be above",),
    "maximum": ("must be at most", "must be below"),
    "exclusiveMaximum": ("must be below",),
    "minItems": ("must have at least",),
    "maxItems": ("must have at most",),
    "uniqueItems": ("must not name an item twice",),
}


def _class(name: str) -> type[Model]:
    found: type[Model] = getattr(talon_one, name)
    return found


@for_every("name", MODELS)
def test_a_valid_object_has_no_violations(name: str) -> None:
    for everything in (True, False):
        model = _class(name).from_json(written(sample_object(name, everything)))
        model.validate()
        read_everything(model)
        model.validate()
        model["an unknown property"] = {"of": ["any", "kind", None]}
        model.validate()


@for_every("name", MODELS)
def test_a_violation_of_the_description_is_reported_at_its_path(name: str) -> None:
    cls = _class(name)
    valid = sample_object(name, everything=False)
    for wire, node in properties(name).items():
        for constraint, value, path in forbidden(node):
            with pytest.raises(ModelValidationError) as caught:
                cls.from_json(written({**valid, wire: value})).validate()
            where = (wire, *path)
            # A text may be too short and break the pattern too, at one place still.
            found = caught.value.violations
            assert {each.path for each in found} == {where}, f"{constraint}: {value!r}"
            assert any(each.message.startswith(_SAYS[constraint]) for each in found)
            assert all(f"{json_path(where)} {each.message}" in str(caught.value) for each in found)


@for_every("name", [name for name in MODELS if required(name)])
def test_all_missing_properties_are_reported_together(name: str) -> None:
    nodes = properties(name)
    nulls = dict.fromkeys(required(name))
    not_nullable = {(wire,) for wire in nulls if not is_nullable(nodes[wire])}
    for lacking, expected in (({}, {(wire,) for wire in nulls}), (nulls, not_nullable)):
        if not expected:
            _class(name).from_json(written(lacking)).validate()
            continue
        with pytest.raises(ModelValidationError) as caught:
            _class(name).from_json(written(lacking)).validate()
        assert {each.path for each in caught.value.violations} == expected
        assert {each.message for each in caught.value.violations} == {"is required"}


def test_several_violations_are_reported_in_one_sentence() -> None:
    item = talon_one.CartItem.from_dict({"sku": "", "quantity": 0, "price": "free"})
    with pytest.raises(ModelValidationError) as caught:
        item.validate()
    assert str(caught.value) == (
        "CartItem has 3 violations: $.sku must not be empty;"
        " $.quantity must be at least 1, not 0; $.price must be a number, not str"
    )
    assert isinstance(caught.value, ValueError)


def test_one_violation_is_reported_with_its_place_unless_it_is_the_whole_value() -> None:
    deep = ModelValidationError("CartItem", [Violation(["price"], "must be a number")])
    assert str(deep) == "CartItem has 1 violation: $.price must be a number"
    whole = ModelValidationError("skip", [Violation([], "must be a number")])
    assert str(whole) == "skip must be a number"
    two = ModelValidationError("CartItem", [Violation([], "a"), Violation(["b"], "c")])
    assert str(two).startswith("CartItem has 2 violations: ")
