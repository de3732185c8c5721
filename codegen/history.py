"""Changes since earlier releases: replaced operations and retired properties."""

from __future__ import annotations

from codegen import ir
from codegen.checks import RESERVED_METHODS, RESERVED_PROPERTIES, refuse_twins, refuse_unusable
from codegen.loader import Document, SpecError
from codegen.names import identifier


def replacement(document: Document, node: Document) -> str:
    """Return the method that replaces an operation, or an empty text.

    Raises:
        SpecError: There is no such operation, it is deprecated, or this one is not.
    """
    wanted = node.get("x-replaced-by")
    if wanted is None:
        return ""
    if not _is_deprecated(node):
        raise SpecError("x-replaced-by stands where nothing is deprecated")
    operations = [each for item in document["paths"].values() for each in item.values()]
    found = next((each for each in operations if each["operationId"] == wanted), None)
    if found is None:
        raise SpecError(f"x-replaced-by names {wanted!r}, which is no operation")
    if _is_deprecated(found):
        raise SpecError(f"x-replaced-by names {wanted!r}, which is deprecated itself")
    name = identifier(wanted, RESERVED_METHODS)
    (tag,) = found["tags"]
    return name if found["tags"] == node["tags"] else f"{tag.capitalize()}Api.{name}"


def _is_deprecated(node: Document) -> bool:
    return bool(node.get("deprecated") or node.get("x-legacy"))


def retired(schema: Document, properties: list[ir.Property]) -> dict[str, str]:
    """Return the properties that earlier releases had, Python name to wire name.

    Raises:
        SpecError: A name is no identifier, reserved, or the name of a property.
    """
    table = schema.get("x-retired", {})
    if not isinstance(table, dict) or not all(isinstance(wire, str) for wire in table.values()):
        raise SpecError("x-retired must map Python names to wire names")
    refuse_unusable(table, RESERVED_PROPERTIES)
    live = {name for each in properties for name in (each.name, each.wire, *each.aliases)}
    taken = sorted({*table, *table.values()} & live)
    if taken:
        raise SpecError(f"x-retired names {taken[0]!r}, which is a property")
    refuse_twins("retired property", list(table.values()))
    return dict(table)
