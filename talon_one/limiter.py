"""How often an endpoint may be called: so many times a second, whoever calls it.

The Management API admits 3 requests a second for each endpoint, and answers the rest with 429.
Those are repeated after a pause, but an iteration or bulk work that knows the limit does better
than to run into it again and again. Single calls are not limited.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiTypeError

if TYPE_CHECKING:
    from talon_one._core.base_client import BaseClient
    from talon_one._core.operation import Operation

_LIMITED = "management_key"


class Limiter:
    """Spreads the calls of each endpoint over time. No I/O: it says how long to wait.

    In no interval of the given length are more calls begun than allowed. Those that are within the
    limit go out at once, the next one waits until the first of them is old enough. May be shared
    by threads, by tasks and by clients.

    Args:
        calls: How many calls of one endpoint may begin in an interval.
        seconds: Length of the interval.
        clock: Seconds that only ever go forward.

    Raises:
        ApiTypeError: *calls* is not a whole number above 0, or *seconds* is not above 0.
    """

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
        self._begun: dict[str, deque[float]] = {}
        self._lock = threading.Lock()
        _limiters.add(self)

    def reserve(self, endpoint: str) -> float:
        """Take the next free moment for a call of *endpoint*.

        Args:
            endpoint: What is limited by itself, such as the ID of an operation.

        Returns:
            Seconds to wait before the call is made; 0 if it may be made at once.
        """
        with self._lock:
            begun = self._begun.setdefault(endpoint, deque(maxlen=self._calls))
            now = self._clock()
            # What is in the deque may lie in the future: a moment that somebody waits for.
            full = len(begun) == self._calls
            moment = max(now, begun[0] + self._seconds) if full else now
            begun.append(moment)
            return moment - now

    def __repr__(self) -> str:
        return f"<Limiter {self._calls} calls in {self._seconds:g} s for each endpoint>"


_limiters: weakref.WeakSet[Limiter] = weakref.WeakSet()
_by_client: weakref.WeakKeyDictionary[BaseClient, Limiter] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def limiter_of(client: BaseClient, operation: Operation) -> Limiter | None:
    """Return what limits the calls of an operation, unless its caller wants something else.

    All that one client does in the Management API shares a limiter; the Integration API has none.
    """
    if _LIMITED not in operation.security:
        return None
    with _lock:
        return _by_client.setdefault(client, Limiter())


def _reset_clients_after_fork() -> None:
    # A lock that another thread of the parent held would never be released.
    global _lock
    _lock = threading.Lock()
    for limiter in list(_limiters):
        limiter._lock = threading.Lock()


if hasattr(os, "register_at_fork"):  # Not on Windows, which has no fork.
    os.register_at_fork(after_in_child=_reset_clients_after_fork)
