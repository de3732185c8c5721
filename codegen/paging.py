"""``x-pages`` of an operation, checked against its parameters and its response."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from codegen import ir
from codegen.loader import Document, SpecError

# Keys of ``x-pages``, with the type of the parameter or property that each names.
_PARAMETERS = {"skip": "int", "cursor": "str"}
_PROPERTIES = {"items": "array", "more": "boolean", "total": "integer", "next": "string"}


def paging(
    value: Any, parameters: Sequence[ir.Parameter], response: dict[str, Document]
) -> dict[str, Any] | None:
    """Return the keywords for `talon_one._core.operation.Paging`, or ``None`` without a list.

    Args:
        value: Value of ``x-pages``: a mapping, or ``False`` for an operation that has the
            parameters of pages, but returns no list.
        parameters: Parameters of the operation.
        response: Properties of its successful response.

    Raises:
        SpecError: It names something that does not exist, lacks a key, or is missing although the
            operation has the parameters of pages.
    """
    known = {each.wire: each.type.text for each in parameters}
    if value is None and ({"pageSize", "skip"} <= known.keys() or "cursor" in known):
        raise SpecError("is missing, although the operation has the parameters of pages")
    if not value:
        return None
    if len(value.keys() & {"cursor", "next"}) == 1:
        raise SpecError("needs both cursor and next, or neither")
    if "skip" in value and "cursor" in value:
        raise SpecError("needs either skip or cursor")
    for key, type in _PARAMETERS.items():
        if key in value and known.get(value[key]) != type:
            raise SpecError(f"{value[key]!r} is no parameter of the type {type}")
    for key, type in _PROPERTIES.items():
        if key in value and response.get(value[key], {}).get("type") != type:
            raise SpecError(f"{value[key]!r} is no {type} of the response")
    identity = _identity(value, response[value["items"]]["items"])
    named = {key: value for key, value in value.items() if key != "identity"}
    return named if identity is None else {**named, "identity": identity}


def _identity(value: dict[str, Any], item: Document) -> tuple[str, ...] | None:
    identity = value.get("identity")
    if identity is None:
        # Only a list of several pages can have an item twice.
        if "skip" in value or "cursor" in value:
            raise SpecError("needs identity, or false if nothing is unique")
        return None
    if identity is False:
        return None
    unknown_names = [wire for wire in identity if wire not in item.get("properties", {})]
    if unknown_names:
        raise SpecError(f"{unknown_names[0]!r} is no property of the items")
    if not identity and item.get("properties"):
        raise SpecError("the items are objects; identity must name properties, or be false")
    return tuple(identity)
