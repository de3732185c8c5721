"""Write what a release adds the way ``spec/`` does, with empty descriptions."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from codegen.drift.shapes import Content, Facts, Operation, Parameter, Shape
from codegen.operations import SCHEMES_OF_TAGS

UNWRITTEN = ""
"""A description that is still to be written; the generator refuses it."""

SCHEMAS = "#/components/schemas/"
_ORDER = (
    *("type", "format", "nullable", "enum", "pattern", "minimum", "exclusiveMinimum", "maximum"),
    *("exclusiveMaximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems"),
    *("uniqueItems", "minProperties", "maxProperties", "default", "readOnly", "writeOnly"),
)
_JSON = "application/json"


def in_30(facts: Facts) -> Facts:
    """Return facts as OpenAPI 3.0 writes them, in the order of ``spec/``."""
    found = dict(facts)
    for bound in ("minimum", "maximum"):
        exclusive = f"exclusive{bound.capitalize()}"
        if exclusive in found:
            found[bound] = found[exclusive]
            found[exclusive] = True
    if found.get("nullable") and "enum" in found and None not in found["enum"]:
        found["enum"] = [*found["enum"], None]
    return {key: found[key] for key in _ORDER if key in found}


def schema(shape: Shape, kept: str) -> Facts:
    """Return a schema under ``schemas``, with the reason why it is there if it needs one."""
    return {"description": UNWRITTEN, **({"x-kept": kept} if kept else {}), **_body(shape)}


def use(shape: Shape, described: bool) -> Facts:
    """Return a schema where it is used: of a property with a description, or of anything else."""
    found: Facts = {"description": UNWRITTEN} if described else {}
    if shape.ref:
        reference = {"$ref": f"{SCHEMAS}{shape.ref}"}
        beside: Facts = {
            key: shape.facts[key] for key in ("nullable", "readOnly") if key in shape.facts
        }
        if not described and not beside:
            return reference
        return {**found, **beside, "allOf": [reference], **_flags(shape)}
    return {**found, **_body(shape)}


def _flags(shape: Shape) -> Facts:
    return {"deprecated": True} if shape.deprecated else {}


def _body(shape: Shape) -> Facts:
    found = in_30(shape.facts)
    if found.get("type") == "union":
        del found["type"]
    if shape.ref:
        return {"allOf": [{"$ref": f"{SCHEMAS}{shape.ref}"}]}
    if shape.members:
        found["oneOf"] = [use(each, described=False) for each in shape.members]
        if "discriminator" in shape.facts:
            found["discriminator"] = {"propertyName": shape.facts["discriminator"]}
            if shape.mapping:
                found["discriminator"]["mapping"] = shape.mapping
    elif not found.get("type"):
        found["x-any"] = True
    if shape.required:
        found["required"] = sorted(shape.required)
    if shape.properties:
        found["properties"] = {
            name: use(each, described=True) for name, each in shape.properties.items()
        }
    if found.get("type") == "array":
        found["items"] = use(shape.items, described=False) if shape.items else {}
    if shape.values:
        found["additionalProperties"] = use(shape.values, described=False)
    return {**found, **_flags(shape)}


def parameter(key: str, node: Parameter) -> Facts:
    """Return a parameter of an operation; *key* is its place and name."""
    location, _, name = key.partition(" ")
    found: Facts = {
        "name": name,
        "in": location,
        "required": node.required,
        "description": UNWRITTEN,
    }
    if "explode" in node.facts:
        found["explode"] = node.facts["explode"]
    return {**found, "schema": use(node.shape, described=False)}


def content(node: Content) -> Facts:
    """Return what a body or response holds."""
    if node.shape is None:
        return {}
    kind = node.content_type or _JSON
    return {"content": {kind: {"schema": use(node.shape, described=False)}}}


def response(status: str, node: Content) -> Facts:
    """Return a response, whose description is the phrase of its status, as everywhere in spec/."""
    phrase = HTTPStatus(int(status)).phrase if status.isdecimal() else UNWRITTEN
    return {"description": phrase, **content(node)}


def body(node: Content) -> Facts:
    """Return a request body."""
    return {"required": node.required, **content(node)}


def operation(name: str, node: Operation, shared: Facts, groups: list[str]) -> Facts:
    """Return an operation. What *shared* has as a component is referred to.

    Args:
        name: Its ID.
        node: What the release says of it.
        shared: The components of the spec.
        groups: Its group in the reference, if that is known.
    """
    found: Facts = {
        "operationId": name,
        "tags": [api_of(node), *groups],
        "summary": UNWRITTEN,
        "description": UNWRITTEN,
    }
    if node.parameters:
        found["parameters"] = [
            component(parameter(key, each), shared, "parameters")
            for key, each in node.parameters.items()
        ]
    if node.body:
        found["requestBody"] = body(node.body)
    found["responses"] = {
        status: component(response(status, each), shared, "responses")
        for status, each in sorted(node.responses.items())
    }
    schemes = [each for each in node.security if "+" not in each]
    found["security"] = [{each: []} for each in schemes or [SCHEMES_OF_TAGS[api_of(node)]]]
    return {**found, **({"deprecated": True} if node.deprecated else {})}


def api_of(node: Operation) -> str:
    """Return the API of an operation, by its tags or by what it is called with."""
    for tag in node.tags:
        if tag.lower() in SCHEMES_OF_TAGS:
            return tag.lower()
    for tag, scheme in SCHEMES_OF_TAGS.items():
        if scheme in node.security:
            return tag
    return "management"


def component(node: Facts, shared: Facts, kind: str) -> Facts:
    """Return a reference to the component that is the same but for its texts, or the node."""
    for name, component in (shared.get(kind) or {}).items():
        if _facts(component) == _facts(node):
            return {"$ref": f"#/components/{kind}/{name}"}
    return node


def _facts(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _facts(value) for key, value in node.items() if key != "description"}
    return node
