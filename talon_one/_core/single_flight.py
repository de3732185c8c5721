"""SingleFlight: callers that need the same work wait for the one that does it. No I/O.

Threads, tasks and event loops may mix.
"""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Generic, TypeVar

from talon_one.exceptions import ApiTimeoutError, OpenApiException

T = TypeVar("T")

Remaining = Callable[[], "float | None"]
"""Returns the seconds that a caller may still wait; ``None`` for any time."""


class WaitedTooLongError(Exception):
    """The time of a caller was up before another one had done the work; never raised to users."""


class _Landing(Generic[T]):
    """How the work ended."""

    def __init__(self, value: T | None, failure: BaseException | None) -> None:
        self._value = value
        self._failure = failure

    @property
    def shared(self) -> bool:
        """Whether it ends the wait of the others.

        A caller that ran out of time, or was interrupted, says nothing about the others.
        """
        shareable = isinstance(self._failure, OpenApiException)
        return self._failure is None or (
            shareable and not isinstance(self._failure, ApiTimeoutError)
        )

    def unwrap(self) -> T:
        """Return the value, or raise a copy of the failure: each caller gets a traceback."""
        if self._failure is not None:
            raise copy.copy(self._failure) from self._failure
        return self._value  # type: ignore[return-value]  # None only if T may be None


class _Flight(Generic[T]):
    """Work in progress."""

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.landed: Future[_Landing[T]] = Future()


class SingleFlight(Generic[T]):
    """Work by key; of all callers with the same key, the first one does it for the others.

    If it fails with an exception of this package, all fail with it. If it is interrupted, or its
    own time is up, the next one does the work.
    """

    def __init__(self) -> None:
        # A fork copies flights whose threads do not exist in the child, so keys name the process.
        self._flights: dict[tuple[int, Hashable], _Flight[T]] = {}

    def run(self, key: Hashable, work: Callable[[], T], remaining: Remaining) -> T:
        """Return the result of *work*, done here or by another caller.

        Raises:
            WaitedTooLongError: The time was up before the other caller had the result.
            BaseException: Whatever *work* raises.
        """
        place = os.getpid(), key
        while True:
            flight: _Flight[T] = _Flight()
            try:
                found = self._flights.setdefault(place, flight)
                if found is flight:
                    value = work()
                    self._land(place, flight, _Landing(value, None))
                    return value
            except BaseException as failure:
                self._land(place, flight, _Landing(None, failure))
                raise
            if found.thread == flight.thread:
                return work()  # A signal handler interrupted the caller that does the work.
            try:
                landing = found.landed.result(remaining())
            except FutureTimeoutError:
                raise WaitedTooLongError from None
            if landing.shared:
                return landing.unwrap()

    async def run_async(
        self, key: Hashable, work: Callable[[], Awaitable[T]], remaining: Remaining
    ) -> T:
        """Return the result of *work*, awaited here or by another task; see `run`."""
        import asyncio

        place = os.getpid(), key
        while True:
            flight: _Flight[T] = _Flight()
            try:
                found = self._flights.setdefault(place, flight)
                if found is flight:
                    value = await work()
                    self._land(place, flight, _Landing(value, None))
                    return value
            except BaseException as failure:
                self._land(place, flight, _Landing(None, failure))
                raise
            landed = asyncio.wrap_future(found.landed)
            done, _ = await asyncio.wait([landed], timeout=remaining())
            if not done:
                raise WaitedTooLongError
            landing = landed.result()
            if landing.shared:
                return landing.unwrap()

    def _land(self, place: tuple[int, Hashable], flight: _Flight[T], landing: _Landing[T]) -> None:
        """End a flight, unless it never began, and wake those that wait for it."""
        if self._flights.get(place) is flight:
            # In this order, so that an interruption in between leaves nobody waiting.
            if not flight.landed.done():
                flight.landed.set_result(landing)
            self._flights.pop(place, None)
