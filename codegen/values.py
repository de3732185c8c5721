"""What the value of a key may be: a plain value, or nodes of some kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Value:
    """A plain value.

    Attributes:
        expected: What it must be, after "must be".
        accepts: Whether a value is that.
    """

    expected: str
    accepts: Callable[[Any], bool]


@dataclass(frozen=True)
class Nodes:
    """A node of some kind, or several.

    Attributes:
        kind: Name of the kind.
        within: Whether the value is the node itself, a list of such nodes, or a mapping to them.
        otherwise: A plain value that may stand there instead.
    """

    kind: str
    within: Literal["", "list", "mapping"] = ""
    otherwise: Value | None = None


def one_of(*values: str) -> Value:
    """Return a text from a list."""
    return Value(f"one of {', '.join(values)}", lambda value: value in values)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


ANYTHING = Value("anything", lambda value: True)
BOOLEAN = Value("true or false", lambda value: isinstance(value, bool))
TRUE = Value("true", lambda value: value is True)
FALSE = Value("false", lambda value: value is False)
NUMBER = Value("a number", _is_number)
COUNT = Value("an integer that is not negative", _is_count)
POSITIVE = Value("a positive integer", lambda value: _is_count(value) and value > 0)
TEXT = Value("a text", lambda value: _is_text(value) and bool(value.strip()))
LIST = Value("a list", lambda value: isinstance(value, list))
TEXTS = Value(
    "a list of texts", lambda value: isinstance(value, list) and all(map(_is_text, value))
)
TEXTS_OR_FALSE = Value(
    "a list of texts, or false", lambda value: value is False or TEXTS.accepts(value)
)
TEXT_TO_TEXT = Value(
    "a mapping of texts to texts",
    lambda value: isinstance(value, dict) and all(map(_is_text, [*value, *value.values()])),
)
MAPPING = Value("a mapping", lambda value: isinstance(value, dict))
MAPPINGS = Value(
    "a list of mappings",
    lambda value: isinstance(value, list) and all(isinstance(each, dict) for each in value),
)
