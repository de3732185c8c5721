"""A stack of free connections that serves those who wait for one in the order they came."""

from __future__ import annotations

import threading
from collections import deque
from queue import Empty, Full
from typing import Any


class FairStack:
    """What urllib3 keeps its free connections in, in the place of `queue.LifoQueue`.

    There, whoever comes by at the right moment takes what others are waiting for. When many
    threads share few connections, some wait until their time is up while others make a thousand
    calls. Here, what comes back is handed to the one who has waited longest.

    Args:
        maxsize: How many items it may hold.
    """

    def __init__(self, maxsize: int) -> None:
        self.maxsize = maxsize
        self._items: list[Any] = []
        self.start_anew()

    def start_anew(self) -> list[Any]:
        """Return all items and go on without them, nor those who wait, nor the lock they hold."""
        items, self._items = self._items, []
        self._waiting: deque[_Waiter] = deque()
        self._lock = threading.Lock()
        return items

    def qsize(self) -> int:
        """Return how many items there are."""
        return len(self._items)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take the item that was put last, or wait for one.

        Raises:
            queue.Empty: There is none, or was none in time.
        """
        with self._lock:
            if self._items:
                return self._items.pop()
            if not block:
                raise Empty
            waiter = _Waiter()
            self._waiting.append(waiter)
        try:
            in_time = waiter.served.acquire(timeout=-1 if timeout is None else timeout)
        except BaseException:
            # Ctrl-C: what was handed over meanwhile must not get lost.
            if not self._leave(waiter):
                self.put(waiter.item)
            raise
        if not in_time and self._leave(waiter):
            raise Empty
        return waiter.item

    def put(self, item: Any, block: bool = True) -> None:
        """Hand an item to whoever has waited longest, or keep it.

        Raises:
            queue.Full: There are as many as it may hold; it never waits until there are fewer.
        """
        with self._lock:
            if self._waiting:
                waiter = self._waiting.popleft()
                waiter.item = item
                waiter.served.release()
            elif len(self._items) < self.maxsize:
                self._items.append(item)
            else:
                raise Full

    def _leave(self, waiter: _Waiter) -> bool:
        """Stop waiting; ``False`` if an item came at the last moment."""
        with self._lock:
            if waiter not in self._waiting:
                return False
            self._waiting.remove(waiter)
            return True


class _Waiter:
    __slots__ = ("item", "served")

    def __init__(self) -> None:
        self.item: Any = None
        self.served = threading.Lock()
        self.served.acquire()
