"""Exchange: the state of one attempt: what was sent, the time left, its slot in the pool."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from talon_one._core.timeout import Timeout
    from talon_one._http.fair_queue import Lease


class Exchange:
    """One attempt, passed as an argument from the transport to the pool and to the connection.

    It is passed explicitly. State kept per thread would be mixed up by greenlets, and by signal
    handlers that make calls.

    A socket timeout limits a single step, and a trickling server can take any number of steps. With
    a deadline, each step therefore gets no more than the time left.

    Args:
        timeout: Limits of the steps; its deadline counts from now.
        fresh: Whether the attempt needs a new connection.

    Attributes:
        sent: Whether any of the request may have reached the server. ``True`` until a connection of
            ours is used, because a patched connection does not report it.
        connecting: Whether a connection is being made, during which only a proxy gets data.
        reused: Whether the connection had served other calls before.
        lease: The leased slot of the pool, once there is one.
        ends: `time.monotonic` at the deadline, if there is one.
        pool_timeout: Seconds to wait for a slot of the pool.
    """

    __slots__ = ("connecting", "deadline", "fresh", "lease", "pool_timeout", "reused", "sent")

    def __init__(self, timeout: Timeout, fresh: bool = False) -> None:
        self.sent = True
        self.connecting = False
        self.reused = False
        self.fresh = fresh
        self.lease: Lease | None = None
        self.pool_timeout = timeout.connect
        deadline = timeout.deadline
        self.deadline = None if deadline is None else time.monotonic() + deadline

    @property
    def time_is_up(self) -> bool:
        """Whether the deadline has passed."""
        return self.deadline is not None and time.monotonic() >= self.deadline

    def within(self, seconds: float | None) -> float | None:
        """Return the timeout of a step: *seconds*, or the time left if that is less.

        Raises:
            TimeoutError: The deadline has passed.
        """
        if self.deadline is None:
            return seconds
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left if seconds is None else min(seconds, left)

    def release(self) -> None:
        """Free the slot of the pool, if it holds one."""
        if self.lease is not None:
            self.lease.release()
