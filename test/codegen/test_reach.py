"""A schema is there because an operation or a webhook reaches it, or for a reason that it gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from codegen.loader import Document, SpecError, load
from codegen.reach import refuse_orphans

SMALL_SPEC = Path(__file__).parent / "small_spec"


def _ref(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(**properties: Document) -> Document:
    return {"type": "object", "properties": properties or {"id": {"type": "integer"}}}


def _document(operation: Document, **schemas: Document) -> Document:
    return {
        "paths": {"/v1/things": {"get": operation}},
        "components": {
            "schemas": schemas,
            "parameters": {"Shared": {"name": "thing", "in": "query", "schema": _ref("Thing")}},
        },
    }


def _content(schema: Document) -> Document:
    return {"content": {"application/json": {"schema": schema}}}


def _said(document: Document) -> list[str]:
    try:
        refuse_orphans(document)
    except SpecError as refused:
        return [mistake.message for mistake in refused.mistakes]
    return []


ORPHAN = "{}: new orphan: no operation reaches it, so x-kept must say why it is there"
NOT_KEPT = "{}: x-kept stands where an operation or a webhook reaches the schema"


@pytest.mark.parametrize(
    "operation",
    [
        {"parameters": [{"name": "thing", "in": "query", "schema": _ref("Thing")}]},
        {"parameters": [{"$ref": "#/components/parameters/Shared"}]},
        {"requestBody": _content(_ref("Thing"))},
        {"requestBody": {**_content({"type": "object"}), "x-also-accepts": ["Thing"]}},
        {"responses": {"200": _content(_ref("Thing"))}},
        {"responses": {"404": _content({"type": "array", "items": _ref("Thing")})}},
        {"x-csv": {"columns": {"thing": {"type": "array", "items": _ref("Thing")}}}},
    ],
)
def test_an_operation_reaches_what_it_mentions(operation: Document) -> None:
    assert _said(_document(operation, Thing=_object())) == []
    assert _said(_document({}, Thing=_object())) == [ORPHAN.format("Thing")]


@pytest.mark.parametrize(
    "schema",
    [
        _object(thing=_ref("Thing")),
        _object(thing={"allOf": [_ref("Thing")]}),
        _object(things={"type": "array", "items": _ref("Thing")}),
        _object(things={"type": "object", "additionalProperties": _ref("Thing")}),
        _object(inner=_object(deeper=_object(thing=_ref("Thing")))),
        {"type": "array", "items": _ref("Thing")},
        {"oneOf": [_ref("Thing")], "discriminator": {"propertyName": "kind"}},
        _object(
            kind={"type": "string"},
            thing={"type": "object", "x-variants": {"property": "kind", "others": {"a": "Thing"}}},
        ),
        _object(
            kind={"type": "string"},
            thing={"type": "object", "x-variants": {"property": "kind", "schemas": "(Thing)"}},
        ),
        # A property of that name is no reference.
        _object(**{"$ref": _ref("Thing")}),
    ],
)
def test_a_schema_that_is_reached_reaches_what_it_mentions(schema: Document) -> None:
    operation = {"responses": {"200": _content(_ref("Outer"))}}
    assert _said(_document(operation, Outer=schema, Thing=_object())) == []


def test_a_webhook_reaches_its_body_and_the_items_by_which_it_is_known() -> None:
    def webhook(rule: Any) -> Document:
        return {**_object(data=_ref("Part")), "x-notification": rule}

    parts = {"Part": _object(), "Thing": _object()}
    assert _said(_document({}, Note=webhook({"items": "Thing"}), **parts)) == []
    assert _said(_document({}, Note=webhook(True), **parts)) == [ORPHAN.format("Thing")]
    # A part of a webhook is not the body of one.
    assert _said(_document({}, Note=webhook(False), **parts)) == [
        ORPHAN.format("Note"),
        ORPHAN.format("Thing"),
    ]


def test_only_the_root_of_orphans_is_named_and_needs_a_reason() -> None:
    schemas = {"Outer": _object(inner=_ref("Inner")), "Inner": _object(itself=_ref("Inner"))}
    assert _said(_document({}, **schemas)) == [ORPHAN.format("Outer")]
    schemas["Outer"]["x-kept"] = "announced"
    assert _said(_document({}, **schemas)) == []


def test_one_of_a_ring_of_orphans_is_named_together_with_other_roots() -> None:
    schemas = {
        "Part": _object(),
        "A": _object(b=_ref("B"), part=_ref("Part")),
        "B": _object(a=_ref("A")),
        "Other": _object(),
    }
    assert _said(_document({}, **schemas)) == [ORPHAN.format("A"), ORPHAN.format("Other")]
    schemas["B"]["x-kept"] = "compatibility"
    assert _said(_document({}, **schemas)) == [ORPHAN.format("Other")]


def test_a_reason_is_refused_where_none_is_needed() -> None:
    operation = {"responses": {"200": _content(_ref("Outer"))}}
    schemas = {"Outer": _object(inner=_ref("Inner")), "Inner": _object()}
    for name in schemas:
        kept = {**schemas, name: {**schemas[name], "x-kept": "compatibility"}}
        assert _said(_document(operation, **kept)) == [NOT_KEPT.format(name)]


def test_an_orphan_has_its_place() -> None:
    document = load(SMALL_SPEC)
    names = document["components"]["schemas"]["Names"]
    del names["x-kept"]
    with pytest.raises(SpecError) as refused:
        refuse_orphans(document)
    assert str(refused.value) == f"domains/names.yaml, line 3: {ORPHAN.format('Names')}"
    names["x-kept"] = "announced"
    refuse_orphans(document)
