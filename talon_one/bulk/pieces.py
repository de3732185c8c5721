"""Chunks of rows, and the pieces of them that requests are made of."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from talon_one.bulk.fingerprint import Mark
from talon_one.exceptions import ApiException

# How many requests are made for one chunk, to find the rows because of which it is refused; and
# after how many refusals, none of its parts having been accepted, all of it is taken to be wrong.
_MOST_REQUESTS = 256
_MOST_REFUSALS = 32


class Chunk:
    """Rows that follow each other, and what they are about."""

    __slots__ = (
        "accepted",
        "alone",
        "failure",
        "group",
        "indices",
        "keys",
        "mark",
        "pieces",
        "requests",
    )

    def __init__(self, group: Hashable, alone: bool) -> None:
        self.indices: list[int] = []
        self.keys: set[Hashable] = set()
        self.group = group
        self.alone = alone
        self.pieces = 0
        """How many of its pieces are not settled."""
        self.requests = 0
        self.accepted = False
        """Whether the server has accepted any of it."""
        self.failure: ApiException | None = None
        self.mark = Mark()
        """Fingerprint of at least all rows up to its last one."""

    @property
    def most_requests(self) -> int:
        """After how many requests it is no longer taken apart."""
        return _MOST_REQUESTS if self.accepted else _MOST_REFUSALS

    def meets(self, other: Chunk) -> bool:
        """Say whether both must not be under way at once."""
        return self.alone or other.alone or not self.keys.isdisjoint(other.keys)


class Piece:
    """Rows that go into one request: a chunk, or part of one that was refused as a whole."""

    __slots__ = ("chunk", "indices", "rows", "text")

    def __init__(self, chunk: Chunk, indices: list[int], rows: list[Any]) -> None:
        self.chunk = chunk
        self.indices = indices
        self.rows = rows
        self.text: bytes | None = None
        """The rows as JSON, parted by commas, if that has been made."""

    def part(self, places: Any) -> Piece:
        """Return a piece with some of the rows, by their places."""
        return Piece(
            self.chunk, [self.indices[at] for at in places], [self.rows[at] for at in places]
        )
