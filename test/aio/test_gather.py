"""gather: many calls, with a limit on those in flight."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.echo import Echo
from support.server import RecordingServer, Response
from talon_one import ApiTypeError, NotFoundException, aio
from talon_one.aio import Gathered, gather

asynchronous = pytest.mark.asyncio


class CallRecorder:
    """Make calls, and record them."""

    def __init__(self) -> None:
        self.started: list[int] = []
        self.ended: list[int] = []
        self.max_in_flight = 0
        self.gate = asyncio.Event()

    async def call(self, number: int, fails: bool = False, steps: int = 1) -> int:
        self.started.append(number)
        self.max_in_flight = max(self.max_in_flight, len(self.started) - len(self.ended))
        try:
            for _ in range(steps):
                await asyncio.sleep(0)
            if fails:
                raise ZeroDivisionError(number)
            return number
        finally:
            self.ended.append(number)

    async def wait(self, number: int) -> int:
        self.started.append(number)
        await self.gate.wait()
        return number


@asynchronous
async def test_results_are_in_the_order_of_the_calls() -> None:
    recorder = CallRecorder()
    found = await gather(recorder.call(each, steps=20 - each) for each in range(20))
    assert found.values() == list(range(20))
    assert found.results == dict(enumerate(range(20)))
    assert (found.failures, found.stopped) == ({}, False)
    assert recorder.ended != sorted(recorder.ended)
    assert repr(found) == "<Gathered 20 results, 0 failures>"


@asynchronous
@pytest.mark.parametrize("limit", [1, 3, 50])
async def test_the_limit_bounds_the_calls_in_flight(limit: int) -> None:
    recorder = CallRecorder()
    found = await gather(
        (recorder.call(each, steps=1 + each % 5) for each in range(40)), limit=limit
    )
    assert len(found.results) == 40
    assert recorder.max_in_flight == min(limit, 40)


@asynchronous
async def test_ten_calls_are_in_flight_by_default() -> None:
    recorder = CallRecorder()
    await gather(recorder.call(each, steps=3) for each in range(40))
    assert recorder.max_in_flight == 10


@asynchronous
async def test_functions_that_return_awaitables_are_accepted() -> None:
    recorder = CallRecorder()
    calls: list[Callable[[], Awaitable[int]]] = [lambda: recorder.call(1), lambda: recorder.call(2)]
    assert (await gather(calls)).values() == [1, 2]
    futures = [asyncio.ensure_future(recorder.call(3))]
    assert (await gather(futures)).values() == [3]


@asynchronous
async def test_a_generator_is_consumed_as_calls_end() -> None:
    recorder = CallRecorder()
    taken: list[int] = []

    def calls() -> Iterator[Awaitable[int]]:
        for number in range(1_000):
            taken.append(number)
            yield recorder.wait(number)

    running = asyncio.ensure_future(gather(calls(), limit=4))
    for _ in range(20):
        await asyncio.sleep(0)
    assert taken == recorder.started == [0, 1, 2, 3]
    recorder.gate.set()
    assert len((await running).results) == 1_000


@asynchronous
async def test_failures_are_kept_beside_the_results() -> None:
    recorder = CallRecorder()
    found = await gather(recorder.call(each, fails=each % 3 == 1) for each in range(6))
    assert found.results == {0: 0, 2: 2, 3: 3, 5: 5}
    assert [str(found.failures[each]) for each in (1, 4)] == ["1", "4"]
    assert not found.stopped
    with pytest.raises(ZeroDivisionError, match="1"):
        found.values()


@asynchronous
@pytest.mark.parametrize("lazy", [True, False])
async def test_stop_on_failure_starts_no_further_call(lazy: bool) -> None:
    recorder = CallRecorder()
    made = (recorder.call(each, fails=each == 2) for each in range(100))
    found = await gather(made if lazy else list(made), limit=2, stop_on_failure=True)
    assert list(found.failures) == [2]
    assert found.stopped
    assert recorder.started == recorder.ended == sorted(recorder.started)
    # The other call in flight ended normally.
    assert {*found.results} | {2} == {*recorder.started}
    assert len(recorder.started) < 6
    assert "stopped" in repr(found)


@asynchronous
async def test_an_event_stops_it_and_keeps_the_results() -> None:
    recorder = CallRecorder()
    stop = asyncio.Event()

    def calls() -> Iterator[Awaitable[int]]:
        for number in range(100):
            if number == 10:
                stop.set()
            yield recorder.call(number)

    found = await gather(calls(), limit=3, stop=stop)
    assert found.stopped
    assert 10 <= len(found.results) <= 13
    assert found.values() == list(range(len(found.results)))


@asynchronous
async def test_an_event_that_is_already_set_starts_nothing() -> None:
    recorder = CallRecorder()
    stop = asyncio.Event()
    stop.set()
    found = await gather([recorder.call(1), recorder.call(2)], stop=stop)
    assert (found.results, found.stopped, recorder.started) == ({}, True, [])
    assert not (await gather([], stop=stop)).stopped


@asynchronous
async def test_cancelling_it_cancels_its_calls() -> None:
    recorder = CallRecorder()
    running = asyncio.ensure_future(gather((recorder.wait(each) for each in range(9)), limit=3))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert recorder.started == [0, 1, 2]
    assert asyncio.all_tasks() == {asyncio.current_task()}


@asynchronous
async def test_calls_that_were_not_started_cause_no_warning() -> None:
    recorder = CallRecorder()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stopped = [recorder.call(each, fails=True) for each in range(20)]
        await gather(stopped, limit=2, stop_on_failure=True)
        cancelled = [recorder.wait(each) for each in range(20)]
        running = asyncio.ensure_future(gather(cancelled, limit=2))
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        del stopped, cancelled, running
        gc.collect()


@asynchronous
async def test_an_exception_from_the_iterator_waits_for_calls_in_flight() -> None:
    recorder = CallRecorder()

    def calls() -> Iterator[Awaitable[int]]:
        yield recorder.call(0, steps=10)
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        await gather(calls(), limit=3)
    assert recorder.started == recorder.ended == [0]
    assert asyncio.all_tasks() == {asyncio.current_task()}


@asynchronous
@pytest.mark.parametrize("limit", [0, -1, 1.5, "2", None])
async def test_an_invalid_limit_is_rejected(limit: Any) -> None:
    with pytest.raises(ApiTypeError, match="limit is a number of calls, at least 1"):
        await gather([], limit=limit)


@asynchronous
async def test_a_value_that_is_not_a_call_is_a_failure() -> None:
    calls: list[Any] = [None]
    found = await gather(calls)
    with pytest.raises(ApiTypeError, match="a call is a coroutine or a function"):
        found.values()


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 4)), max_size=12),
    st.integers(1, 5),
    st.booleans(),
)
def test_every_call_has_a_result_or_a_failure_or_was_not_started(
    calls: list[tuple[bool, int]], limit: int, stopping: bool
) -> None:
    async def run() -> None:
        recorder = CallRecorder()
        made = [recorder.call(at, *each) for at, each in enumerate(calls)]
        found: Gathered[int] = await gather(made, limit=limit, stop_on_failure=stopping)
        assert (
            sorted([*found.results, *found.failures])
            == sorted(recorder.started)
            == sorted(recorder.ended)
        )
        assert all(number == result for number, result in found.results.items())
        assert recorder.max_in_flight <= limit
        assert found.stopped == (len(recorder.started) < len(calls))
        assert not found.stopped or (stopping and found.failures)

    asyncio.run(run())


@asynchronous
async def test_calls_of_an_api_are_gathered(client: aio.ApiClient, server: RecordingServer) -> None:
    server.default = Echo()
    api = aio.IntegrationApi(client)
    found = await gather((api.get_customer_session(str(each)) for each in range(30)), limit=5)
    sessions = [state.customer_session for state in found.values()]
    assert [each and each.integration_id for each in sessions] == [str(each) for each in range(30)]
    assert server.most_at_once <= 5


@asynchronous
async def test_a_failing_call_does_not_affect_the_others(
    client: aio.ApiClient, server: RecordingServer
) -> None:
    server.script(Response(body={}), Response(404, {"message": "unknown"}), Response(body={}))
    api = aio.IntegrationApi(client)
    found = await gather([api.get_customer_session(each) for each in "abc"], limit=1)
    assert list(found.results) == [0, 2]
    assert isinstance(found.failures[1], NotFoundException)
