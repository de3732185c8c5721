"""Store: a bounded dict whose entries have an age. Threads may share it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, NamedTuple, TypeVar, cast

T = TypeVar("T")


class _Entry(NamedTuple):
    value: object
    at: float
    """When it was put, by the clock of the store."""


class Store(Generic[T]):
    """Keeps the newest entries. Each of its steps is one operation of a dict, so it has no lock.

    Args:
        limit: How many entries it keeps.
        clock: Monotonic clock, in seconds.
    """

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._clock = clock
        self._entries: dict[Hashable, _Entry] = {}

    def put(self, key: Hashable, value: T) -> None:
        """Keep a value. The oldest entries make way."""
        self._entries.pop(key, None)  # So that it becomes the newest.
        self._entries[key] = _Entry(value, self._clock())
        while len(self._entries) > self._limit:
            try:
                self._entries.pop(next(iter(self._entries)), None)
            except (RuntimeError, StopIteration):  # Another thread changed it just now.
                continue

    def get(self, key: Hashable, max_age: float | None = None) -> T | None:
        """Return a value, unless it is older than *max_age* seconds."""
        entry = self._entries.get(key)
        if entry is None or (max_age is not None and self._clock() - entry.at >= max_age):
            return None
        return cast("T", entry.value)

    def drop(self, unwanted: Callable[[Hashable], bool]) -> None:
        """Forget the entries with certain keys."""
        for key in list(self._entries.copy()):
            if unwanted(key):
                self._entries.pop(key, None)

    def clear(self) -> None:
        """Forget all entries."""
        self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)
