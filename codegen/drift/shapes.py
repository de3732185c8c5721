"""The normal form of an OpenAPI document: what documents that mean the same have in common."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from codegen.places import Place

Facts = dict[str, Any]


@dataclass
class Shape:
    """A schema, or the place where one is used."""

    where: Place
    ref: str = ""
    """Name of the schema that it refers to. What else is set is said beside the reference."""
    facts: Facts = field(default_factory=dict)
    """Type, format, nullable, limits, values: whatever is a value of its own."""
    properties: dict[str, Shape] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    items: Shape | None = None
    values: Shape | None = None
    """The values of a map."""
    members: tuple[Shape, ...] = ()
    """The alternatives of a union."""
    mapping: dict[str, str] = field(default_factory=dict)
    """The references that the values of its discriminator stand for."""
    description: str = ""
    example: Any = None
    deprecated: bool = False
    generated: bool = False
    """Whether the schema has no name in the document, and got one from its place."""
    ours: Facts = field(default_factory=dict)
    """Extension keys, which only ``spec/`` has."""

    @property
    def is_object(self) -> bool:
        """Whether it has properties, and so a class."""
        return bool(self.properties)


@dataclass
class Parameter:
    """A parameter of an operation."""

    where: Place
    shape: Shape
    required: bool
    description: str = ""
    deprecated: bool = False
    facts: Facts = field(default_factory=dict)
    """How lists are written."""
    ours: Facts = field(default_factory=dict)


@dataclass
class Content:
    """A request body, or a response."""

    where: Place
    shape: Shape | None
    content_type: str | None
    required: bool = False
    description: str = ""


@dataclass
class Operation:
    """An operation."""

    where: Place
    method: str
    path: str
    summary: str = ""
    description: str = ""
    deprecated: bool = False
    security: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    parameters: dict[str, Parameter] = field(default_factory=dict)
    """By place and name: ``query pageSize``."""
    body: Content | None = None
    responses: dict[str, Content] = field(default_factory=dict)
    ours: Facts = field(default_factory=dict)

    @property
    def route(self) -> str:
        """Method and path, without the names of the parameters in it."""
        return f"{self.method} {re.sub(r'{[^}]*}', '{}', self.path)}"


@dataclass
class NormalForm:
    """A document in its normal form. Order does not matter in it."""

    file: str
    version: str
    schemas: dict[str, Shape]
    operations: dict[str, Operation]

    def final(self, shape: Shape) -> Shape:
        """Return what a chain of references leads to, with what is said beside them.

        The reference to an object is kept: objects are compared by name.
        """
        beside: Facts = {}
        found = shape
        while found.ref:
            beside = {**found.facts, **beside}
            target = self.schemas[found.ref]
            if target.is_object:
                nullable = {"nullable": True} if target.facts.get("nullable") else {}
                return Shape(found.where, ref=found.ref, facts={**nullable, **beside})
            found = target
        if not beside:
            return found
        return Shape(
            found.where,
            facts={**found.facts, **beside},
            items=found.items,
            values=found.values,
            members=found.members,
        )

    def describe(self, shape: Shape) -> str:
        """Return the type of a shape in a few words: ``list of Coupon``."""
        found = self.final(shape)
        if found.ref:
            return found.ref
        if found.members and shape.ref:
            return shape.ref
        if found.members:
            return " or ".join(sorted({self.describe(each) for each in found.members}))
        kind = str(found.facts.get("type", "any"))
        if kind == "array":
            return f"list of {self.describe(found.items) if found.items else 'any'}"
        if kind == "object" and found.values:
            return f"map of {self.describe(found.values)}"
        form = found.facts.get("format")
        return f"{kind} ({form})" if form else kind


def places(form: NormalForm) -> Iterator[str]:
    """Yield every place that exists: schemas, properties, operations and what they have."""
    for name, schema in form.schemas.items():
        yield name
        yield from (f"{name}.{wire}" for wire in schema.properties)
    for name, operation in form.operations.items():
        yield name
        yield from (f"{name}.{key}" for key in operation.parameters)
        yield from (f"{name}.{status}" for status in operation.responses)
        if operation.body:
            yield f"{name}.body"


def find(form: NormalForm, place: str) -> Shape | Parameter | Content | Operation | None:
    """Return what is at a place, or None.

    Places are written ``Schema``, ``Schema.property``, ``operationId``, ``operationId.query name``,
    ``operationId.body`` and ``operationId.200``.
    """
    head, dot, rest = place.partition(".")
    if head in form.schemas:
        schema = form.schemas[head]
        return schema.properties.get(rest) if dot else schema
    operation = form.operations.get(head)
    if operation is None or not dot:
        return operation
    if rest == "body":
        return operation.body
    return operation.parameters.get(rest) or operation.responses.get(rest)
