"""Schemas to Python types: scalars, lists, maps, models, variants, and their constraints."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from codegen import ir
from codegen.checks import located
from codegen.loader import Document, SpecError, resolve
from codegen.patterns import python_pattern
from codegen.unions import is_union
from codegen.variants import variants

COMBINATIONS = ("allOf", "oneOf", "anyOf", "not")
"""Keywords that combine schemas. Only an ``allOf`` of one schema is supported."""

_CONSTRAINTS = {
    "minimum": "minimum",
    "maximum": "maximum",
    "exclusiveMinimum": "exclusive_minimum",
    "exclusiveMaximum": "exclusive_maximum",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_items",
    "maxItems": "max_items",
    "uniqueItems": "unique_items",
}
_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}


class TypeReader:
    """Reads types, which may refer to all schemas of a document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._schemas: Document = document["components"]["schemas"]
        self._open_aliases: list[str] = []

    def described(self, node: Document) -> Document:
        """Return the schema of a property, with its reference resolved.

        A reference with a description beside it is an ``allOf`` of one schema.
        """
        found: Document = resolve(self._document, node.get("allOf", [node])[0])
        return found

    def variant_or_type(self, node: Document) -> ir.TypeRef:
        """Return the type of a property or alias, which may have variants.

        Elsewhere, no property beside the object chooses the class, so it is any object.
        """
        found = self.type_of(node)
        inner = self.described(node)
        if "x-variants" not in inner:
            return found
        with located("x-variants", inner, "x-variants"):
            if found.text != "dict[str, Any]":
                raise SpecError("only an object without properties has variants")
            chosen = variants(inner["x-variants"], self._schemas)
        return replace(found, kind="variant", variants=chosen)

    def type_of(self, node: Document) -> ir.TypeRef:
        """Return the type of a schema, with aliases written out."""
        if "$ref" in node:
            name = node["$ref"].rpartition("/")[2]
            target = resolve(self._document, node)
            is_class = target.get("properties") or is_union(target)
            if is_class and "components/schemas" in node["$ref"]:
                return ir.TypeRef(name, "nested", (name,))
            if name in self._open_aliases:
                raise SpecError(f"{name} contains itself without an object in between")
            self._open_aliases.append(name)
            found = self.type_of(target)
            self._open_aliases.pop()
            return replace(found, alias=name)
        if "allOf" in node:
            # A reference with a description beside it.
            if len(node["allOf"]) != 1:
                raise SpecError("allOf of several schemas is not supported; merge them in the spec")
            return self.type_of(node["allOf"][0])
        if "oneOf" in node and "discriminator" not in node:
            return self._union_of_scalars(node["oneOf"])
        if "discriminator" in node:
            raise SpecError("an object of several classes needs a name under schemas")
        for unsupported in COMBINATIONS:
            if unsupported in node:
                raise SpecError(f"{unsupported} is not supported; use a free-form object")
        kind = node.get("type")
        if kind == "array":
            return self._array(node)
        if kind == "object" or "additionalProperties" in node:
            return self._map(node)
        if kind is None:
            return ir.TypeRef("Any")
        return self._scalar(node, kind)

    def _union_of_scalars(self, nodes: list[Document]) -> ir.TypeRef:
        texts = [self.type_of(each).text for each in nodes]
        if set(texts) - set(_SCALARS.values()):
            raise SpecError("oneOf needs a discriminator, unless it joins plain scalars")
        # Type checkers take an int for a float.
        return ir.TypeRef(" | ".join(dict.fromkeys(texts)))

    def _array(self, node: Document) -> ir.TypeRef:
        item = self.type_of(node.get("items") or {})
        constraints = _constraints(node)
        # Dates in lists stay text, because reading a list does not rebuild it.
        text = "str" if item.kind in ("datetime", "date") else item.text
        if item.kind != "nested" and item.constraints:
            constraints["items"] = item.constraints
        kind = "nested" if item.kind == "nested" else "scalar"
        return ir.TypeRef(f"list[{text}]", kind, item.models, constraints)

    def _map(self, node: Document) -> ir.TypeRef:
        values = node.get("additionalProperties")
        if not isinstance(values, dict) or not values:
            return ir.TypeRef("dict[str, Any]")
        value = self.type_of(values)
        text = "str" if value.kind in ("datetime", "date") else value.text
        kind = "nested" if value.kind == "nested" else "scalar"
        return ir.TypeRef(f"dict[str, {text}]", kind, value.models)

    def _scalar(self, node: Document, kind: str) -> ir.TypeRef:
        text = _SCALARS[kind]
        form = node.get("format")
        if kind == "string" and form == "date-time":
            return ir.TypeRef("datetime", "datetime")
        if kind == "string" and form == "date":
            return ir.TypeRef("date", "date")
        if "enum" not in node:
            return ir.TypeRef(text, constraints=_constraints(node))
        # Null among the values means "nullable", which the annotation covers.
        values = [value for value in node["enum"] if value is not None]
        for value in values:
            # YAML reads words such as `on` and `no` as booleans, and Literal admits no floats.
            if type(value).__name__ != text or text == "float":
                raise SpecError(f"the enum value {value!r} is no {kind}, or cannot be a Literal")
        return ir.TypeRef(f"Literal[{', '.join(map(repr, values))}]")


def _constraints(node: Document) -> dict[str, Any]:
    found = {
        python: node[openapi]
        for openapi, python in _CONSTRAINTS.items()
        # Zero and false are no constraints, except for bounds of numbers.
        if node.get(openapi) or (openapi in ("minimum", "maximum") and openapi in node)
    }
    if "pattern" in node:
        found["pattern"] = python_pattern(node["pattern"])
    return found
