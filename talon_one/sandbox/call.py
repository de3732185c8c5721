"""A request as an operation sees it, and what the operation returns: no sockets, no headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from talon_one.sandbox.errors import Problem, invalid
from talon_one.sandbox.store import Store
from talon_one.sandbox.values import parse_time

JSON: Final = "application/json"


class Query:
    """The query parameters of a request, read strictly: a wrong value is a 400.

    Args:
        values: The decoded parameters by name.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def only(self, *names: str) -> None:
        """Refuse every parameter that is not named."""
        more = [name for name in self._values if name not in names]
        if more:
            details = "the sandbox does not know this parameter here"
            raise invalid(*(Problem("Unsupported", details, parameter=name) for name in more))

    def text(self, name: str) -> str | None:
        """Return a parameter as it is, None if absent."""
        return self._values.get(name)

    def one_of(self, name: str, *allowed: str, default: str = "") -> str:
        """Return a parameter that must be one of the given words."""
        value = self._values.get(name, default)
        if name in self._values and value not in allowed:
            known = ", ".join(f'"{word}"' for word in allowed)
            details = f"{name} must be one of the following: {known}"
            raise invalid(Problem("enum", details, parameter=name))
        return value

    def flag(self, name: str) -> bool:
        """Return a boolean parameter, False if absent."""
        return self.one_of(name, "true", "false", default="false") == "true"

    def time(self, name: str) -> str | None:
        """Return a timestamp in canonical form, None if absent."""
        value = self._values.get(name)
        try:
            return value if value is None else parse_time(value)
        except ValueError as cause:
            raise invalid(Problem("Invalid type", str(cause), parameter=name)) from cause

    def integer(self, name: str, default: int, minimum: int, maximum: int) -> int:
        """Return a whole number within the bounds."""
        value = self._values.get(name)
        if value is None:
            return default
        digits = value.isascii() and value.isdigit() and len(value) < 20
        if not digits or not minimum <= int(value) <= maximum:
            details = f"{name} must be a whole number from {minimum} to {maximum}"
            raise invalid(Problem("range", details, parameter=name))
        return int(value)


@dataclass(frozen=True, slots=True)
class Call:
    """A request that is authenticated, validated and inside a transaction.

    Attributes:
        store: The state. Its changes are committed when the operation returns.
        now: Time of the request.
        ids: Decoded path parameters, in the order of the path.
        query: Query parameters.
        body: The validated body, the text of the uploaded file, or None for operations without
            either.
        dry: Whether the changes are rolled back.
    """

    store: Store
    now: str
    ids: tuple[str, ...]
    query: Query
    body: Any
    dry: bool


@dataclass(frozen=True, slots=True)
class Result:
    """What an operation returns: a status and, except for 204, a body (JSON, or other text)."""

    status: int
    body: Any = None
    content_type: str = JSON


NO_CONTENT = Result(204)
