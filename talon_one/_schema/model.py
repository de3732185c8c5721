"""Model: a typed view over a JSON object; the classes in `talon_one.models` only add facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from talon_one._schema import dicts, json_codec, nesting
from talon_one._schema.fields import Field, day, field, nested, timestamp, variant
from talon_one._schema.object_view import JsonObject, ObjectView, set_data, set_given
from talon_one._schema.scalars import reason_of
from talon_one._utils.class_fact import ClassFact
from talon_one._utils.guard import must_propagate, raised_by_signal
from talon_one._utils.quoting import quoted
from talon_one._utils.special_forms import Self
from talon_one._utils.suggest import did_you_mean
from talon_one._vendor.model import IGNORED_KEYWORDS, VendorModel
from talon_one.exceptions import ApiAttributeError, ApiTypeError, ApiValueError

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: Any) -> Callable[[Any], Any]:
        """Stand-in for the decorator that only type checkers need."""
        return lambda cls: cls


@dataclass_transform(
    kw_only_default=True, field_specifiers=(field, timestamp, day, nested, variant)
)
class Model(ObjectView, VendorModel):
    """A typed view over one JSON object.

    Attributes read and write the JSON object itself, and properties that the class does not declare
    stay in it. A received object is not checked. An object is checked before it is sent, and by
    `validate`.

    In the constructor and in assignments ``None`` means "not given", and `talon_one.NULL` is JSON
    null. Positional arguments follow the order of the properties.
    """

    __slots__ = ()

    _fields: ClassVar[dict[str, Field]] = {}
    """Python name to field, in the order of the properties."""
    _by_name: ClassVar[dict[str, Field]] = {}
    """As `_fields`, with the aliases."""
    _keywords: ClassVar[dict[str, Field]] = {}
    """As `_by_name`, with the wire names, which constructors accept too."""
    _assignable: ClassVar[dict[str, Any]] = {}
    """As `_by_name`, with the descriptors of subclasses, such as properties with setters."""
    _constants: ClassVar[JsonObject] = {}
    """Wire name to the value that constructors set unless another is given."""
    _by: ClassVar[str] = ""
    """Of a class that stands for several: wire name of the property that names the class."""
    _classes: ClassVar[dict[str, str]] = {}
    """Of a class that stands for several: value of that property to name of the class."""
    _cases: ClassVar[tuple[str, dict[str, str]] | None] = None
    """Wire name of a property, with classes whose rules hold as well, by its value."""

    _retired: ClassVar[dict[str, str]] = {}
    """Python name to wire name of properties that only earlier releases declared.

    They are accepted, and kept as additional properties.
    """

    def __init_subclass__(cls) -> None:
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Field)}
        cls._by_name = {**cls._by_name, **own}
        cls._fields = {name: value for name, value in cls._by_name.items() if name == value.name}
        cls._by_wire = {value.wire: value for value in cls._fields.values()}
        cls._keywords = {**cls._by_wire, **cls._by_name}
        for name, wire_name in cls._retired.items():
            kept = Field(default=None, wire=wire_name)
            kept.__set_name__(cls, name)
            cls._keywords[name] = cls._keywords[wire_name] = kept
            if name not in vars(cls):
                type.__setattr__(cls, name, kept)
        cls._constants = {
            each.wire: each.constant for each in cls._fields.values() if each.constant is not None
        }
        cls._assignable = _data_descriptors(cls)
        # Type checkers derive this from dataclass_transform and refuse a plain assignment.
        type.__setattr__(cls, "__match_args__", tuple(cls._fields))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        data: JsonObject = {}
        set_data(self, data)
        set_given(self, None)
        if args:
            kwargs = self._with_positional(args, kwargs)
        keywords = self._keywords
        for name, value in kwargs.items():
            if value is None:
                if name not in keywords and name not in IGNORED_KEYWORDS:
                    raise self._unknown_keyword(name)
                continue
            try:
                data[keywords[name].wire] = None if value is json_codec.NULL else value
            except KeyError:
                if name not in IGNORED_KEYWORDS:
                    raise self._unknown_keyword(name) from None
        if len(data) < len(kwargs):
            self._refuse_duplicates(kwargs)
        if self._constants:
            for wire, value in self._constants.items():
                data.setdefault(wire, value)

    # -- Attributes ----------------------------------------------------------------------------

    if not TYPE_CHECKING:  # Hidden, so that type checkers still report unknown names.

        def __getattr__(self, name: str) -> Any:
            raise self._unknown_attribute(name)

        def __setattr__(self, name: str, value: Any) -> None:
            try:
                descriptor = self._assignable[name]
            except KeyError:
                raise self._unknown_attribute(name) from None
            descriptor.__set__(self, value)

    # -- Conversion ----------------------------------------------------------------------------

    def to_wire(self) -> JsonObject:
        """Return the JSON object as plain data, exactly as `to_json` writes it."""
        plain: JsonObject = json_codec.plain(self._data)
        return plain

    def to_json(self) -> str:
        """Return the JSON object as text.

        Raises:
            ApiValueError: A value cannot be written as JSON, such as NaN or a naive datetime.
            ApiTypeError: A value of a type that JSON does not have.
        """
        return json_codec.encode(self._data).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Return the object that JSON *text* holds, unknown properties included.

        Raises:
            ApiValueError: *text* is not JSON.
            ApiTypeError: *text* is JSON, but not an object.
        """
        if not issubclass(type(text), (str, bytes, bytearray)):
            raise ApiTypeError(f"JSON is text or bytes, not {type(text).__name__}")
        try:
            data = json_codec.decode(str.__str__(text) if isinstance(text, str) else bytes(text))
        except ValueError as cause:
            raise ApiValueError(f"not JSON: {cause}") from cause
        return cls._wrap(cls._object(data))

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Return an object made from a dict, or another mapping, of wire names or of Python names.

        In a dict of wire names ``None`` is JSON null, so a decoded response loses nothing. A dict
        of Python names is read like the keywords of the constructor: ``None`` means "not given",
        in nested objects too. If both kinds of names are the same, a dict that has every property
        is read like one that `to_dict` returned.

        Raises:
            ApiTypeError: *data* is not a dict.
        """
        if isinstance(data, Model):
            return cls._wrap(dicts.with_wire_names(cls, data.to_wire()))
        with _translated_errors(f"{cls.__name__} cannot be made of it"):
            made = cls._wrap(dicts.with_wire_names(cls, cls._object(data)))
        set_given(made, None)
        return made

    def to_dict(self, by_alias: bool = False, exclude_none: bool = False) -> JsonObject:
        """Return the object as a dict, nested models included.

        Args:
            by_alias: Use wire names rather than Python names.
            exclude_none: Leave out properties that are absent or null; otherwise they are ``None``.
        """
        with _translated_errors(f"{type(self).__name__} cannot become a dict"):
            result: JsonObject = dicts.to_dict(self, by_alias, exclude_none)
        return result

    def copy(self) -> Self:
        """Return a deep copy."""
        return self.__deepcopy__({})

    def validate(self) -> None:
        """Check that the object may be sent.

        Raises:
            ModelValidationError: With every violation (required, type, enum, length, range,
                pattern, number of items, naive datetime) and its JSON path.
        """
        from talon_one._schema.validation import violations
        from talon_one.exceptions import ModelValidationError

        found = violations(self)
        if found:
            raise ModelValidationError(type(self).__name__, found)

    # -- Comparing, showing, copying -----------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Model) or type(other) is not type(self):
            return NotImplemented
        with _translated_errors(f"{type(self).__name__} cannot be compared"):
            return nesting.equal_json(self, other)

    # Objects that change must not be keys.
    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # hides that of object

    def __repr__(self) -> str:
        try:
            return self._represented(repr)
        except Exception as cause:  # Nested too deeply, or a value has no repr.
            if raised_by_signal(cause):
                raise
            return self._represented(_represented)

    def _represented(self, represented: Callable[[Any], str]) -> str:
        words = [
            f"{name}={dicts.HIDDEN if declared.secret else represented(declared.__get__(self))}"
            for name, declared in self._fields.items()
            if declared.wire in self._data
        ]
        more = self.additional_properties
        words += [f"{represented(key)}: {represented(value)}" for key, value in more.items()]
        return f"{type(self).__name__}({', '.join(words)})"

    def _masked_dict(self) -> JsonObject:
        return dicts.to_dict(self, mask=True)

    def __reduce__(self) -> tuple[Any, ...]:
        if nesting.is_deep(self._data):
            return _unpickle_flat, (type(self), nesting.flattened(self._data))
        return _unpickle, (type(self), self._data)

    def __copy__(self) -> Self:
        return self._like(dict(self._data))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        with _translated_errors(f"{type(self).__name__} cannot be copied"):
            return self._like(nesting.copied(self._data, memo))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Let pydantic models hold this class as a field; dicts are checked and converted."""
        from talon_one._schema.pydantic_schema import schema_of

        return schema_of(cls)

    @ClassFact
    def __signature__(cls) -> Any:
        """Signature of the constructor, for `help` and editors."""
        from talon_one._schema.introspection import signature

        return signature(cls)  # type: ignore[arg-type]  # it is the class, see ClassFact

    # -- Helpers -------------------------------------------------------------------------------

    @classmethod
    def _object(cls, data: Any) -> JsonObject:
        if not isinstance(data, dict):
            if isinstance(data, Mapping):
                return dict(data)
            raise ApiTypeError(f"{cls.__name__} is a JSON object, not {type(data).__name__}")
        return data

    def _with_positional(self, args: tuple[Any, ...], kwargs: JsonObject) -> JsonObject:
        if len(args) > len(self._fields):
            raise ApiTypeError(
                f"{type(self).__name__} has {len(self._fields)} properties, not {len(args)}"
            )
        given = dict(zip(self._fields, args, strict=False))
        twice = given.keys() & kwargs.keys()
        if twice:
            raise ApiTypeError(f"{type(self).__name__} got {min(twice)!r} twice")
        return {**given, **kwargs}

    def _refuse_duplicates(self, kwargs: JsonObject) -> None:
        """Refuse a property that was given under two of its names."""
        given = [name for name, value in kwargs.items() if value is not None]
        names = [self._keywords[name].name for name in given if name in self._keywords]
        if len(names) > len(self._data):
            raise ApiTypeError(f"{type(self).__name__} got {max(names, key=names.count)!r} twice")

    @classmethod
    def _unknown_keyword(cls, name: str) -> ApiTypeError:
        hint = did_you_mean(name, cls._by_name)
        return ApiTypeError(f"{cls.__name__} has no property {name!r}.{hint}")

    @classmethod
    def _unknown_attribute(cls, name: str) -> ApiAttributeError:
        hint = did_you_mean(name, cls._by_name)
        return ApiAttributeError(f"{cls.__name__} has no attribute {name!r}.{hint}")


# Web frameworks, data frames and `match` ask for a mapping. It is registered rather than a base
# class, so that schemas may have properties with the names of its methods.
Mapping.register(Model)


def _data_descriptors(cls: type[Model]) -> dict[str, Any]:
    """Return fields and other descriptors with setters, by name, those of subclasses included."""
    found: dict[str, Any] = {}
    below = cls.__mro__[: cls.__mro__.index(Model)]
    for each in reversed(below):
        found.update(
            (name, value) for name, value in vars(each).items() if hasattr(type(value), "__set__")
        )
    return found


@contextmanager
def _translated_errors(what: str) -> Iterator[None]:
    """Turn exceptions that objects of the caller raise into exceptions of this package."""
    try:
        yield
    except RecursionError as cause:
        raise ApiValueError(f"{what}: it is nested too deeply") from cause
    except Exception as cause:  # Classes of the caller may raise anything.
        if must_propagate(cause):
            raise
        raise ApiValueError(f"{what}: {reason_of(cause)}") from cause


def _represented(value: Any) -> str:
    """Return the repr of a value that may be nested too deeply, or whose own repr fails."""
    try:
        return repr(nesting.truncated(value))
    except Exception:
        return quoted(value)


def _unpickle(cls: type[Model], data: JsonObject) -> Model:
    return cls._wrap(data)


def _unpickle_flat(cls: type[Model], flat: nesting.Flat) -> Model:
    return cls._wrap(nesting.restored(flat))
