"""Convert decoded JSON to a type, usually named by a type string such as ``list[Coupon]``."""

from __future__ import annotations

import typing
from datetime import date, datetime
from functools import cache
from importlib import import_module
from typing import Any

from talon_one._schema.annotations import Shape, parse
from talon_one._schema.dates import read_date, read_datetime
from talon_one._schema.model import Model

MODELS = "talon_one.models"
"""Package in which model names are looked up, unless an operation names another."""

_SCALARS = frozenset({"Any", "str", "int", "float", "bool", "bytes", "Literal", "file"})
_DATES = (datetime, date)


def convert(data: Any, target: Any, models: str = MODELS) -> Any:
    """Return decoded JSON as the target type: a type string such as ``"list[Coupon]"``, or a type.

    Data of another shape are returned unchanged: nothing received is dropped.
    """
    if isinstance(target, str):
        return _converted(data, parse(target), models)
    if _is_model(target):
        return target._wrap(data) if type(data) is dict else data
    if isinstance(target, typing.ForwardRef):
        return convert(data, target.__forward_arg__, models)
    origin, arguments = typing.get_origin(target), typing.get_args(target)
    if origin is list and type(data) is list:
        return [convert(item, arguments[0], models) for item in data]
    if origin is dict and type(data) is dict:
        return {key: convert(item, arguments[1], models) for key, item in data.items()}
    return _converted(data, Shape(target.__name__), models) if target in _DATES else data


def model_class(name: str, models: str = MODELS) -> type[Model] | None:
    """Return the model class of this name, or ``None`` if there is none."""
    found = _named(name, models)
    return found if _is_model(found) else None


def _is_model(found: Any) -> bool:
    # In Python 3.10, isinstance says that list[Coupon] is a type.
    return issubclass(type(found), type) and issubclass(found, Model)


def _converted(data: Any, shape: Shape, models: str) -> Any:
    kind = shape.kind
    if kind in _SCALARS:
        return data
    if kind == "list":
        if type(data) is not list:
            return data
        return [_converted(item, shape.inner, models) for item in data]
    if kind == "dict":
        if type(data) is not dict:
            return data
        return {key: _converted(item, shape.inner, models) for key, item in data.items()}
    if kind == "datetime":
        return read_datetime(data) if isinstance(data, str) else data
    if kind == "date":
        return read_date(data) if isinstance(data, str) else data
    # A model, or an alias of another type, such as a list of models.
    return convert(data, _named(kind, models), models)


@cache
def _named(name: str, models: str) -> Any:
    # By name and on demand: this layer knows the package of models, not the models.
    return getattr(import_module(models), name, None) if name not in _SCALARS else None
