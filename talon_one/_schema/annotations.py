"""Parse types written as text: annotations, and type strings such as ``dict(str, Coupon)``."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple


class Shape(NamedTuple):
    """A parsed type.

    Attributes:
        kind: ``list``, ``dict``, ``Literal``, ``Union``, the name of a scalar (``str``,
            ``datetime``, ``Any``, ...) or the name of a model without its package.
        inner: Shape of the items of a list or of the values of a dict.
        values: Values of a ``Literal``.
        members: Shapes of a ``Union``, which are scalars.
    """

    kind: str
    inner: Shape = None  # type: ignore[assignment]  # lists and dicts have one
    values: tuple[Any, ...] = ()
    members: tuple[Shape, ...] = ()


ANY = Shape("Any")

# Spellings of the vendor's packages on the left.
_SCALARS = {
    "object": "Any",
    "None": "Any",
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "datetime.datetime": "datetime",
    "datetime.date": "date",
    "list": "Any",
    "dict": "Any",
}


@cache
def parse(written: str) -> Shape:
    """Parse a written type; ``| None`` and ``Optional[...]`` are ignored."""
    text = written.strip().removesuffix("| None").strip()
    opening = min((text.find(c) for c in "[(" if c in text), default=-1)
    if " | " in text and opening < 0:
        return Shape("Union", members=tuple(map(parse, text.split(" | "))))
    if opening < 0:
        name = text.removeprefix("models.")
        return Shape(_SCALARS.get(name, name))
    head, inside = text[:opening].lower(), text[opening + 1 : -1].strip().rstrip(",")
    if head == "optional":
        return parse(inside)
    if head == "literal":
        from ast import literal_eval

        return Shape("Literal", values=literal_eval(f"({inside},)"))
    if head == "dict":
        inside = inside.partition(",")[2]
    return Shape(head, parse(inside))
