"""Reads every property of an object, and of the objects in it."""

from __future__ import annotations

from typing import Any

from talon_one._schema.model import Model


def read_everything(value: Any) -> None:
    """Read all attributes of the models in *value*, all the way down, by name and by key."""
    if isinstance(value, Model):
        for name in value.attribute_map:
            read_everything(getattr(value, name))
        for key in value:
            read_everything(value[key])
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            read_everything(item)
