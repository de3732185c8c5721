"""Decoded JSON to the type that a type string names: ``list[Coupon]``, ``datetime``, ..."""

from __future__ import annotations

import typing
from functools import cache
from importlib import import_module
from typing import Any

from talon_one.dates import read_date, read_datetime
from talon_one.model import Model
from talon_one.type_names import ANY, Shape, parse

MODELS = "talon_one.models"
"""Package in which the names of models are looked up, unless an operation says otherwise."""

_SCALARS = frozenset({"Any", "str", "int", "float", "bool", "bytes", "Literal", "file"})


def convert(data: Any, written: str, models: str = MODELS) -> Any:
    """Return decoded JSON as the type that is written.

    Data of another shape are handed over unchanged: nothing that was received is dropped.
    """
    return _converted(data, parse(written), models)


def model_class(name: str, models: str = MODELS) -> type[Model] | None:
    """Return the model class of this name, or ``None`` if the name means something else."""
    found = _named(name, models)
    return found if isinstance(found, type) and issubclass(found, Model) else None


def _converted(data: Any, shape: Shape, models: str) -> Any:
    kind = shape.kind
    if kind in _SCALARS:
        return data
    if kind == "list":
        inner = shape.inner or ANY
        return [_converted(item, inner, models) for item in data] if type(data) is list else data
    if kind == "dict":
        inner = shape.inner or ANY
        if type(data) is not dict:
            return data
        return {key: _converted(item, inner, models) for key, item in data.items()}
    if kind == "datetime":
        return read_datetime(data) if isinstance(data, str) else data
    if kind == "date":
        return read_date(data) if isinstance(data, str) else data
    named = _named(kind, models)
    if isinstance(named, type) and issubclass(named, Model):
        return named._wrap(data) if type(data) is dict else data
    return _converted(data, _alias_shape(named), models)


@cache
def _named(name: str, models: str) -> Any:
    # By name and on demand: the core knows where models are found, not which there are.
    return getattr(import_module(models), name, None) if name not in _SCALARS else None


def _alias_shape(alias: Any) -> Shape:
    """Return the shape of a schema that is a type alias, such as a list of models."""
    origin = typing.get_origin(alias)
    arguments = typing.get_args(alias)
    if origin is list:
        return Shape("list", _argument_shape(arguments[0]))
    if origin is dict:
        return Shape("dict", _argument_shape(arguments[1]))
    return ANY


def _argument_shape(argument: Any) -> Shape:
    if isinstance(argument, typing.ForwardRef):
        argument = argument.__forward_arg__
    return parse(argument) if isinstance(argument, str) else Shape(argument.__name__)
