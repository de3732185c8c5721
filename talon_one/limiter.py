"""Rate limits: how many calls of one endpoint may start in an interval.

The Management API allows 3 requests a second for each endpoint and rejects the rest with status
429. The client retries those after a backoff. Iterations and bulk jobs know the limit and pause
before they reach it. Single calls are not limited.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from talon_one._core.constructors import checks_arguments
from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiTypeError

if TYPE_CHECKING:
    from talon_one._core.base_client import BaseClient
    from talon_one._core.operation import Operation

_LIMITED_SCHEME = "management_key"


class Limiter:
    """Spread the calls of each endpoint over time. It computes pauses and does not sleep.

    No interval of the given length sees more calls start than allowed. Calls within the limit need
    no pause. The next call waits until the oldest of them has left the interval. Threads, tasks and
    clients may share a limiter.

    Args:
        calls: How many calls of one endpoint may start in an interval.
        seconds: Length of the interval.
        clock: Monotonic clock, in seconds.

    Raises:
        ApiTypeError: *calls* is not a whole number above 0, or *seconds* is not above 0.
    """

    @checks_arguments("(calls=3, seconds=1.0)")
    def __init__(
        self,
        calls: int = 3,
        seconds: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if isinstance(calls, bool) or not isinstance(calls, int) or calls < 1:
            raise ApiTypeError(f"calls is a whole number above 0, not {quoted(calls)}")
        if not isinstance(seconds, (int, float)) or not seconds > 0:
            raise ApiTypeError(f"seconds is a number above 0, not {quoted(seconds)}")
        self._calls = calls
        self._seconds = seconds
        self._clock = clock
        self._starts: dict[str, deque[float]] = {}
        # One lock per process: a fork copies locks that threads of the parent hold, and nothing in
        # the child would release them.
        self._locks: dict[int, threading.Lock] = {}

    def reserve(self, endpoint: str) -> float:
        """Reserve the next free start time for a call of *endpoint*.

        Args:
            endpoint: Name of what has a limit of its own, such as the ID of an operation.

        Returns:
            Seconds to wait before the call; 0 if it may start now.
        """
        with self._locks.setdefault(os.getpid(), threading.Lock()):
            starts = self._starts.setdefault(endpoint, deque(maxlen=self._calls))
            now = self._clock()
            # Start times may lie in the future: calls that are still waiting have reserved them.
            full = len(starts) == self._calls
            start = max(now, starts[0] + self._seconds) if full else now
            starts.append(start)
            return start - now

    def __repr__(self) -> str:
        return f"<Limiter {self._calls} calls in {self._seconds:g} s for each endpoint>"


def limiter_of(client: BaseClient, operation: Operation) -> Limiter | None:
    """Return the limiter that iterations and bulk jobs use for an operation by default.

    The client owns it, and it uses the clock of the client. All operations of the Management API
    share it; those of the Integration API have none.
    """
    if _LIMITED_SCHEME not in operation.security:
        return None
    new = Limiter(clock=client.clock.monotonic)
    limiter: Limiter = client._limiters.setdefault(_LIMITED_SCHEME, new)
    return limiter
