"""Delivery stores: remember which webhooks were handled, so that each is handled once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable
from threading import Lock
from typing import Literal, Protocol

from talon_one._core.constructors import checks_arguments
from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiTypeError, ApiValueError

Claim = Literal["new", "busy", "done"]
"""``new``: the caller has claimed the webhook and must handle it. ``busy``: another caller has
claimed it. ``done``: it was handled."""


class DeliveryStore(Protocol):
    """Where a receiver stores the `X-UUID` of webhooks.

    Processes that serve the same address need a shared store, such as a table with a unique column
    or a key of Redis that is set only if it does not exist. Let its claims expire, because a
    process may die while it holds one. Talon.One retries a webhook for about ten minutes: remember
    handled webhooks for at least that long.
    """

    def claim(self, uuid: str) -> Claim:
        """Look up a webhook, and claim it in the same step if it is new."""

    def mark_done(self, uuid: str) -> object:
        """Record that a claimed webhook was handled."""

    def release(self, uuid: str) -> object:
        """Drop the claim on a webhook that was not handled, so that the next attempt is new."""


class AsyncDeliveryStore(Protocol):
    """A `DeliveryStore` with coroutine functions, for an `AsyncReceiver`."""

    def claim(self, uuid: str) -> Awaitable[Claim]:
        """See `DeliveryStore.claim`."""

    def mark_done(self, uuid: str) -> Awaitable[object]:
        """See `DeliveryStore.mark_done`."""

    def release(self, uuid: str) -> Awaitable[object]:
        """See `DeliveryStore.release`."""


class InMemoryDeliveryStore:
    """Stores deliveries in the memory of this process. Threads may share it.

    Args:
        size: Number of handled webhooks to remember. Choose more than you expect within ten
            minutes, because Talon.One retries for that long.

    Raises:
        ApiTypeError: *size* is not a whole number.
        ApiValueError: It is below 1.
    """

    @checks_arguments("(size=20_000)")
    def __init__(self, size: int = 20_000) -> None:
        if isinstance(size, bool) or not isinstance(size, int):
            raise ApiTypeError(f"size must be a whole number, at least 1, not {quoted(size)}")
        if size < 1:
            raise ApiValueError(f"size must be at least 1, not {size}")
        self._size = size
        self._lock = Lock()
        self._claimed: set[str] = set()
        self._done: OrderedDict[str, None] = OrderedDict()

    def claim(self, uuid: str) -> Claim:
        """Look up a webhook, and claim it if it is new."""
        with self._lock:
            if uuid in self._done:
                return "done"
            if uuid in self._claimed:
                return "busy"
            self._claimed.add(uuid)
            return "new"

    def mark_done(self, uuid: str) -> None:
        """Record that a webhook was handled. Forget the oldest one if the store is full."""
        with self._lock:
            self._claimed.discard(uuid)
            self._done[uuid] = None
            if len(self._done) > self._size:
                self._done.popitem(last=False)

    def release(self, uuid: str) -> None:
        """Drop a claim."""
        with self._lock:
            self._claimed.discard(uuid)

    def __len__(self) -> int:
        return len(self._done)
