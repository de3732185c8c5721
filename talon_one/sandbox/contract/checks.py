"""Checks of request bodies, compiled once per type from what the SDK's classes state.

A check returns the normalized value: timestamps in canonical form, whole numbers as integers,
without properties that are `null` or that the description does not declare.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any, TypeAlias

from talon_one._schema.access import Choice, cases_of, members_of
from talon_one._schema.model import Model
from talon_one.sandbox.contract.problems import Place, Problems, TooManyProblems, inside, level
from talon_one.sandbox.contract.rules import CONSTRAINTS, RULES
from talon_one.sandbox.contract.scalars import SCALARS, Check, choice_check
from talon_one.sandbox.contract.shapes import (
    Shape,
    narrowed,
    once_per_class,
    parameter_shape,
    properties_of,
    shape_of,
)
from talon_one.sandbox.errors import Problem

MAX_LEVEL = 100
"""Number of objects and lists inside one another, those of free-form values not counted."""

_Entry: TypeAlias = "tuple[frozenset[type], Check]"
"""The types whose values need no check, and the check of all others."""

_NOTHING: frozenset[type] = frozenset()


def check_body(written: str, value: Any) -> tuple[Any, list[Problem]]:
    """Check the body of a request.

    Args:
        written: Its type, as the table of operations has it.
        value: The body, as `json_text.read` returns it. It is not changed.

    Returns:
        The normalized body, to be used only if there are no problems, and the problems, of which
        the first 100 are listed.
    """
    problems = Problems()
    with suppress(TooManyProblems):
        value = _body_check(written)(value, None, problems)
    return value, problems.found


def parameter_check(written: str, constraints: Mapping[str, Any]) -> Check:
    """Return the check of a single value, such as a cell of a file."""
    return _entry(parameter_shape(written, constraints))[1]


@cache
def _body_check(written: str) -> Check:
    return _entry(shape_of(written))[1]


def _entry(shape: Shape) -> _Entry:
    if shape.kind == "list":
        return _NOTHING, _list_check(shape)
    if shape.kind == "map":
        return _map_entry(shape)
    if shape.kind == "object":
        return _NOTHING, _lazy_check(shape)
    if shape.kind == "Literal":
        return _NOTHING, choice_check(shape.values)
    if shape.kind == "Union":
        return _NOTHING, _union_check(shape)
    return _free_types(shape), SCALARS[shape.kind](shape.constraints)


def _free_types(shape: Shape) -> frozenset[type]:
    if shape.kind == "str" and not shape.constraints:
        return frozenset({str})
    return frozenset({bool}) if shape.kind == "bool" else _NOTHING


def _list_check(shape: Shape) -> Check:
    good, check_item = _entry(shape.parts[0])
    minimum = shape.constraints.get("min_items", 0)
    limit = shape.constraints.get("max_items")
    unique = shape.constraints.get("unique_items", False)

    def check(value: Any, place: Place, problems: Problems) -> Any:
        if not isinstance(value, list):
            problems.mistyped(value, "an array", place)
            return value
        if limit is not None and len(value) > limit:
            # Its items are not checked: there may be any number of them.
            details = f"must have at most {limit} items, has {len(value)}"
            problems.add("maxItems", details, place)
            return value
        if len(value) < minimum:
            details = f"must have at least {minimum} item(s), has {len(value)}"
            problems.add("minItems", details, place)
        below = level(place) + 1
        found = [
            item if type(item) in good else check_item(item, (place, index, below), problems)
            for index, item in enumerate(value)
        ]
        if unique:
            # Lists that must not repeat themselves hold texts and numbers; others are problems.
            plain = [item for item in found if isinstance(item, (str, int))]
            if len(set(plain)) < len(plain):
                problems.add("uniqueItems", "must not name an item twice", place)
        return found

    return check


def _map_entry(shape: Shape) -> _Entry:
    if shape.parts[0].kind == "Any":
        return frozenset({dict}), _check_object
    good, check_value = _entry(shape.parts[0])

    def check(value: Any, place: Place, problems: Problems) -> Any:
        if not isinstance(value, dict):
            problems.mistyped(value, "an object", place)
            return value
        return {
            key: item if type(item) in good else check_value(item, inside(place, key), problems)
            for key, item in value.items()
        }

    return _NOTHING, check


def _check_object(value: Any, place: Place, problems: Problems) -> Any:
    if not isinstance(value, dict):
        problems.mistyped(value, "an object", place)
    return value


def _union_check(shape: Shape) -> Check:
    checks = [_entry(each)[1] for each in shape.parts]
    kinds = " or ".join(_KINDS[each.kind] for each in shape.parts)

    def check(value: Any, place: Place, problems: Problems) -> Any:
        for each in checks:
            attempt = Problems()
            found = each(value, place, attempt)
            if not attempt.found:
                return found
        problems.mistyped(value, kinds, place)
        return value

    return check


_KINDS = {"str": "a string", "int": "an integer", "float": "a number", "bool": "a boolean"}


def _lazy_check(shape: Shape) -> Check:
    """Return the check of a class, which is loaded for the first value that needs it."""
    checks: list[Check] = []

    def check(value: Any, place: Place, problems: Problems) -> Any:
        if not isinstance(value, dict):
            problems.mistyped(value, "an object", place)
            return value
        if level(place) >= MAX_LEVEL:
            problems.add("Nesting", f"must not be nested more than {MAX_LEVEL} levels deep", place)
            return value
        if not checks:
            checks.append(_class_check(shape.target()))
        return checks[0](value, place, problems)

    return check


@once_per_class
def _class_check(cls: type[Model]) -> Check:
    """Return the check of a class for values that are objects."""
    members = members_of(cls)
    if members is not None:
        return _member_check(members)
    check = _with_rule(cls, _own_check(cls))
    cases = cases_of(cls)
    return check if cases is None else _case_check(check, cases)


@once_per_class
def _own_check(cls: type[Model]) -> Check:
    properties = [
        narrowed(each, CONSTRAINTS.get((cls.__name__, each.wire), {}))
        for each in properties_of(cls)
    ]
    entries = {each.wire: _entry(each.shape) for each in properties}
    required = tuple((each.wire, each.nullable) for each in properties if each.required)
    nullable = frozenset(each.wire for each in properties if each.nullable)
    variants = tuple((each.wire, each.variant) for each in properties if each.variant is not None)

    def check(value: Any, place: Place, problems: Problems) -> Any:
        for name, may_be_null in required:
            if value.get(name) is None and not (may_be_null and name in value):
                problems.add("required", f"{name} is required", inside(place, name))
        found: dict[str, Any] = {}
        below = level(place) + 1
        for name, item in value.items():
            entry = entries.get(name)
            if entry is None:
                continue
            good, check_item = entry
            if item is None:
                if name in nullable:
                    found[name] = None
            elif type(item) in good:
                found[name] = item
            else:
                found[name] = check_item(item, (place, name, below), problems)
        for name, variant in variants:
            if isinstance(found.get(name), dict):
                cls = variant.class_for(found.get(variant.by))
                if cls is not Model:  # An unknown class, which is reported where it is named.
                    found[name] = _class_check(cls)(found[name], inside(place, name), problems)
        return found

    return check


def _with_rule(cls: type[Model], check: Check) -> Check:
    rule = RULES.get(cls.__name__)
    if rule is None:
        return check

    def check_both(value: Any, place: Place, problems: Problems) -> Any:
        before = len(problems.found)
        found = check(value, place, problems)
        if len(problems.found) == before:
            for fault in rule(found):
                where = place
                for token in fault.path:
                    where = inside(where, token)
                problems.add(fault.title, fault.details, where)
        return found

    return check_both


def _member_check(members: Choice) -> Check:
    """Return the check of a class that stands for several."""
    by = members.by
    check_name = choice_check(members.values)

    def check(value: Any, place: Place, problems: Problems) -> Any:
        name = value.get(by)
        if name is None:
            problems.add("required", f"{by} is required", inside(place, by))
            return value
        if not isinstance(name, str) or name not in members.values:
            check_name(name, inside(place, by), problems)
            return value
        return _class_check(members.class_for(name))(value, place, problems)

    return check


def _case_check(check_own: Check, cases: Choice) -> Check:
    """Return the check of a class whose objects obey the rules of a second one as well."""

    def check(value: Any, place: Place, problems: Problems) -> Any:
        found = check_own(value, place, problems)
        name = value.get(cases.by)
        if not isinstance(name, str) or name not in cases.values:
            return found
        more = _own_check(cases.class_for(name))(value, place, problems)
        return {**more, **found}

    return check
