"""`x-notification` in the description: the class of the body of a webhook."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from codegen import ir
from codegen.checks import located, refuse_twins
from codegen.loader import Document, SpecError
from codegen.places import Place, place_of

_KEY = "x-notification"
_TYPE = "NotificationType"


def notifications(schemas: dict[str, Document]) -> dict[str, tuple[ir.Shape, ...]]:
    """Return the shapes of each `NotificationType`, the fallback last.

    Raises:
        SpecError: A schema does not say whether it is a notification, or shapes of one type are not
            distinguishable.
    """
    found: dict[str, list[tuple[ir.Shape, Place | None]]] = defaultdict(list)
    for name, schema in schemas.items():
        types = (schema.get("properties") or {}).get(_TYPE, {}).get("enum")
        with located(name, schema, _KEY):
            if _KEY not in schema:
                if types:
                    raise SpecError(f"has a {_TYPE}, so {_KEY} must say whether it is one")
                continue
            if schema[_KEY] is False:
                continue
            if not types:
                raise SpecError(f"{_KEY} needs the property {_TYPE} with an enum")
            shape = _shape(name, schema[_KEY], schemas)
        for each in types:
            found[each].append((shape, place_of(schema, _KEY)))
    return {each: _ordered(each, shapes) for each, shapes in sorted(found.items())}


def _shape(name: str, rule: Any, schemas: dict[str, Document]) -> ir.Shape:
    if rule is True:
        return ir.Shape(name)
    if "value" in rule and "property" not in rule:
        raise SpecError(f"{_KEY} has a value without a property")
    if not (schemas.get(rule["items"]) or {}).get("properties"):
        raise SpecError(f"{_KEY} names {rule['items']!r}, which is not a schema with properties")
    return ir.Shape(name, rule["items"], rule.get("property"), rule.get("value"))


def _ordered(type: str, shapes: list[tuple[ir.Shape, Place | None]]) -> tuple[ir.Shape, ...]:
    with located(type):
        refuse_twins("shape", [(f"{each.key}: {each.value}", place) for each, place in shapes])
        if len(shapes) > 1 and not any(each.key is None for each, _ in shapes):
            places = [place for _, place in shapes]
            raise SpecError("needs a schema for items that fit none of its shapes", *places)
    # A value is more specific than a property, so shapes with a value come first.
    return tuple(
        sorted(
            (each for each, _ in shapes),
            key=lambda each: (each.key is None, each.value is None, each.model),
        )
    )
