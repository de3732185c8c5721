"""Conformance of response bodies: the places where one differs from the description."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from talon_one._schema.access import cases_of, members_of
from talon_one._schema.model import Model
from talon_one.sandbox.contract.problems import Place, inside, pointer
from talon_one.sandbox.contract.scalars import is_day
from talon_one.sandbox.contract.shapes import Property, Shape, properties_of, shape_of
from talon_one.sandbox.values import parse_time


def violations(written: str, document: Any) -> list[str]:
    """Return the JSON pointers to what a response body has and should not, or lacks.

    These are required properties that are missing, values of another type or enum, and properties
    that are not declared. Null is a value of every declared property, because the platform itself
    sends it in place of what is not there, but not of items of lists and values of maps.

    Args:
        written: Type of the body, as the table of operations has it.
        document: The body.
    """
    return [pointer(place) for place in _faults(shape_of(written), document, None)]


def _faults(shape: Shape, value: Any, place: Place) -> Iterator[Place]:
    if shape.kind == "object":
        if isinstance(value, dict):
            yield from _object_faults(shape.target(), value, place)
        else:
            yield place
    elif shape.kind in ("list", "map"):
        if not isinstance(value, list if shape.kind == "list" else dict):
            yield place
            return
        for key, item in enumerate(value) if isinstance(value, list) else value.items():
            yield from _faults(shape.parts[0], item, inside(place, key))
    elif not _is_of(shape, value):
        yield place


def _object_faults(cls: type[Model], value: dict[str, Any], place: Place) -> Iterator[Place]:
    members, cases = members_of(cls), cases_of(cls)
    if members is not None:
        if value.get(members.by) not in members.values:
            yield inside(place, members.by)
            return
        cls = members.class_for(value[members.by])
        cases = cases_of(cls)
    if cls is Model:
        return
    declared: dict[str, Property] = {each.wire: each for each in properties_of(cls)}
    if cases is not None:
        case = cases.class_for(value.get(cases.by))
        declared.update((each.wire, each) for each in properties_of(case))
    for name, found in declared.items():
        if name not in value:
            if found.required:
                yield inside(place, name)
        elif value[name] is not None:
            yield from _property_faults(found, value, inside(place, name))
    yield from (inside(place, name) for name in value if name not in declared)


def _property_faults(found: Property, value: dict[str, Any], place: Place) -> Iterator[Place]:
    item = value[found.wire]
    if found.variant is None or not isinstance(item, dict):
        yield from _faults(found.shape, item, place)
    else:
        yield from _object_faults(found.variant.class_for(value.get(found.variant.by)), item, place)


def _is_of(shape: Shape, value: Any) -> bool:
    """Return whether a value that is not a list, a map or an object is of the declared type."""
    if shape.kind == "Any":
        return True
    if shape.kind == "Union":
        return any(_is_of(each, value) for each in shape.parts)
    if shape.kind == "Literal":
        return value in shape.values
    if shape.kind == "datetime":
        return isinstance(value, str) and _is_time(value)
    if shape.kind == "date":
        return is_day(value)
    if isinstance(value, bool):
        return shape.kind == "bool"
    return isinstance(value, _TYPES[shape.kind])


_TYPES: dict[str, tuple[type, ...]] = {
    "bool": (bool,),
    "float": (int, float),
    "int": (int,),
    "str": (str,),
}


def _is_time(text: str) -> bool:
    try:
        parse_time(text)
    except ValueError:
        return False
    return True
