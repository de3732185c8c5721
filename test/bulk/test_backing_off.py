"""Requests that came too early (429), and servers that ask to wait."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import Mock

import pytest

import talon_one.aio.bulk
from bulk.parts import OK as ACCEPTED
from bulk.parts import Platform, api_of, rows_of, send
from bulk.runs import OK, RunBulk, memberships, profiles, refusing, sent_ids
from support.calls import KEYS
from support.platforms import needs_posix_signals
from support.server import Received, RecordingServer, Response
from support.timing import MockClock
from talon_one import Clock, Configuration, IntegrationApi, RawResponse, RetryPolicy, bulk
from talon_one._core.retry import Attempt, Outcome
from talon_one.bulk import operations
from talon_one.bulk.backing_off import BackOff
from talon_one.bulk.run import RequestNotStarted
from talon_one.bulk.thread_runner import ThreadRunner
from talon_one.limiter import Limiter

TOO_EARLY = Response(429, {"message": "slow down"})
FREE = 10**6


def test_rows_of_a_request_that_came_too_early_are_sent_again(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    for function, rows in (("upsert_profiles", profiles(4)), ("change_audiences", memberships(4))):
        server.clear()
        server.script(TOO_EARLY, OK, TOO_EARLY, TOO_EARLY)
        outcomes: list[str] = []
        found = run_bulk(
            function,
            rows,
            chunk_size=2,
            concurrency=1,
            limiter=Limiter(FREE),
            _retries=5,
            on_chunk=lambda result, outcomes=outcomes: outcomes.append(result.outcome),
        )
        assert found.summary[:3] == (4, 0, 0)
        assert found.summary.requests == len(server.requests) == 5
        assert outcomes == ["refused", "sent", "refused", "refused", "sent"]
        assert [len(ids) for ids in sent_ids(server)] == [2] * 5


def test_without_a_limiter_they_fail(run_bulk: RunBulk, server: RecordingServer) -> None:
    server.script(TOO_EARLY)
    found = run_bulk("change_audiences", memberships(4), chunk_size=2, limiter=False)
    assert found.summary[:3] == (2, 2, 0)
    assert len(server.requests) == 2


def test_after_a_429_no_request_starts_until_the_pause_is_over(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    arrived, refused = threading.Barrier(3), threading.Event()

    def respond(received: Received) -> Response:
        if len(server.requests) > 3 or refused.is_set():
            return OK
        # The others are accepted only when the job knows about the refusal.
        if arrived.wait(10) == 0:
            return Response(429, {}, {"Retry-After": "1000"})
        refused.wait(10)
        return OK

    server.default = respond
    found = run_bulk(
        "change_audiences",
        memberships(9),
        chunk_size=1,
        concurrency=3,
        limiter=Limiter(FREE),
        on_chunk=lambda result: refused.set() if result.outcome == "refused" else None,
    )
    assert found.summary.sent == 9
    assert len(server.requests) == 10
    # The one that was refused, and the six that came later. The clients of these tests do not
    # sleep, but note how long they would.
    assert 7 * 900 < sum(found.pauses) <= 7 * 1000


def runner(limiter: Limiter) -> ThreadRunner:
    operation = operations.audiences(IntegrationApi(host="https://a.test", api_key="k"))
    return ThreadRunner(operation, [], {"limiter": limiter})


def test_a_request_that_waits_already_is_held_back_too() -> None:
    clock = MockClock(0.0)
    limiter = Limiter(1, 3.0, clock)
    found = runner(limiter)
    assert list(found._pauses()) == []
    endpoint = found._operation.endpoint.id
    waiting = found._pauses()
    # In parts, so that it notices when the job is stopped.
    assert [next(waiting), next(waiting)] == [2.0, 1.0]
    clock.now = 3.0
    limiter.back_off(endpoint, 7.0)
    # It gets another start, after the pause and after those that have reserved one meanwhile.
    assert limiter.reserve(endpoint) == 7.0
    assert sum(waiting) == 10.0
    assert list(runner(Limiter(FREE))._pauses()) == []


def test_a_job_that_is_stopped_does_not_wait() -> None:
    limiter = Limiter(1, 3600.0)
    found = runner(limiter)
    list(found._pauses())
    waiting = found._pauses()
    assert next(waiting) == 2.0
    found._run.stop(ValueError())
    with pytest.raises(RequestNotStarted):
        next(waiting)


def test_a_server_that_refuses_without_end_ends_the_job_with_its_rows_failed(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    server.default = Response(429, {"message": "slow down"}, {"Retry-After": "5"})
    failures: list[bulk.Failure] = []
    found = run_bulk(
        "change_audiences",
        memberships(30),
        chunk_size=1,
        limiter=Limiter(FREE),
        max_failed_chunks=3,
        failures=failures.append,
    )
    assert found.failure is not None
    assert found.summary.failed == len(failures) >= 3
    assert {failure.status for failure in failures} == {429}
    assert 3 * 129 <= len(server.requests) <= 8 * 129


def test_requests_that_came_too_early_do_not_count_against_the_search_for_a_faulty_row(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    server.script(*[TOO_EARLY] * 30)
    server.default = refusing(13)
    found = run_bulk("upsert_profiles", profiles(64), limiter=Limiter(FREE))
    assert found.summary[:3] == (63, 1, 0)


# -- Stopping while requests are held back ---------------------------------------------------------


@needs_posix_signals
def test_ctrl_c_ends_a_job_that_is_asked_to_wait_for_an_hour() -> None:
    platform = Platform()
    platform.respond = lambda numbers: RawResponse(429, None, {"Retry-After": "3600"}, b"{}")
    api = api_of(platform, "change_audiences")
    slept: list[float] = []
    # A second Ctrl-C would not wait for the threads to notice.
    once = iter([signal.SIGINT])

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        for number in once:
            signal.raise_signal(number)
        time.sleep(0.001)

    api.api_client.clock = Clock(sleep=sleep)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt) as caught:
            bulk.change_audiences(
                api, rows_of("change_audiences", range(8)), chunk_size=2, limiter=Limiter(FREE)
            )
    finally:
        signal.signal(signal.SIGINT, before)
    summary: bulk.Summary = caught.value.summary  # type: ignore[attr-defined]  # put there by us
    assert summary[:3] == (0, 0, 0)
    assert sum(slept) < 3600


def test_a_cancelled_job_does_not_wait(server: RecordingServer) -> None:
    server.default = Response(429, {}, {"Retry-After": "3600"})

    async def main() -> bulk.Summary:
        refused = asyncio.Event()
        configuration = Configuration(host=server.url, api_key=KEYS)
        async with talon_one.aio.ApiClient(configuration) as client:

            async def job() -> bulk.Summary:
                # Here, because a task of Python 3.10 raises another exception than its coroutine.
                with pytest.raises(asyncio.CancelledError) as caught:
                    await talon_one.aio.bulk.change_audiences(
                        talon_one.aio.IntegrationApi(client),
                        list(memberships(4)),
                        chunk_size=2,
                        concurrency=1,
                        limiter=Limiter(FREE),
                        on_chunk=lambda result: refused.set(),
                    )
                return caught.value.summary  # type: ignore[attr-defined,no-any-return]  # ours

            task = asyncio.ensure_future(job())
            await refused.wait()
            task.cancel()
            return await task

    assert asyncio.run(main())[:3] == (0, 0, 0)


def test_an_exception_in_the_rows_ends_a_job_that_waits() -> None:
    platform = Platform()
    refused = threading.Event()

    def refuse(numbers: list[int]) -> RawResponse:
        refused.set()
        return RawResponse(429, None, {"Retry-After": "3600"}, b"{}")

    platform.respond = refuse
    slept: list[float] = []

    def rows() -> Iterator[Any]:
        yield from rows_of("upsert_profiles", range(4))
        while not slept:
            time.sleep(0.001)
            yield from rows_of("upsert_profiles", [len(platform.rows) + 4])
        raise LookupError

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        time.sleep(0.001)

    api = api_of(platform, "upsert_profiles")
    api.api_client.clock = Clock(sleep=sleep)
    with pytest.raises(bulk.BulkStopped, match="LookupError"):
        bulk.upsert_profiles(api, rows(), chunk_size=2, limiter=Limiter(FREE), concurrency=8)
    assert sum(slept) < 3600 * 8


# -- Rows that must not be sent twice, while they wait ---------------------------------------------


class Starts(Limiter):
    """A limiter that has no limit, and calls a function for each request."""

    def __init__(self, on_reserve: Callable[[], float]) -> None:
        super().__init__(FREE)
        self._on_reserve = on_reserve

    def reserve(self, endpoint: str) -> float:
        return self._on_reserve()


def test_rows_that_wait_for_the_limiter_are_not_in_the_token(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    token = ""
    known: list[int] = []

    def keep(progress: bulk.Progress) -> None:
        nonlocal token
        token = progress.token

    def note() -> float:
        data = json.loads(token)
        known.append(max((end for _, end in data["settled"] + data["inFlight"]), default=0))
        return 0.25

    for function, rows in (
        ("change_audiences", memberships(12)),
        ("create_coupons", [{"numberOfCoupons": 1}] * 6),
    ):
        known.clear()
        before = () if function == "change_audiences" else (3, 12)
        options: dict[str, Any] = {} if before else {"chunk_size": 2}
        found = run_bulk(function, *before, rows, limiter=Starts(note), progress=keep, **options)
        assert found.summary.complete
        # Before each request, only the rows of those that began before it.
        assert known == list(range(0, 12, 2) if not before else range(6))
        # In short parts, so that results need not wait for them.
        assert len(found.pauses) == 18
        assert sum(found.pauses) == pytest.approx(6 * 0.25)


def test_the_limiter_is_asked_only_if_a_request_may_start(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    asked, differences = 0, list[int]()

    def ask() -> float:
        nonlocal asked
        asked += 1
        return 0.0

    def respond(received: Received) -> Response:
        differences.append(asked - len(server.requests))
        return OK

    server.default = respond
    # Rows of the same profile are sent one after another.
    rows = [row for row in memberships(2) for _ in range(3)]
    for concurrency in (1, 4):
        server.clear()
        asked = 0
        run_bulk("change_audiences", rows, limiter=Starts(ask), concurrency=concurrency)
        assert asked == len(server.requests) == 5
    assert set(differences) == {0}


def test_a_result_that_arrives_while_the_job_waits_is_settled() -> None:
    """A refused key ends the wait, with the blocking and the asyncio client."""
    asked, slept, waiting = 0, list[float](), threading.Event()

    def ask() -> float:
        nonlocal asked
        asked += 1
        if asked == 1:
            return 0.0
        waiting.set()
        return 3600.0

    def refuse(numbers: list[int]) -> RawResponse:
        waiting.wait(10)
        return RawResponse(401, None, {}, b"{}")

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        time.sleep(0.001)

    async def sleep_async(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(0.001)

    platform = Platform()
    platform.respond = refuse
    rows = rows_of("change_audiences", range(6))
    api = api_of(platform, "change_audiences")
    api.api_client.clock = Clock(sleep=sleep)

    async def main() -> None:
        configuration = Configuration(host="https://a.test", api_key=KEYS)
        configuration.hooks.append(platform)
        async with talon_one.aio.ApiClient(configuration) as client:
            client.clock = client.clock._replace(sleep=sleep_async)
            own = talon_one.aio.IntegrationApi(client)
            await talon_one.aio.bulk.change_audiences(own, rows, chunk_size=2, limiter=Starts(ask))

    for job in (
        lambda: bulk.change_audiences(api, rows, chunk_size=2, limiter=Starts(ask)),
        lambda: asyncio.run(main()),
    ):
        asked = 0
        slept.clear()
        waiting.clear()
        with pytest.raises(bulk.BulkStopped, match="401") as caught:
            job()
        assert caught.value.summary[:3] == (0, 0, 0)
        assert sum(slept) < 3600
        assert asked == 2


def test_a_limiter_that_fails_before_a_request_stops_the_job_and_costs_no_row(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    asked = 0

    def ask() -> float:
        nonlocal asked
        asked += 1
        if asked == 3:
            raise LookupError("no such limit")
        return 0.0

    first = run_bulk("change_audiences", memberships(8), chunk_size=2, limiter=Starts(ask))
    assert first.failure is not None
    assert isinstance(first.failure.__cause__, LookupError)
    assert first.summary[:3] == (4, 0, 0)
    again = run_bulk("change_audiences", memberships(8), resume=first.summary.token)
    assert again.summary[:4] == (8, 0, 0, 4)


# -- The retry policy ------------------------------------------------------------------------------


def attempt(status: int | None, retry_after: float | None = None) -> Attempt:
    return Attempt(Outcome.RESPONDED, True, status, retry_after=retry_after)


def test_the_limiter_gets_the_pause_that_a_response_asks_for() -> None:
    for status, asked, pause in (
        (429, None, 1.0),
        (429, 7.0, 7.0),
        (429, 1e9, 3600.0),
        (429, 0.0, 1.0),
        (503, 7.0, 7.0),
        (503, None, None),
        (500, 7.0, None),
        (None, None, None),
    ):
        limiter = Mock(spec=Limiter)
        client = api_of(Platform(), "upsert_profiles").api_client
        policy = BackOff.of(client, None, limiter, "endpoint")
        found = policy.pause(attempt(status, asked), 1, None, lambda: 0.5)
        # Only the job makes the request again after a 429.
        assert (found is None) == (status in (429, 500, None))
        assert limiter.back_off.mock_calls == ([] if pause is None else [(("endpoint", pause),)])


def test_all_other_failures_are_retried_as_the_caller_says() -> None:
    class Own(RetryPolicy):
        def pause(self, *args: Any, **kwargs: Any) -> float | None:
            return 42.0

    limiter = Limiter(FREE)
    for given, in_configuration, retries, pause in (
        (None, None, 2, 0.125),
        (7, None, 7, 0.125),
        (None, 4, 4, 0.125),
        (3, 4, 3, 0.125),
        (False, 4, 0, None),
        (Own(5), None, 5, 42.0),
        (None, Own(5), 5, 42.0),
    ):
        client = api_of(Platform(), "upsert_profiles", retries=in_configuration).api_client
        policy = BackOff.of(client, given, limiter, "endpoint")
        assert policy.retries == retries
        assert policy.pause(attempt(503), 1, None, lambda: 0.5) == pause


def test_a_limiter_that_fails_costs_no_response() -> None:
    class Broken(Limiter):
        def back_off(self, endpoint: str, seconds: float) -> None:
            raise LookupError

    platform = Platform()
    early = iter([RawResponse(429, None, {}, b"{}")])
    platform.respond = lambda numbers: next(early, ACCEPTED)
    rows = rows_of("change_audiences", range(4))
    assert send(platform, "change_audiences", rows, limiter=Broken(FREE))[:3] == (4, 0, 0)


def test_hooks_of_the_caller_stay_as_they_are_while_jobs_share_a_client(
    server: RecordingServer,
) -> None:
    platform = Platform()
    api = api_of(platform, "change_audiences")
    hooks = api.api_client.configuration.hooks = (platform,)
    seen: list[Any] = []

    def inner(progress: bulk.Progress) -> None:
        seen.append(api.api_client.configuration.hooks)
        if len(seen) == 2:
            rows = rows_of("upsert_profiles", range(2))
            bulk.upsert_profiles(api, rows, limiter=Limiter(FREE))

    rows = rows_of("change_audiences", range(4))
    bulk.change_audiences(api, rows, limiter=Limiter(FREE), progress=inner)
    assert {id(each) for each in seen} == {id(hooks)}
