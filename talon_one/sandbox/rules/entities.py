"""What names mean in rules: entities, their attributes, and selectors, bundles and parameters.

A path such as `Session.CartItems` begins with an entity or with a name of the ruleset. Attributes
of an entity are the properties that the API gives it, in Pascal case, then its custom attributes;
`Attributes` leads to the custom ones alone. Values are `Decimal`, `str`, `bool`, aware `datetime`,
sequences, `Unit` for cart items, and `Record` for other objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, TypeAlias

from talon_one.sandbox.rules.compiled import (
    EvaluationError,
    MissingEntity,
    MissingValue,
    Value,
    WrongType,
)
from talon_one.sandbox.rules.scope import Scope, Unit
from talon_one.sandbox.values import read_time

Lookup: TypeAlias = Callable[[Mapping[str, Any], str], Any]
"""Finds a property of an object; None if it has none."""

ATTRIBUTES: Final = "Attributes"
COUNT: Final = "Count"
UNIT_MARK: Final = "_unit"
_UNSET: Final = object()
_UNDER_WAY: Final = object()


def wire_name(name: str) -> str:
    """Return the name that a property has in JSON: `cartItems` for `CartItems`."""
    return name.lower() if name.isupper() else name[:1].lower() + name[1:]


@lru_cache(maxsize=4096)
def _time_or_text(text: str) -> str | datetime:
    try:
        return read_time(text)
    except ValueError:
        return text


def to_value(raw: Any) -> Any:
    """Return what rules see of a JSON value.

    Numbers become decimals, and texts that are RFC 3339 timestamps become times: nothing else
    says which custom attributes are times.
    """
    kind = raw.__class__
    if kind is str:
        # Timestamps have 20 to 35 characters. Longer texts stay out of the cache.
        return _time_or_text(raw) if 19 < len(raw) < 36 and raw[4] == "-" else raw
    if kind is float:
        return Decimal(repr(raw))
    if kind is int:
        return Decimal(raw)
    if kind is list or kind is tuple:
        return [to_value(each) for each in raw]
    if isinstance(raw, Mapping) and kind is not Record:
        return Record(raw, property_of_object)
    return raw


def property_of_entity(entity: Mapping[str, Any], name: str) -> Any:
    """Find a property of an entity by its name in rules, then a custom attribute."""
    raw = entity.get(wire_name(name)) if name[:1].isupper() else None
    if raw is None:
        attributes = entity.get("attributes")
        if isinstance(attributes, Mapping):
            raw = attributes.get(name)
    return raw


def property_of_object(found: Mapping[str, Any], name: str) -> Any:
    """Find a property of an object inside an entity; the keys of some are free names."""
    raw = found.get(name)
    return property_of_entity(found, name) if raw is None else raw


def property_of_attributes(attributes: Mapping[str, Any], name: str) -> Any:
    """Find a custom attribute under its exact name."""
    return attributes.get(name)


class Record(Mapping[str, Any]):
    """An object as rules see it, read lazily.

    Iteration gives the names of properties in rules. That of a cart item gives a mark alone, by
    which `restore_units` finds the unit again.

    Args:
        raw: The JSON object.
        lookup: How names are found in it.
        own: Values that stand before those of the object, by their names in rules.
    """

    __slots__ = ("_lookup", "_own", "_raw")

    def __init__(
        self, raw: Mapping[str, Any], lookup: Lookup, own: Mapping[str, Any] | None = None
    ) -> None:
        self._raw = raw
        self._lookup = lookup
        self._own = own or {}

    def __getitem__(self, name: str) -> Any:
        if name in self._own:
            return self._own[name]
        raw = self._lookup(self._raw, name) if isinstance(name, str) else None
        if raw is None:
            raise KeyError(name)
        if name == ATTRIBUTES and isinstance(raw, Mapping):
            return Record(raw, property_of_attributes)
        return to_value(raw)

    def __iter__(self) -> Iterator[str]:
        if UNIT_MARK in self._own:
            yield UNIT_MARK
            return
        pascal = self._lookup is property_of_entity
        for name, raw in self._raw.items():
            if raw is not None:
                yield name[:1].upper() + name[1:] if pascal else name

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and self._raw == other._raw

    __hash__ = None  # type: ignore[assignment]


_UNIT_PROPERTIES: Final[dict[str, Callable[[Unit], Any]]] = {
    "Price": lambda unit: unit.price,
    "Quantity": lambda unit: Decimal(unit.quantity),
    "Position": lambda unit: Decimal(unit.position),
    "SubPosition": lambda unit: Decimal(unit.sub_position),
}


def unit_property(unit: Unit, name: str) -> Any:
    """Return an attribute of a unit of a cart item.

    Raises:
        MissingValue: If the item has no such attribute.
    """
    own = _UNIT_PROPERTIES.get(name)
    if own is not None:
        return own(unit)
    raw = property_of_entity(unit.item, name)
    if raw is None:
        raise MissingValue(f"the cart item at {unit.position} has no {name}")
    if name == ATTRIBUTES and isinstance(raw, Mapping):
        return Record(raw, property_of_attributes)
    return to_value(raw)


ENTITIES: Final[Mapping[str, Callable[[Scope], Mapping[str, Any] | None]]] = {
    "Session": lambda scope: scope.situation.session,
    "Profile": lambda scope: scope.situation.facts.profile("Current"),
    "Advocate": lambda scope: scope.situation.facts.profile("Advocate"),
    "Event": lambda scope: scope.situation.event,
    "Coupon": lambda scope: scope.coupon,
    "Referral": lambda scope: scope.referral,
    "Store": lambda scope: scope.situation.store,
    "Campaign": lambda scope: scope.campaign,
    "Application": lambda scope: scope.situation.application,
}
"""Entities that rules see, apart from `Item`: the unit at hand."""

ITEM: Final = "Item"
ROOTS: Final = frozenset(ENTITIES) | {ITEM}


def compile_path(root: str, steps: Sequence[str]) -> Value:
    """Compile a path that begins with an entity or with a name.

    Args:
        root: An entity, or a name that the scope will know.
        steps: The further parts of the path.
    """
    path = ".".join(("$" + root, *steps))
    if root == ITEM:
        start: Value = _item(path, steps)
    elif root in ENTITIES:
        start = _entity(path, root, steps)
    else:
        start = _then(path, lambda scope: read_name(scope, root), steps)
    return start


def _entity(path: str, root: str, steps: Sequence[str]) -> Value:
    entity_of = ENTITIES[root]
    if not steps:
        return lambda scope: _record(path, entity_of(scope), root, scope)
    if steps[0] == ATTRIBUTES and len(steps) > 1:
        return _then(path, _custom_attribute(path, entity_of, steps[1]), steps[2:])
    if root == "Session" and steps[0] == "CartItems":
        return _then(path, _cart_items, steps[1:])
    name = steps[0]
    wire = wire_name(name) if name[:1].isupper() else ""

    # The common path of all rules. It does what `property_of_entity` does, without its calls.
    def read(scope: Scope) -> Any:
        entity = entity_of(scope)
        raw = None
        if entity is not None:
            raw = entity.get(wire)
            if raw is None:
                raw = property_of_entity(entity, name)
        if raw is None:
            raise _missing(path, entity)
        if name == ATTRIBUTES and isinstance(raw, Mapping):
            return Record(raw, property_of_attributes)
        return to_value(raw)

    return _then(path, read, steps[1:])


def _custom_attribute(
    path: str, entity_of: Callable[[Scope], Mapping[str, Any] | None], name: str
) -> Value:
    def read(scope: Scope) -> Any:
        entity = entity_of(scope)
        attributes = None if entity is None else entity.get("attributes")
        raw = attributes.get(name) if isinstance(attributes, Mapping) else None
        if raw is None:
            raise _missing(path, entity)
        return to_value(raw)

    return read


def _missing(path: str, entity: Mapping[str, Any] | None) -> MissingValue:
    error = MissingEntity if entity is None else MissingValue
    return error(f"{path} has no value")


def _cart_items(scope: Scope) -> Any:
    if scope.situation.session is None:
        raise _missing("$Session.CartItems", None)
    return scope.units


def _item(path: str, steps: Sequence[str]) -> Value:
    if not steps:
        return _unit_at_hand
    name = steps[0]

    def read(scope: Scope) -> Any:
        return unit_property(_unit_at_hand(scope), name)

    return _then(path, read, steps[1:])


def _unit_at_hand(scope: Scope) -> Unit:
    if scope.unit is None:
        raise MissingValue("$Item has no value: no cart item is at hand")
    return scope.unit


def _then(path: str, start: Value, steps: Sequence[str]) -> Value:
    if not steps:
        return start

    def read(scope: Scope) -> Any:
        value = start(scope)
        for step in steps:
            value = _member(path, value, step)
        return value

    return read


def _member(path: str, value: Any, step: str) -> Any:
    if isinstance(value, Unit):
        return unit_property(value, step)
    if isinstance(value, Mapping):
        try:
            return value[step]
        except KeyError:
            raise MissingValue(f"{path} has no value") from None
    if isinstance(value, (list, tuple)) and step == COUNT:
        return Decimal(len(value))
    raise WrongType(f"{path} has no value: nothing has the attribute {step}")


def read_name(scope: Scope, name: str) -> Any:
    """Return the value of a selector, bundle, parameter or binding, evaluated once.

    Raises:
        EvaluationError: If it has no value, or needs its own value.
    """
    values = scope.values
    value = values.get(name, _UNSET)
    if value is _UNDER_WAY:
        raise EvaluationError(f"${name} needs its own value")
    if value is _UNSET:
        compiled = scope.names.get(name)
        if compiled is None:
            raise MissingValue(f"${name} has no value: the ruleset has no such name")
        values[name] = _UNDER_WAY
        try:
            # The value is the same wherever it is used, so it cannot depend on the unit at hand.
            value = compiled(scope if scope.unit is None else replace(scope, unit=None))
        finally:
            del values[name]
        values[name] = value
    return value


def _record(path: str, entity: Mapping[str, Any] | None, root: str, scope: Scope) -> Record:
    if entity is None:
        raise MissingValue(f"{path} has no value")
    if root == "Session":
        return SessionRecord(entity, scope.units)
    return Record(entity, property_of_entity)


class SessionRecord(Record):
    """The session as Talang sees it: its cart items are the units of the cart.

    Args:
        raw: The JSON object.
        units: The units.
    """

    __slots__ = ("_units",)

    def __init__(self, raw: Mapping[str, Any], units: Sequence[Unit]) -> None:
        super().__init__(raw, property_of_entity)
        self._units = units

    def __getitem__(self, name: str) -> Any:
        return for_talang(self._units) if name == "CartItems" else super().__getitem__(name)


def for_talang(value: Any) -> Any:
    """Return a value as Talang sees it: units of cart items are records that keep a mark."""
    if isinstance(value, Unit):
        own = {name: read(value) for name, read in _UNIT_PROPERTIES.items()}
        own[UNIT_MARK] = [value.position, value.sub_position]
        return Record(value.item, property_of_entity, own)
    if isinstance(value, (list, tuple)):
        return [for_talang(each) for each in value]
    return value


def restore_units(scope: Scope, value: Any) -> Any:
    """Return the result of a Talang program with units in place of the cart items in it."""
    if isinstance(value, list):
        units = {(unit.position, unit.sub_position): unit for unit in scope.units}
        return [_restore(units, each) for each in value]
    if isinstance(value, dict):
        return restore_units(scope, [value])[0]
    return value


def _restore(units: Mapping[tuple[Any, ...], Unit], value: Any) -> Any:
    if isinstance(value, list):
        return [_restore(units, each) for each in value]
    if isinstance(value, Mapping) and UNIT_MARK in value:
        return units.get(tuple(value[UNIT_MARK]), value)
    return value


class Bindings(Mapping[str, Any]):
    """What a Talang program sees of a scope, read lazily: the same as paths see.

    Cart items appear as records, since Talang does not know units. A name whose evaluation fails
    is missing, so that `catch` works on it.

    Args:
        scope: The scope.
    """

    __slots__ = ("_scope",)

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def __getitem__(self, name: str) -> Any:
        scope = self._scope
        try:
            if name == ITEM:
                return for_talang(_unit_at_hand(scope))
            entity_of = ENTITIES.get(name)
            if entity_of is not None:
                return _record(name, entity_of(scope), name, scope)
            return for_talang(read_name(scope, name))
        except EvaluationError as error:
            raise KeyError(str(error)) from error

    def __iter__(self) -> Iterator[str]:
        yield from sorted(ROOTS)
        yield from self._scope.names

    def __len__(self) -> int:
        return len(ROOTS) + len(self._scope.names)
