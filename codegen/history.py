"""Changes since earlier releases: replaced operations and retired properties."""

from __future__ import annotations

from codegen import ir
from codegen.checks import (
    RESERVED_METHODS,
    RESERVED_PROPERTIES,
    located,
    refuse_twins,
    refuse_unknown,
    refuse_unusable,
)
from codegen.loader import Document, SpecError
from codegen.names import identifier
from codegen.places import place_of


def replacement(document: Document, node: Document) -> str:
    """Return the method that replaces an operation, or an empty text.

    Raises:
        SpecError: There is no such operation, it is deprecated, or this one is not.
    """
    wanted = node.get("x-replaced-by")
    if wanted is None:
        return ""
    operations = {
        each["operationId"]: each for item in document["paths"].values() for each in item.values()
    }
    with located("x-replaced-by", node, "x-replaced-by"):
        if not _is_deprecated(node):
            raise SpecError("stands where nothing is deprecated")
        refuse_unknown([wanted], operations)
        found = operations[wanted]
        if _is_deprecated(found):
            raise SpecError(f"{wanted!r} is deprecated itself")
    name = identifier(wanted, RESERVED_METHODS)
    tag = found["tags"][0]
    return name if tag == node["tags"][0] else f"{tag.capitalize()}Api.{name}"


def _is_deprecated(node: Document) -> bool:
    return bool(node.get("deprecated") or node.get("x-legacy"))


def retired(schema: Document, properties: list[ir.Property]) -> dict[str, str]:
    """Return the properties that earlier releases had, Python name to wire name.

    Raises:
        SpecError: A name is no identifier, reserved, or the name of a property.
    """
    table = schema.get("x-retired", {})
    places = {name: place_of(table, name) for name in table}
    with located("x-retired", schema, "x-retired"):
        refuse_unusable(places.items(), RESERVED_PROPERTIES)
        live = {name for each in properties for name in (each.name, each.wire, *each.aliases)}
        for name, wire in table.items():
            for taken in {name, wire} & live:
                raise SpecError(f"{taken!r} is a property", places[name])
        refuse_twins("retired property", [(wire, places[name]) for name, wire in table.items()])
    return dict(table)
