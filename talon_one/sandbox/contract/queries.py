"""Parameters of a request in its path, query and headers, read as its operation declares them."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from talon_one._core.operation import IDEMPOTENCY_KEY, Operation, Parameter
from talon_one.sandbox.contract.operations import operations_by_id
from talon_one.sandbox.contract.rules import DAYS, PARAMETERS
from talon_one.sandbox.contract.scalars import INT64, is_day
from talon_one.sandbox.contract.shapes import Shape, parameter_shape
from talon_one.sandbox.errors import ApiError, Problem, invalid
from talon_one.sandbox.values import parse_time

MAX_PARAMETERS = 1_000
"""Number of parameters, and of values of a list, that a query may have."""

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,18})")

_Reader: TypeAlias = "Callable[[str, list[str]], Any]"
"""Takes the name and the values of a parameter; returns what it stands for or raises `_Wrong`."""


class _Wrong(Exception):
    """A value is refused."""

    def __init__(self, title: str, details: str) -> None:
        super().__init__(title, details)
        self.title = title
        self.details = details


def read_ids(operation: Operation, ids: Mapping[str, str]) -> dict[str, Any]:
    """Return the ids of a path by wire name, those of the platform as integers.

    Raises:
        ApiError: 404 for an id that is not an integer and should be one, since nothing has it.
    """
    found: dict[str, Any] = dict(ids)
    for parameter in operation.parameters:
        if parameter.location == "path" and parameter.type == "int":
            try:
                found[parameter.wire] = _integer(parameter.wire, ids[parameter.wire], {})
            except _Wrong as cause:
                raise ApiError(404, f"{parameter.wire} not found: it is an integer") from cause
    return found


def read_query(operation: Operation, text: str) -> dict[str, Any]:
    """Return the declared parameters of a query that are given, by wire name.

    Integers and booleans are such, timestamps are canonical text, lists are lists of text. Unknown
    parameters are ignored. Of a repeated parameter that is no list, the first value counts.

    Raises:
        ApiError: 400 with every wrong or missing parameter.
    """
    values: dict[str, list[str]] = defaultdict(list)
    for name, value in _pairs(text):
        values[name].append(value)
    return _read("query", operation, values)


def read_pairs(text: str) -> dict[str, str]:
    """Return the parameters of a query as text; the first value of each name counts.

    Raises:
        ApiError: 400 if the query is not percent-encoded UTF-8.
    """
    return dict(reversed(_pairs(text)))


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        # Bytes that are not UTF-8 and not percent-encoded arrive as lone surrogates.
        text.encode()
        return parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except ValueError as cause:
        details = f"the query is not percent-encoded UTF-8 of at most {MAX_PARAMETERS} parameters"
        raise invalid(Problem("Invalid", details, parameter="query")) from cause


def read_headers(operation: Operation, given: Mapping[str, str]) -> dict[str, Any]:
    """Return the declared headers that are given, such as `Idempotency-Key`.

    Raises:
        ApiError: 400 with every wrong header.
    """
    names = (each.wire for each in operation.parameters if each.location == "header")
    return _read("header", operation, {name: [given[name]] for name in names if name in given})


def _read(location: str, operation: Operation, values: Mapping[str, list[str]]) -> dict[str, Any]:
    found, problems = {}, []
    for name, required, read in _readers(location, operation.id):
        if name in values:
            try:
                found[name] = read(name, values[name])
            except _Wrong as wrong:
                problems.append(Problem(wrong.title, wrong.details, parameter=name))
        elif required:
            problems.append(Problem("required", f"{name} is required", parameter=name))
    if problems:
        raise invalid(*problems)
    return found


@cache
def _readers(location: str, operation_id: str) -> tuple[tuple[str, bool, _Reader], ...]:
    operation = operations_by_id()[operation_id]
    return tuple(
        (each.wire, each.required, _reader(each, operation_id in DAYS))
        for each in operation.parameters
        if each.location == location
    )


def _reader(parameter: Parameter, days: bool) -> _Reader:
    bounds = {**PARAMETERS.get(parameter.wire, {}), **parameter.constraints}
    shape = parameter_shape(parameter.type, bounds)
    if shape.kind == "list":
        return _list_reader(shape.parts[0], parameter.comma, days)
    read = _scalar_reader(shape, days)
    if parameter.wire == IDEMPOTENCY_KEY:
        return lambda name, values: _key(name, read(name, values[0]))
    return lambda name, values: read(name, values[0])


def _list_reader(inner: Shape, comma: bool, days: bool) -> _Reader:
    read = _scalar_reader(inner, days)

    def read_list(name: str, values: list[str]) -> list[Any]:
        if comma:
            values = [each for value in values for each in value.split(",") if each]
        if len(values) > MAX_PARAMETERS:
            details = f"must have at most {MAX_PARAMETERS} items, has {len(values)}"
            raise _Wrong("maxItems", details)
        return [read(name, each) for each in values]

    return read_list


def _scalar_reader(shape: Shape, days: bool) -> Callable[[str, str], Any]:
    if shape.kind == "int":
        return lambda name, text: _integer(name, text, shape.constraints)
    if shape.kind == "bool":
        return lambda name, text: _one_of(name, text, ("true", "false")) == "true"
    if shape.kind == "Literal":
        return lambda name, text: _one_of(name, text, shape.values)
    if shape.kind == "datetime":
        return lambda name, text: _time(name, text, days)
    return lambda name, text: _text(text, shape.constraints)


def _integer(name: str, text: str, constraints: Mapping[str, Any]) -> int:
    minimum = constraints.get("minimum", -INT64)
    maximum = constraints.get("maximum", INT64 - 1)
    if _INTEGER.fullmatch(text) is None or not minimum <= int(text) <= maximum:
        raise _Wrong("range", f"{name} must be a whole number from {minimum} to {maximum}")
    return int(text)


def _one_of(name: str, text: str, allowed: tuple[str, ...]) -> str:
    if text not in allowed:
        known = ", ".join(f'"{word}"' for word in allowed)
        raise _Wrong("enum", f"{name} must be one of the following: {known}")
    return text


def _time(name: str, text: str, days: bool) -> str:
    if days and is_day(text):
        text = f"{text}T00:00:00Z"
    try:
        return parse_time(text)
    except ValueError as cause:
        details = f'Value of "{name}" ({text[:80]}) is not an RFC 3339 timestamp'
        raise _Wrong("Invalid type", details) from cause


def _text(text: str, constraints: Mapping[str, Any]) -> str:
    minimum = constraints.get("min_length", 0)
    limit = constraints.get("max_length", math.inf)
    if len(text) < minimum:
        raise _Wrong("minLength", f"must have at least {minimum} character(s)")
    if len(text) > limit:
        raise _Wrong("maxLength", f"must have at most {limit} characters")
    return text


def _key(name: str, text: str) -> str:
    if not text:
        raise _Wrong("minLength", "must have at least 1 character(s)")
    # Bytes that are not UTF-8 arrive as surrogates, which are not printable either.
    if not text.isprintable():
        raise _Wrong("pattern", f"{name} must be printable text")
    return text
