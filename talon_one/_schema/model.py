"""Model: a typed view over a JSON object; the classes in `talon_one.models` only add facts."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, KeysView, Mapping, ValuesView
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from talon_one._schema import dicts, json_codec, nesting
from talon_one._schema.fields import (
    Field,
    day,
    field,
    nested,
    timestamp,
    variant,
)
from talon_one._schema.scalars import said
from talon_one._utils.guard import passes, raised_by_signal
from talon_one._utils.quoting import quoted
from talon_one._utils.special_forms import Self
from talon_one._utils.suggest import did_you_mean
from talon_one.exceptions import (
    ApiAttributeError,
    ApiKeyError,
    ApiTypeError,
    ApiValueError,
)

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: Any) -> Callable[[Any], Any]:
        """Tell type checkers that annotations define the constructor."""
        return lambda cls: cls


T = TypeVar("T")
JsonObject = dict[str, Any]

# Keywords that the vendor's packages accept in every constructor; without effect here.
_IGNORED_KEYWORDS = frozenset({"local_vars_configuration", "_configuration"})


class _ClassFact(Generic[T]):
    """A fact computed from the fields of a class, readable on the class and on its instances."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __get__(self, instance: object, owner: Any) -> T:
        return self._compute(owner)


@dataclass_transform(
    kw_only_default=True, field_specifiers=(field, timestamp, day, nested, variant)
)
class Model:
    """A typed view over one JSON object.

    The object is kept as received: properties are read from it and written to it, and undeclared
    ones stay in it. Received objects are not checked; `validate` runs before sending, or on
    request.

    In the constructor and in assignments ``None`` means "not given", and `talon_one.NULL` is JSON
    null. Positional arguments are taken in the order of the properties.
    """

    if TYPE_CHECKING:
        _data: JsonObject
        _given: frozenset[str] | None
        """Undeclared properties set by the caller; unset if none, ``None`` if all are."""
    else:  # Hidden from type checkers, which would take them for properties.
        __slots__ = ("_data", "_given")

    _fields: ClassVar[dict[str, Field]] = {}
    """Python name to field, in the order of the properties."""
    _by_wire: ClassVar[dict[str, Field]] = {}
    _by_name: ClassVar[dict[str, Field]] = {}
    """As `_fields`, with the aliases."""
    _keywords: ClassVar[dict[str, Field]] = {}
    """As `_by_name`, with the wire names, which constructors accept, too."""
    _assignable: ClassVar[dict[str, Any]] = {}
    """As `_by_name`, with what subclasses define themselves, such as properties with setters."""

    _retired: ClassVar[dict[str, str]] = {}
    """Python name to wire name of properties of earlier releases: accepted as additional ones."""

    discriminator: ClassVar[str | None] = None

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
        cls._assignable = _data_descriptors(cls)
        # Type checkers derive this from dataclass_transform and refuse a plain assignment.
        type.__setattr__(cls, "__match_args__", tuple(cls._fields))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        data: JsonObject = {}
        _set_data(self, data)
        _set_given(self, None)
        if args:
            kwargs = self._with_positional(args, kwargs)
        keywords = self._keywords
        for name, value in kwargs.items():
            if value is None:
                if name not in keywords and name not in _IGNORED_KEYWORDS:
                    raise self._unknown_keyword(name)
                continue
            try:
                data[keywords[name].wire] = None if value is json_codec.NULL else value
            except KeyError:
                if name not in _IGNORED_KEYWORDS:
                    raise self._unknown_keyword(name) from None
        if len(data) < len(kwargs):
            self._refuse_twins(kwargs)

    @classmethod
    def _wrap(cls, data: JsonObject) -> Self:
        """Return a view over *data* itself, neither copied nor checked."""
        self = _new(cls)
        _set_data(self, data)
        return self

    def _like(self, data: JsonObject) -> Self:
        """Return a view over *data* with the same record of properties set by the caller."""
        other = self._wrap(data)
        with suppress(AttributeError):
            _set_given(other, _get_given(self))
        return other

    def _is_given(self, key: str) -> bool:
        """Return whether an undeclared property was set by the caller rather than received."""
        try:
            given = _get_given(self)
        except AttributeError:
            return False
        return given is None or key in given

    # -- Attributes, and the JSON object underneath --------------------------------------------

    if not TYPE_CHECKING:  # Hidden from type checkers, so that they report unknown names.

        def __getattr__(self, name: str) -> Any:
            raise self._unknown_attribute(name)

        def __setattr__(self, name: str, value: Any) -> None:
            try:
                descriptor = self._assignable[name]
            except KeyError:
                raise self._unknown_attribute(name) from None
            descriptor.__set__(self, value)

    def __getitem__(self, key: str) -> Any:
        """Return the property with this wire name, declared or not.

        Raises:
            ApiKeyError: The JSON object has no such property.
        """
        if type(key) is not str:
            key = _name(key)
        if key not in self._data:
            raise ApiKeyError(
                f"no {key!r} in {type(self).__name__}.{did_you_mean(key, self._data)}"
            )
        declared = self._by_wire.get(key)
        return declared.__get__(self) if declared else self._data[key]

    def __setitem__(self, key: str, value: Any) -> None:
        """Set the property with this wire name, declared or not; here ``None`` is JSON null."""
        self._data[key] = value
        if key not in self._by_wire and not self._is_given(key):
            try:
                _set_given(self, (_get_given(self) or frozenset()) | {key})
            except AttributeError:
                _set_given(self, frozenset({key}))

    def __delitem__(self, key: str) -> None:
        if key not in self._data:
            raise ApiKeyError(
                f"no {key!r} in {type(self).__name__}.{did_you_mean(key, self._data)}"
            )
        del self._data[key]

    def __contains__(self, key: object) -> bool:
        """Return whether the JSON object has a property of this wire name, even if it is null."""
        return key in self._data

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def __bool__(self) -> bool:
        # An object without properties is still an object.
        return True

    def get(self, key: str, default: Any = None) -> Any:
        """Return the property with this wire name, or *default* when there is none."""
        return self[key] if key in self._data else default

    def keys(self) -> KeysView[str]:
        """Return the wire names of the properties that the JSON object has."""
        return self._data.keys()

    def values(self) -> ValuesView[Any]:
        """Return the values of the properties that the JSON object has."""
        return ValuesView(self)

    def items(self) -> ItemsView[str, Any]:
        """Return pairs of wire name and value of the properties that the JSON object has."""
        return ItemsView(self)

    @property
    def additional_properties(self) -> JsonObject:
        """Properties of the JSON object that the class does not declare, by wire name."""
        return {key: value for key, value in self._data.items() if key not in self._by_wire}

    # -- Conversion ----------------------------------------------------------------------------

    def __wire__(self) -> JsonObject:
        return self._data

    def to_wire(self) -> JsonObject:
        """Return the JSON object as plain data: exactly what `to_json` writes."""
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
        """Return the object in a JSON *text*; nothing in it is dropped.

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

        In a dict of wire names ``None`` is JSON null, so nothing of a decoded response is lost. A
        dict that uses Python names is read like the keywords of the constructor: ``None`` is "not
        given", also inside nested objects. The result of `to_dict` is accepted in both
        forms; if both names are equal, a dict that names every property counts as such a result.

        Raises:
            ApiTypeError: *data* is not a dict.
        """
        if isinstance(data, Model):
            return cls._wrap(dicts.with_wire_names(cls, data.to_wire()))
        with _explained(f"{cls.__name__} cannot be made of it"):
            made = cls._wrap(dicts.with_wire_names(cls, cls._object(data)))
        _set_given(made, None)
        return made

    def to_dict(self, by_alias: bool = False, exclude_none: bool = False) -> JsonObject:
        """Return the object as a dict, nested models included.

        Args:
            by_alias: Use wire names rather than Python names.
            exclude_none: Leave out what is absent or null, instead of giving it as ``None``.
        """
        with _explained(f"{type(self).__name__} cannot become a dict"):
            result: JsonObject = dicts.to_dict(self, by_alias, exclude_none)
        return result

    def to_str(self) -> str:
        """Return the object as text for people, with secrets masked."""
        from pprint import pformat

        try:
            return pformat(dicts.to_dict(self, mask=True))
        except Exception as cause:  # It is nested too deeply, or a value has no text.
            if raised_by_signal(cause):
                raise
            return repr(self)

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

    # -- Special methods -----------------------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Model) or type(other) is not type(self):
            return NotImplemented
        with _explained(f"{type(self).__name__} cannot be compared"):
            return nesting.alike(self, other)

    # Objects that change must not be keys.
    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # hides that of object

    def __repr__(self) -> str:
        try:
            return self._represented(repr)
        except Exception as cause:  # It is nested too deeply, or a value has no repr.
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

    def __reduce__(self) -> tuple[Any, ...]:
        if nesting.is_deep(self._data):
            return _unpickle_flat, (type(self), nesting.flattened(self._data))
        return _unpickle, (type(self), self._data)

    def __copy__(self) -> Self:
        return self._like(dict(self._data))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        with _explained(f"{type(self).__name__} cannot be copied"):
            return self._like(nesting.copied(self._data, memo))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Let pydantic models hold this class as a field; dicts are checked and converted."""
        from talon_one._schema.pydantic_schema import schema_of

        return schema_of(cls)

    # -- What the vendor's packages offer on every class ---------------------------------------

    @_ClassFact
    def openapi_types(cls) -> dict[str, str]:
        """Python name to type string, such as ``list[CartItem]``."""
        from talon_one._schema.annotations import type_name

        return {name: type_name(declared.annotation) for name, declared in cls._fields.items()}

    @_ClassFact
    def attribute_map(cls) -> dict[str, str]:
        """Python name to wire name."""
        return {name: declared.wire for name, declared in cls._fields.items()}

    @_ClassFact
    def __signature__(cls) -> Any:
        """What `help` and editors show of the constructor."""
        from talon_one._schema.introspection import signature

        return signature(cls)  # type: ignore[arg-type]  # it is the class, see _ClassFact

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

    def _refuse_twins(self, kwargs: JsonObject) -> None:
        """Reject a property given by two of its names."""
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


def _name(key: Any) -> str:
    """Return the name of a property as plain text."""
    if not issubclass(type(key), str):
        raise ApiKeyError(f"names of properties are texts, not {type(key).__name__}")
    return str.__str__(key)


_new = object.__new__
_set_data: Callable[[Model, JsonObject], None] = Model.__dict__["_data"].__set__
_set_given: Callable[[Model, frozenset[str] | None], None] = Model.__dict__["_given"].__set__
# Bypasses `__getattr__`, which suggests names.
_get_given: Callable[[Model], frozenset[str] | None] = Model.__dict__["_given"].__get__

# Web frameworks, data frames and `match` treat models as mappings. `Mapping` is no base class,
# because its methods would hide properties of the same name.
Mapping.register(Model)


def _data_descriptors(cls: type[Model]) -> dict[str, Any]:
    """Return the assignable names: fields, and descriptors of subclasses."""
    found: dict[str, Any] = {}
    above = cls.__mro__[: cls.__mro__.index(Model)]
    for each in reversed(above):
        found.update(
            (name, value) for name, value in vars(each).items() if hasattr(type(value), "__set__")
        )
    return found


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turn exceptions raised by objects of the caller into ours."""
    try:
        yield
    except RecursionError as cause:
        raise ApiValueError(f"{what}: it is nested too deeply") from cause
    except Exception as cause:  # Their classes may raise anything.
        if passes(cause):
            raise
        raise ApiValueError(f"{what}: {said(cause)}") from cause


def _represented(value: Any) -> str:
    """Return the repr of a value that may be nested too deeply, or whose repr may fail."""
    try:
        return repr(nesting.clipped(value))
    except Exception:
        return quoted(value)


def _unpickle(cls: type[Model], data: JsonObject) -> Model:
    return cls._wrap(data)


def _unpickle_flat(cls: type[Model], flat: nesting.Flat) -> Model:
    return cls._wrap(nesting.restored(flat))
