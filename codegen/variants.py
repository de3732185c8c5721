"""``x-variants``: the schemas that an object may have, depending on a property beside it."""

from __future__ import annotations

import re

from codegen import ir
from codegen.loader import Document, SpecError
from codegen.places import place_of


def variants(node: Document, schemas: Document) -> ir.Variants:
    """Return the classes that the value of ``x-variants`` names.

    Raises:
        SpecError: It names no class, the pattern is wrong, two classes are the same variant, or one
            has no properties.
    """
    classes = dict(node.get("others", {}))
    if "schemas" in node:
        _add_matching(node["schemas"], schemas, classes)
    if not classes:
        raise SpecError("names no class")
    for name in classes.values():
        if not schemas.get(name, {}).get("properties"):
            raise SpecError(f"{name} is no object with properties")
    return ir.Variants(node["property"], dict(sorted(classes.items())))


def _add_matching(expression: str, schemas: Document, classes: dict[str, str]) -> None:
    """Add the schemas whose names match, but for those that are variants already."""
    try:
        pattern = re.compile(expression)
    except re.error as cause:
        raise SpecError(f"{expression!r} is no regular expression: {cause}") from cause
    if pattern.groups != 1:
        raise SpecError(f"{expression!r} needs one group, for the name of the variant")
    exceptions = set(classes.values())
    for name in schemas:
        match = pattern.fullmatch(name) if name not in exceptions else None
        if match:
            key = match[1][0].lower() + match[1][1:]
            if key in classes:
                raise SpecError(
                    f"{name} and {classes[key]} are both the variant {key!r}",
                    place_of(schemas[name]),
                    place_of(schemas.get(classes[key])),
                )
            classes[key] = name
