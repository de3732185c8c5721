"""Texts of operations name what Python code sets and reads as Python code does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import talon_one
from codegen import ir
from codegen.builder import build
from codegen.loader import load
from codegen.render import render

SMALL = Path(__file__).parent / "small_spec"
ROOT = Path(__file__).resolve().parents[2]


def document(text: str) -> dict[str, Any]:
    """Return the small spec with *text* in the description of `saveThing`."""
    found = load(SMALL)
    found["paths"]["/v1/things/{thingId}"]["put"]["description"] = text
    everything = found["components"]["schemas"]["Everything"]["properties"]
    everything["startDate"] = {"description": "When.", "type": "string"}
    everything["sortBy"] = {"description": "What.", "type": "string", "enum": ["endDate"]}
    everything["endDate"] = {"description": "When `startDate`.", "type": "string"}
    return found


def described(text: str) -> str:
    """Return the description of `saveThing` as it is written for Python."""
    return operation(document(text), "saveThing").description


def operation(spec: dict[str, Any], id: str) -> ir.Operation:
    apis = build(spec, "small").apis
    (found,) = [each for api in apis for each in api.operations if each.id == id]
    return found


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Needs `thingId`.", "Needs `thing_id`."),
        ("Needs `startDate` and `startDate`.", "Needs `start_date` and `start_date`."),
        ("Only with `dry=true`.", "Only with `dry=True`."),
        ("Only if `startDate < thingId`.", "Only if `start_date < thing_id`."),
        ('Or `startDate=""`.', 'Or `start_date=""`.'),
    ],
)
def test_wire_names_of_parameters_and_properties_become_python_names(said: str, meant: str) -> None:
    assert described(said) == meant


@pytest.mark.parametrize(
    "kept",
    [
        "Without backticks, startDate is a word.",
        "Sorts by `endDate`, which is a value of `sortBy` and a property.".replace(
            "`sortBy`", "it"
        ),
        "Needs `Idempotency-Key`, which is a header.",
        "Sends `otherName`, which nothing here has.",
        "Sends `{thingId}` or `['startDate']`.",
        "Is `true` or `null`.",
    ],
)
def test_what_is_sent_as_it_is_written_stays(kept: str) -> None:
    assert described(kept) == kept


def test_properties_of_the_response_become_python_names_too() -> None:
    spec = document("Text.")
    spec["paths"]["/v1/things/{thingId}"]["get"]["summary"] = "Get `startDate`"
    assert operation(spec, "getThing").summary == "Get `start_date`."


def test_a_parameter_is_meant_before_a_property_of_the_same_wire_name() -> None:
    spec = document("Needs `startDate`.")
    spec["paths"]["/v1/things/{thingId}"]["put"]["parameters"].append(
        {
            "name": "startDate",
            "in": "query",
            "description": "When.",
            "schema": {"type": "string"},
            "x-python-name": "begin",
        }
    )
    assert operation(spec, "saveThing").description == "Needs `begin`."


def test_a_wire_name_with_two_python_names_stays() -> None:
    spec = document("Needs `startDate`.")
    part = spec["components"]["schemas"]["Part"]["properties"]
    part["startDate"] = {"description": "When.", "type": "string", "x-python-name": "begin"}
    assert operation(spec, "saveThing").description == "Needs `startDate`."


def test_booleans_are_those_of_python_where_a_parameter_is_one() -> None:
    spec = document("Text.")
    parameters = spec["paths"]["/v1/things/{thingId}"]["get"]["parameters"]
    parameters[1]["description"] = "With `true`, tells more. Default: `false`."
    parameters[2]["description"] = "Not `true`."
    descriptions = [each.description for each in operation(spec, "getThing").parameters]
    assert descriptions[1:] == ["With `True`, tells more. Default: `False`.", "Not `true`."]


def test_the_values_of_sort_stay() -> None:
    spec = document("Text.")
    verbose = spec["paths"]["/v1/things/{thingId}"]["get"]["parameters"][1]
    verbose.update(name="sort", description="One of `startDate`.", schema={"type": "string"})
    assert operation(spec, "getThing").parameters[1].description == "One of `startDate`."


def test_texts_of_models_keep_wire_names_because_json_schemas_have_them_too() -> None:
    (everything,) = [
        each for each in build(document("Text."), "small").models if each.name == "Everything"
    ]
    assert everything.properties[-1].description == "When `startDate`."


def test_docstrings_name_methods_and_not_operations() -> None:
    spec = document("Undoes `getThing`; unlike `getSomethingWithARatherLongName`.")
    source = render(build(spec, "small"), {})["small/api/integration_api.py"]
    other = "ManagementApi.get_something_with_a_rather_long_name"
    assert f"Undoes `get_thing`; unlike `{other}`." in " ".join(source.split())
    assert "Operation `saveThing`: `PUT /v1/things/{thingId}`." in source


def test_no_docstring_of_a_method_has_the_wire_name_of_a_parameter() -> None:
    wrong = []
    for api in build(load(ROOT / "spec"), "talon_one").apis:
        for each in api.operations:
            text = getattr(getattr(talon_one, api.name), each.name).__doc__
            queries = [one for one in each.parameters if one.location == "query"]
            wires = {one.wire for one in queries if one.wire != one.name}
            wrong += [(each.name, wire) for wire in wires if f"`{wire}`" in text]
    assert wrong == []
