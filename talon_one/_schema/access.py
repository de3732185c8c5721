"""Public functions of this package: the JSON object behind a model, the fields of a class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from talon_one._schema.fields import Field
from talon_one._schema.model import Model

M = TypeVar("M", bound=Model)


def data_of(value: Any) -> Any:
    """Return the JSON object behind a model, not a copy; return any other value unchanged."""
    return value.__wire__() if isinstance(value, Model) else value


def wrap(cls: type[M], data: dict[str, Any]) -> M:
    """Return a model over a JSON object, without copying it."""
    return cls._wrap(data)


def fields_of(cls: type[Model]) -> Mapping[str, Field]:
    """Return the declared properties of a class by Python name, aliases included."""
    return cls._by_name


def fields_by_wire_name(cls: type[Model]) -> Mapping[str, Field]:
    """Return the declared properties of a class by wire name."""
    return cls._by_wire
