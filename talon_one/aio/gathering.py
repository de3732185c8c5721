"""gather: run many asyncio calls with a limit on those in flight."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from functools import partial
from typing import Generic, TypeVar

from talon_one.exceptions import ApiTypeError

T = TypeVar("T")


class Gathered(Generic[T]):
    """Results and failures of the calls of `gather`, by their numbers, counted from 0.

    Attributes:
        results: Return values of calls.
        failures: Exceptions of calls; `asyncio.CancelledError` for a call that was cancelled.
        stopped: Whether `gather` ended before all calls were started. If *calls* is an iterator,
            it may have had no more.
    """

    def __init__(
        self, results: dict[int, T], failures: dict[int, BaseException], stopped: bool
    ) -> None:
        self.results = results
        self.failures = failures
        self.stopped = stopped

    def values(self) -> list[T]:
        """Return the results in the order of the calls.

        Raises:
            BaseException: The exception of the first call that failed, if any.
        """
        for number in sorted(self.failures):
            raise self.failures[number]
        return list(self.results.values())

    def __repr__(self) -> str:
        stopped = ", stopped" if self.stopped else ""
        return f"<Gathered {len(self.results)} results, {len(self.failures)} failures{stopped}>"


async def gather(
    calls: Iterable[Awaitable[T] | Callable[[], Awaitable[T]]],
    *,
    limit: int = 10,
    stop_on_failure: bool = False,
    stop: asyncio.Event | None = None,
) -> Gathered[T]:
    """Run calls, a limited number of them at the same time, and return the outcome of each.

    The next call is taken when another one ends, so a generator of millions is consumed as needed.
    Stopping early does not cancel calls in flight, because the server may carry them out; their
    outcomes are returned as well. Only cancelling `gather` itself cancels them.

    Args:
        calls: Coroutines, such as ``api.get_customer_session("order-1")``, or functions that
            return one.
        limit: How many calls may be in flight at the same time, at least 1.
        stop_on_failure: Start no further call after one has failed.
        stop: Start no further call after this event is set.

    Raises:
        ApiTypeError: *limit* is not a whole number above 0.
        Exception: The iterator of *calls* raised it; calls in flight have ended before.
    """
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        _close_rest(calls, enumerate(calls))
        raise ApiTypeError(f"limit is a number of calls, at least 1, not {limit!r}")
    results: dict[int, T] = {}
    failures: dict[int, BaseException] = {}
    in_flight: set[asyncio.Future[T]] = set()
    free = asyncio.Semaphore(limit)
    numbered = enumerate(calls)

    def stopped() -> bool:
        return bool(stop_on_failure and failures) or (stop is not None and stop.is_set())

    def record(number: int, call: asyncio.Future[T]) -> None:
        in_flight.discard(call)
        free.release()
        if call.cancelled():
            failures[number] = asyncio.CancelledError()
        elif (failure := call.exception()) is not None:
            failures[number] = failure
        else:
            results[number] = call.result()

    async def start() -> bool:
        """Start calls; return whether it stopped before there were no more."""
        while not stopped():
            await free.acquire()
            if stopped():
                break
            for number, call in numbered:
                try:
                    started = asyncio.ensure_future(_awaitable(call))
                except Exception as failure:  # A function of the caller may raise anything.
                    failures[number] = failure
                    free.release()
                else:
                    in_flight.add(started)
                    started.add_done_callback(partial(record, number))
                break
            else:
                return False
        return True

    try:
        more = await start()
    except asyncio.CancelledError:
        _cancel(in_flight)
        raise
    finally:
        try:
            await _drain(in_flight)
        finally:
            left = _close_rest(calls, numbered)
    return Gathered(dict(sorted(results.items())), dict(sorted(failures.items())), more and left)


def _awaitable(call: Awaitable[T] | Callable[[], Awaitable[T]]) -> Awaitable[T]:
    if isinstance(call, Awaitable):
        return call
    if callable(call):
        return call()
    raise ApiTypeError(f"a call is a coroutine or a function that returns one, not {call!r}")


async def _drain(calls: set[asyncio.Future[T]]) -> None:
    """Wait until all calls have ended. If this is cancelled, cancel them and wait on."""
    try:
        while calls:
            await asyncio.wait(list(calls))
    except asyncio.CancelledError:
        _cancel(calls)
        while calls:
            await asyncio.wait(list(calls))
        raise


def _cancel(calls: set[asyncio.Future[T]]) -> None:
    for each in list(calls):
        each.cancel()


def _close_rest(calls: object, numbered: Iterator[tuple[int, object]]) -> bool:
    """Close the calls that were not started; return whether there were any."""
    if isinstance(calls, Iterator):
        # It may be infinite, so it is not consumed.
        return True
    rest = [call for _, call in numbered]
    for call in rest:
        if isinstance(call, Coroutine):
            # Otherwise Python warns that it was never awaited.
            call.close()
    return bool(rest)
