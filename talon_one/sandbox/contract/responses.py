"""Completion of response bodies: the declared properties of stored documents, none missing."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

from talon_one._schema.access import Choice, cases_of, members_of
from talon_one._schema.model import Model
from talon_one.sandbox.contract.shapes import (
    Property,
    Shape,
    once_per_class,
    properties_of,
    shape_of,
)

_Completer: TypeAlias = Callable[[Any], Any]
_MISSING: Any = object()


def complete(written: str, document: Any) -> Any:
    """Return a response body in the shape that the description gives it.

    Objects have their declared properties only, in the order of the declaration; required ones that
    are missing are null. So private facts of a stored document, whose names begin with `_`, stay
    inside. Free-form JSON, and values of another type than declared, are returned unchanged.

    Args:
        written: Type of the body, as the table of operations has it.
        document: The body. It is not changed, and the result may share parts with it.
    """
    completer = _body_completer(written)
    return completer(document) if completer is not None else document


@cache
def _body_completer(written: str) -> _Completer | None:
    return _completer(shape_of(written))


def _completer(shape: Shape) -> _Completer | None:
    """Return the completer of a shape; ``None`` if there is nothing to complete in it."""
    if shape.kind == "object":
        return _lazy_completer(shape)
    inner = _completer(shape.parts[0]) if shape.kind in ("list", "map") else None
    if inner is None:
        return None
    return _list_completer(inner) if shape.kind == "list" else _map_completer(inner)


class Complete(list[Any]):
    """A list of objects that have what they need and nothing else, such as effects of a rule.

    A cart of twenty items can have hundreds of effects, so looking at each of them costs.
    """


def _list_completer(inner: _Completer) -> _Completer:
    def complete_items(value: Any) -> Any:
        if type(value) is Complete or not isinstance(value, list):
            return value
        return [inner(each) for each in value]

    return complete_items


def _map_completer(inner: _Completer) -> _Completer:
    def complete_values(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: inner(each) for key, each in value.items()}

    return complete_values


def _lazy_completer(shape: Shape) -> _Completer:
    """Return the completer of a class, which is loaded for the first object of it."""
    made: list[_Completer] = []

    def complete_object(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        if not made:
            made.append(_class_completer(shape.target()))
        return made[0](value)

    return complete_object


@once_per_class
def _class_completer(cls: type[Model]) -> _Completer:
    """Return the completer of a class for values that are objects."""
    if cls is Model:  # The class is unknown, so anything may be declared.
        return lambda value: value
    choice = members_of(cls)
    if choice is not None:
        return lambda value: _class_completer(choice.class_for(value.get(choice.by)))(value)
    cases = cases_of(cls)
    return _object_completer(properties_of(cls)) if cases is None else _case_completer(cls, cases)


def _case_completer(cls: type[Model], cases: Choice) -> _Completer:
    """Return the completer of a class whose objects have the properties of a second one as well."""
    own = {each.wire: each for each in properties_of(cls)}

    @once_per_class
    def completer(case: type[Model]) -> _Completer:
        # What the case declares is more exact.
        more = {each.wire: each for each in properties_of(case)}
        return _object_completer(tuple({**own, **more}.values()))

    return lambda value: completer(cases.class_for(value.get(cases.by)))(value)


def _object_completer(properties: tuple[Property, ...]) -> _Completer:
    entries = tuple(
        (each.wire, each.required, _completer(each.shape) if each.variant is None else None)
        for each in properties
    )
    variants = tuple((each.wire, each.variant) for each in properties if each.variant is not None)

    def complete_object(value: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, required, inner in entries:
            item = value.get(name, _MISSING)
            if item is _MISSING:
                if required:
                    found[name] = None
            else:
                found[name] = inner(item) if inner is not None else item
        for name, variant in variants:
            if isinstance(found.get(name), dict):
                cls = variant.class_for(value.get(variant.by))
                found[name] = _class_completer(cls)(found[name])
        return found

    return complete_object
