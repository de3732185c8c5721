"""May this be sent? Every violation at once, each with its JSON path."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import Any, NamedTuple

from talon_one.dates import read_date, read_datetime
from talon_one.exceptions import Violation
from talon_one.fields import NestedField, VariantField
from talon_one.model import Model
from talon_one.type_names import ANY, Shape, parse

Found = Sequence[Violation]
Check = Callable[[Any], Found]
"""Returns what is wrong with a value, with paths that begin at the value itself."""

Types = frozenset[type]
_Frozen = tuple[tuple[str, Any], ...]


def violations(model: Model) -> list[Violation]:
    """Return everything that is wrong with *model*; an empty list if it may be sent."""
    return _check_object(type(model), model._data)


def value_violations(
    written_type: str, constraints: Mapping[str, Any], value: Any
) -> list[Violation]:
    """Return everything that is wrong with a single value, such as a query parameter."""
    return list(_value_check(written_type, _frozen(constraints))(value))


@cache
def _value_check(written_type: str, constraints: _Frozen) -> Check:
    thawed = {
        name: dict(value) if isinstance(value, tuple) else value for name, value in constraints
    }
    return _check_for(parse(written_type), thawed, None)


def _frozen(constraints: Mapping[str, Any]) -> _Frozen:
    # Those of the items of a list stand inside, and a key of a cache must not hold dicts.
    return tuple(
        (name, _frozen(value) if isinstance(value, Mapping) else value)
        for name, value in constraints.items()
    )


class _Table(NamedTuple):
    required: tuple[tuple[str, bool], ...]  # wire name, whether null will do
    checks: dict[str, Check]
    # Types whose values need no further look, which spares most properties of a request a call.
    good: dict[str, Types]
    variants: tuple[VariantField, ...]


@cache
def _table(cls: type[Model]) -> _Table:
    """Return what is to be checked in a class; made when the first object of it is."""
    required = []
    checks = {}
    good = {}
    for name, declared in cls._fields.items():
        target = declared.target if isinstance(declared, NestedField) else None
        constraints = {**declared.constraints, "secret": declared.secret}
        checks[declared.wire] = _check_for(parse(declared.annotation), constraints, target)
        good[declared.wire] = _good_types(parse(declared.annotation), declared.constraints)
        if declared.required:
            annotation = declared.owner.__annotations__[name]
            required.append((declared.wire, annotation == "Any" or annotation.endswith("| None")))
    # Python names in the place of wire names are mistakes, whatever their values are.
    good.update({name: frozenset() for name in cls._by_name if name not in checks})
    variants = [each for each in cls._fields.values() if isinstance(each, VariantField)]
    checks.update({each.wire: _check_is_object for each in variants})
    return _Table(tuple(required), checks, good, tuple(variants))


def _check_object(cls: type[Model], data: Mapping[str, Any]) -> list[Violation]:
    required, checks, good, variants = _table(cls)  # type: ignore[arg-type]  # classes are hashable
    found: list[Violation] = []
    for name, nullable in required:
        if data.get(name) is None and not (nullable and name in data):
            found.append(Violation((name,), "is required"))
    for name, value in data.items():
        if value is not None and type(value) not in good.get(name, _ANYTHING):
            check = checks.get(name)
            if check is None and name in cls._by_name:
                wire = cls._by_name[name].wire
                found.append(Violation((name,), f"is a Python name; in a dict it is {wire!r}"))
                continue
            wrong = (check or _check_free_form)(value)
            if wrong:
                found += _inside(name, wrong)
    for declared in variants:
        value = data.get(declared.wire)
        if isinstance(value, Model):
            found += _inside(declared.wire, _check_object(type(value), value._data))
        elif isinstance(value, Mapping):
            target = declared.class_for(data.get(declared.by))
            found += _inside(declared.wire, _check_object(target, value))
    return found


def _inside(step: str | int, found: Found) -> Found:
    """Return violations of a value as those of the value around it, in which *step* leads there.

    Paths are put together only where something is wrong, which is hardly ever.
    """
    return [Violation((step, *path), message) for path, message in found]


def _wrong(message: str) -> Found:
    return (Violation((), message),)


def _check_for(shape: Shape, constraints: Mapping[str, Any], target: type[Model] | None) -> Check:
    if shape.kind == "list":
        return _list_check(shape.inner or ANY, constraints, target)
    if shape.kind == "dict":
        return _dict_check(shape.inner or ANY, target)
    if target is not None:
        return _model_check(target)
    if shape.kind == "Literal":
        return _literal_check(shape.values)
    if shape.kind == "str":
        return _text_check(constraints)
    if shape.kind in ("int", "float"):
        return _number_check(shape.kind, constraints)
    return _SIMPLE_CHECKS.get(shape.kind, _check_free_form)


def _good_types(shape: Shape, constraints: Mapping[str, Any]) -> Types:
    """Return the types whose values need no further look."""
    return _GOOD_TYPES.get(shape.kind, frozenset()) if not constraints else frozenset()


def _list_check(inner: Shape, constraints: Mapping[str, Any], target: type[Model] | None) -> Check:
    of_items = constraints.get("items", {})
    check_item = _check_for(inner, of_items, target)
    good = _good_types(inner, of_items)
    least = constraints.get("min_items", 0)
    most = constraints.get("max_items")
    unique = constraints.get("unique_items", False)

    def check(value: Any) -> Found:
        if not isinstance(value, (list, tuple, set, frozenset)):
            return _wrong(f"must be a list, not {_kind(value)}")
        found: list[Violation] = []
        if len(value) < least:
            found += _wrong(f"must have at least {least} items, not {len(value)}")
        if most is not None and len(value) > most:
            found += _wrong(f"must have at most {most} items, not {len(value)}")
        if unique and any(item in list(value)[:index] for index, item in enumerate(value)):
            found += _wrong("must not name an item twice")
        for index, item in enumerate(value):
            if type(item) not in good:
                wrong = check_item(item)
                if wrong:
                    found += _inside(index, wrong)
        return found

    return check


def _dict_check(inner: Shape, target: type[Model] | None) -> Check:
    check_value = _check_for(inner, {}, target)
    good = _good_types(inner, {})

    def check(value: Any) -> Found:
        if isinstance(value, Model):
            value = value._data
        elif type(value) is not dict and not isinstance(value, Mapping):
            return _wrong(f"must be an object, not {_kind(value)}")
        found: list[Violation] = []
        for key, item in value.items():
            if item is not None and type(item) not in good:
                wrong = check_value(item)
                if wrong:
                    found += _inside(key, wrong)
        return found

    return check


def _model_check(target: type[Model]) -> Check:
    def check(value: Any) -> Found:
        if isinstance(value, target):
            return _check_object(type(value), value._data)
        if type(value) is dict or isinstance(value, Mapping):
            return _check_object(target, value)
        return _wrong(f"must be {target.__name__} or a dict, not {_kind(value)}")

    return check


def _literal_check(values: tuple[Any, ...]) -> Check:
    def check(value: Any) -> Found:
        if value in values or _member_value(value) in values:
            return _NOTHING
        admitted = ", ".join(repr(each) for each in values)
        return _wrong(f"must be one of {admitted}, not {value!r}")

    return check


def _text_check(constraints: Mapping[str, Any]) -> Check:
    least = constraints.get("min_length", 0)
    most = constraints.get("max_length", _INFINITY)
    pattern = constraints.get("pattern")
    secret = constraints.get("secret", False)
    # The platform's own notion of \w and \s is ASCII.
    matches = re.compile(pattern, re.ASCII).search if pattern else None

    def check(value: Any) -> Found:
        if type(value) is not str:
            value = _member_value(value)
            if not isinstance(value, str):
                return _NOTHING if _is_uuid(value) else _wrong(f"must be text, not {_kind(value)}")
        if least <= len(value) <= most and (matches is None or matches(value)):
            return _NOTHING
        found: list[Violation] = []
        if len(value) < least:
            found += _wrong(
                f"must have at least {least} characters, not {len(value)}"
                if value
                else "must not be empty"
            )
        if len(value) > most:
            found += _wrong(f"must have at most {most} characters, not {len(value)}")
        if matches is not None and matches(value) is None:
            shown = "the secret" if secret else repr(value)
            found += _wrong(f"must match {pattern}, which {shown} does not")
        return found

    return check


def _number_check(kind: str, constraints: Mapping[str, Any]) -> Check:
    least = constraints.get("minimum", -_INFINITY)
    most = constraints.get("maximum", _INFINITY)
    above = constraints.get("exclusive_minimum", False)
    below = constraints.get("exclusive_maximum", False)
    usual = (int,) if kind == "int" else (float, int)

    def check(value: Any) -> Found:
        if type(value) not in usual:
            value = _member_value(value)
            if not _is_number(value, kind):
                noun = "an integer" if kind == "int" else "a number"
                return _wrong(f"must be {noun}, not {_kind(value)}")
        # Comparing with < would fail for the NaN of decimals.
        if value != value or abs(value) == _INFINITY:
            return _wrong(f"must be a finite number, not {value!r}")
        if value < least or (above and value == least):
            return _wrong(f"must be {'above' if above else 'at least'} {least}, not {value}")
        if value > most or (below and value == most):
            return _wrong(f"must be {'below' if below else 'at most'} {most}, not {value}")
        return _NOTHING

    return check


def _check_bool(value: Any) -> Found:
    if isinstance(value, bool):
        return _NOTHING
    return _wrong(f"must be True or False, not {_kind(value)}")


def _check_datetime(value: Any) -> Found:
    if isinstance(value, datetime):
        return _wrong(_NAIVE) if value.utcoffset() is None else _NOTHING
    if not isinstance(value, str):
        return _wrong(f"must be a datetime, not {_kind(value)}")
    moment = read_datetime(value)
    if isinstance(moment, str):
        return _wrong(f"must be an RFC 3339 timestamp, not {value!r}")
    # A day alone is read as midnight; a time needs to say where.
    if moment.tzinfo is None and len(value) > len("2026-01-31"):
        return _wrong(f"must have a time zone at its end, such as Z, not {value!r}")
    return _NOTHING


def _check_date(value: Any) -> Found:
    # A datetime is a date to Python; on the wire it would be a timestamp.
    if not isinstance(value, (date, str)) or isinstance(value, datetime):
        return _wrong(f"must be a date, not {_kind(value)}")
    if isinstance(value, str) and isinstance(read_date(value), str):
        return _wrong(f"must be a date such as 2026-01-31, not {value!r}")
    return _NOTHING


def _check_is_object(value: Any) -> Found:
    """Check a variant apart from what is in it, which depends on the properties beside it."""
    is_object = isinstance(value, (Model, Mapping))
    return _NOTHING if is_object else _wrong(f"must be an object, not {_kind(value)}")


def _check_free_form(value: Any) -> Found:
    """Check what may be anything: only what JSON, or the server, could not make sense of."""
    if value is None or type(value) in _ANYTHING:
        return _NOTHING
    if isinstance(value, float):
        finite = value == value and abs(value) != _INFINITY
        return _NOTHING if finite else _wrong(f"must be a finite number, not {value!r}")
    if isinstance(value, Model):
        return _check_object(type(value), value._data)
    found: list[Violation] = []
    if isinstance(value, Mapping):
        for key, item in value.items():
            found += _inside(key, _check_free_form(item))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            found += _inside(index, _check_free_form(item))
    elif isinstance(value, datetime) and value.utcoffset() is None:
        return _wrong(_NAIVE)
    return found


def _member_value(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def _is_number(value: Any, kind: str) -> bool:
    from decimal import Decimal
    from numbers import Integral, Real

    if isinstance(value, bool):
        return False
    return isinstance(value, Integral if kind == "int" else (Real, Decimal))


def _is_uuid(value: Any) -> bool:
    from uuid import UUID

    return isinstance(value, UUID)


def _kind(value: Any) -> str:
    return "null" if value is None else type(value).__name__


_INFINITY = float("inf")
_NAIVE = "must have a time zone, such as datetime.now(timezone.utc)"
_NOTHING: Found = ()
_ANYTHING: Types = frozenset({str, int, bool})
_GOOD_TYPES: dict[str, Types] = {
    "Any": _ANYTHING,
    "str": frozenset({str}),
    "int": frozenset({int}),
    "float": frozenset({int}),
    "bool": frozenset({bool}),
}
_SIMPLE_CHECKS: dict[str, Check] = {
    "bool": _check_bool,
    "datetime": _check_datetime,
    "date": _check_date,
}
