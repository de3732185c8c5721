"""Convert models to dicts and back, with wire names or Python names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from talon_one._schema import nesting
from talon_one._schema.fields import NestedField, VariantField

if TYPE_CHECKING:
    from talon_one._schema.model import Model
    from talon_one._schema.object_view import JsonObject

HIDDEN = "***"
"""Replacement of a secret in text for people."""


def to_dict(
    value: Model, by_alias: bool = False, exclude_none: bool = False, mask: bool = False
) -> JsonObject:
    """Return a model, and the models inside it, as dicts; for the arguments see `Model.to_dict`."""

    def one_level(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return list(value)
        if isinstance(value, dict):
            return dict(value)
        if not nesting.is_model(value):
            return value
        properties = {}
        for name, declared in value._fields.items():
            if mask and declared.secret and declared.wire in value:
                item = HIDDEN
            elif isinstance(declared, VariantField):
                # From the JSON object, with wire names, whether or not parts are wrapped already.
                item = nesting.converted(value._data.get(declared.wire), _unwrapped)
            else:
                item = declared.__get__(value)
            properties[declared.wire if by_alias else name] = item
        properties.update(value.additional_properties)
        if exclude_none:
            return {key: item for key, item in properties.items() if item is not None}
        return properties

    result: JsonObject = nesting.converted(value, one_level)
    return result


def _unwrapped(value: Any) -> Any:
    if nesting.is_model(value) or isinstance(value, dict):
        return dict(value._data if nesting.is_model(value) else value)
    return list(value) if isinstance(value, list) else value


def with_wire_names(
    cls: type[Model], data: JsonObject, python_names: bool | None = None
) -> JsonObject:
    """Return *data* with wire names.

    *python_names* says whether the names of the outer dict are Python names, if that is known.
    """
    cls = cls._class_of(data)
    python_names = _has_python_names(cls, data, python_names)
    result: JsonObject = {}
    for key, value in data.items():
        declared = cls._by_wire.get(key) or cls._by_name.get(key)
        if declared is None:
            if value is not None or key not in cls._retired:
                result[cls._retired.get(key, key)] = value
        elif value is not None or not python_names:
            if isinstance(declared, NestedField):
                value = _translated_inside(value, declared.target, declared.depth, python_names)
            result[declared.wire] = value
    return result


def _has_python_names(cls: type[Model], data: JsonObject, around: bool | None) -> bool | None:
    """Return whether a dict has Python names; ``None`` if Python and wire names are equal."""
    if any(key in cls._by_name and key not in cls._by_wire for key in data):
        return True
    if any(key in cls._by_wire and key not in cls._by_name for key in data):
        return False
    # If both are the same, a dict that has every property looks like one that `to_dict` returned.
    return around if around is not None else cls._fields.keys() <= data.keys() or None


def _translated_inside(
    value: Any, target: type[Model], depth: int, python_names: bool | None
) -> Any:
    if depth == 0:
        return with_wire_names(target, value, python_names) if isinstance(value, dict) else value
    if isinstance(value, dict):
        return {
            key: _translated_inside(item, target, depth - 1, python_names)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_translated_inside(item, target, depth - 1, python_names) for item in value]
    return value
