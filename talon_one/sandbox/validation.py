"""Checks of JSON values: small functions that combine into the description of a request body.

A check takes a value and its JSON pointer, and returns the normalized value: timestamps in
canonical form, without properties that are `null` or unknown. It adds problems to a list, so that
one response names all of them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from talon_one.sandbox.errors import Problem
from talon_one.sandbox.values import parse_time

Problems: TypeAlias = "list[Problem]"
Check: TypeAlias = Callable[[Any, str, Problems], Any]

INT64 = 2**63
LARGEST_AMOUNT = 10**15


def step(pointer: str, token: str | int) -> str:
    """Extend a JSON pointer by one escaped reference token."""
    return f"{pointer}/{str(token).replace('~', '~0').replace('/', '~1')}"


def _mistyped(value: Any, pointer: str, kind: str) -> Problem:
    name = pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~") or "body"
    # Nested values are not quoted: they may be long, and the pointer says where they are.
    nested = isinstance(value, dict | list)
    shown = "" if nested else f" ({json.dumps(value, ensure_ascii=False)[:80]})"
    return Problem("Invalid type", f'Value of "{name}"{shown} is not {kind}', pointer)


def text(*, min_length: int = 0, max_length: int | None = None) -> Check:
    """Accept a string whose length lies within the bounds."""

    def check(value: Any, pointer: str, problems: Problems) -> Any:
        if not isinstance(value, str):
            problems.append(_mistyped(value, pointer, "a string"))
        elif len(value) < min_length:
            problems.append(
                Problem("minLength", f"must have at least {min_length} character(s)", pointer)
            )
        elif max_length is not None and len(value) > max_length:
            problems.append(
                Problem("maxLength", f"must have at most {max_length} characters", pointer)
            )
        return value

    return check


def integer(minimum: int = -INT64, maximum: int = INT64 - 1) -> Check:
    """Accept a whole number within the bounds, those of int64 by default."""

    def check(value: Any, pointer: str, problems: Problems) -> Any:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            problems.append(_mistyped(value, pointer, "an integer"))
        elif not minimum <= value <= maximum:
            problems.append(Problem("range", f"must be from {minimum} to {maximum}", pointer))
        return value

    return check


def number(value: Any, pointer: str, problems: Problems) -> Any:
    """Accept an amount: any finite number of at most 10^15 either way."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        problems.append(_mistyped(value, pointer, "a number"))
    elif abs(value) > LARGEST_AMOUNT:
        problems.append(Problem("range", f"must not exceed {LARGEST_AMOUNT}", pointer))
    return value


def boolean(value: Any, pointer: str, problems: Problems) -> Any:
    """Accept `true` and `false`."""
    if not isinstance(value, bool):
        problems.append(_mistyped(value, pointer, "a boolean"))
    return value


def timestamp(value: Any, pointer: str, problems: Problems) -> Any:
    """Accept an RFC 3339 timestamp, and return it in canonical form."""
    if isinstance(value, str):
        try:
            return parse_time(value)
        except ValueError:
            pass
    problems.append(_mistyped(value, pointer, "an RFC 3339 timestamp"))
    return value


def free_object(value: Any, pointer: str, problems: Problems) -> Any:
    """Accept any JSON object, such as attributes."""
    if not isinstance(value, dict):
        problems.append(_mistyped(value, pointer, "an object"))
    return value


def choice(*allowed: str) -> Check:
    """Accept one of the given strings."""
    known = ", ".join(f'"{word}"' for word in allowed)

    def check(value: Any, pointer: str, problems: Problems) -> Any:
        if not isinstance(value, str):
            problems.append(_mistyped(value, pointer, "a string"))
        elif value not in allowed:
            name = pointer.rpartition("/")[2]
            details = f"{name} must be one of the following: {known}"
            problems.append(Problem("enum", details, pointer))
        return value

    return check


def list_of(item: Check, *, max_items: int | None = None) -> Check:
    """Accept an array whose items all pass; the items of a too long one are not checked."""

    def check(value: Any, pointer: str, problems: Problems) -> Any:
        if not isinstance(value, list):
            problems.append(_mistyped(value, pointer, "an array"))
            return value
        if max_items is not None and len(value) > max_items:
            details = f"must have at most {max_items} items, has {len(value)}"
            problems.append(Problem("maxItems", details, pointer))
            return value
        return [item(entry, step(pointer, index), problems) for index, entry in enumerate(value)]

    return check


def map_of(item: Check) -> Check:
    """Accept an object whose values all pass, whatever its keys are."""

    def check(value: Any, pointer: str, problems: Problems) -> Any:
        if not isinstance(value, dict):
            problems.append(_mistyped(value, pointer, "an object"))
            return value
        return {key: item(entry, step(pointer, key), problems) for key, entry in value.items()}

    return check


def record(
    properties: Mapping[str, Check], *, required: tuple[str, ...] = (), keep_unknown: bool = False
) -> Check:
    """Accept an object with these properties; `null` counts as missing.

    Args:
        properties: Check of each known property.
        required: Names of required properties.
        keep_unknown: Whether properties without a check are kept rather than dropped.
    """

    def check(value: Any, pointer: str, problems: Problems) -> Any:
        if not isinstance(value, dict):
            problems.append(_mistyped(value, pointer, "an object"))
            return value
        for name in required:
            if value.get(name) is None:
                problems.append(Problem("required", f"{name} is required", step(pointer, name)))
        return {
            name: properties[name](entry, step(pointer, name), problems)
            if name in properties
            else entry
            for name, entry in value.items()
            if entry is not None and (name in properties or keep_unknown)
        }

    return check
