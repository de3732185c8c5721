"""May this be sent? Every violation at once, each with its JSON path."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import Any, NamedTuple

from talon_one.dates import read_date, read_datetime
from talon_one.exceptions import Violation
from talon_one.fields import NestedField
from talon_one.model import Model
from talon_one.type_names import ANY, Shape, parse

Path = tuple[Any, ...]
Report = Callable[[Path, str], None]
Check = Callable[[Any, Path, Report], None]


def violations(model: Model) -> list[Violation]:
    """Return everything that is wrong with *model*; an empty list if it may be sent."""
    found: list[Violation] = []
    _check_object(
        type(model), model._data, (), lambda path, said: found.append(Violation(path, said))
    )
    return found


def value_violations(
    written_type: str, constraints: Mapping[str, Any], value: Any
) -> list[Violation]:
    """Return everything that is wrong with a single value, such as a query parameter."""
    found: list[Violation] = []
    check = _value_check(written_type, tuple(constraints.items()))
    check(value, (), lambda path, said: found.append(Violation(path, said)))
    return found


@cache
def _value_check(written_type: str, constraints: tuple[tuple[str, Any], ...]) -> Check:
    return _check_for(parse(written_type), dict(constraints), None)


class _Table(NamedTuple):
    required: tuple[tuple[str, bool], ...]  # wire name, whether null will do
    checks: dict[str, Check]
    # Types whose values need no further look, which spares most properties of a request a call.
    good: dict[str, frozenset[type]]


@cache
def _table(cls: type[Model]) -> _Table:
    """Return what is to be checked in a class; made when the first object of it is."""
    required = []
    checks = {}
    good = {}
    for name, declared in cls._fields.items():
        target = declared.target if isinstance(declared, NestedField) else None
        checks[declared.wire] = _check_for(parse(declared.annotation), declared.constraints, target)
        if not declared.constraints:
            good[declared.wire] = _GOOD_TYPES.get(declared.annotation, frozenset())
        if declared.required:
            required.append((declared.wire, cls.__annotations__[name].endswith("| None")))
    return _Table(tuple(required), checks, good)


def _check_object(cls: type[Model], data: Mapping[str, Any], path: Path, report: Report) -> None:
    required, checks, good = _table(cls)  # type: ignore[arg-type]  # classes are hashable, objects not
    for name, nullable in required:
        if data.get(name) is None and not (nullable and name in data):
            report((*path, name), "is required")
    for name, value in data.items():
        if value is not None and type(value) not in good.get(name, ()):
            checks.get(name, _check_free_form)(value, (*path, name), report)


def _check_for(shape: Shape, constraints: Mapping[str, Any], target: type[Model] | None) -> Check:
    if shape.kind == "list":
        inner = _check_for(shape.inner or ANY, constraints.get("items", {}), target)
        return _list_check(inner, constraints)
    if shape.kind == "dict":
        return _dict_check(_check_for(shape.inner or ANY, {}, target))
    if target is not None:
        return _model_check(target)
    if shape.kind == "Literal":
        return _literal_check(shape.values)
    if shape.kind == "str":
        return _text_check(constraints)
    if shape.kind in ("int", "float"):
        return _number_check(shape.kind, constraints)
    return _SIMPLE_CHECKS.get(shape.kind, _check_free_form)


def _list_check(check_item: Check, constraints: Mapping[str, Any]) -> Check:
    least = constraints.get("min_items", 0)
    most = constraints.get("max_items")
    unique = constraints.get("unique_items", False)

    def check(value: Any, path: Path, report: Report) -> None:
        if not isinstance(value, (list, tuple, set, frozenset)):
            report(path, f"must be a list, not {_kind(value)}")
            return
        if len(value) < least:
            report(path, f"must have at least {least} items, not {len(value)}")
        if most is not None and len(value) > most:
            report(path, f"must have at most {most} items, not {len(value)}")
        if unique and any(item in list(value)[:index] for index, item in enumerate(value)):
            report(path, "must not name an item twice")
        for index, item in enumerate(value):
            check_item(item, (*path, index), report)

    return check


def _dict_check(check_value: Check) -> Check:
    def check(value: Any, path: Path, report: Report) -> None:
        if isinstance(value, Model):
            value = value._data
        elif type(value) is not dict and not isinstance(value, Mapping):
            report(path, f"must be an object, not {_kind(value)}")
            return
        for key, item in value.items():
            if item is not None:
                check_value(item, (*path, key), report)

    return check


def _model_check(target: type[Model]) -> Check:
    def check(value: Any, path: Path, report: Report) -> None:
        if isinstance(value, target):
            _check_object(type(value), value._data, path, report)
        elif type(value) is dict or isinstance(value, Mapping):
            _check_object(target, value, path, report)
        else:
            report(path, f"must be {target.__name__} or a dict, not {_kind(value)}")

    return check


def _literal_check(values: tuple[Any, ...]) -> Check:
    def check(value: Any, path: Path, report: Report) -> None:
        if value not in values and _member_value(value) not in values:
            admitted = ", ".join(repr(each) for each in values)
            report(path, f"must be one of {admitted}, not {value!r}")

    return check


def _text_check(constraints: Mapping[str, Any]) -> Check:
    least = constraints.get("min_length", 0)
    most = constraints.get("max_length")
    pattern = constraints.get("pattern")
    # The platform's own notion of \w and \s is ASCII.
    matches = re.compile(pattern, re.ASCII).search if pattern else None

    def check(value: Any, path: Path, report: Report) -> None:
        if type(value) is not str:
            value = _member_value(value)
            if not isinstance(value, str):
                if not _is_uuid(value):
                    report(path, f"must be text, not {_kind(value)}")
                return
        if len(value) < least:
            report(path, f"must have at least {least} characters, not {len(value)}")
        if most is not None and len(value) > most:
            report(path, f"must have at most {most} characters, not {len(value)}")
        if matches is not None and matches(value) is None:
            report(path, f"must match {pattern}, which {value!r} does not")

    return check


def _number_check(kind: str, constraints: Mapping[str, Any]) -> Check:
    least = constraints.get("minimum")
    most = constraints.get("maximum")
    above = constraints.get("exclusive_minimum", False)
    below = constraints.get("exclusive_maximum", False)

    def check(value: Any, path: Path, report: Report) -> None:
        if type(value) is not int and not _is_number(value := _member_value(value), kind):
            report(
                path, f"must be {'an integer' if kind == 'int' else 'a number'}, not {_kind(value)}"
            )
        elif not _is_finite(value):
            report(path, f"must be a finite number, not {value!r}")
        else:
            if least is not None and (value < least or (above and value == least)):
                report(path, f"must be {'above' if above else 'at least'} {least}, not {value}")
            if most is not None and (value > most or (below and value == most)):
                report(path, f"must be {'below' if below else 'at most'} {most}, not {value}")

    return check


def _check_bool(value: Any, path: Path, report: Report) -> None:
    if not isinstance(value, bool):
        report(path, f"must be True or False, not {_kind(value)}")


def _check_datetime(value: Any, path: Path, report: Report) -> None:
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            report(path, _NAIVE)
    elif not isinstance(value, str):
        report(path, f"must be a datetime, not {_kind(value)}")
    elif isinstance(read_datetime(value), str):
        report(path, f"must be an RFC 3339 timestamp, not {value!r}")


def _check_date(value: Any, path: Path, report: Report) -> None:
    if not isinstance(value, (date, str)):
        report(path, f"must be a date, not {_kind(value)}")
    elif isinstance(value, str) and isinstance(read_date(value), str):
        report(path, f"must be a date such as 2026-01-31, not {value!r}")


def _check_free_form(value: Any, path: Path, report: Report) -> None:
    """Check what may be anything: only what JSON, or the server, could not make sense of."""
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return
    if isinstance(value, float):
        if not _is_finite(value):
            report(path, f"must be a finite number, not {value!r}")
    elif isinstance(value, Model):
        _check_object(type(value), value._data, path, report)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _check_free_form(item, (*path, key), report)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            _check_free_form(item, (*path, index), report)
    elif isinstance(value, datetime) and value.utcoffset() is None:
        report(path, _NAIVE)


def _member_value(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def _is_number(value: Any, kind: str) -> bool:
    if type(value) is int or (type(value) is float and kind == "float"):
        return True
    from decimal import Decimal
    from numbers import Integral, Real

    if isinstance(value, bool):
        return False
    return isinstance(value, Integral if kind == "int" else (Real, Decimal))


def _is_finite(value: Any) -> bool:
    # Comparing with < would fail for the NaN of decimals.
    return bool(value == value and abs(value) != _INFINITY)


def _is_uuid(value: Any) -> bool:
    from uuid import UUID

    return isinstance(value, UUID)


def _kind(value: Any) -> str:
    return "null" if value is None else type(value).__name__


_INFINITY = float("inf")
_NAIVE = "must have a time zone, such as datetime.now(timezone.utc)"
_GOOD_TYPES = {
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
