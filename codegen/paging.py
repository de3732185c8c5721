"""What ``x-pages`` says of an operation: checked against its parameters and its answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from codegen import ir
from codegen.loader import Document, SpecError

# Each key that ``x-pages`` may have, with the type of what it names.
_PARAMETERS = {"skip": "int", "cursor": "str"}
_PROPERTIES = {"items": "array", "more": "boolean", "total": "integer", "next": "string"}


def paging(
    said: Any, parameters: Sequence[ir.Parameter], answer: dict[str, Document]
) -> dict[str, Any] | None:
    """Return the keywords for `talon_one._core.operation.Paging`, or ``None`` if nothing is listed.

    Args:
        said: Value of ``x-pages``: a mapping, or ``False`` for an operation that looks like one
            that lists something, but does not.
        parameters: Parameters of the operation.
        answer: Properties of its successful answer.

    Raises:
        SpecError: It names something that there is not, or says too little, or says nothing where
            the parameters of pages are.
    """
    known = {each.wire: each.type.text for each in parameters}
    if said is None and ({"pageSize", "skip"} <= known.keys() or "cursor" in known):
        raise SpecError("has the parameters of pages; say in x-pages how they are to be read")
    if not said:
        return None
    if not isinstance(said, dict):
        raise SpecError(f"x-pages must be a mapping, or false, not {said!r}")
    unknown = said.keys() - {*_PARAMETERS, *_PROPERTIES, "identity"}
    if unknown:
        raise SpecError(f"x-pages has no key {min(unknown)!r}")
    if len(said.keys() & {"cursor", "next"}) == 1:
        raise SpecError("x-pages needs both cursor and next, or neither")
    if "skip" in said and "cursor" in said:
        raise SpecError("x-pages needs either skip or cursor")
    for key, type in _PARAMETERS.items():
        if key in said and known.get(said[key]) != type:
            raise SpecError(f"x-pages: {said[key]!r} is no parameter of the type {type}")
    for key, type in _PROPERTIES.items():
        if key in said and answer.get(said[key], {}).get("type") != type:
            raise SpecError(f"x-pages: {said[key]!r} is no {type} of the answer")
    if "items" not in said:
        raise SpecError("x-pages needs items")
    identity = _identity(said, answer[said["items"]]["items"])
    named = {key: value for key, value in said.items() if key != "identity"}
    return named if identity is None else {**named, "identity": identity}


def _identity(said: dict[str, Any], item: Document) -> tuple[str, ...] | None:
    identity = said.get("identity")
    if identity is None:
        # Only what comes in several pieces can come twice.
        if "skip" in said or "cursor" in said:
            raise SpecError("x-pages needs identity; false means that nothing is unique")
        return None
    if identity is False:
        return None
    strange = [wire for wire in identity if wire not in item.get("properties", {})]
    if strange:
        raise SpecError(f"x-pages: {strange[0]!r} is no property of the items")
    if not identity and item.get("properties"):
        raise SpecError(
            "x-pages: the items are objects; identity must name properties, or be false"
        )
    return tuple(identity)
