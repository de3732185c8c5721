"""Schemas to models and type aliases: their names, and those of their properties."""

from __future__ import annotations

from codegen import ir
from codegen.checks import (
    RESERVED_CLASSES,
    RESERVED_PROPERTIES,
    located,
    refuse_hiding,
    refuse_twins,
    refuse_unusable,
    spelled,
)
from codegen.examples import ExampleReader
from codegen.history import retired
from codegen.loader import Document, SpecError
from codegen.names import identifier, module_name
from codegen.nodes import prose, python_aliases
from codegen.places import place_of
from codegen.type_refs import COMBINATIONS, TypeReader
from codegen.unions import choice, constants


class SchemaReader:
    """Reads schemas, whose properties have the types that *types* reads."""

    def __init__(self, document: Document, types: TypeReader) -> None:
        self._schemas: Document = document["components"]["schemas"]
        self._types = types
        self._examples = ExampleReader(types)
        self._constants = constants(self._schemas)

    def model(self, name: str, schema: Document) -> ir.Model:
        """Return the model of a schema that has properties."""
        required = set(schema.get("required", ()))
        undeclared = required - schema["properties"].keys()
        if undeclared:
            raise SpecError(
                f"requires {min(undeclared)!r}, which it does not declare",
                place_of(schema, "required"),
            )
        combined = schema.keys() & set(COMBINATIONS)
        if combined and "discriminator" not in schema:
            key = min(combined)
            raise SpecError(f"{key} beside properties is not supported", place_of(schema, key))
        properties = []
        for wire, node in schema["properties"].items():
            with located(f".{wire}", node):
                constant = self._constants.get((name, wire))
                properties.append(self._property(wire, node, wire in required, constant))
        nodes = schema["properties"]
        names = [name for each in properties for name in spelled(each, nodes[each.wire])]
        refuse_twins("property", names)
        refuse_unusable(names, RESERVED_PROPERTIES)
        refuse_hiding(properties, schema["properties"])
        for each in properties:
            if each.type.variants and each.type.variants.by not in schema["properties"]:
                raise SpecError(
                    f".{each.wire}: depends on {each.type.variants.by!r}, not beside it",
                    place_of(nodes[each.wire]),
                )
        return ir.Model(
            name=name,
            module=module_name(name),
            description=prose(schema),
            properties=tuple(properties),
            aliases=_class_aliases(name, schema),
            deprecated=schema.get("deprecated", False),
            retired=retired(schema, properties),
            max_properties=schema.get("maxProperties"),
            cases=choice(schema, self._schemas) if "discriminator" in schema else None,
            place=place_of(schema),
        )

    def union(self, name: str, schema: Document) -> ir.Union:
        """Return the union of a schema that stands for several others."""
        return ir.Union(
            name=name,
            module=module_name(name),
            description=prose(schema),
            variants=choice(schema, self._schemas),
            aliases=_class_aliases(name, schema),
            place=place_of(schema),
        )

    def alias(self, name: str, schema: Document) -> ir.Alias:
        """Return the type alias of a schema that has none."""
        if "$ref" in schema or len(schema.get("allOf", ())) == 1:
            raise SpecError("is another schema by another name; give that x-python-aliases")
        if "x-retired" in schema:
            raise SpecError(
                "x-retired stands where there are no properties", place_of(schema, "x-retired")
            )
        return ir.Alias(
            name=name,
            module=module_name(name),
            description=prose(schema),
            type=self._types.variant_or_type(schema),
            aliases=_class_aliases(name, schema),
            place=place_of(schema),
        )

    def _property(
        self, wire: str, node: Document, required: bool, constant: str | None
    ) -> ir.Property:
        inner = self._types.described(node)
        type = self._types.variant_or_type(node)
        return ir.Property(
            name=node.get("x-python-name") or identifier(wire, RESERVED_PROPERTIES),
            wire=wire,
            type=type,
            required=required,
            nullable=bool(node.get("nullable") or inner.get("nullable")),
            description=prose(node) or prose(inner),
            aliases=python_aliases(node),
            secret=inner.get("format") == "password",
            deprecated=node.get("deprecated", False),
            read_only=node.get("readOnly", False),
            default=node.get("default"),
            example=self._examples.read(node, node, type),
            constant=constant,
        )


def _class_aliases(name: str, schema: Document) -> tuple[str, ...]:
    aliases = python_aliases(schema)
    place = place_of(schema, "x-python-aliases")
    names = [(name, place_of(schema)), *((alias, place) for alias in aliases)]
    for each, place in names:
        if not each[:1].isupper():
            raise SpecError(
                f"{each!r} does not begin with a capital, as names of classes do", place
            )
    refuse_unusable(names, RESERVED_CLASSES)
    return aliases
