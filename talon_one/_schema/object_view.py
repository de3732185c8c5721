"""ObjectView: a JSON object as a mapping from wire names to values; the base of `Model`."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, KeysView, ValuesView
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from talon_one._schema.fields import Field
from talon_one._utils.special_forms import Self
from talon_one._utils.suggest import did_you_mean
from talon_one.exceptions import ApiKeyError

JsonObject = dict[str, Any]


class ObjectView:
    """A view over one JSON object, which it neither copies nor checks."""

    if TYPE_CHECKING:
        _data: JsonObject
        _given: frozenset[str] | None
        """Undeclared properties that the caller set; absent if none, ``None`` if all are."""
    else:  # Hidden, because type checkers would miss the properties among them.
        __slots__ = ("_data", "_given")

    _by_wire: ClassVar[dict[str, Field]] = {}
    """Wire name to field."""

    @classmethod
    def _wrap(cls, data: JsonObject) -> Self:
        """Return a view over *data* itself, which is neither copied nor checked."""
        self = _new(cls)
        set_data(self, data)
        return self

    @classmethod
    def _class_of(cls, data: Any) -> type[Any]:
        """Return the class of the object *data*: this one, unless it stands for several."""
        return cls

    def _like(self, data: JsonObject) -> Self:
        """Return a view over *data* with the same record of what the caller set."""
        other = self._wrap(data)
        with suppress(AttributeError):
            set_given(other, _get_given(self))
        return other

    def _is_given(self, key: str) -> bool:
        """Return whether the caller set an undeclared property, rather than the server."""
        try:
            given = _get_given(self)
        except AttributeError:
            return False
        return given is None or key in given

    def __wire__(self) -> JsonObject:
        return self._data

    # -- The mapping ---------------------------------------------------------------------------

    def __getitem__(self, key: str) -> Any:
        """Return the property with this wire name, declared or not.

        Raises:
            ApiKeyError: The JSON object has no such property.
        """
        if type(key) is not str:
            key = _plain_key(key)
        if key not in self._data:
            raise self._no_key(key)
        declared = self._by_wire.get(key)
        return declared.__get__(self) if declared else self._data[key]

    def __setitem__(self, key: str, value: Any) -> None:
        """Set the property with this wire name, declared or not; here ``None`` is JSON null."""
        self._data[key] = value
        if key not in self._by_wire and not self._is_given(key):
            try:
                set_given(self, (_get_given(self) or frozenset()) | {key})
            except AttributeError:
                set_given(self, frozenset({key}))

    def __delitem__(self, key: str) -> None:
        if key not in self._data:
            raise self._no_key(key)
        del self._data[key]

    def __contains__(self, key: object) -> bool:
        """Return whether the JSON object has a property with this wire name, even if it is null."""
        return key in self._data

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def __bool__(self) -> bool:
        # An object without properties is still an object.
        return True

    def get(self, key: str, default: Any = None) -> Any:
        """Return the property with this wire name, or *default* if there is none."""
        return self[key] if key in self._data else default

    def keys(self) -> KeysView[str]:
        """Return the wire names of the properties that the JSON object has."""
        return self._data.keys()

    def values(self) -> ValuesView[Any]:
        """Return the values of the properties that the JSON object has, each as by its key."""
        return ValuesView(self)

    def items(self) -> ItemsView[str, Any]:
        """Return pairs of wire name and value of the properties that the JSON object has."""
        return ItemsView(self)

    @property
    def additional_properties(self) -> JsonObject:
        """Properties of the JSON object that the class does not declare, by wire name."""
        return {key: value for key, value in self._data.items() if key not in self._by_wire}

    def _no_key(self, key: str) -> ApiKeyError:
        return ApiKeyError(f"no {key!r} in {type(self).__name__}.{did_you_mean(key, self._data)}")


def _plain_key(key: Any) -> str:
    """Return the name of a property as a plain `str`."""
    if not issubclass(type(key), str):
        raise ApiKeyError(f"names of properties are texts, not {type(key).__name__}")
    return str.__str__(key)


_new = object.__new__
# The descriptors themselves: attribute access on a model looks for properties.
set_data: Callable[[ObjectView, JsonObject], None] = ObjectView.__dict__["_data"].__set__
set_given: Callable[[ObjectView, frozenset[str] | None], None]
set_given = ObjectView.__dict__["_given"].__set__
_get_given: Callable[[ObjectView], frozenset[str] | None]
_get_given = ObjectView.__dict__["_given"].__get__
