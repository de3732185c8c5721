"""Documents that mean the same have one normal form."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from codegen.drift.compare import compare
from codegen.drift.documents import Document
from codegen.drift.normal_form import normal_form
from codegen.drift.report import as_changelog, as_json, as_text
from codegen.drift.standing import assess
from codegen.loader import SpecError, load
from support.every import for_every
from support.examples import examples
from support.releases import Node, edited, form, in_31, release, schemas

SAME: dict[str, tuple[Any, Any]] = {
    "nullable": ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
    "null as an alternative": (
        {"allOf": [{"$ref": "#/components/schemas/Owner"}], "nullable": True},
        {"anyOf": [{"$ref": "#/components/schemas/Owner"}, {"type": "null"}]},
    ),
    "null among the values": (
        {"type": "string", "nullable": True, "enum": ["a", None]},
        {"type": ["string", "null"], "enum": ["a", None]},
    ),
    "exclusive limits": (
        {"type": "number", "minimum": 0, "exclusiveMinimum": True},
        {"type": "number", "exclusiveMinimum": 0},
    ),
    "limits of which one says nothing": (
        {"type": "number", "maximum": 9, "exclusiveMaximum": True},
        {"type": "number", "maximum": 9, "exclusiveMaximum": 9},
    ),
    "a constant": ({"type": "string", "enum": ["a"]}, {"const": "a"}),
    "described constants": (
        {"type": "string", "enum": ["a", "b"]},
        {"oneOf": [{"const": "b", "title": "B"}, {"const": "a", "title": "A"}]},
    ),
    "texts beside a reference": (
        {"description": "Whose.", "allOf": [{"$ref": "#/components/schemas/Owner"}]},
        {"description": "Whose.", "$ref": "#/components/schemas/Owner"},
    ),
    "a type beside the reference": (
        {"type": "object", "allOf": [{"$ref": "#/components/schemas/Owner"}]},
        {"$ref": "#/components/schemas/Owner"},
    ),
    "texts as a part": (
        {"allOf": [{"$ref": "#/components/schemas/Owner"}, {"description": "Whose."}]},
        {"description": "Whose.", "$ref": "#/components/schemas/Owner"},
    ),
    "an alternative alone": (
        {"oneOf": [{"$ref": "#/components/schemas/Owner"}]},
        {"$ref": "#/components/schemas/Owner"},
    ),
    "bytes": (
        {"type": "string", "format": "byte"},
        {"type": "string", "contentEncoding": "base64"},
    ),
    "an example": ({"type": "string", "example": "a"}, {"type": "string", "examples": ["a", "b"]}),
    "limits that are none": (
        {"type": "array", "items": {}, "minItems": 0, "uniqueItems": False},
        {"type": "array"},
    ),
    "anything": ({}, True),
    "a map of anything": ({"type": "object", "additionalProperties": True}, {"type": "object"}),
    "types that need not be said": (
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"additionalProperties": {"type": "string"}},
    ),
}


@for_every("case", SAME)
def test_two_ways_to_say_the_same_are_equal(case: str) -> None:
    first, second = (
        form(edited(lambda each, node=node: schemas(each).update(Case=deepcopy(node))))  # type: ignore[misc]
        for node in SAME[case]
    )
    assert compare(first, second) == []
    used, again = (
        form(
            edited(
                lambda each, node=node: schemas(each)["Coupon"]["properties"].update(  # type: ignore[misc]
                    case=deepcopy(node)
                )
            )
        )
        for node in SAME[case]
    )
    assert compare(used, again) == []


def test_parts_of_an_object_are_one_object() -> None:
    parts = {
        "description": "All.",
        "allOf": [
            {"$ref": "#/components/schemas/Owner"},
            {"type": "object", "required": ["age"], "properties": {"age": {"type": "integer"}}},
        ],
    }
    owner = schemas(release())["Owner"]["properties"]
    whole = {
        "description": "All.",
        "type": "object",
        "required": ["age"],
        "properties": {**owner, "age": {"type": "integer"}},
    }
    first, second = (
        form(edited(lambda each, node=node: schemas(each).update(Whole=node)))  # type: ignore[misc]
        for node in (parts, whole)
    )
    assert compare(first, second) == []
    assert first.schemas["Whole"].required == {"age"}


def test_an_object_without_a_name_gets_that_of_its_place() -> None:
    def add(document: Node) -> None:
        point = {"type": "object", "properties": {"x": {"type": "number"}}}
        schemas(document)["Coupon"]["properties"]["points"] = {"type": "array", "items": point}

    found = form(edited(add))
    assert found.schemas["CouponPointsInner"].generated
    assert found.describe(found.schemas["Coupon"].properties["points"]) == (
        "list of CouponPointsInner"
    )


def test_a_name_that_is_taken_is_not_given_again() -> None:
    def add(document: Node) -> None:
        point = {"type": "object", "properties": {"x": {"type": "number"}}}
        schemas(document)["Coupon"]["properties"]["point"] = point
        schemas(document)["CouponPoint"] = {"type": "string"}

    assert form(edited(add)).schemas["CouponPoint2"].properties.keys() == {"x"}


def test_schemas_that_make_up_each_other_doubly_are_read_once() -> None:
    def double(document: Node) -> None:
        for level in range(60):
            part = {"$ref": f"#/components/schemas/Part{level + 1}"}
            schemas(document)[f"Part{level}"] = {"allOf": [part, part]}
        schemas(document)["Part60"] = {"type": "object", "properties": {"x": {"type": "number"}}}
        schemas(document)["Coupon"]["properties"]["part"] = {
            "allOf": [{"$ref": "#/components/schemas/Part0"}, {"minProperties": 1}]
        }

    assert form(edited(double)).schemas["CouponPart"].properties.keys() == {"x"}


# Laws

_TEXTS = st.sampled_from(["", "A text.", "Another one."])
_LEAVES: st.SearchStrategy[Node] = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("string")},
        optional={
            "nullable": st.booleans(),
            "description": _TEXTS,
            "format": st.sampled_from(["date", "date-time", "password"]),
            "minLength": st.integers(0, 3),
            "enum": st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, unique=True),
            "example": st.sampled_from(["a", "b"]),
        },
    ),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["integer", "number"])},
        optional={
            "nullable": st.booleans(),
            "minimum": st.integers(-2, 2),
            "exclusiveMinimum": st.booleans(),
            "maximum": st.integers(3, 5),
            "exclusiveMaximum": st.booleans(),
            "deprecated": st.booleans(),
        },
    ),
    st.fixed_dictionaries(
        {"allOf": st.just([{"$ref": "#/components/schemas/Owner"}])},
        optional={"nullable": st.booleans(), "description": _TEXTS},
    ),
    st.just({"$ref": "#/components/schemas/Thing"}),
    st.just({}),
)
_NODES: st.SearchStrategy[Node] = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}),
        st.fixed_dictionaries({"type": st.just("object"), "additionalProperties": inner}),
        st.fixed_dictionaries(
            {
                "type": st.just("object"),
                "properties": st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, min_size=1),
            },
            optional={"nullable": st.booleans(), "required": st.just(["a"])},
        ),
        st.fixed_dictionaries({"oneOf": st.lists(inner, min_size=2, max_size=3)}),
    ),
    max_leaves=8,
)


@examples(50)
@given(_NODES)
def test_a_document_is_equal_to_itself_and_to_itself_in_31(node: Node) -> None:
    def add(document: Node) -> None:
        schemas(document)["Thing"] = {"type": "object", "properties": {"inside": deepcopy(node)}}

    document = edited(add)
    old = form(document)
    assert compare(old, old) == []
    assert compare(old, form(deepcopy(document))) == []
    assert compare(old, form(in_31(document))) == []
    assert compare(form(in_31(document)), old) == []


def test_our_own_description_is_equal_to_itself_in_31(spec_document: Node) -> None:
    old = normal_form(Document("spec", spec_document))
    assert compare(old, old) == []
    assert compare(old, normal_form(Document("spec", in_31(spec_document)))) == []


@pytest.fixture(scope="module")
def spec_document() -> Node:
    return load(Path(__file__).parents[3] / "spec")


# What cannot be brought into a normal form


@for_every(
    "edit, message",
    [
        (
            lambda each: schemas(each).update(new_coupon={"type": "object"}),
            "the schemas NewCoupon and new_coupon are both named NewCoupon",
        ),
        (
            lambda each: each["paths"].update(
                {"/v1/x": {"get": {"operationId": "updateCoupon", "responses": {}}}}
            ),
            "the operation updateCoupon is defined twice",
        ),
        (
            lambda each: schemas(each).update(
                Loop={"allOf": [{"$ref": "#/components/schemas/Loop"}, {"minLength": 1}]}
            ),
            "the schema Loop is part of itself",
        ),
        (
            lambda each: schemas(each).update(
                Loop={"anyOf": [{"$ref": "#/components/schemas/Loop"}, {"type": "null"}]}
            ),
            "the schema Loop leads only to itself",
        ),
        (
            lambda each: schemas(each).update(Coupon="a text"),
            "a schema is 'a text', not a mapping",
        ),
        (
            lambda each: schemas(each)["Coupon"].update(properties=["id"]),
            "properties is ['id'], not a mapping",
        ),
        (
            lambda each: schemas(each)["Coupon"].update(required="id"),
            "required is 'id', not a list",
        ),
        (
            lambda each: schemas(each)["Coupon"]["properties"]["id"].update(minimum=[1]),
            "minimum is [1], not a number",
        ),
        (
            lambda each: schemas(each)["Coupon"]["properties"]["id"].update(format={}),
            "format is {}, not a text",
        ),
        (
            lambda each: schemas(each)["Coupon"].update(minProperties={"least": 1}),
            "minProperties is {'least': 1}, not a number",
        ),
        (
            lambda each: schemas(each)["Coupon"].update(minimum=True),
            "minimum is True, not a number",
        ),
        (
            lambda each: schemas(each)["Coupon"].update(exclusiveMaximum="9"),
            "exclusiveMaximum is '9', not a number",
        ),
        (
            lambda each: schemas(each)["Coupon"].update(format={"oneOf": []}),
            "format is {'oneOf': []}, not a text",
        ),
        (
            lambda each: each["paths"].update({"/v1/x": {"get": None}}),
            "get /v1/x is None, not a mapping",
        ),
        (
            lambda each: each["paths"].update({"/v1/x": {"get": {"parameters": [{"in": "path"}]}}}),
            "a parameter of getV1X has no name or place",
        ),
    ],
)
def test_what_has_no_normal_form_is_refused(edit: Any, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        form(edited(edit))
    place = "release.yaml, line 1"
    places = {f"{place}: {message}", f"{place} and {place}: {message}"}
    assert str(caught.value) in places


def _places(node: Any) -> list[tuple[Any, Any]]:
    """Return every mapping or list of a document with each of its keys."""
    keys = list(node) if isinstance(node, dict) else range(len(node)) if node else []
    found = []
    for key in keys:
        found.append((node, key))
        if isinstance(node[key], (dict, list)):
            found += _places(node[key])
    return found


_SCHEMA = "#/components/schemas"
_ALL_OF = f'{{"allOf": [{{"$ref": "{_SCHEMA}/Coupon"}}, {{"properties": {{"z": {{}}}}}}]}}'
_WRONG = st.sampled_from(
    [
        *("null", "1", "1.5", "true", '"x"', "[]", "{}", "[1]", "[null]", '{"a": 1}', _ALL_OF),
        *(f'{{"$ref": "{_SCHEMA}/{name}"}}' for name in ("Owner", "Coupon/properties/state")),
    ]
)


@examples(60)
@given(st.lists(st.tuples(st.integers(0, 10**6), _WRONG), min_size=1, max_size=3))
def test_a_document_with_anything_anywhere_is_compared_or_refused(
    wrong: list[tuple[int, str]],
) -> None:
    document = release()
    for number, value in wrong:
        places = _places(document)
        owner, key = places[number % len(places)]
        owner[key] = json.loads(value)
    old = form(release())
    try:
        new = form(document)
    except SpecError as cause:
        message = str(cause)
        event("refused")
    else:
        message = "compared"
        assert compare(new, new) == []
        for drift in (assess(old, new, old), assess(new, old, old)):
            for report in (as_text, as_json, as_changelog):
                assert report(drift)
    assert "\n" not in message
