"""OneOf: a schema that stands for several classes; each object names its own in a property."""

from __future__ import annotations

from typing import Any, ClassVar

from talon_one._schema.class_choice import ClassChoice, plain_text
from talon_one._schema.model import Model
from talon_one._schema.object_view import JsonObject
from talon_one._utils.suggest import did_you_mean
from talon_one.exceptions import ApiTypeError


class _OneOfType(type):
    """Makes ``isinstance`` true for objects of the classes that a `OneOf` stands for."""

    _choice: ClassChoice
    _home: type[Model]

    def __instancecheck__(cls, instance: Any) -> bool:
        # By name and package, so that no class is loaded for the question.
        names = set(cls._choice.names.values()) if cls is not OneOf else set()
        package = cls._home.__module__.rpartition(".")[0] if names else ""
        return any(
            each.__name__ in names and each.__module__.rpartition(".")[0] == package
            for each in type(instance).__mro__
        )


class OneOf(Model, metaclass=_OneOfType):
    """Stands for several classes. Type checkers see the union of them, and `Model`.

    Reading and constructing give an object of the class that the property names. An object with an
    unknown name is a plain `Model`, so nothing of it is lost.
    """

    __slots__ = ()

    _choice: ClassVar[ClassChoice]
    _home: ClassVar[type[Model]]
    """The class that names the others, which are in its package; subclasses may be anywhere."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "_classes" in vars(cls):
            cls._choice = ClassChoice(cls._classes)
            cls._home = cls

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        value = plain_text(kwargs.get(cls._by))
        if value is None or value not in cls._classes:
            hint = "" if value is None else did_you_mean(value, cls._classes)
            known = ", ".join(map(repr, cls._classes))
            raise ApiTypeError(f"{cls.__name__} needs {cls._by}=, which is one of {known}.{hint}")
        return cls._choice.class_for(value, cls._home)(*args, **kwargs)

    @classmethod
    def _class_of(cls, data: Any) -> type[Any]:
        return cls._choice.class_for(data.get(cls._by), cls._home)

    @classmethod
    def _members(cls) -> dict[str, type[Model]]:
        """Return all classes by their names, loaded."""
        found = (cls._choice.class_for(value, cls._home) for value in cls._classes)
        return {each.__name__: each for each in found}

    @classmethod
    def _wrap(cls, data: JsonObject) -> Any:
        return cls._class_of(data)._wrap(data)
