"""Turns, who may send now: calls for one session or profile wait for each other. No I/O."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from talon_one.exceptions import ConfigurationError

Entity = tuple[str, str]
"""What the platform serialises by, such as ``("profile", "anna")``."""


class Turn:
    """The place of one call in the queues of all that it is about.

    Args:
        entities: What it is about.
        wake: Called, in whichever thread, when it may be sent.
    """

    __slots__ = ("entities", "lacking", "wake")

    def __init__(self, entities: Iterable[Entity], wake: Callable[[], object]) -> None:
        self.entities = frozenset(entities)
        self.wake = wake
        self.lacking = len(self.entities)
        """In how many queues it is not yet among the first."""


class Turns:
    """A queue for each session and each profile, of which only the first may be sent.

    Nobody waits for ever for each other: a call enters all its queues at once, so that the one
    that came first of all is among the first in each of its queues.

    Args:
        most: How many calls about the same thing may be under way at once.

    Raises:
        ConfigurationError: *most* is no number above 0.
    """

    def __init__(self, most: int) -> None:
        if not isinstance(most, int) or most < 1:
            raise ConfigurationError(f"calls_per_id is a number of calls, at least 1, not {most!r}")
        self._most = most
        self._queues: dict[Entity, list[Turn]] = {}
        self._lock = threading.Lock()

    def enter(self, turn: Turn) -> bool:
        """Take the last place in the queues; say whether the call may be sent at once."""
        with self._lock:
            for entity in turn.entities:
                queue = self._queues.setdefault(entity, [])
                queue.append(turn)
                turn.lacking -= len(queue) <= self._most
            return not turn.lacking

    def leave(self, turn: Turn) -> None:
        """Give up the place, whether it was used or not, and wake who moves up."""
        woken = []
        with self._lock:
            for entity in turn.entities:
                queue = self._queues[entity]
                place = queue.index(turn)
                del queue[place]
                if place < self._most <= len(queue):
                    next_one = queue[self._most - 1]
                    next_one.lacking -= 1
                    if not next_one.lacking:
                        woken.append(next_one)
                if not queue:
                    del self._queues[entity]
        for each in woken:
            each.wake()
