"""``oneOf`` with a discriminator: schemas that stand for several classes."""

from __future__ import annotations

from codegen import ir
from codegen.checks import located
from codegen.loader import Document, SpecError

_PREFIX = "#/components/schemas/"


def is_union(schema: Document) -> bool:
    """Return whether a schema stands for several, one of which each object names."""
    return "discriminator" in schema and "properties" not in schema


def choice(schema: Document, schemas: Document) -> ir.Variants:
    """Return the classes that the discriminator of a schema chooses from.

    Raises:
        SpecError: The discriminator and the ``oneOf`` disagree, or a class cannot be named.
    """
    discriminator = schema["discriminator"]
    by, mapping = discriminator["propertyName"], discriminator.get("mapping", {})
    if not mapping:
        raise SpecError("the discriminator needs a mapping")
    classes = {str(value): _name(reference) for value, reference in mapping.items()}
    listed = {_name(each.get("$ref", "")) for each in schema.get("oneOf", ())}
    if set(classes.values()) != listed:
        different = min(set(classes.values()) ^ listed)
        raise SpecError(f"the mapping and the oneOf disagree about {different!r}")
    for value, name in classes.items():
        properties = schemas.get(name, {}).get("properties")
        if not properties:
            raise SpecError(f"{name} is no object with properties")
        if by in properties and value not in properties[by].get("enum", [value]):
            raise SpecError(f"{name}.{by} cannot be {value!r}")
    return ir.Variants(by, classes)


def constants(schemas: Document) -> dict[tuple[str, str], str]:
    """Return the values of the properties by which classes of unions are known.

    The key is a pair of schema and wire name. A class that is chosen by several values has none.
    """
    found: dict[tuple[str, str], set[str]] = {}
    for union, schema in schemas.items():
        if is_union(schema):
            with located(union, schema):
                variants = choice(schema, schemas)
            for value, name in variants.classes.items():
                found.setdefault((name, variants.by), set()).add(value)
    return {
        (name, by): value
        for (name, by), (value, *more) in found.items()
        if not more and by in schemas[name]["properties"]
    }


def _name(reference: str) -> str:
    if not reference.startswith(_PREFIX):
        raise SpecError(f"{reference or 'a schema without a name'} cannot be one of several")
    return reference.removeprefix(_PREFIX)
