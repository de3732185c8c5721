"""Fields: descriptors that read and write one property of a JSON object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from talon_one._schema.annotations import parse
from talon_one._schema.class_choice import ClassChoice, class_of_same_package
from talon_one._schema.dates import read_date, read_datetime
from talon_one._schema.json_codec import NULL

if TYPE_CHECKING:
    from talon_one._schema.model import Model
    from talon_one._schema.object_view import ObjectView

MISSING: Any = object()


class _Documentation:
    """The docstring of a field class and of its fields: for a field, that below its property.

    The latter is read from the source on demand, because most programs never need it.
    """

    def __init__(self, of_class: str | None) -> None:
        self._of_class = of_class

    def __get__(self, instance: Field | None, owner: type[Field]) -> str | None:
        if instance is None:
            return self._of_class
        from talon_one._schema.introspection import description

        return description(instance)


def _document(cls: type[Field]) -> None:
    cls.__doc__ = _Documentation(cls.__doc__)  # type: ignore[assignment]  # reads as text


class Field:
    """A property whose value is used as it is: text, number, boolean, free-form JSON.

    Its type is defined by the annotation alone. A default of ``None`` means that the property is
    optional; any other is the value that constructors set, and the property is required.
    """

    __slots__ = (
        "aliases",
        "constant",
        "constraints",
        "name",
        "owner",
        "required",
        "secret",
        "wire",
    )

    owner: type[Model]
    name: str

    def __init_subclass__(cls) -> None:
        _document(cls)

    def __init__(
        self,
        default: Any = MISSING,
        wire: str = "",
        aliases: tuple[str, ...] = (),
        secret: bool = False,
        **constraints: Any,
    ) -> None:
        self.required = default is not None
        self.constant = None if default is MISSING else default
        self.wire = wire
        self.aliases = aliases
        self.secret = secret
        self.constraints = constraints

    def __set_name__(self, owner: type[Model], name: str) -> None:
        self.owner = owner
        self.name = name
        self.wire = self.wire or name
        for alias in self.aliases:
            setattr(owner, alias, self)

    def __get__(self, instance: ObjectView | None, owner: type[Model] | None = None) -> Any:
        if instance is None:
            return self
        return instance._data.get(self.wire)

    def __set__(self, instance: ObjectView, value: Any) -> None:
        if value is None:
            instance._data.pop(self.wire, None)
        else:
            instance._data[self.wire] = None if value is NULL else value

    def __delete__(self, instance: ObjectView) -> None:
        instance._data.pop(self.wire, None)

    @property
    def annotation(self) -> str:
        """The annotation of the field, without ``| None``."""
        written: str = self.owner.__annotations__[self.name]
        return written.removesuffix(" | None")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.owner.__name__}.{self.name}>"


_document(Field)


class DateTimeField(Field):
    """A timestamp: text in the JSON object, parsed on each read."""

    __slots__ = ()

    def __get__(self, instance: ObjectView | None, owner: type[Model] | None = None) -> Any:
        if instance is None:
            return self
        value = instance._data.get(self.wire)
        return read_datetime(value) if type(value) is str else value


class DateField(Field):
    """A date: text in the JSON object, parsed on each read."""

    __slots__ = ()

    def __get__(self, instance: ObjectView | None, owner: type[Model] | None = None) -> Any:
        if instance is None:
            return self
        value = instance._data.get(self.wire)
        return read_date(value) if type(value) is str else value


class NestedField(Field):
    """A model, or lists and maps of models to any depth, wrapped in place when first read.

    The annotation says which. A value of another shape is returned unchanged.
    """

    __slots__ = ("_depth", "_target")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._target: type[Model] | None = None
        self._depth = 0

    def __get__(self, instance: ObjectView | None, owner: type[Model] | None = None) -> Any:
        if instance is None:
            return self
        data = instance._data
        value = data.get(self.wire)
        if value is None:
            return None
        target = self._target or self._resolve()
        if self._depth:
            _wrap_inside(value, target, self._depth)
        elif type(value) is dict:
            value = data[self.wire] = target._wrap(value)
        return value

    @property
    def target(self) -> type[Model]:
        """Class of the model, or of the models inside the lists and maps."""
        return self._target or self._resolve()

    @property
    def depth(self) -> int:
        """Number of lists and maps around the model."""
        self._target or self._resolve()
        return self._depth

    def _resolve(self) -> type[Model]:
        shape = parse(self.annotation)
        depth = 0
        while shape.inner is not None:
            shape = shape.inner
            depth += 1
        target = class_of_same_package(self.owner, shape.kind)
        self._depth = depth
        self._target = target
        return target


class VariantField(Field):
    """A model whose class another property of the same object names, wrapped when first read.

    An unknown name gives a plain `Model` with all properties by key. A value that is not a JSON
    object is returned unchanged.
    """

    __slots__ = ("_choice", "by")

    def __init__(self, *args: Any, by: str, classes: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by
        self._choice = ClassChoice(classes)

    def __get__(self, instance: ObjectView | None, owner: type[Model] | None = None) -> Any:
        if instance is None:
            return self
        data = instance._data
        value = data.get(self.wire)
        if type(value) is dict:
            value = data[self.wire] = self.class_for(data.get(self.by))._wrap(value)
        return value

    @property
    def classes(self) -> dict[str, str]:
        """Value of the other property to name of the class."""
        return self._choice.names

    def class_for(self, name: Any) -> type[Model]:
        """Return the class for this value of the other property."""
        return self._choice.class_for(name, self.owner)

    @property
    def annotation(self) -> str:
        """The type that all variants share: a JSON object."""
        return "dict[str, Any]"


def _wrap_inside(container: Any, target: type[Model], depth: int) -> None:
    """Replace, in place, the JSON objects *depth* containers down with models."""
    kind = type(container)
    if kind is list:
        items = enumerate(container)
        values = container
    elif kind is dict:
        items = container.items()
        values = container.values()
    else:
        return
    if depth > 1:
        for value in values:
            _wrap_inside(value, target, depth - 1)
    # Checking the types first keeps later reads of a long list cheap.
    elif dict in map(type, values):
        for key, value in list(items):
            if type(value) is dict:
                container[key] = target._wrap(value)


if TYPE_CHECKING:
    # Type checkers see functions that return a value of any type. A property is optional if it has
    # a default. `wire` is its wire name, where that differs.
    def field(
        *,
        default: Any = ...,
        wire: str = ...,
        aliases: tuple[str, ...] = ...,
        secret: bool = ...,
        minimum: float = ...,
        maximum: float = ...,
        exclusive_minimum: bool = ...,
        exclusive_maximum: bool = ...,
        min_length: int = ...,
        max_length: int = ...,
        pattern: str = ...,
        min_items: int = ...,
        max_items: int = ...,
        unique_items: bool = ...,
        items: dict[str, Any] = ...,
    ) -> Any:
        """Describe a scalar or free-form property."""

    def timestamp(*, default: Any = ..., wire: str = ..., aliases: tuple[str, ...] = ...) -> Any:
        """Describe a property that holds an RFC 3339 timestamp."""

    def day(*, default: Any = ..., wire: str = ..., aliases: tuple[str, ...] = ...) -> Any:
        """Describe a property that holds a date."""

    def nested(
        *,
        default: Any = ...,
        wire: str = ...,
        aliases: tuple[str, ...] = ...,
        min_items: int = ...,
        max_items: int = ...,
        unique_items: bool = ...,
    ) -> Any:
        """Describe a property that holds a model, or lists and maps of models."""

    def variant(
        *,
        by: str,
        classes: dict[str, str],
        default: Any = ...,
        wire: str = ...,
        aliases: tuple[str, ...] = ...,
    ) -> Any:
        """Describe a property that holds a model whose class the property *by* names."""
else:
    field = Field
    timestamp = DateTimeField
    day = DateField
    nested = NestedField
    variant = VariantField
