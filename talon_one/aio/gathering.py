"""gather, many calls of which only so many are under way at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from functools import partial
from typing import Generic, TypeVar

from talon_one.exceptions import ApiTypeError

T = TypeVar("T")


class Gathered(Generic[T]):
    """What became of the calls of `gather`, by their numbers, counted from 0.

    Attributes:
        results: What calls returned.
        failures: What calls raised; `asyncio.CancelledError` for one that somebody cancelled.
        stopped: Whether it ended before all calls were taken; of an iterator, before it was known
            that there are no more.
    """

    def __init__(
        self, results: dict[int, T], failures: dict[int, BaseException], stopped: bool
    ) -> None:
        self.results = results
        self.failures = failures
        self.stopped = stopped

    def values(self) -> list[T]:
        """Return what the calls returned, in their order.

        Raises:
            BaseException: What the first of those that failed raised.
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
    """Carry out calls, a limited number of them at once, and return what became of each.

    A call is taken when there is room for it, so that a generator of millions is consumed
    little by little. A call that has begun is never given up, because the server may carry it
    out: who stops early gets the results of those under way as well. Only cancelling `gather`
    itself cancels them.

    Args:
        calls: Coroutines, such as ``api.get_customer_session("order-1")``, or functions that
            return one.
        limit: How many may be under way at once, at least 1.
        stop_on_failure: Begin no further calls once one has failed.
        stop: Begin no further calls once this is set.

    Raises:
        ApiTypeError: *limit* is no number above 0.
        Exception: Whatever the iterator of *calls* raises, once the calls under way have ended.
    """
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        _drop(calls, enumerate(calls))
        raise ApiTypeError(f"limit is a number of calls, at least 1, not {limit!r}")
    results: dict[int, T] = {}
    failures: dict[int, BaseException] = {}
    under_way: set[asyncio.Future[T]] = set()
    room = asyncio.Semaphore(limit)
    numbered = enumerate(calls)

    def halted() -> bool:
        return bool(stop_on_failure and failures) or (stop is not None and stop.is_set())

    def end(number: int, call: asyncio.Future[T]) -> None:
        under_way.discard(call)
        room.release()
        if call.cancelled():
            failures[number] = asyncio.CancelledError()
        elif (failure := call.exception()) is not None:
            failures[number] = failure
        else:
            results[number] = call.result()

    async def begin() -> bool:
        """Begin calls until there are no more, or no more are wanted; say which."""
        while not halted():
            await room.acquire()
            if halted():
                break
            for number, call in numbered:
                try:
                    begun = asyncio.ensure_future(_begun(call))
                except Exception as failure:  # Whatever it is, it is that call's alone.
                    failures[number] = failure
                    room.release()
                else:
                    under_way.add(begun)
                    begun.add_done_callback(partial(end, number))
                break
            else:
                return False
        return True

    try:
        more = await begin()
    except asyncio.CancelledError:
        _cancel(under_way)
        raise
    finally:
        try:
            await _settle(under_way)
        finally:
            left = _drop(calls, numbered)
    return Gathered(dict(sorted(results.items())), dict(sorted(failures.items())), more and left)


def _begun(call: Awaitable[T] | Callable[[], Awaitable[T]]) -> Awaitable[T]:
    if isinstance(call, Awaitable):
        return call
    if callable(call):
        return call()
    raise ApiTypeError(f"a call is a coroutine or a function that returns one, not {call!r}")


async def _settle(calls: set[asyncio.Future[T]]) -> None:
    """Wait until all of them have ended; who is cancelled meanwhile cancels them."""
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


def _drop(calls: object, numbered: Iterator[tuple[int, object]]) -> bool:
    """Let go of the calls that were not begun and say whether there were any."""
    if isinstance(calls, Iterator):
        # It may be endless, so it is not asked whether there is more.
        return True
    rest = [call for _, call in numbered]
    for call in rest:
        if isinstance(call, Coroutine):
            # Otherwise Python warns that nobody awaited it.
            call.close()
    return bool(rest)
