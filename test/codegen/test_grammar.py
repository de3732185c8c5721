"""The description says nothing that the generator would not understand, and lacks nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codegen.grammar import FORMATS, KINDS, check
from codegen.keys import KEYS
from codegen.loader import Document, SpecError, load
from support.every import for_every

SMALL_SPEC = Path(__file__).parent / "small_spec"
GET = "/v1/things/{thingId}"

Edit = Callable[[Document], object]


def _operation(document: Document) -> Document:
    found: Document = document["paths"][GET]["get"]
    return found


def _parameter(document: Document) -> Document:
    found: Document = _operation(document)["parameters"][1]
    return found


def _schema(document: Document) -> Document:
    found: Document = document["components"]["schemas"]["Part"]
    return found


def _property(document: Document) -> Document:
    found: Document = _schema(document)["properties"]["name"]
    return found


def _body(document: Document) -> Document:
    found: Document = document["paths"][GET]["put"]["requestBody"]
    return found


def _content(document: Document) -> Document:
    found: Document = _operation(document)["responses"]["200"]["content"]["application/json"]
    return found


NODES = {
    "root": lambda document: document,
    "operation": _operation,
    "parameter": _parameter,
    "schema": _schema,
    "property": _property,
    "request body": _body,
}


def _mistakes(edit: Edit) -> list[str]:
    """Return what is wrong with the small spec after an edit."""
    document = load(SMALL_SPEC)
    edit(document)
    try:
        check(document)
    except SpecError as refused:
        return [mistake.message for mistake in refused.mistakes]
    return []


def test_the_small_spec_is_right() -> None:
    assert _mistakes(lambda document: None) == []


# -- Keys ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["x-rate-limit", "readonly", "title"])
@for_every("kind", NODES)
def test_an_unknown_key_is_refused_in_every_kind_of_node(kind: str, key: str) -> None:
    (mistake,) = _mistakes(lambda document: NODES[kind](document).update({key: True}))
    assert f"{key!r} is unknown in " in mistake
    assert kind in mistake


@for_every("key", KEYS)
def test_an_extension_key_is_refused_where_it_has_no_meaning(key: str) -> None:
    others = sorted(NODES.keys() - KEYS[key].of)
    assert others
    for kind in others:

        def edit(document: Document, kind: str = kind) -> None:
            NODES[kind](document)[key] = True

        (mistake,) = _mistakes(edit)
        assert f"{key} belongs to a" in mistake
        assert mistake.endswith(f"not to {'an' if kind == 'operation' else 'a'} {kind}")


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (
            lambda document: _operation(document).update({"x-idempotnet": True}),
            "GET /v1/things/{thingId}: 'x-idempotnet' is unknown in an operation; is"
            " 'x-idempotent' meant?",
        ),
        (
            lambda document: _operation(document).update({"x-safe-to-retry": True}),
            "GET /v1/things/{thingId}: 'x-safe-to-retry' is unknown in an operation",
        ),
        (
            lambda document: _property(document).update({"desciption": "Name."}),
            "Part.name: 'desciption' is unknown in a property; is 'description' meant?",
        ),
        (
            lambda document: _parameter(document).update({"minimum": 1}),
            "GET /v1/things/{thingId}: verbose: 'minimum' is unknown in a parameter",
        ),
        (
            lambda document: document.update(security=[]),
            "'security' is unknown in a root",
        ),
        (
            lambda document: document["paths"][GET].update(trace={}),
            "/v1/things/{thingId}: 'trace' is unknown in a path",
        ),
        (
            lambda document: _content(document)["schema"].update(description="A thing."),
            "GET /v1/things/{thingId}: 200: 'description' stands beside a reference; wrap the"
            " reference into an allOf",
        ),
    ],
)
def test_the_message_names_the_node_and_what_is_meant(edit: Edit, said: str) -> None:
    assert _mistakes(edit) == [said]


# -- Values ----------------------------------------------------------------------------------------

WRONG: dict[str, list[Any]] = {
    "x-domains": ["shop", [1]],
    "x-python-name": [1, "", True],
    "x-python-aliases": ["name", [1], {}],
    "x-any": [False, "yes"],
    "x-legacy": ["yes", 1],
    "x-replaced-by": [True, ["getThing"]],
    "x-retired": ["name", ["name"], {"name": None}],
    "x-also-accepts": ["Part", [None]],
    "x-idempotent": ["true", 1, None],
    "x-serialised": ["path.thingId", {"session": 1}],
    "x-read-timeout": [0, -1, 1.5, "60", True],
    "x-limit": [0, "5"],
    "x-pages": [True, [], "skip"],
    "x-variants": [True, "kind"],
    "x-notification": ["yes", []],
    "x-kept": [True, "because"],
    "x-csv": [True, []],
}


@for_every("key", KEYS)
def test_an_extension_key_has_a_value_of_its_kind(key: str) -> None:
    for value in WRONG[key]:
        for kind in set(KEYS[key].of) & NODES.keys():

            def edit(document: Document, kind: str = kind, value: Any = value) -> None:
                node = NODES[kind](document)
                node.pop("type", None)
                node["allOf"] = []
                node[key] = value

            assert [each for each in _mistakes(edit) if f"{key} must be " in each], value


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (
            lambda document: _property(document).update(minLength=-1),
            "Part.name: minLength must be an integer that is not negative, not -1",
        ),
        (
            lambda document: _property(document).update(nullable="yes"),
            "Part.name: nullable must be true or false, not 'yes'",
        ),
        (
            lambda document: document.update(servers={}),
            "servers must be a list of mappings, not {}",
        ),
        (
            lambda document: document["components"].update(parameters=[]),
            "parameters must be a mapping, not []",
        ),
        (
            lambda document: _operation(document).update(parameters=["thingId"]),
            "GET /v1/things/{thingId}: parameters must be a list of mappings, not ['thingId']",
        ),
        (
            lambda document: _schema(document)["properties"].update(name="text"),
            "Part: name must be a mapping, not 'text'",
        ),
        (
            lambda document: document["info"].update(version=1.2),
            "info: version must be a text, not 1.2",
        ),
    ],
)
def test_a_standard_key_has_a_value_of_its_kind(edit: Edit, said: str) -> None:
    assert _mistakes(edit) == [said]


# -- Types -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ({}, "'type' is missing; x-any: true stands for any JSON"),
        ({"format": "date"}, "'type' is missing; x-any: true stands for any JSON"),
        ({"enum": ["a"]}, "'type' is missing; x-any: true stands for any JSON"),
        ({"x-any": True, "type": "string"}, "x-any stands beside a type"),
        (
            {"type": "string", "format": "datetime"},
            "the format 'datetime' of string is unknown; is 'date-time' meant?",
        ),
        ({"type": "string", "format": "int64"}, "the format 'int64' of string is unknown"),
        ({"type": "integer", "format": "date"}, "the format 'date' of integer is unknown"),
        ({"type": "array"}, "'items' is missing"),
    ],
)
def test_a_type_is_known_and_not_forgotten(node: Document, said: str) -> None:
    def property(document: Document) -> None:
        _schema(document)["properties"]["more"] = {"description": "More.", **node}

    def schema(document: Document) -> None:
        document["components"]["schemas"]["More"] = {"description": "More.", **node}

    assert _mistakes(property) == [f"Part.more: {said}"]
    assert _mistakes(schema) == [f"More: {said}"]


def test_items_are_any_json_if_nothing_is_said_of_them() -> None:
    def items(**keys: Any) -> Edit:
        more = {"description": "More.", "type": "array", "items": keys}
        return lambda document: _schema(document)["properties"].update(more=more)

    assert _mistakes(items()) == []
    assert _mistakes(items(minLength=1)) == [
        "Part.more: 'type' is missing; x-any: true stands for any JSON"
    ]


@pytest.mark.parametrize("type", FORMATS)
def test_every_known_format_is_accepted(type: str) -> None:
    for form in FORMATS[type]:
        more = {"description": "More.", "type": type, "format": form}

        def edit(document: Document, more: Document = more) -> None:
            _schema(document)["properties"]["more"] = more

        assert _mistakes(edit) == []


# -- What must be there ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("operation", "GET /v1/things/{thingId}"),
        ("parameter", "GET /v1/things/{thingId}: verbose"),
        ("schema", "Part"),
        ("property", "Part.name"),
    ],
)
def test_everything_has_a_description(kind: str, name: str) -> None:
    assert _mistakes(lambda document: NODES[kind](document).pop("description")) == [
        f"{name}: 'description' is missing"
    ]
    # As in a draft.
    for empty in ("", " \n"):

        def edit(document: Document, empty: str = empty) -> None:
            NODES[kind](document)["description"] = empty

        assert _mistakes(edit) == [f"{name}: description must be a text, not {empty!r}"]


@pytest.mark.parametrize("key", ["operationId", "tags", "summary", "security", "responses"])
def test_an_operation_has_all_that_it_needs(key: str) -> None:
    assert _mistakes(lambda document: _operation(document).pop(key)) == [
        f"GET /v1/things/{{thingId}}: {key!r} is missing"
    ]


def test_a_property_may_leave_its_description_to_what_it_refers_to() -> None:
    part = {"$ref": "#/components/schemas/Part"}
    for node in (part, {"allOf": [part], "nullable": True}):

        def edit(document: Document, node: Document = node) -> None:
            _schema(document)["properties"]["more"] = node

        assert _mistakes(edit) == []


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"id": {"type": "integer"}}},
        {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "integer"}}}},
    ],
)
def test_an_object_that_comes_back_has_a_name(schema: Document) -> None:
    assert _mistakes(lambda document: _content(document).update(schema=schema)) == [
        "GET /v1/things/{thingId}: 200: an object that comes back needs a name under schemas"
    ]


# -- Several mistakes ------------------------------------------------------------------------------


def test_all_mistakes_are_reported_in_the_order_of_their_places() -> None:
    def edit(document: Document) -> None:
        document["nonsense"] = 1
        _property(document).pop("description")
        _operation(document).pop("summary")
        _schema(document).pop("description")

    assert _mistakes(edit) == [
        "GET /v1/things/{thingId}: 'summary' is missing",
        "Part: 'description' is missing",
        "Part.name: 'description' is missing",
        "'nonsense' is unknown in a root",
    ]


def test_every_kind_of_node_that_a_key_leads_to_is_known() -> None:
    named = {each for key in KEYS.values() for each in key.of}
    for kind in KINDS.values():
        named |= {value.kind for value in kind.keys.values() if hasattr(value, "kind")}
    assert named | {"root"} == KINDS.keys()
