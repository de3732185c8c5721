"""Python's own view of models and methods: types, signatures, documentation."""

from __future__ import annotations

import inspect
import pydoc
import typing
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Literal

import pytest

import talon_one
from package.fresh import result_of
from support.spec import MODELS, OPERATIONS, SCHEMAS, constants, properties, python_name
from talon_one import AdditionalCost, CartItem, Effect, IntegrationStateV2, Model, Product, aio
from talon_one._schema.fields import Field, NestedField, field
from talon_one._utils.special_forms import Self

APIS = (talon_one.IntegrationApi, talon_one.ManagementApi, aio.IntegrationApi, aio.ManagementApi)


def failures(evaluate: Callable[[Any], object], named: dict[str, Any]) -> dict[str, str]:
    """Return what cannot be evaluated, by name."""
    found = {}
    for name, each in named.items():
        try:
            evaluate(each)
        except Exception as cause:  # Whatever it is, the report names it.
            found[name] = f"{type(cause).__name__}: {cause}"
    return found


def evaluated_signature(of: Any) -> inspect.Signature:
    return inspect.signature(of, eval_str=True)


def evaluated_annotations(of: Any) -> dict[str, Any]:
    return inspect.get_annotations(of, eval_str=True)


EVALUATIONS: list[Callable[[Any], object]] = [
    typing.get_type_hints,
    evaluated_annotations,
    evaluated_signature,
]


def model_classes() -> Iterator[type[Model]]:
    yield Model
    for name in MODELS:
        yield getattr(talon_one, name)


def functions(owner: type) -> dict[str, Any]:
    """Return all methods of a class, those of its bases included."""
    found = {name: getattr(owner, name) for name in dir(owner)}
    return {
        name: each
        for name, each in found.items()
        if inspect.isroutine(each) and hasattr(each, "__annotations__")
    }


@pytest.mark.parametrize("evaluate", EVALUATIONS)
def test_the_annotations_of_every_model_can_be_evaluated(
    evaluate: Callable[[Any], object],
) -> None:
    classes = {cls.__name__: cls for cls in model_classes()}
    assert len(classes) > 750
    assert failures(evaluate, classes) == {}


@pytest.mark.parametrize("evaluate", EVALUATIONS)
def test_the_annotations_of_every_method_can_be_evaluated(
    evaluate: Callable[[Any], object],
) -> None:
    methods = {
        f"{owner.__module__}.{owner.__name__}.{name}": method
        for owner in (*APIS, Model)
        for name, method in functions(owner).items()
    }
    # Each operation is a method with two variants, in both shells.
    assert len(methods) > 6 * len(OPERATIONS)
    assert failures(evaluate, methods) == {}


@pytest.mark.parametrize("evaluate", EVALUATIONS)
def test_the_annotations_of_every_api_can_be_evaluated(
    evaluate: Callable[[Any], object],
) -> None:
    assert failures(evaluate, {str(api): api for api in APIS}) == {}
    constructors = [each.__init__ for each in (*APIS, talon_one.ApiClient, aio.ApiClient)]
    assert failures(evaluate, {str(each): each for each in constructors}) == {}


@pytest.mark.parametrize("evaluate", EVALUATIONS)
def test_the_annotations_of_every_public_class_and_its_methods_can_be_evaluated(
    evaluate: Callable[[Any], object],
) -> None:
    public = {name: getattr(talon_one, name) for name in talon_one.HOME}
    classes = [each for each in public.values() if isinstance(each, type)]
    assert talon_one.Configuration in classes
    named = {
        f"{owner.__name__}.{name}": routine
        for owner in (*classes, aio.ApiClient)
        for name, routine in functions(owner).items()
        if not name.startswith("_") or name == "__init__"
    }
    assert failures(evaluate, named) == {}


def test_the_settings_of_a_call_can_be_evaluated() -> None:
    settings = typing.get_type_hints(talon_one.endpoint.CallSettings)
    assert settings["_retries"] == int | bool | talon_one.RetryPolicy


def test_the_types_of_properties_are_those_that_are_written() -> None:
    types = typing.get_type_hints(CartItem)
    assert types["product"] == Product | None
    assert types["additional_costs"] == dict[str, AdditionalCost] | None
    assert types["sku"] is str
    assert types["attributes"] == dict[str, Any] | None
    assert typing.get_type_hints(Effect)["props"] == Model | dict[str, Any]
    assert typing.get_type_hints(talon_one.CustomerProfile)["created"] is datetime
    shown = {name for name, each in types.items() if typing.get_origin(each) is not typing.ClassVar}
    # Those of the core would look like properties to code that iterates over them.
    assert shown == set(CartItem.attribute_map)


def test_the_types_of_methods_are_those_that_type_checkers_see() -> None:
    for api in (talon_one.IntegrationApi, aio.IntegrationApi):
        types = typing.get_type_hints(api.update_customer_session_v2)
        assert types["return"] is IntegrationStateV2
        assert types["body"] == talon_one.IntegrationRequest | dict[str, Any]
        full = inspect.signature(api.update_customer_session_v2_with_http_info, eval_str=True)
        assert full.return_annotation == talon_one.ApiResponse[IntegrationStateV2]
        assert full.parameters.keys() == types.keys() - {"return"} | {"self"}
        assert typing.get_type_hints(api.update_customer_session_v2_with_http_info) == {
            **types,
            "return": talon_one.ApiResponse[IntegrationStateV2],
        }


def test_a_signature_says_which_properties_are_required() -> None:
    wrong = {}
    for name in MODELS:
        required = SCHEMAS[name].get("required", ())
        expected = {
            python_name(wire, node): wire in required and wire not in constants(name)
            for wire, node in properties(name).items()
        }
        parameters = inspect.signature(getattr(talon_one, name)).parameters
        found = {each.name: each.default is each.empty for each in parameters.values()}
        if found != expected or list(found) != list(expected):
            wrong[name] = found
    assert wrong == {}
    assert str(inspect.signature(AdditionalCost)) == "(*, price: float)"
    parameters = inspect.signature(CartItem).parameters
    assert parameters["product"].annotation == Product | None
    assert {each.kind for each in parameters.values()} == {inspect.Parameter.KEYWORD_ONLY}


class Strange(CartItem):
    """A class as an application might derive it, with a type that there is only for checkers."""

    __slots__ = ()

    more: "Nowhere | None" = field(default=None)  # type: ignore[name-defined]  # noqa: F821, UP037
    """What it has beside the properties of its base."""

    def own(self) -> Self:
        return self


def test_a_derived_class_with_types_of_its_own_has_a_signature_all_the_same() -> None:
    parameters = inspect.signature(Strange).parameters
    assert "Nowhere" in parameters["more"].annotation
    assert parameters["sku"].default is inspect.Parameter.empty
    assert inspect.getdoc(Strange.more) == "What it has beside the properties of its base."
    assert inspect.getdoc(Strange.sku) == inspect.getdoc(CartItem.sku)


def test_the_documentation_of_a_property_is_its_description() -> None:
    wrong = {}
    for name in MODELS:
        for wire, node in properties(name).items():
            declared = getattr(getattr(talon_one, name), python_name(wire, node))
            text = " ".join((inspect.getdoc(declared) or "").split())
            if not text or " ".join(node["description"].split()) not in text:
                wrong[f"{name}.{wire}"] = text
    assert wrong == {}


def test_help_describes_a_class_and_each_of_its_properties() -> None:
    text = pydoc.plain(pydoc.render_doc(CartItem))
    assert "One line item in the cart of a customer session." in text
    assert "sku: str" in text
    assert "SKU code identifying the cart item." in text
    assert "Product that the item belongs to, if known." in text


def test_classes_of_fields_keep_their_own_documentation() -> None:
    assert (Field.__doc__ or "").startswith("A property whose value is used as it is")
    assert (NestedField.__doc__ or "").startswith("A model, or lists and maps")


def test_without_source_a_property_has_no_documentation_and_works() -> None:
    # As in a frozen application: neither a file nor a loader has it.
    program = """
import importlib.machinery, inspect, json, linecache, pydoc
importlib.machinery.SourceFileLoader.get_source = lambda *_: None
linecache.updatecache = lambda *_, **__: []
import talon_one
item = talon_one.CartItem(sku="a", quantity=1)
assert "sku" in pydoc.render_doc(talon_one.CartItem)
print(json.dumps([inspect.getdoc(talon_one.CartItem.sku), item.sku]))
"""
    assert result_of(program) == [None, "a"]


def test_nothing_is_read_before_a_description_is_asked_for() -> None:
    program = """
import json, sys, talon_one
item = talon_one.CartItem(sku="a", quantity=1)
item.product = {"name": "b"}
item.product.name, item.validate(), repr(item)
rare = {"talon_one._schema.introspection", "talon_one._schema.pydantic_schema", "pydantic_core"}
print(json.dumps(sorted(rare & set(sys.modules))))
"""
    assert result_of(program) == []


def test_literals_are_evaluated() -> None:
    types = typing.get_type_hints(talon_one.CampaignSetLeafNode)
    assert types["type"] == Literal["CAMPAIGN"]
