"""What the description may say: the keys of each kind of node, and what must be there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from codegen.checks import shown, suggestion
from codegen.keys import KEYS
from codegen.loader import METHODS, Document, SpecError, refuse
from codegen.places import Place, place_of
from codegen.values import (
    ANYTHING,
    BOOLEAN,
    COUNT,
    LIST,
    MAPPING,
    MAPPINGS,
    NUMBER,
    TEXT,
    TEXT_TO_TEXT,
    TEXTS,
    TEXTS_OR_FALSE,
    Nodes,
    Value,
)

FORMATS: dict[str, tuple[str, ...]] = {
    "array": (),
    "boolean": (),
    "integer": ("int32", "int64"),
    "number": ("double", "float"),
    "object": (),
    "string": (
        "binary",
        "byte",
        "csv",
        "date",
        "date-time",
        "email",
        "password",
        "uri",
        "uuid",
    ),
}
"""The types, each with the formats that it may have."""

_COMBINATIONS = ("allOf", "oneOf", "anyOf", "not")
_REFERENCE = "$ref"
_SECTIONS = {
    "parameter": "parameters",
    "request body": "requestBodies",
    "response": "responses",
}

Complaint = tuple[str, str]
"""What is wrong with a node, and the key that it is wrong with, if it is one."""


@dataclass(frozen=True)
class Kind:
    """One kind of node.

    Attributes:
        keys: The keys it may have, each with what it may say. Extension keys come on top.
        required: Those it must have.
        is_referable: Whether a reference may stand in its place.
        name: Returns what messages call a node, given what is around it, its key there and itself.
        check: Yields what else is wrong with a node.
    """

    keys: Mapping[str, Value | Nodes]
    required: tuple[str, ...] = ()
    is_referable: bool = False
    name: Callable[[str, str, Document], str] = lambda around, key, node: around
    check: Callable[[Document], Iterator[Complaint]] = lambda node: iter(())


def check(document: Document) -> None:
    """Refuse what a document must not say.

    Raises:
        SpecError: A key is unknown or stands where it has no meaning, a value is not what its key
            needs, or something is missing: a description, a type, the security of an operation.
            All mistakes are reported together.
    """
    refuse(_in_node(document, "root", "", "", None))


def _in_node(
    node: Document, kind_name: str, around: str, key: str, place: Place | None
) -> Iterator[SpecError]:
    """Yield the mistakes in a node, which is called *key* in the node *around* it."""
    kind = KINDS[kind_name]
    name = kind.name(around, key, node)

    def mistake(message: str, key: str = "") -> SpecError:
        return _mistake(name, message, place_of(node, key) or place)

    if kind.is_referable and _REFERENCE in node:
        if not TEXT.accepts(node[_REFERENCE]):
            yield mistake(f"$ref must be a text, not {shown(node[_REFERENCE])}", _REFERENCE)
        elif not node[_REFERENCE].startswith(f"#/components/{_section(kind_name)}/"):
            yield mistake(
                f"{node[_REFERENCE]} is no reference to one of the {_section(kind_name)}",
                _REFERENCE,
            )
        for each in node:
            if each != _REFERENCE:
                yield mistake(
                    f"{each!r} stands beside a reference; wrap the reference into an allOf", each
                )
        return
    for each, value in node.items():
        known = kind.keys.get(each)
        if known is None:
            yield mistake(_unknown(each, kind_name), each)
        elif isinstance(known, Nodes):
            yield from _in_nodes(value, known, name, each, place_of(node, each) or place)
        elif not known.accepts(value):
            yield mistake(f"{each} must be {known.expected}, not {shown(value)}", each)
    for each in kind.required:
        if each not in node:
            yield mistake(f"{each!r} is missing")
    for message, each in kind.check(node):
        yield mistake(message, each)


def _in_nodes(
    value: Any, known: Nodes, around: str, key: str, place: Place | None
) -> Iterator[SpecError]:
    """Yield the mistakes in the nodes that are the value of a key."""
    if known.otherwise and known.otherwise.accepts(value):
        return
    expected = MAPPINGS if known.within == "list" else MAPPING
    if not expected.accepts(value):
        also = f", or {known.otherwise.expected}" if known.otherwise else ""
        yield _mistake(
            around, f"{key} must be {expected.expected}{also}, not {shown(value)}", place
        )
    elif known.within == "mapping":
        for each, node in value.items():
            yield from _in_nodes(
                node, Nodes(known.kind), around, str(each), place_of(value, each) or place
            )
    else:
        for node in value if known.within else [value]:
            yield from _in_node(node, known.kind, around, key, place)


def _section(kind: str) -> str:
    """Return the components among which references in the place of a node lead."""
    return _SECTIONS.get(kind, "schemas")


def _mistake(name: str, message: str, place: Place | None) -> SpecError:
    return SpecError(f"{name}: {message}" if name else message, place)


def _unknown(key: str, kind: str) -> str:
    """Say that a kind of node has no such key, and what may be meant."""
    if key in KEYS:
        return f"{key} belongs to {' or '.join(map(_an, KEYS[key].of))}, not to {_an(kind)}"
    return f"{key!r} is unknown in {_an(kind)}{suggestion(str(key), KINDS[kind].keys)}"


def _an(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeioux' else 'a'} {kind}"


# -- Schemas ---------------------------------------------------------------------------------------


def _in_schema(node: Document) -> Iterator[Complaint]:
    """Yield what is wrong with the type of a schema."""
    type, form = node.get("type"), node.get("format")
    if "x-any" in node:
        if type is not None:
            yield "x-any stands beside a type", "x-any"
    elif type is None:
        if not any(key in node for key in _COMBINATIONS):
            yield "'type' is missing; x-any: true stands for any JSON", ""
    elif not isinstance(type, str) or type not in FORMATS:
        yield f"the type {shown(type)} is unknown{suggestion(str(type), FORMATS)}", "type"
    elif isinstance(form, str) and form not in FORMATS[type]:
        yield f"the format {form!r} of {type} is unknown{suggestion(form, FORMATS[type])}", "format"
    if type == "array" and "items" not in node:
        yield "'items' is missing", ""
    if isinstance(node.get("enum"), list) and all(each is None for each in node["enum"]):
        yield "enum has no values", "enum"
    # By text: 1 and true are equal.
    values = list(map(repr, node["enum"] if isinstance(node.get("enum"), list) else ()))
    for value in sorted({value for value in values if values.count(value) > 1}):
        yield f"enum has {value} twice", "enum"
    for key in _COMBINATIONS:
        if node.get(key) == []:
            yield f"{key} is empty", key


def _in_request_body(node: Document) -> Iterator[Complaint]:
    if node.get("content") == {}:
        yield "content is empty", "content"


def _in_inner_schema(node: Document) -> Iterator[Complaint]:
    # An empty one is any JSON.
    return _in_schema(node) if node else iter(())


def _in_property(node: Document) -> Iterator[Complaint]:
    # That of a reference is the description of the schema.
    if "description" not in node and "allOf" not in node:
        yield "'description' is missing", ""
    yield from _in_schema(node)


def _in_returned_schema(node: Document) -> Iterator[Complaint]:
    if "properties" in node:
        yield "an object that comes back needs a name under schemas", "properties"
    yield from _in_inner_schema(node)


def _schema_keys(inner: str, properties: str) -> dict[str, Value | Nodes]:
    """Return the keys of a schema, given the kinds of what is in it."""
    return {
        "type": ANYTHING,
        "format": TEXT,
        "description": TEXT,
        "enum": LIST,
        "default": ANYTHING,
        "nullable": BOOLEAN,
        "deprecated": BOOLEAN,
        "readOnly": BOOLEAN,
        "minimum": NUMBER,
        "maximum": NUMBER,
        "exclusiveMinimum": BOOLEAN,
        "exclusiveMaximum": BOOLEAN,
        "minLength": COUNT,
        "maxLength": COUNT,
        "pattern": TEXT,
        "minItems": COUNT,
        "maxItems": COUNT,
        "uniqueItems": BOOLEAN,
        "items": Nodes(inner),
        "properties": Nodes(properties, "mapping"),
        "required": TEXTS,
        "additionalProperties": Nodes(inner, otherwise=BOOLEAN),
        "maxProperties": COUNT,
        "allOf": Nodes(inner, "list"),
        "oneOf": Nodes(inner, "list"),
        "anyOf": Nodes(inner, "list"),
        "not": Nodes(inner),
        "discriminator": Nodes("discriminator"),
    }


_SCHEMA = _schema_keys("inner schema", "inner schema")


# -- All kinds -------------------------------------------------------------------------------------


def _with_extensions(kinds: Mapping[str, Kind]) -> dict[str, Kind]:
    """Return the kinds with the extension keys that each may have."""
    return {
        name: Kind(
            {**kind.keys, **{key.name: key.value for key in KEYS.values() if name in key.of}},
            kind.required,
            kind.is_referable,
            kind.name,
            kind.check,
        )
        for name, kind in kinds.items()
    }


KINDS = _with_extensions(
    {
        "root": Kind(
            {
                "openapi": TEXT,
                "info": Nodes("info"),
                "servers": Nodes("server", "list"),
                "tags": Nodes("tag", "list"),
                "components": Nodes("components"),
                "paths": Nodes("path", "mapping"),
            },
            required=("info",),
        ),
        "info": Kind(
            {"title": TEXT, "version": TEXT, "description": TEXT},
            required=("title", "version"),
            name=lambda around, key, node: key,
        ),
        "server": Kind({"url": TEXT, "description": TEXT}, required=("url",)),
        "tag": Kind({"name": TEXT, "description": TEXT}, required=("name",)),
        "components": Kind(
            {
                "securitySchemes": Nodes("security scheme", "mapping"),
                "parameters": Nodes("parameter", "mapping"),
                "requestBodies": Nodes("request body", "mapping"),
                "responses": Nodes("response", "mapping"),
                "schemas": Nodes("schema", "mapping"),
            }
        ),
        "security scheme": Kind(
            {"type": TEXT, "in": TEXT, "name": TEXT, "description": TEXT},
            required=("type", "in", "name"),
            name=lambda around, key, node: key,
        ),
        "path": Kind(
            {method: Nodes("operation") for method in METHODS},
            name=lambda around, key, node: key,
        ),
        "operation": Kind(
            {
                "operationId": TEXT,
                "tags": TEXTS,
                "summary": TEXT,
                "description": TEXT,
                "security": MAPPINGS,
                "parameters": Nodes("parameter", "list"),
                "requestBody": Nodes("request body"),
                "responses": Nodes("response", "mapping"),
                "deprecated": BOOLEAN,
            },
            required=("operationId", "tags", "summary", "description", "security", "responses"),
            name=lambda around, key, node: f"{key.upper()} {around}",
        ),
        "parameter": Kind(
            {
                "name": TEXT,
                "in": TEXT,
                "required": BOOLEAN,
                "description": TEXT,
                "style": TEXT,
                "explode": BOOLEAN,
                "schema": Nodes("inner schema"),
                "example": ANYTHING,
            },
            required=("name", "in", "description", "schema"),
            is_referable=True,
            name=lambda around, key, node: f"{around or key}: {node.get('name', '?')}",
        ),
        "request body": Kind(
            {"required": BOOLEAN, "content": Nodes("content of a request", "mapping")},
            required=("content",),
            is_referable=True,
            check=_in_request_body,
        ),
        "content of a request": Kind(
            {"schema": Nodes("inner schema"), "example": ANYTHING}, required=("schema",)
        ),
        "response": Kind(
            {"description": TEXT, "content": Nodes("content of a response", "mapping")},
            required=("description",),
            is_referable=True,
            name=lambda around, key, node: f"{around}: {key}" if around else key,
        ),
        "content of a response": Kind({"schema": Nodes("returned schema")}, required=("schema",)),
        "schema": Kind(
            _schema_keys("inner schema", "property"),
            required=("description",),
            is_referable=True,
            name=lambda around, key, node: key,
            check=_in_schema,
        ),
        "property": Kind(
            {**_SCHEMA, "example": ANYTHING},
            is_referable=True,
            name=lambda around, key, node: f"{around}.{key}",
            check=_in_property,
        ),
        "inner schema": Kind(_SCHEMA, is_referable=True, check=_in_inner_schema),
        "returned schema": Kind(
            _schema_keys("returned schema", "inner schema"),
            is_referable=True,
            check=_in_returned_schema,
        ),
        "discriminator": Kind(
            {"propertyName": TEXT, "mapping": TEXT_TO_TEXT}, required=("propertyName",)
        ),
        "x-pages": Kind(
            {
                "items": TEXT,
                "skip": TEXT,
                "cursor": TEXT,
                "next": TEXT,
                "more": TEXT,
                "total": TEXT,
                "identity": TEXTS_OR_FALSE,
            },
            required=("items",),
            name=lambda around, key, node: f"{around}: {key}",
        ),
        "x-variants": Kind(
            {"property": TEXT, "schemas": TEXT, "others": TEXT_TO_TEXT},
            required=("property",),
            name=lambda around, key, node: f"{around}: {key}",
        ),
        "x-notification": Kind(
            {"items": TEXT, "property": TEXT, "value": TEXT},
            required=("items",),
            name=lambda around, key, node: f"{around}: {key}",
        ),
        "x-csv": Kind(
            {
                "columns": Nodes("column", "mapping"),
                "required": TEXTS,
                "anyOf": TEXTS,
                "notBoth": TEXTS,
                "replaces": BOOLEAN,
            },
            required=("columns",),
            name=lambda around, key, node: f"{around}: {key}",
        ),
        "column": Kind(
            {**_SCHEMA, "words": TEXTS, "separator": TEXT},
            is_referable=True,
            name=lambda around, key, node: f"{around}: {key}",
            check=_in_inner_schema,
        ),
    }
)
"""Every kind of node by its name."""
