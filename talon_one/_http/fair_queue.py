"""Slots of a connection pool: leased first come, first served; free when unreferenced."""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque
from contextlib import suppress
from queue import Empty
from types import BuiltinFunctionType
from typing import Any

# Seconds after which a waiter checks by itself: a wake-up is lost if an exception interrupts it.
_CHECK_INTERVAL = 0.05
# The same where waiting for a lock would block all greenlets of the thread.
_GREEN_CHECK_INTERVAL = 0.005


class FairQueue:
    """The idle connections of a pool, in place of the `queue.LifoQueue` of urllib3.

    `LifoQueue` is unfair: a newcomer may take the slot that others wait for, so that with many
    threads and few connections some time out while others make a thousand calls. Here, calls get
    slots in the order in which they asked. The most recently used idle connection is taken first.

    There is no lock, for two reasons. An exception from a signal handler may come between any two
    bytecodes, and would leave a lock taken, or a slot lost. And a signal handler may make a call
    while the interrupted call is in here. Each step is therefore a single atomic operation of a
    list, a deque or a set. A slot is an object that is handed over; one that is dropped on the way
    is garbage-collected, no longer counted, and replaced.

    Args:
        maxsize: How many slots there are.
    """

    def __init__(self, maxsize: int) -> None:
        self.maxsize = maxsize
        self._idle: list[Any] = []
        self.reset()

    def reset(self) -> list[Any]:
        """Reset to all slots free and no waiters; return the idle connections."""
        idle, self._idle = self._idle, []
        self._closed = False
        # Waiters are kept alive by their calls; one that is gone without leaving is skipped.
        self._waiting: deque[weakref.ref[_Waiter]] = deque()
        self._alive: set[weakref.ref[_Slot]] = set()
        self._free = [self._new_slot() for _ in range(self.maxsize)]
        return idle

    def close(self) -> None:
        """Make current and future waiters raise `queue.Empty`."""
        self._closed = True
        self._wake()

    # -- Slots ---------------------------------------------------------------------------------

    def lease(self, seconds: float | None = None) -> Lease:
        """Take a slot, or wait for one.

        Args:
            seconds: Maximum time to wait; ``None`` for no limit.

        Raises:
            queue.Empty: No slot became free in time, or the queue is closed.
        """
        if not self._waiting:
            slot = self._take()
            if slot is not None:
                return Lease(self, slot)
        return self._wait(seconds)

    def free(self, slot: _Slot) -> None:
        """Put a slot back; `Lease.release` calls this once."""
        # A lost slot may have been replaced twice; the surplus slot is dropped here.
        if len(self._alive) <= self.maxsize:
            self._free.append(slot)
        if self._waiting:
            self._wake()

    def _new_slot(self) -> _Slot:
        slot = _Slot()
        # The callback is implemented in C, so that no exception can interrupt it.
        self._alive.add(weakref.ref(slot, self._alive.discard))
        return slot

    def _take(self) -> _Slot | None:
        try:
            if self._free:
                return self._free.pop()
        except IndexError:  # Another thread was faster.
            pass
        if len(self._alive) < self.maxsize:
            slot = self._new_slot()
            # Another thread may have replaced the lost slot, too; then both try again.
            if len(self._alive) <= self.maxsize:
                return slot
        return None

    def _wait(self, seconds: float | None) -> Lease:
        ends = None if seconds is None else time.monotonic() + seconds
        waiter = _Waiter()
        place = weakref.ref(waiter)
        self._waiting.append(place)
        try:
            while True:
                if self._first() is waiter:
                    slot = self._take()
                    if slot is not None:
                        return Lease(self, slot)
                left = (
                    _CHECK_INTERVAL
                    if ends is None
                    else min(_CHECK_INTERVAL, ends - time.monotonic())
                )
                if left <= 0 or self._closed:
                    raise Empty
                waiter.wait(left)
        finally:
            self._waiting.remove(place)
            self._wake()

    def _first(self) -> _Waiter | None:
        """Return the first waiter."""
        while self._waiting:
            try:
                place = self._waiting[0]
            except IndexError:  # Another thread was faster.
                break
            waiter = place()
            if waiter is not None:
                return waiter
            with suppress(ValueError):  # Another thread was faster.
                self._waiting.remove(place)
        return None

    def _wake(self) -> None:
        waiter = self._first()
        if waiter is not None and waiter.woken.locked():
            with suppress(RuntimeError):  # Another thread was faster.
                waiter.woken.release()

    # -- Idle connections, by the names that urllib3 uses -----------------------------------------

    def put(self, connection: Any, block: bool = True) -> None:
        """Add an idle connection; ``None``, which urllib3 uses for a slot, is ignored."""
        if connection is not None:
            self._idle.append(connection)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take the most recently used idle connection; never waits.

        Raises:
            queue.Empty: There is none.
        """
        try:
            return self._idle.pop()
        except IndexError:
            raise Empty from None

    def has_room(self) -> bool:
        """Return whether another connection may be opened beside the idle ones."""
        return len(self._idle) <= len(self._free)

    def get_oldest(self) -> Any:
        """Take the least recently used idle connection; ``None`` if there is none."""
        try:
            return self._idle.pop(0)
        except IndexError:
            return None

    def qsize(self) -> int:
        """Return the number of idle connections."""
        return len(self._idle)

    def empty(self) -> bool:
        """Return whether there are no idle connections."""
        return not self._idle


class Lease:
    """A leased slot of a pool; it is free again on `release`, or when unreferenced."""

    __slots__ = ("_held",)

    def __init__(self, stack: FairQueue, slot: _Slot) -> None:
        # A list, because `list.pop` is atomic: of two releases, only one gets the slot.
        self._held = [(stack, slot)]

    def take(self) -> tuple[FairQueue, _Slot] | None:
        """Return the slot for the caller to free; ``None`` if it was taken before."""
        try:
            return self._held.pop() if self._held else None
        except IndexError:  # Another thread was faster.
            return None

    def release(self) -> None:
        """Free the slot, unless it was taken before."""
        held = self.take()
        if held is not None:
            stack, slot = held
            stack.free(slot)


class _Slot:
    """The right to use one connection."""

    __slots__ = ("__weakref__",)


class _Waiter:
    """A call that waits for a slot; its lock is released to wake it."""

    __slots__ = ("__weakref__", "woken")

    def __init__(self) -> None:
        self.woken = threading.Lock()
        self.woken.acquire()

    def wait(self, seconds: float) -> None:
        """Wait until woken, at most *seconds*."""
        if isinstance(time.sleep, BuiltinFunctionType) or not self._is_native:
            self.woken.acquire(timeout=seconds)
        else:
            # gevent has patched everything but threads.
            time.sleep(min(seconds, _GREEN_CHECK_INTERVAL))

    @property
    def _is_native(self) -> bool:
        return type(self.woken).__module__ == "_thread"
