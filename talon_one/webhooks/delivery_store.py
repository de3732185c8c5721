"""Which webhooks were handled already, so that what is sent twice is handled once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable
from threading import Lock
from typing import Literal, Protocol

from talon_one.exceptions import ApiValueError

Claim = Literal["new", "busy", "done"]
"""``new``: whoever asked shall handle it. ``busy``: somebody else does. ``done``: it is handled."""


class DeliveryStore(Protocol):
    """What a receiver needs to remember the `X-UUID` of webhooks.

    Several processes that serve one address need one memory: a table with a unique column, or a
    key of Redis that is set only if it is not there. There a claim must end by itself after some
    time, because the process that has it may die. Talon.One repeats a webhook for about ten
    minutes, so that is how long `done` must be remembered at least.
    """

    def claim(self, uuid: str) -> Claim:
        """Say whether a webhook is new, and if so, note in the same step that it is claimed."""

    def done(self, uuid: str) -> object:
        """Note that a webhook that was claimed is handled."""

    def release(self, uuid: str) -> object:
        """Forget the claim on a webhook that was not handled, so that it is new once more."""


class AsyncDeliveryStore(Protocol):
    """As `DeliveryStore`, for an `AsyncReceiver` whose memory is asked asynchronously."""

    def claim(self, uuid: str) -> Awaitable[Claim]:
        """As `DeliveryStore.claim`."""

    def done(self, uuid: str) -> Awaitable[object]:
        """As `DeliveryStore.done`."""

    def release(self, uuid: str) -> Awaitable[object]:
        """As `DeliveryStore.release`."""


class InMemoryDeliveryStore:
    """Remembers in the memory of this process; all of its threads may share it.

    Args:
        size: How many handled webhooks are remembered. It should be more than come in the ten
            minutes for which Talon.One repeats one.
    """

    def __init__(self, size: int = 20_000) -> None:
        if size < 1:
            raise ApiValueError(f"size must be at least 1, not {size}")
        self._size = size
        self._lock = Lock()
        self._claimed: set[str] = set()
        self._done: OrderedDict[str, None] = OrderedDict()

    def claim(self, uuid: str) -> Claim:
        """Claim a webhook that is new."""
        with self._lock:
            if uuid in self._done:
                return "done"
            if uuid in self._claimed:
                return "busy"
            self._claimed.add(uuid)
            return "new"

    def done(self, uuid: str) -> None:
        """Remember that a webhook is handled, and forget the oldest if there are too many."""
        with self._lock:
            self._claimed.discard(uuid)
            self._done[uuid] = None
            if len(self._done) > self._size:
                self._done.popitem(last=False)

    def release(self, uuid: str) -> None:
        """Forget a claim."""
        with self._lock:
            self._claimed.discard(uuid)

    def __len__(self) -> int:
        return len(self._done)
