"""ClassChoice: the class of an object depends on the value of a property."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from talon_one._schema.model import Model


class ClassChoice:
    """Classes by the value of a property, loaded when an object has that value.

    An unknown value, or none, chooses `Model`, which has all properties by key.

    Args:
        names: Value of the property to name of the class.
    """

    __slots__ = ("known", "names")

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names
        self.known: dict[str | None, type[Model]] = {}
        """Values that have been seen, with their classes."""

    def class_for(self, value: Any, owner: type[Model]) -> type[Model]:
        """Return the class for this value, which is in the same package as *owner*."""
        if type(value) is not str:
            value = plain_text(value)
        if value in self.known:
            return self.known[value]
        if value not in self.names:
            from talon_one._schema.model import Model  # Models consist of fields, which use this.

            return Model
        found = self.known[value] = class_of_same_package(owner, self.names[value])
        return found


def plain_text(value: Any) -> str | None:
    """Return text as a plain `str`, and ``None`` for anything else.

    The value may be unhashable, or of a subclass of `str` whose methods raise exceptions.
    """
    return str.__str__(value) if issubclass(type(value), str) else None


def class_of_same_package(owner: type[Model], name: str) -> type[Model]:
    """Return the class of this name from the package of *owner*, which loads it on demand."""
    package = sys.modules[owner.__module__.rpartition(".")[0]]
    found: type[Model] = getattr(package, name)
    return found
