"""Public functions of this package: the JSON object behind a model, the facts of a class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from talon_one._schema.class_choice import ClassChoice
from talon_one._schema.fields import Field
from talon_one._schema.model import Model

M = TypeVar("M", bound=Model)


class Choice(NamedTuple):
    """Classes, one of which a property of the object chooses."""

    by: str
    """Wire name of the property."""
    values: tuple[str, ...]
    """Values that choose a class."""
    class_for: Callable[[Any], type[Model]]
    """Returns the class for a value of the property; an unknown value chooses `Model`."""


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


def is_nullable(declared: Field) -> bool:
    """Return whether null is a value of a required property."""
    annotation = declared.owner.__annotations__[declared.name]
    return bool(annotation == "Any" or annotation.endswith("| None"))


def members_of(cls: type[Model]) -> Choice | None:
    """Return the classes that a class stands for; ``None`` if it stands for itself."""
    if not cls._classes:
        return None
    return _choice(cls, "_classes", cls._by, cls._classes)


def cases_of(cls: type[Model]) -> Choice | None:
    """Return the classes whose rules hold for an object as well; ``None`` for most classes."""
    return _choice(cls, "_cases", *cls._cases) if cls._cases is not None else None


def _choice(cls: type[Model], where: str, by: str, classes: dict[str, str]) -> Choice:
    # A subclass may be in any package.
    owner = next(each for each in cls.__mro__ if where in vars(each))
    choice = ClassChoice(classes)
    return Choice(by, tuple(classes), lambda value: choice.class_for(value, owner))
