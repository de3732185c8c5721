"""`from_dict` distinguishes dicts of wire names from dicts of Python names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from talon_one import (
    ApiTypeError,
    CartItem,
    CustomerSessionV2,
    Model,
    NewPriceAdjustment,
    UpdateStore,
)


def test_in_a_dict_of_wire_names_none_is_null() -> None:
    data = {"priceType": "base", "sku": "A", "price": None}
    assert NewPriceAdjustment.from_dict(data).to_wire() == data


def test_in_a_dict_of_python_names_none_is_not_given() -> None:
    found = NewPriceAdjustment.from_dict({"price_type": "base", "sku": "A", "price": None})
    assert found.to_wire() == {"priceType": "base", "sku": "A"}


def test_names_of_an_object_decide_how_the_objects_inside_are_read() -> None:
    python = {"cart_items": [{"name": "Mug", "sku": None}]}
    assert CustomerSessionV2.from_dict(python).to_wire() == {"cartItems": [{"name": "Mug"}]}
    wire = {"cartItems": [{"name": "Mug", "sku": None}], "additionalCosts": {"a": {"price": None}}}
    assert CustomerSessionV2.from_dict(wire).to_wire() == wire


def test_names_of_both_kinds_are_distinguished_by_their_number() -> None:
    """What `to_dict` gave must not become nulls on the wire; a part of it is taken literally."""
    store = UpdateStore.from_dict({"name": "Berlin", "description": None})
    assert store.to_wire() == {"name": "Berlin", "description": None}
    berlin = UpdateStore.from_dict({"name": "Berlin"})
    assert berlin.to_dict().keys() == UpdateStore.attribute_map.keys()
    assert UpdateStore.from_dict(berlin.to_dict()).to_wire() == {"name": "Berlin"}
    assert UpdateStore.from_dict(json.loads(json.dumps(berlin.to_dict()))) == berlin


def test_unknown_names_are_kept() -> None:
    data: dict[str, Any] = {"sku": "A", "novelty": {"a": None}, "": [None]}
    item = CartItem.from_dict(data)
    assert item.to_wire() == data
    assert item.additional_properties == {"novelty": {"a": None}, "": [None]}
    assert item.to_dict()["novelty"] == {"a": None}


def test_models_may_stand_in_a_dict_and_be_given_as_one() -> None:
    item = CartItem(sku="A", quantity=1)
    session = CustomerSessionV2.from_dict({"cart_items": [item]})
    assert session == CustomerSessionV2.from_dict(session)
    assert session.to_wire() == {"cartItems": [{"sku": "A", "quantity": 1}]}


def test_the_dict_that_was_given_is_left_alone() -> None:
    data = {"cartItems": [{"sku": "A"}], "additionalCosts": {"a": {"price": 1}}}
    before = json.dumps(data)
    session = CustomerSessionV2.from_dict(data)
    assert session.cart_items is not None
    session.cart_items[0].sku = "B"
    assert json.dumps(data) == before


@pytest.mark.parametrize("data", [[], "text", None, 1])
def test_a_value_that_is_not_a_dict_is_refused(data: Any) -> None:
    with pytest.raises(ApiTypeError, match="CartItem is a JSON object, not"):
        CartItem.from_dict(data)
    with pytest.raises(ApiTypeError, match="CartItem is a JSON object, not"):
        CartItem.from_json(json.dumps(data))


def test_the_base_class_takes_any_object() -> None:
    assert Model.from_dict({"a": None}).to_wire() == {"a": None}
