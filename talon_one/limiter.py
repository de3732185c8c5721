"""Rate limits: how many calls of one endpoint may start in an interval.

The Management API allows 3 requests a second for each endpoint and rejects the rest with status
429. The client retries those after a backoff. Iterations and bulk jobs know the limit and pause
before they reach it. Single calls are not limited.

Processes that work on parts of a job divide a limit (`Limiter.divide`), or share it
(`talon_one.bulk.SharedLimiter`).
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

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
        self._delay = 0.0
        """Seconds before the first call of an endpoint."""
        self._starts: dict[str, deque[float]] = {}
        self._held: dict[str, float] = {}
        """When the calls of an endpoint may go on, after `back_off`."""
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
        with self._lock():
            now = self._clock()
            starts = self._starts.get(endpoint)
            earliest = self._held.get(endpoint, now)
            if starts is None:
                starts = self._starts[endpoint] = deque(maxlen=self._calls)
                earliest = max(earliest, now + self._delay)
            # Start times may lie in the future: calls that are still waiting have reserved them.
            elif len(starts) == self._calls:
                earliest = max(earliest, starts[0] + self._seconds)
            start = max(now, earliest)
            starts.append(start)
            return start - now

    def back_off(self, endpoint: str, seconds: float) -> None:
        """Let no call of *endpoint* start for a while, as ``Retry-After`` of a response asks.

        Calls that wait already are not held back.

        Args:
            endpoint: As for `reserve`.
            seconds: How long. A shorter pause does not cut a longer one short.
        """
        with self._lock():
            until = self._clock() + seconds
            self._held[endpoint] = max(self._held.get(endpoint, until), until)

    def divide(self, parts: int, part: int = 0) -> Limiter:
        """Return a limiter for one of several processes that together keep this limit.

        Each starts a call in every *parts*-th slot, so they never start calls in the same moment if
        they begin together. What one of them does not use is lost to the others.

        Args:
            parts: How many processes make calls at the same time.
            part: Which of them this is: 0 is the first to start a call.

        Raises:
            ApiTypeError: *parts* is not a whole number above 0, or *part* not one from 0.
        """
        if isinstance(parts, bool) or not isinstance(parts, int) or parts < 1:
            raise ApiTypeError(f"parts is a whole number above 0, not {quoted(parts)}")
        if isinstance(part, bool) or not isinstance(part, int) or part < 0:
            raise ApiTypeError(f"part is a whole number from 0, not {quoted(part)}")
        slot = self._seconds / self._calls
        divided = Limiter(1, slot * parts, self._clock)
        divided._delay = slot * (part % parts)
        return divided

    @classmethod
    def per_second(cls, calls: float) -> Limiter:
        """Return the limiter of a number of calls a second, which may be a fraction.

        A fraction below 1 is one call in several seconds. Calls are spread evenly, without bursts.

        Args:
            calls: Number of calls of one endpoint, above 0.

        Raises:
            ApiTypeError: *calls* is not a number above 0.
        """
        if isinstance(calls, bool) or not isinstance(calls, (int, float)) or not calls > 0:
            raise ApiTypeError(f"calls is a number above 0, not {quoted(calls)}")
        return Limiter(1, 1 / calls)

    def _lock(self) -> threading.Lock:
        return self._locks.setdefault(os.getpid(), threading.Lock())

    def __getstate__(self) -> dict[str, Any]:
        # Another process has other clocks and locks, and has started no calls.
        return {**self.__dict__, "_starts": {}, "_held": {}, "_locks": {}}

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} {self._calls} calls in {self._seconds:g} s for each endpoint>"
        )


class NoLimit(Limiter):
    """A limiter that holds calls back only as long as the server asks."""

    def reserve(self, endpoint: str) -> float:
        """Return 0, or the seconds that `back_off` asks to wait."""
        held = self._held.get(endpoint)
        return 0.0 if held is None else max(0.0, held - self._clock())

    def __repr__(self) -> str:
        return "<NoLimit>"


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
