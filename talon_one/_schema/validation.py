"""Validate models and values before they are sent; collect all violations with their paths."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from math import isfinite
from typing import Any, NamedTuple

from talon_one._schema.access import Choice, cases_of, is_nullable
from talon_one._schema.annotations import Shape, parse
from talon_one._schema.fields import NestedField, VariantField
from talon_one._schema.misspelled import UnknownProperty, typo_hint
from talon_one._schema.model import Model
from talon_one._schema.nesting import MAX_DEPTH
from talon_one._schema.scalar_checks import (
    NO_VIOLATIONS,
    Check,
    Violations,
    check_bool,
    check_date,
    check_datetime,
    check_free_scalar,
    literal_check,
    number_check,
    text_check,
    type_name,
    violation,
)
from talon_one._schema.scalars import reason_of
from talon_one._utils.guard import must_propagate
from talon_one.exceptions import ApiValueError, Violation

Types = frozenset[type]
_Frozen = tuple[tuple[str, Any], ...]


def violations(model: Model) -> list[Violation]:
    """Return the violations of a model, an empty list if it is valid.

    Raises:
        ApiValueError: An object of the caller raised an exception while it was checked.
    """
    return findings(model)[0]


def findings(
    body: Model, cls: type[Model] | None = None
) -> tuple[list[Violation], list[UnknownProperty]]:
    """Return the violations of an object, and its properties that look misspelled.

    Args:
        body: The object.
        cls: Class of an object given as a dict, all of whose properties the caller has set.

    Raises:
        ApiValueError: An object of the caller raised an exception while it was checked.
    """
    found: Violations
    if cls is None:
        found = _checked(_check_model, body)
    else:
        found = _checked(partial(_check_object, cls), body._data)
    if not found:
        return [], []
    return (
        [each for each in found if type(each) is not UnknownProperty],
        [each for each in found if type(each) is UnknownProperty],
    )


def value_violations(
    type_string: str, constraints: Mapping[str, Any], value: Any
) -> list[Violation]:
    """Return the violations of a single value, such as a query parameter.

    Raises:
        ApiValueError: An object of the caller raised an exception while it was checked.
    """
    return list(value_check(type_string, constraints)(value))


def value_check(type_string: str, constraints: Mapping[str, Any]) -> Check:
    """Return a prepared check of a single value; it raises the errors of `value_violations`."""
    check = _value_check(type_string, _frozen(constraints))
    return lambda value: _checked(check, value)


def _checked(check: Check, value: Any) -> Violations:
    try:
        return check(value)
    except RecursionError:
        return violation("is nested too deeply to be checked")
    except Exception as cause:  # An object of the caller may raise anything.
        if must_propagate(cause):
            raise
        raise ApiValueError(f"the values cannot be checked: {reason_of(cause)}") from cause


@cache
def _value_check(type_string: str, constraints: _Frozen) -> Check:
    return _check_for(parse(type_string), _thawed(constraints), None)


def _frozen(constraints: Mapping[str, Any]) -> _Frozen:
    # Constraints of list items are nested, and cache keys must not hold dicts.
    return tuple(
        (name, _frozen(value) if isinstance(value, Mapping) else value)
        for name, value in constraints.items()
    )


def _thawed(constraints: _Frozen) -> dict[str, Any]:
    return {
        name: _thawed(value) if isinstance(value, tuple) else value for name, value in constraints
    }


class _ValidTypes(dict[str, Types]):
    """Types of each property that need no further check, which saves a call for most properties.

    Only a float needs one: it must be finite.
    """

    def __missing__(self, name: str) -> Types:
        return frozenset()


class _Table(NamedTuple):
    required: tuple[tuple[str, bool], ...]  # wire name, whether null is allowed
    checks: dict[str, Check]
    valid_types: _ValidTypes
    variants: tuple[VariantField, ...]
    cases: Choice | None


@cache
def _table(cls: type[Model]) -> _Table:
    """Return the checks of a class; created for its first object."""
    required = []
    checks = {}
    valid_types = _ValidTypes()
    for declared in cls._fields.values():
        target = declared.target if isinstance(declared, NestedField) else None
        constraints = {**declared.constraints, "secret": declared.secret}
        checks[declared.wire] = _check_for(parse(declared.annotation), constraints, target)
        valid = _valid_types(parse(declared.annotation), declared.constraints)
        valid_types[declared.wire] = valid | {type(None)}
        if declared.required:
            required.append((declared.wire, is_nullable(declared)))
    variants = [each for each in cls._fields.values() if isinstance(each, VariantField)]
    checks.update({each.wire: _check_is_object for each in variants})
    return _Table(tuple(required), checks, valid_types, tuple(variants), cases_of(cls))


def _check_object(cls: type[Model], data: Mapping[str, Any]) -> list[Violation]:
    table = _table(cls)  # type: ignore[arg-type]  # classes are hashable
    required, checks, valid_types, variants, cases = table
    found: list[Violation] = []
    for name, nullable in required:
        if data.get(name) is None and not (nullable and name in data):
            found.append(Violation((name,), "is required"))
    for name, value in data.items():
        kind = type(value)
        if kind in valid_types[name] and (kind is not float or isfinite(value)):
            continue
        if name not in checks:
            found += _check_undeclared(cls, name, value)
        elif wrong := checks[name](value):
            found += _inside(name, wrong)
    for declared in variants:
        found += _inside(declared.wire, _check_variant(declared, data))
    if cases is not None:
        # Both classes declare some properties, and each lacks some of the other.
        more = _check_object(cases.class_for(data.get(cases.by)), data)
        found += [each for each in more if type(each) is Violation and each not in found]
    return found


def _check_variant(declared: VariantField, data: Mapping[str, Any]) -> Violations:
    value: Any = data.get(declared.wire)
    if not isinstance(value, (Model, Mapping)):
        return NO_VIOLATIONS  # Reported already.
    # A plain `Model` was read when its class was not known.
    check = _model_check(declared.class_for(data.get(declared.by)))
    return check(value._data if type(value) is Model else value)


def _check_model(model: Model) -> Violations:
    found = _check_object(type(model), model._data)
    if not found:
        return found
    # Properties received from the platform are not misspelled.
    return [
        each for each in found if type(each) is not UnknownProperty or model._is_given(each.path[0])
    ]


def _check_undeclared(cls: type[Model], name: Any, value: Any) -> Violations:
    if not isinstance(name, str):
        return _inside(name, _check_free_form(value))
    if name in cls._by_name:
        # A mistake regardless of its value.
        wire = cls._by_name[name].wire
        return _inside(name, violation(f"is a Python name; in a dict it is {wire!r}"))
    found = _inside(name, _check_free_form(value))
    hint = typo_hint(cls, name) if cls._by_wire else ""  # type: ignore[arg-type]  # as above
    return [*found, UnknownProperty((name,), hint)] if hint else found


def _inside(step: Any, found: Violations) -> list[Violation]:
    """Prefix the paths of violations with *step*.

    Paths are built only for violations, which are rare.
    """
    return [each._replace(path=(step, *each.path)) for each in found]


def _check_for(shape: Shape, constraints: Mapping[str, Any], target: type[Model] | None) -> Check:
    if shape.kind == "list":
        return _list_check(shape.inner, constraints, target)
    if shape.kind == "dict":
        return _dict_check(shape.inner, target)
    if target is not None:
        return _one_of_check(target) if target._classes else _model_check(target)
    if shape.kind == "Union":
        return _union_check(shape.members)
    if shape.kind == "Literal":
        return literal_check(shape.values)
    if shape.kind == "str":
        return text_check(constraints)
    if shape.kind in ("int", "float"):
        return number_check(shape.kind, constraints)
    return _SIMPLE_CHECKS.get(shape.kind, _check_free_form)


def _valid_types(shape: Shape, constraints: Mapping[str, Any]) -> Types:
    """Return the types that need no further check."""
    if shape.kind == "Union":
        return frozenset().union(*(_valid_types(each, {}) for each in shape.members))
    return _VALID_TYPES.get(shape.kind, frozenset()) if not constraints else frozenset()


def _list_check(inner: Shape, constraints: Mapping[str, Any], target: type[Model] | None) -> Check:
    of_items = constraints.get("items", {})
    check_item = _check_for(inner, of_items, target)
    valid = _valid_types(inner, of_items)
    minimum = constraints.get("min_items", 0)
    limit = constraints.get("max_items")
    unique = constraints.get("unique_items", False)

    def check(value: Any) -> Violations:
        if not isinstance(value, (list, tuple, set, frozenset)):
            return violation(f"must be a list, not {type_name(value)}")
        found: list[Violation] = []
        if len(value) < minimum:
            found += violation(f"must have at least {minimum} items, not {len(value)}")
        if limit is not None and len(value) > limit:
            found += violation(f"must have at most {limit} items, not {len(value)}")
        if unique and any(item in list(value)[:index] for index, item in enumerate(value)):
            found += violation("must not name an item twice")
        for index, item in enumerate(value):
            kind = type(item)
            usual = kind in valid and (kind is not float or isfinite(item))
            if not usual and (wrong := check_item(item)):
                found += _inside(index, wrong)
        return found

    return check


def _dict_check(inner: Shape, target: type[Model] | None) -> Check:
    check_value = _check_for(inner, {}, target)
    valid = _valid_types(inner, {}) | {type(None)}

    def check(value: Any) -> Violations:
        if isinstance(value, Model):
            value = value._data
        elif type(value) is not dict and not isinstance(value, Mapping):
            return violation(f"must be an object, not {type_name(value)}")
        found: list[Violation] = []
        for key, item in value.items():
            kind = type(item)
            usual = kind in valid and (kind is not float or isfinite(item))
            if not usual and (wrong := check_value(item)):
                found += _inside(key, wrong)
        return found

    return check


def _model_check(target: type[Model]) -> Check:
    def check(value: Any) -> Violations:
        if isinstance(value, target):
            return _check_model(value)
        if type(value) is dict or (isinstance(value, Mapping) and not isinstance(value, Model)):
            return _check_object(target, value)
        return violation(f"must be {target.__name__} or a dict, not {type_name(value)}")

    return check


def _one_of_check(target: type[Model]) -> Check:
    by = target._by
    check_name = literal_check(tuple(target._classes))

    def check(value: Any) -> Violations:
        if not isinstance(value, (Model, Mapping)):
            return violation(f"must be {target.__name__} or a dict, not {type_name(value)}")
        name = value.get(by)
        if name is None:
            return [Violation((by,), "is required")]
        wrong = check_name(name)
        if wrong:
            return _inside(by, wrong)
        cls = target._class_of(value)
        if type(value) is Model:  # Its type was unknown when it was read.
            value = value._data
        return _model_check(cls)(value)

    return check


def _union_check(members: tuple[Shape, ...]) -> Check:
    checks = [_check_for(each, {}, None) for each in members]

    def check(value: Any) -> Violations:
        found = [check(value) for check in checks]
        if not all(found):
            return NO_VIOLATIONS
        # Such as "must be a number or text, not list"; each ends with what the value is.
        allowed = [
            wrong[0].message.removeprefix("must be ").partition(", not ")[0] for wrong in found
        ]
        return violation(f"must be {' or '.join(allowed)}, not {type_name(value)}")

    return check


def _check_is_object(value: Any) -> Violations:
    """Check a variant, but not its content, which depends on other properties."""
    is_object = isinstance(value, (Model, Mapping))
    return NO_VIOLATIONS if is_object else violation(f"must be an object, not {type_name(value)}")


def _check_free_form(value: Any) -> Violations:
    """Check free-form data for values that JSON, or the server, cannot represent."""
    found: list[Violation] = []
    # Entries of value, key, container and level. No recursion, because free-form data may have any
    # depth.
    pending: list[tuple[Any, _Place | None]] = [(value, None)]
    while pending:
        item, place = pending.pop()
        entries: list[tuple[Any, Any]] = []
        if isinstance(item, Model):
            found += _at(place, _check_model(item))
        elif isinstance(item, Mapping):
            entries = list(item.items())
        elif isinstance(item, (list, tuple)):
            entries = list(enumerate(item))
        else:
            found += _at(place, check_free_scalar(item))
        level = place.level + 1 if place else 0
        # Looked for now and then, since data that contain themselves take long to get too deep.
        circular = level % 1000 == 999 and _contains_itself(item, place)
        if entries and (circular or level > MAX_DEPTH):
            return violation("is nested too deeply, or contains itself")
        pending += [
            (inner, _Place(key, place, level, item))
            for key, inner in reversed(entries)
            if type(inner) not in _ATOMS
        ]
    return found


class _Place(NamedTuple):
    """Place of a value: its key in a container, and the place of that."""

    key: Any
    outer: Any  # Another place, or None.
    level: int
    container: Any


def _contains_itself(item: Any, place: _Place | None) -> bool:
    """Return whether an item is one of the containers around it."""
    while place is not None:
        if place.container is item:
            return True
        place = place.outer
    return False


def _at(place: _Place | None, found: Violations) -> Violations:
    while found and place is not None:
        found = _inside(place.key, found)
        place = place.outer
    return found


_ATOMS: Types = frozenset({str, int, bool, type(None)})
_VALID_TYPES: dict[str, Types] = {
    "Any": _ATOMS | {float},
    "str": frozenset({str}),
    "int": frozenset({int}),
    "float": frozenset({int, float}),
    "bool": frozenset({bool}),
}
_SIMPLE_CHECKS: dict[str, Check] = {
    "bool": check_bool,
    "datetime": check_datetime,
    "date": check_date,
}
