"""Bring schemas into their normal form, see normal_form.py."""

from __future__ import annotations

import json
import re
from typing import Any

from codegen.drift.documents import Document, Mapping, is_reference, plain, quoted
from codegen.drift.shapes import Facts, Shape
from codegen.loader import SpecError

LIMIT_CHAIN = 100
"""How many schemas may each be part of the next by ``allOf``."""

_SCHEMAS = "#/components/schemas/"
_LIMITS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_PLAIN = ("format", "pattern", "multipleOf", "default")
_ENUM = frozenset({"const", "enum"})
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_NUMBERS = (*_LIMITS, *_BOUNDS, "multipleOf")
_FLAGS = ("readOnly", "writeOnly", "uniqueItems")
# What says nothing of which values are valid, or is read by name below.
_READ = frozenset(
    {*_LIMITS, *_PLAIN, *_FLAGS, "$ref", "type", "nullable", "enum", "const", "items", "required"}
    | {"properties", "additionalProperties", "allOf", "anyOf", "oneOf", "discriminator"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "deprecated"}
    | {"description", "title", "example", "examples", "externalDocs", "xml", "$comment", "$id"}
    | {"contentEncoding", "contentMediaType", "$schema", "$defs", "$anchor"}
)


def class_name(name: str) -> str:
    """Return the name of the class of a schema: ``ImportRequest`` for ``import_request``.

    It is what the names of the platform, of its generated packages, and of ours have in common.
    """
    parts = [part for part in re.split(r"[^0-9A-Za-z]+", name) if part]
    return "".join(part[0].upper() + part[1:] for part in parts) or "Schema"


class SchemaNormalizer:
    """Brings the schemas of a document into normal form, and names those without a name."""

    def __init__(self, document: Document) -> None:
        self._document = document
        components = document.mapping(document.root.get("components") or {}, "components")
        self._named = document.mapping(components.get("schemas") or {}, "components.schemas")
        self._names: dict[str, str] = {}
        """Reference to name, of schemas and of what else is referred to as one."""
        self._nodes: dict[str, Any] = {}
        """Name to node, of schemas and of what gets a name from its place."""
        self._originals: dict[str, str] = {}
        self._schemas: dict[str, Shape] = {}
        self._open: list[str] = []
        self._with_properties: dict[int, bool] = {}
        for name, node in self._named.items():
            unified = class_name(name)
            if unified in self._originals:
                raise SpecError(
                    f"the schemas {self._originals[unified]} and {name} are both named {unified}",
                    document.where(self._nodes[unified]),
                    document.where(node),
                )
            self._originals[unified] = name
            self._nodes[unified] = node
            self._names[_SCHEMAS + name.replace("~", "~0").replace("/", "~1")] = unified

    def schemas(self) -> dict[str, Shape]:
        """Return all schemas, once all that uses them has been read."""
        while self._nodes.keys() - self._schemas.keys():
            for name in [each for each in self._nodes if each not in self._schemas]:
                self._normalized(name, self._document.root)
        for name in self._schemas.keys() - self._originals.keys():
            self._schemas[name].generated = True
        self._refuse_circles()
        return self._schemas

    def _normalized(self, name: str, user: Any) -> Shape:
        """Return the schema with a name, for a node that needs all of it."""
        if name not in self._schemas:
            if name in self._open or len(self._open) > LIMIT_CHAIN:
                raise self._document.refuse(user, f"the schema {name} is part of itself")
            self._open.append(name)
            self._schemas[name] = self._shape(self._nodes[name], name, extract=False)
            self._open.pop()
        return self._schemas[name]

    def _refuse_circles(self) -> None:
        """Refuse schemas that are nothing but another name of each other."""
        for name, schema in self._schemas.items():
            seen = {name}
            found = schema
            while found.ref:
                if found.ref in seen:
                    raise SpecError(f"the schema {name} leads only to itself", schema.where)
                seen.add(found.ref)
                found = self._schemas[found.ref]

    # Schemas

    def use(self, node: Any, hint: str) -> Shape:
        """Return a schema where it is used; an object becomes a schema of its own."""
        return self._shape(node, hint, extract=True)

    def _shape(self, node: Any, hint: str, extract: bool) -> Shape:
        if isinstance(node, bool):
            # In 3.1, a schema may be `true`: anything, or `false`: nothing.
            return Shape(self._document.where(None), facts={} if node else {"type": "nothing"})
        self._document.mapping(node, "a schema")
        where = self._document.where(node)
        if is_reference(node):
            return self._beside(node, Shape(where, ref=self._name_of(node)))
        if extract and self._has_properties(node):
            return self._extracted(node, hint)
        found = Shape(where)
        if "allOf" in node:
            parts = self._document.list_at(node, "allOf")
            # Of a reference, the rest is needed only where it is merged.
            found = self._together(node, [self._shape(each, hint, False) for each in parts])
        alternatives = [
            each
            for key in ("oneOf", "anyOf")
            for each in self._document.list_at(node, key)
            if key in node
        ]
        if alternatives:
            self._union(found, node, alternatives, hint)
        self._read(found, node, hint)
        return found

    def _name_of(self, node: Any) -> str:
        reference = node["$ref"]
        if reference not in self._names:
            _, target = self._document.target(node)
            # A part of a schema, such as `.../Coupon/properties/limits`.
            known = next((each for each in self._named if self._named[each] is target), None)
            self._names[reference] = (
                self._new_name(class_name(reference.rpartition("/")[2]), target)
                if known is None
                else class_name(known)
            )
        return self._names[reference]

    def _new_name(self, wanted: str, node: Any) -> str:
        name, count = wanted, 1
        while name in self._nodes:
            count += 1
            name = f"{wanted}{count}"
        self._nodes[name] = node
        return name

    def _has_properties(self, node: Any) -> bool:
        """Return whether a schema that is described in place is an object with properties."""
        if not isinstance(node, dict):
            return False
        if node.get("properties"):
            return True
        parts = node.get("allOf")
        if not isinstance(parts, list):
            return False
        # One reference with texts beside it is that reference.
        structured = [each for each in parts if isinstance(each, dict) and not _is_text(each)]
        if len(structured) == 1 and is_reference(structured[0]):
            return False
        if id(node) not in self._with_properties:
            # For circles, which are refused elsewhere; and each schema is looked at once.
            self._with_properties[id(node)] = False
            self._with_properties[id(node)] = any(
                self._has_properties(self._document.target(each)[1] if is_reference(each) else each)
                for each in structured
            )
        return self._with_properties[id(node)]

    def _extracted(self, node: Any, hint: str) -> Shape:
        beside = {"description", "nullable", "deprecated", "readOnly", "writeOnly"}
        inner = Mapping({key: value for key, value in node.items() if key not in beside})
        inner.line = self._document.where(node).line
        types = inner.get("type")
        if isinstance(types, list):
            inner["type"] = [each for each in types if each != "null"]
        name = self._new_name(class_name(hint), inner)
        found = Shape(self._document.where(node), ref=name)
        if isinstance(types, list) and "null" in types:
            found.facts["nullable"] = True
        return self._beside(node, found)

    def _beside(self, node: Any, found: Shape) -> Shape:
        """Read what is said beside a reference."""
        self._texts(found, node)
        for key in ("nullable", *_FLAGS):
            if node.get(key) is True:
                found.facts[key] = True
        if "default" in node:
            found.facts["default"] = plain(node["default"])
        return found

    def _texts(self, found: Shape, node: Any) -> None:
        description = node.get("description")
        if description is not None:
            found.description = " ".join(str(description).split())
        if node.get("deprecated") is True:
            found.deprecated = True
        examples = node.get("examples")
        if "example" in node:
            found.example = node["example"]
        elif isinstance(examples, list) and examples:
            found.example = examples[0]
        found.ours |= {key: value for key, value in node.items() if key.startswith("x-")}

    # allOf

    def _together(self, node: Any, members: list[Shape]) -> Shape:
        structured = [each for each in members if not _says_nothing(each)]
        own = node.keys() - {"allOf", "description", "nullable", "deprecated", "default", "example"}
        own = {key for key in own if not key.startswith("x-")} - {*_FLAGS, "examples", "title"}
        if node.get("type") == "object":
            # Said again of what is an object anyway.
            own -= {"type"}
        found = Shape(self._document.where(node))
        if len(structured) == 1 and not own:
            single = structured[0]
            found.ref = single.ref
            found.properties, found.required = single.properties, single.required
            found.items, found.values, found.members = single.items, single.values, single.members
        for each in members:
            whole = each if each.ref == found.ref and found.ref else self._whole(each, node)
            found.facts |= whole.facts
            found.description = found.description or ("" if each.ref else whole.description)
            found.deprecated |= each.deprecated
            if found.ref:
                continue
            found.properties = {**found.properties, **whole.properties}
            found.required |= whole.required
            found.items = whole.items or found.items
            found.values = whole.values or found.values
            found.members = whole.members or found.members
            found.example = whole.example if found.example is None else found.example
        return found

    def _whole(self, part: Shape, node: Any) -> Shape:
        """Return a part of an ``allOf`` with its reference followed."""
        while part.ref:
            part = self._normalized(part.ref, node)
        return part

    # oneOf, anyOf

    def _union(self, found: Shape, node: Any, alternatives: list[Any], hint: str) -> None:
        real = [each for each in alternatives if not _is_null(each)]
        if len(real) < len(alternatives):
            found.facts["nullable"] = True
        constants = self._constants(real, hint)
        if constants is not None:
            found.facts |= constants
            return
        single = len(real) == 1
        members = [
            self.use(each, hint if single else f"{hint}OneOf{index or ''}")
            for index, each in enumerate(real)
        ]
        if single:
            (only,) = members
            nullable = found.facts.get("nullable")
            found.ref, found.items, found.values = only.ref, only.items, only.values
            found.members, found.facts = only.members, {**only.facts}
            if nullable:
                found.facts["nullable"] = True
            found.description = "" if only.ref else only.description
            found.deprecated = only.deprecated
            return
        found.facts["type"] = "union"
        found.members = tuple(members)
        discriminator = node.get("discriminator")
        if isinstance(discriminator, dict):
            found.facts["discriminator"] = discriminator.get("propertyName")
            mapping = self._document.mapping(discriminator.get("mapping") or {}, "mapping")
            found.mapping = {
                value: f"{_SCHEMAS}{class_name(str(reference).rpartition('/')[2])}"
                for value, reference in mapping.items()
            }

    def _constants(self, nodes: list[Any], hint: str) -> Facts | None:
        """Return the enumeration that a union of constants is, as 3.1 writes them with texts."""
        if not nodes or not all(isinstance(each, dict) and each.keys() & _ENUM for each in nodes):
            return None
        facts = [self.use(each, hint).facts for each in nodes]
        kinds = {each.get("type") for each in facts}
        if len(kinds) != 1 or any(each.keys() - {"type", "enum", "nullable"} for each in facts):
            return None
        values = ordered([value for each in facts for value in each.get("enum", ())])
        nullable = {"nullable": True} if any("nullable" in each for each in facts) else {}
        return {"type": kinds.pop(), "enum": values, **nullable}

    # Everything else

    def _read(self, found: Shape, node: Any, hint: str) -> None:
        if found.ref:
            self._beside(node, found)
            return
        facts = found.facts
        self._refuse_facts(node)
        self._texts(found, node)
        self._limits(facts, node)
        self._types(facts, node)
        self._values(facts, node)
        for wire, inner in self._document.mapping(
            node.get("properties") or {}, "properties"
        ).items():
            used = self.use(inner, f"{hint}{wire[:1].upper()}{wire[1:]}")
            found.properties = {**found.properties, wire: used}
        found.required |= {str(each) for each in self._document.list_at(node, "required")}
        if node.get("items") is not None and node["items"] != {}:
            found.items = self.use(node["items"], f"{hint}Inner")
        values = node.get("additionalProperties")
        if isinstance(values, dict) and values:
            found.values = self.use(values, f"{hint}Value")
        elif values is False:
            facts["additionalProperties"] = False
        for key in sorted(node.keys() - _READ):
            if not key.startswith("x-"):
                facts[key] = json.dumps(node[key], sort_keys=True, default=str)
        if "type" not in facts:
            if found.properties or found.values:
                facts["type"] = "object"
            elif found.items:
                facts["type"] = "array"

    def _refuse_facts(self, node: Any) -> None:
        """Refuse limits that are no numbers, and formats and patterns that are no texts."""
        for key in _NUMBERS:
            value = node.get(key)
            may_be_flag = key.startswith("exclusive")
            if isinstance(value, bool) and may_be_flag:
                continue
            if value is not None and type(value) not in (int, float):
                raise self._document.refuse(node, f"{key} is {quoted(value)}, not a number")
        for key in ("format", "pattern"):
            if not isinstance(node.get(key, ""), str):
                raise self._document.refuse(node, f"{key} is {quoted(node[key])}, not a text")

    def _types(self, facts: Facts, node: Any) -> None:
        kinds = node.get("type")
        if isinstance(kinds, list):
            if "null" in kinds:
                facts["nullable"] = True
            kinds = "|".join(sorted(str(each) for each in kinds if each != "null"))
        if kinds:
            facts["type"] = str(kinds)
        if node.get("nullable") is True:
            facts["nullable"] = True
        if facts.get("format") == facts.get("type"):
            # `format: string` says of a text that it is a text.
            facts.pop("format", None)
        if node.get("contentEncoding") == "base64":
            facts["format"] = "byte"
        elif node.get("contentMediaType") == "application/octet-stream":
            facts["format"] = "binary"

    def _values(self, facts: Facts, node: Any) -> None:
        values = [node["const"]] if "const" in node else self._document.list_at(node, "enum")
        if not values:
            return
        if None in values:
            facts["nullable"] = True
        facts["enum"] = ordered([plain(each) for each in values if each is not None])
        if "type" not in facts and all(isinstance(each, str) for each in facts["enum"]):
            facts["type"] = "string"

    def _limits(self, facts: Facts, node: Any) -> None:
        facts.update({key: plain(node[key]) for key in _PLAIN if key in node})
        facts.update({key: True for key in _FLAGS if node.get(key) is True})
        # Neither says anything when it is 0.
        facts.update({key: node[key] for key in _LIMITS if node.get(key)})
        for key, exclusive, closer in (
            ("minimum", "exclusiveMinimum", max),
            ("maximum", "exclusiveMaximum", min),
        ):
            bound, strict = node.get(key), node.get(exclusive)
            if strict is True:
                bound, strict = None, bound
            if strict is False:
                strict = None
            # Of two bounds, one says nothing.
            if bound is not None and strict is not None:
                if strict == bound or closer(strict, bound) == strict:
                    bound = None
                else:
                    strict = None
            facts.update({k: v for k, v in ((key, bound), (exclusive, strict)) if v is not None})


def ordered(values: list[Any]) -> list[Any]:
    """Return values in an order that does not depend on theirs, each once."""
    by_key = {(type(each).__name__, json.dumps(each, default=str)): each for each in values}
    return [by_key[key] for key in sorted(by_key)]


def _is_text(node: dict[str, Any]) -> bool:
    """Return whether a part of an ``allOf`` says nothing of the values."""
    said = node.keys() - {"description", "nullable", "deprecated", "default", "example", "title"}
    return not said or (said == {"type"} and node["type"] == "object")


def _says_nothing(part: Shape) -> bool:
    said = part.facts.keys() - {"nullable", "default", *_FLAGS}
    if part.facts.get("type") == "object":
        said -= {"type"}
    return not (said or part.ref or part.properties or part.required or part.items) and not (
        part.values or part.members
    )


def _is_null(node: Any) -> bool:
    if not isinstance(node, dict):
        return False
    return (
        node.get("type") in ("null", ["null"])
        or node.get("enum") == [None]
        or ("const" in node and node["const"] is None)
    )
