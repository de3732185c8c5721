"""Where every class is found, and what its properties are called."""

from __future__ import annotations

import importlib
import re
from itertools import pairwise
from typing import Any

import pytest

import talon_one
import talon_one.models
from support.every import for_every
from support.spec import (
    MODELS,
    OPERATIONS,
    SCHEMAS,
    properties,
    python_aliases,
    python_name,
    required,
    type_string,
    underscored,
)
from talon_one import NULL, ApiAttributeError, ApiTypeError, Model

_WITH_ALIASES = [
    (name, wire)
    for name in MODELS
    for wire, node in properties(name).items()
    if python_aliases(node)
]


@for_every("name", SCHEMAS)
def test_every_schema_is_found_in_all_three_places_by_all_its_names(name: str) -> None:
    for spelled in (name, *python_aliases(SCHEMAS[name])):
        module = importlib.import_module(f"talon_one.models.{underscored(spelled)}")
        found = getattr(module, spelled)
        assert getattr(talon_one, spelled) is found
        assert getattr(talon_one.models, spelled) is found
        assert getattr(talon_one.models, underscored(spelled)) is module
        assert spelled in talon_one.__all__
        assert spelled in talon_one.models.__all__
        assert spelled in dir(talon_one.models)
        assert found is getattr(talon_one, name)


@for_every("name", MODELS)
def test_attribute_map_and_openapi_types_say_what_the_description_says(name: str) -> None:
    cls = getattr(talon_one, name)
    assert issubclass(cls, Model)
    assert (cls.__name__, cls.discriminator) == (name, None)
    nodes = properties(name)
    names = {python_name(wire, node): wire for wire, node in nodes.items()}
    types = {python_name(wire, node): type_string(node) for wire, node in nodes.items()}
    for where in (cls, cls()):
        assert list(where.attribute_map.items()) == list(names.items())
        assert list(where.openapi_types.items()) == list(types.items())
    assert cls.__match_args__ == tuple(names)


_METHODS = {each.id: f"`{each.api}.{each.name}`" for each in OPERATIONS}


@for_every("name", MODELS)
def test_every_property_has_its_description_as_documentation(name: str) -> None:
    module = importlib.import_module(f"talon_one.models.{underscored(name)}")
    assert module.__file__ is not None
    with open(module.__file__, encoding="utf-8") as file:
        text = " ".join(file.read().replace("\\\\", "\\").split())
    described = [SCHEMAS[name], *properties(name).values()]
    for node in described:
        # Where the spec names an operation, its docstring names the method.
        # One may be a value of the property, too.
        methods = {id: name for id, name in _METHODS.items() if id not in node.get("enum", ())}
        said = node["description"]
        for id in re.findall(r"`(\w+)`", said):
            said = said.replace(f"`{id}`", methods.get(id, f"`{id}`"))
        assert " ".join(said.split()).replace('"""', r"\"\"\"") in text


@for_every("name", MODELS)
def test_required_properties_are_the_documented_ones(name: str) -> None:
    fields = getattr(talon_one, name)._fields.values()
    assert {each.wire for each in fields if each.required} == set(required(name))


@for_every("name, wire", _WITH_ALIASES)
def test_further_names_of_a_property_work_as_attribute_and_as_keyword(name: str, wire: str) -> None:
    cls = getattr(talon_one, name)
    node = properties(name)[wire]
    for first, second in pairwise([python_name(wire, node), *python_aliases(node)]):
        model = cls(**{second: "x"})
        assert model[wire] == getattr(model, first) == getattr(model, second) == "x"
        setattr(model, second, "y")
        assert getattr(model, first) == "y"
        delattr(model, second)
        assert wire not in model
        assert cls.from_dict({second: "x"}) == cls(**{first: "x"})
        assert second not in cls.attribute_map


def test_reserved_words_are_avoided_and_older_spellings_kept() -> None:
    state = talon_one.IntegrationStateV2.from_json('{"return": {"id": 1}}')
    assert isinstance(state.return_, talon_one.Return)
    assert state.return_ is state["return"]
    assert talon_one.ModelReturn is talon_one.Return
    assert importlib.import_module("talon_one.models.return_").Return is talon_one.Return
    assert importlib.import_module("talon_one.models.import_").Import is talon_one.ModelImport
    reserved = talon_one.CouponReservations.from_dict({"integrationIDs": ["a"]})
    assert reserved.integration_ids == ["a"]
    assert talon_one.InlineResponse200 is talon_one.GetReservedCustomers200Response


def test_no_property_hides_what_every_model_offers() -> None:
    offered = {name for name in dir(Model) if not name.startswith("__")} - {"items", "values"}
    for name in MODELS:
        assert not offered & getattr(talon_one, name)._by_name.keys()


def test_a_property_wins_over_the_method_that_a_dict_has_under_its_name() -> None:
    picklist = talon_one.NewPicklist(type="string", values=["a", "b"])
    assert picklist.values == ["a", "b"]
    assert dict(picklist) == {"type": "string", "values": ["a", "b"]}
    assert list(picklist.items()) == [("type", "string"), ("values", ["a", "b"])]


def test_an_unknown_name_is_responded_with_the_nearest_one() -> None:
    cart_item: Any = talon_one.CartItem
    item = cart_item(name="Mug")
    with pytest.raises(ApiTypeError, match=r"CartItem has no property 'skuu'\. Did you mean 'sku'"):
        cart_item(skuu="A")
    with pytest.raises(ApiTypeError, match="has no property 'quantitty'"):
        cart_item(quantitty=None)
    with pytest.raises(ApiAttributeError, match=r"attribute 'quantty'\. Did you mean 'quantity'"):
        item.quantty  # noqa: B018  reading it is the point
    with pytest.raises(ApiAttributeError, match=r"attribute 'nam'\. Did you mean 'name'"):
        item.nam = "Cup"
    with pytest.raises(AttributeError, match="Did you mean 'CartItem'"):
        getattr(talon_one, "CartItm")  # noqa: B009  a type checker knows that it is not there
    assert cart_item(local_vars_configuration=None, name="Mug") == item


def test_too_many_positional_arguments_and_doubled_ones_are_refused() -> None:
    cost: Any = talon_one.AdditionalCost
    state: Any = talon_one.IntegrationStateV2
    with pytest.raises(ApiTypeError, match="AdditionalCost has 1 properties, not 2"):
        cost(1.0, 2)
    with pytest.raises(ApiTypeError, match="got 'price' twice"):
        cost(1.0, price=2)
    with pytest.raises(ApiTypeError, match="got 'return_' twice"):
        state(return_={"id": 1}, _return={"id": 2})
    assert state(return_={"id": 1}, _return=None).to_wire() == {"return": {"id": 1}}


def test_none_is_not_given_and_null_is_null() -> None:
    update_store: Any = talon_one.UpdateStore
    store = update_store(name="Berlin", description=None, attributes=NULL)
    assert store.to_json() == '{"name":"Berlin","attributes":null}'
    store.name, store.description = None, NULL
    assert store.to_json() == '{"attributes":null,"description":null}'
    del store.description
    assert store.to_json() == '{"attributes":null}'
