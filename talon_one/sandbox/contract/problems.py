"""Problems of a request body, listed with their JSON pointers up to a limit."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

from talon_one.sandbox.errors import Problem

MAX_PROBLEMS = 100
"""Number of problems that a response lists."""

Place: TypeAlias = "tuple[Any, str | int, int] | None"
"""Where a value is: the place around it, its key, and the number of places around it.

Pointers are made of places when there is a problem, because most values have none.
"""

_SHOWN = 80
"""Number of characters of a wrong value that its problem quotes."""


class TooManyProblems(Exception):
    """The list is full. The check ends, since its result is refused anyway."""


class Problems:
    """The problems found so far, each listed once."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, title: str, details: str, place: Place) -> None:
        """Add a problem of the value at a place.

        Raises:
            TooManyProblems: The list has reached its limit.
        """
        self.extend([Problem(title, details, pointer(place))])

    def extend(self, more: list[Problem]) -> None:
        """Add the problems of another list; raises as `add` does."""
        for problem in more:
            if problem not in self.found:
                self.found.append(problem)
            if len(self.found) >= MAX_PROBLEMS:
                raise TooManyProblems

    def mistyped(self, value: Any, kind: str, place: Place) -> None:
        """Add the problem of a value that is not of a kind, such as `a string`."""
        name = _called(place)
        self.add("Invalid type", f'Value of "{name}"{_shown(value)} is not {kind}', place)

    def unlisted(self, allowed: tuple[Any, ...], place: Place) -> None:
        """Add the problem of a value that is none of those allowed."""
        known = ", ".join(json.dumps(each) for each in allowed)
        name = _called(place)
        self.add("enum", f"{name} must be one of the following: {known}", place)


def _called(place: Place) -> str:
    """Return the name of a property, also for a value in the list that it has."""
    while place is not None and isinstance(place[1], int):
        place = place[0]
    return "body" if place is None else str(place[1])


def inside(place: Place, key: str | int) -> Place:
    """Return the place of a value by its key or index."""
    return (place, key, level(place) + 1)


def level(place: Place) -> int:
    """Return the number of objects and lists around a value."""
    return place[2] if place is not None else 0


def pointer(place: Place) -> str:
    """Return the JSON pointer to a place."""
    tokens: list[str] = []
    while place is not None:
        tokens.append(str(place[1]).replace("~", "~0").replace("/", "~1"))
        place = place[0]
    return "".join(f"/{each}" for each in reversed(tokens))


def _shown(value: Any) -> str:
    # Nested values are not quoted: they may be long, and the pointer says where they are.
    if isinstance(value, (dict, list)):
        return ""
    if isinstance(value, str):
        value = value[:_SHOWN]
    try:
        return f" ({json.dumps(value, ensure_ascii=False)[:_SHOWN]})"
    except ValueError:  # Python refuses to write integers of thousands of digits.
        return ""
