"""A seed as it was given: its content, and where each value of it stands in the file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias

from talon_one._schema.access import data_of
from talon_one._schema.json_codec import NULL
from talon_one.sandbox.seeds.errors import SeedError, SeedMistake
from talon_one.sandbox.values import format_time, json_number

MAX_LEVEL: Final = 100
"""Number of objects and lists inside one another."""

NO_TEXT: Final = "the text has a character that cannot be sent"

Mark: TypeAlias = "tuple[int, int]"
"""Line and column, both from 1."""


@dataclass(slots=True)
class Node:
    """Place of a value in a file.

    Attributes:
        mark: Where the value begins.
        keys: Where the keys of an object begin.
        children: Places of the values in an object, by key, or in a list, by index as text.
    """

    mark: Mark
    keys: dict[str, Mark] = field(default_factory=dict)
    children: dict[str, Node] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seed:
    """A seed as it was given.

    Attributes:
        content: What it says, as JSON. It is not changed.
        file: Name of its file, empty for a seed from Python.
        root: Place of the content in the file; None for a seed from Python.
    """

    content: Mapping[str, Any]
    file: str = ""
    root: Node | None = None

    def mistake(self, pointer: str, message: str, *, at_key: bool = False) -> SeedMistake:
        """Return a mistake with its place.

        Args:
            pointer: JSON pointer to the value. What is missing is reported where it should be.
            message: What is wrong.
            at_key: Whether the key of the value is wrong, rather than the value.
        """
        if self.root is None:
            return SeedMistake(pointer, message)
        node, mark = self.root, self.root.mark
        tokens = [_unescaped(token) for token in pointer.split("/")[1:]]
        for index, token in enumerate(tokens):
            child = node.children.get(token)
            if child is None:
                break
            last = index == len(tokens) - 1
            mark = node.keys.get(token, child.mark) if last and at_key else child.mark
            node = child
        return SeedMistake(pointer, message, *mark)


def escaped(token: str | int) -> str:
    """Return a key or an index as a token of a JSON pointer."""
    return str(token).replace("~", "~0").replace("/", "~1")


def is_text(value: str) -> bool:
    """Return whether a text can be stored and sent: a lone surrogate cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unescaped(token: str) -> str:
    return token.replace("~1", "/").replace("~0", "~")


def from_python(value: Any) -> Seed:
    """Return the seed that a mapping describes; models of the SDK stand for their JSON.

    Raises:
        SeedError: If a value has no form in JSON.
    """
    mistakes: list[SeedMistake] = []
    content = _json_of(value, "", 0, mistakes)
    if not isinstance(content, dict) and not mistakes:
        mistakes.append(SeedMistake("", "the whole must be an object"))
    if mistakes:
        raise SeedError(mistakes)
    return Seed(content)


def _json_of(value: Any, pointer: str, level: int, mistakes: list[SeedMistake]) -> Any:
    if level > MAX_LEVEL:
        mistakes.append(SeedMistake(pointer, f"values nest more than {MAX_LEVEL} levels deep"))
        return None
    value = data_of(value)
    to_wire = getattr(value, "to_wire", None)
    if callable(to_wire):
        value = to_wire()
    if isinstance(value, str) and not is_text(value):
        mistakes.append(SeedMistake(pointer, NO_TEXT))
        return ""
    if value is None or value is NULL or isinstance(value, (str, bool, int)):
        return None if value is NULL else value
    if isinstance(value, Mapping):
        return {
            str(name): _json_of(inner, f"{pointer}/{escaped(str(name))}", level + 1, mistakes)
            for name, inner in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [
            _json_of(inner, f"{pointer}/{index}", level + 1, mistakes)
            for index, inner in enumerate(value)
        ]
    if isinstance(value, Decimal) and value.is_finite():
        return json_number(value)
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, datetime) and value.tzinfo is not None:
        return format_time(value)
    if isinstance(value, datetime):
        mistakes.append(SeedMistake(pointer, f"{value} has no time zone"))
    elif isinstance(value, date):
        return value.isoformat()
    else:
        mistakes.append(SeedMistake(pointer, f"{type(value).__name__} is not a value of JSON"))
    return None
