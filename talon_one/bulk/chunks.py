"""Chunks of rows, and the pieces of them that are sent as requests."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from talon_one.bulk.fingerprint import Mark
from talon_one.exceptions import ApiException

# How many requests may be spent on one chunk to find the rows because of which it was refused.
_MAX_REQUESTS = 256
# The same while none of its rows was accepted: then all of them are probably wrong.
_MAX_REFUSALS = 32
# How often the request of a piece may come too early (429).
MAX_LIMITED = 128


class Chunk:
    """Consecutive rows that fit into one request, and the state of their requests."""

    __slots__ = (
        "accepted",
        "exclusive",
        "failure",
        "group",
        "keys",
        "limited",
        "mark",
        "pieces",
        "requests",
    )

    def __init__(self, group: Hashable, exclusive: bool) -> None:
        self.keys: set[Hashable] = set()
        self.group = group
        self.exclusive = exclusive
        self.pieces = 0
        """How many of its pieces are not settled."""
        self.requests = 0
        self.limited = 0
        """How many of the requests came too early, which says nothing about the rows."""
        self.accepted = False
        """Whether the server has accepted any of its rows."""
        self.failure: ApiException | None = None
        self.mark = Mark()
        """Fingerprint of all rows up to its last one, or of more."""

    @property
    def request_limit(self) -> int:
        """How many requests may be made before the chunk is no longer split."""
        return self.limited + (_MAX_REQUESTS if self.accepted else _MAX_REFUSALS)

    def conflicts_with(self, other: Chunk) -> bool:
        """Return whether the two must not be in flight at the same time."""
        return self.exclusive or other.exclusive or not self.keys.isdisjoint(other.keys)


class Piece:
    """Rows that go into one request: a chunk, or a part of one that was refused."""

    __slots__ = ("chunk", "indices", "limited", "rows", "text")

    def __init__(self, chunk: Chunk, indices: list[int], rows: list[object]) -> None:
        self.chunk = chunk
        self.indices = indices
        self.rows = rows
        self.limited = 0
        """How many of its requests came too early."""
        self.text: bytes | None = None
        """The rows as JSON, separated by commas, if they have been encoded."""

    def part(self, positions: Sequence[int]) -> Piece:
        """Return a piece with the rows at these positions."""
        return Piece(
            self.chunk,
            [self.indices[position] for position in positions],
            [self.rows[position] for position in positions],
        )
