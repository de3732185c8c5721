"""Rate limits: how many calls of one endpoint may start in an interval.

The Management API allows 3 requests a second for each endpoint and rejects the rest with status
429. The client retries those after a backoff. Iterations and bulk jobs know the limit and pause
before they reach it. Single calls are not limited.

Processes that work on parts of a job divide a limit (`Limiter.divide`), or share it
(`talon_one.bulk.SharedLimiter`).
"""

from __future__ import annotations

import math
import os
import sys
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
# Parts of an interval.
_TOLERANCE = 1e-6


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
        ApiTypeError: *calls* is not a whole number above 0, or *seconds* not a finite number above
            0.
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
        if calls > sys.maxsize:
            raise ApiTypeError(f"calls is too large: {quoted(calls)}")
        self._calls = calls
        self._seconds = _checked_number("seconds", seconds, above=True)
        self._clock = clock
        self._offset = 0.0
        """Seconds by which the slots of a divided limit come after those of its first part."""
        self._origin: float | None = None
        """Reading of the clock at which a slot of a divided limit begins."""
        self._starts: dict[str, deque[float]] = {}
        self._held: dict[str, float] = {}
        """When the calls of an endpoint may go on, after `back_off`."""
        # One lock per process: a fork copies locks that threads of the parent hold, and nothing in
        # the child would release them.
        self._locks: dict[int, threading.Lock] = {}

    @property
    def rate(self) -> float:
        """Calls of one endpoint that may start in a second, on average."""
        return self._calls / self._seconds

    def reserve(self, endpoint: str) -> float:
        """Reserve the next free start time for a call of *endpoint*.

        Args:
            endpoint: Name of what has a limit of its own, such as the ID of an operation.

        Returns:
            Seconds to wait before the call; 0 if it may start now.
        """
        with self._lock():
            now = self._clock()
            starts = self._starts.setdefault(endpoint, deque(maxlen=self._calls))
            start = max(now, self._held.get(endpoint, now))
            # Start times may lie in the future: calls that are still waiting have reserved them.
            if len(starts) == self._calls:
                start = max(start, starts[0] + self._seconds)
            start = self._slot(start)
            starts.append(start)
            return max(0.0, start - now)

    def _slot(self, earliest: float) -> float:
        """Return when a call starts that may start at *earliest*, or later."""
        return earliest

    def back_off(self, endpoint: str, seconds: float) -> None:
        """Let no call of *endpoint* start for a while, as ``Retry-After`` of a response asks.

        Args:
            endpoint: As for `reserve`.
            seconds: How long. A shorter pause does not cut a longer one short.

        Raises:
            ApiTypeError: *seconds* is not a number from 0.
        """
        seconds = checked_pause(seconds)
        with self._lock():
            until = self._clock() + seconds
            self._held[endpoint] = max(self._held.get(endpoint, until), until)

    def held_until(self, endpoint: str) -> float:
        """Return until when `back_off` lets no call of *endpoint* start, as a time of the clock.

        A call reads it before it reserves its start, and again once it has waited for that. If it
        has changed, a response has asked to wait meanwhile, and the call has to reserve another
        start.

        Args:
            endpoint: As for `reserve`.

        Returns:
            The time, which may have passed; minus infinity if there was none.
        """
        return self._held.get(endpoint, -math.inf)

    def divide(self, parts: int, part: int = 0) -> Limiter:
        """Return a limiter for one of several processes that together keep this limit.

        Each starts calls in every *parts*-th slot of the limit. Slots are counted by the system
        time, so that those of different machines do not meet as long as their clocks agree. What a
        process does not use is lost to the others. A `Limiter` with a *clock* of its own counts
        them by that.

        Args:
            parts: How many processes make calls at the same time.
            part: Which of them this is, counted from 0: each needs another number. Numbers from
                *parts* begin again with the first slot.

        Raises:
            ApiTypeError: *parts* is not a whole number above 0, or *part* not one from 0.
        """
        if isinstance(parts, bool) or not isinstance(parts, int) or parts < 1:
            raise ApiTypeError(f"parts is a whole number above 0, not {quoted(parts)}")
        if isinstance(part, bool) or not isinstance(part, int) or part < 0:
            raise ApiTypeError(f"part is a whole number from 0, not {quoted(part)}")
        slot = self._seconds / self._calls
        length = _checked_number("the interval of a part", slot * _as_float("parts", parts), True)
        divided = _Divided(1, length, self._clock)
        divided._offset = self._offset + slot * (part % parts)
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
        seconds = 1 / _checked_number("calls", calls, above=True)
        if seconds == math.inf:
            raise ApiTypeError(f"calls is a number above 0, not {quoted(calls)}")
        return Limiter(1, seconds)

    def _lock(self) -> threading.Lock:
        return self._locks.setdefault(os.getpid(), threading.Lock())

    def __getstate__(self) -> dict[str, Any]:
        # Another process has other clocks and locks, and has started no calls.
        return {**self.__dict__, "_origin": None, "_starts": {}, "_held": {}, "_locks": {}}

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} {self._calls} calls in {self._seconds:g} s for each endpoint>"
        )


class _Divided(Limiter):
    """Slots that come at the same distance from each other, wherever a process begins to count."""

    def _slot(self, earliest: float) -> float:
        # The system time may be set while calls are made, so only its first reading counts.
        if self._origin is None:
            by_system = self._clock is time.monotonic
            shift = time.monotonic() - time.time() if by_system else 0.0
            self._origin = (self._offset + shift) % self._seconds
        # A start that is later than its slot only because floats are not exact belongs there.
        inexact = 8 * math.ulp(earliest) / self._seconds + _TOLERANCE
        if inexact >= 1:  # The clock does not tell such slots apart.
            return earliest
        number = math.ceil((earliest - self._origin) / self._seconds - inexact)
        return self._origin + number * self._seconds


class NoLimit(Limiter):
    """A limiter that holds calls back only as long as the server asks."""

    @property
    def rate(self) -> float:
        """Infinity."""
        return math.inf

    def reserve(self, endpoint: str) -> float:
        """Return 0, or the seconds that `back_off` asks to wait."""
        return max(0.0, self.held_until(endpoint) - self._clock())

    def divide(self, parts: int, part: int = 0) -> Limiter:
        """Return another one, because a part of no limit is none; see `Limiter.divide`."""
        super().divide(parts, part)
        return NoLimit(clock=self._clock)

    def __repr__(self) -> str:
        return "<NoLimit>"


def checked_pause(seconds: Any) -> float:
    """Return the argument of `Limiter.back_off`.

    Raises:
        ApiTypeError: It is not a number from 0.
    """
    return _checked_number("seconds", seconds)


def _checked_number(name: str, number: Any, above: bool = False) -> float:
    """Return a finite number from 0, or *above* 0."""
    valid = isinstance(number, (int, float)) and not isinstance(number, bool)
    if not (valid and 0 <= number < math.inf and (number or not above)):
        lowest = "above" if above else "from"
        raise ApiTypeError(f"{name} is a number {lowest} 0, not {quoted(number)}")
    return _as_float(name, number)


def _as_float(name: str, number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        raise ApiTypeError(f"{name} is too large: {quoted(number)}") from None


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
