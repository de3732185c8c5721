"""`x-notification` in the description: which class the body of a webhook has."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from codegen import ir
from codegen.checks import located, refuse_twins
from codegen.loader import Document, SpecError

_KEY = "x-notification"
_TYPE = "NotificationType"
_KNOWN_BY = {"items", "property", "value"}


def notifications(schemas: dict[str, Document]) -> dict[str, tuple[ir.Shape, ...]]:
    """Return the shapes of each `NotificationType`, the one for all that fits no other last.

    Raises:
        SpecError: A schema does not say whether it is a notification, or shapes of one type cannot
            be told apart.
    """
    found: dict[str, list[ir.Shape]] = defaultdict(list)
    for name, schema in schemas.items():
        types = (schema.get("properties") or {}).get(_TYPE, {}).get("enum")
        with located(name):
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
            found[each].append(shape)
    return {each: _ordered(each, shapes) for each, shapes in sorted(found.items())}


def _shape(name: str, said: Any, schemas: dict[str, Document]) -> ir.Shape:
    if said is True:
        return ir.Shape(name)
    if not isinstance(said, dict) or "items" not in said or said.keys() - _KNOWN_BY:
        raise SpecError(f"{_KEY} must be true, false, or have items, property and value")
    if "value" in said and "property" not in said:
        raise SpecError(f"{_KEY} has a value without the property that has it")
    if not (schemas.get(said["items"]) or {}).get("properties"):
        raise SpecError(f"{_KEY} names {said['items']!r}, which is no schema with properties")
    return ir.Shape(name, said["items"], said.get("property"), said.get("value"))


def _ordered(type: str, shapes: list[ir.Shape]) -> tuple[ir.Shape, ...]:
    # What is said by a value is surer than what is guessed from a property that is there.
    ordered = sorted(shapes, key=lambda each: (each.key is None, each.value is None, each.model))
    with located(type):
        refuse_twins("shape", [f"{each.key}: {each.value}" for each in ordered])
        if len(ordered) > 1 and ordered[-1].key is not None:
            raise SpecError("no schema is there for items that fit none of its shapes")
    return tuple(ordered)
