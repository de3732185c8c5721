"""Tables of programs with the values that they give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from talon_one.sandbox.talang import TalangError, evaluate, to_json

ERROR = object()
"""Marks programs that are refused, or whose evaluation fails."""

Case = tuple[Any, Any]


def at(text: str) -> list[str]:
    """Return the program that reads a time."""
    return ["parseTime", text]


def outcome(program: Any, bindings: Mapping[str, Any] | None = None) -> Any:
    """Return the value of a program with times as texts, or `ERROR`."""
    try:
        return _plain(evaluate(program, bindings))
    except TalangError as error:
        return ERROR if error.path is not None else "an error without a place"


def failures(cases: Iterable[Case], bindings: Mapping[str, Any] | None = None) -> list[str]:
    """Return a line for each case with another outcome than the table says."""
    found: list[str] = []
    for program, expected in cases:
        actual = outcome(program, bindings)
        if not _same(actual, expected):
            found.append(f"{program}: {actual!r}, not {expected!r}")
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return to_json(value)
    return value


def _same(actual: Any, expected: Any) -> bool:
    """Compare values strictly by type, and numbers by their value."""
    if isinstance(expected, (int, float)) and not isinstance(expected, bool):
        return isinstance(actual, Decimal) and actual == Decimal(str(expected))
    if isinstance(expected, list):
        return (
            isinstance(actual, list)
            and len(actual) == len(expected)
            and all(map(_same, actual, expected))
        )
    if isinstance(expected, dict):
        return (
            isinstance(actual, dict)
            and actual.keys() == expected.keys()
            and all(_same(actual[name], expected[name]) for name in expected)
        )
    return type(actual) is type(expected) and bool(actual == expected)
