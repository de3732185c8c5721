"""Shapes: the types of properties, parameters and bodies, as the SDK's classes state them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple, TypeVar, cast

from talon_one import models
from talon_one._schema.access import Choice, fields_by_wire_name, is_nullable
from talon_one._schema.annotations import ANY, parse
from talon_one._schema.annotations import Shape as Written
from talon_one._schema.fields import NestedField, VariantField
from talon_one._schema.model import Model

T = TypeVar("T")

_SCALARS = frozenset({"Any", "str", "int", "float", "bool", "datetime", "date"})


def once_per_class(function: Callable[[type[Model]], T]) -> Callable[[type[Model]], T]:
    """Cache a function of classes, which `functools.cache` does not take for hashable."""
    return cast("Callable[[type[Model]], T]", cache(function))


def _any_class() -> type[Model]:
    return Model


class Shape(NamedTuple):
    """The type of a JSON value.

    Attributes:
        kind: `object` for a class, `list`, `map`, `Literal`, `Union`, or the name of a scalar:
            `str`, `int`, `float`, `bool`, `datetime`, `date`, or `Any`.
        constraints: Bounds of the value, by the names that `fields.field` takes.
        parts: Shape of the items of a list or the values of a map; shapes of a `Union`.
        values: Values of a `Literal`.
        target: Loads the class of an `object`.
    """

    kind: str
    constraints: Mapping[str, Any]
    parts: tuple[Shape, ...] = ()
    values: tuple[Any, ...] = ()
    target: Callable[[], type[Model]] = _any_class


class Property(NamedTuple):
    """A declared property of a class.

    Attributes:
        wire: Name in JSON.
        shape: Type of its values; that of a variant is any object.
        required: Whether an object must have it.
        nullable: Whether null is one of its values, if it is required.
        variant: For a variant, the choice of its class by another property.
    """

    wire: str
    shape: Shape
    required: bool
    nullable: bool
    variant: Choice | None


@cache
def shape_of(written: str) -> Shape:
    """Return the shape of a type as annotations write it, such as `list[Coupon]`."""
    return _shape(parse(written), {}, None)


def parameter_shape(written: str, constraints: Mapping[str, Any]) -> Shape:
    """Return the shape of a parameter, whose bounds are those of its table."""
    return _shape(parse(written), constraints, None)


@once_per_class
def properties_of(cls: type[Model]) -> tuple[Property, ...]:
    """Return the properties of a class, in the order of its declaration."""
    found = []
    for wire, declared in fields_by_wire_name(cls).items():
        target = _target(declared) if isinstance(declared, NestedField) else None
        shape = _shape(parse(declared.annotation), declared.constraints, target)
        variant = _choice(declared) if isinstance(declared, VariantField) else None
        nullable = declared.required and is_nullable(declared)
        found.append(Property(wire, shape, declared.required, nullable, variant))
    return tuple(found)


def narrowed(declared: Property, bounds: Mapping[str, Any]) -> Property:
    """Return a property with more bounds, such as those of `rules.CONSTRAINTS`."""
    shape = declared.shape
    of_items = bounds.get("items", {})
    shape = shape._replace(
        constraints={**shape.constraints, **bounds},
        parts=tuple(
            each._replace(constraints={**each.constraints, **of_items}) for each in shape.parts
        ),
        values=bounds.get("values", shape.values),
    )
    return declared._replace(shape=shape, required=bounds.get("required", declared.required))


def _choice(declared: VariantField) -> Choice:
    return Choice(declared.by, tuple(declared.classes), declared.class_for)


def _target(declared: NestedField) -> Callable[[], type[Model]]:
    return lambda: declared.target


def _named(name: str) -> Callable[[], type[Model]]:
    def load() -> type[Model]:
        found: type[Model] = getattr(models, name)
        return found

    return load


def _shape(
    written: Written, constraints: Mapping[str, Any], target: Callable[[], type[Model]] | None
) -> Shape:
    if written.kind in ("list", "dict"):
        inner = _shape(written.inner or ANY, constraints.get("items", {}), target)
        return Shape("list" if written.kind == "list" else "map", constraints, (inner,))
    if written.kind == "Literal":
        return Shape("Literal", constraints, values=constraints.get("values", written.values))
    if written.kind == "Union":
        members = tuple(_shape(each, {}, None) for each in written.members)
        return Shape("Union", constraints, members)
    if written.kind in _SCALARS:
        return Shape(written.kind, constraints)
    return Shape("object", constraints, target=target or _named(written.kind))
