"""Requests that came too early (429), and servers that ask to wait."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest

import talon_one.aio.bulk
from bulk.parts import OK as ACCEPTED
from bulk.parts import Platform, api_of, rows_of, send
from bulk.runs import OK, RunBulk, memberships, profiles, refusing, sent_ids
from bulk.test_divided_limiter import MockClock
from support.calls import KEYS
from support.platforms import needs_posix_signals
from support.server import Received, RecordingServer, Response
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
            job = talon_one.aio.bulk.change_audiences(
                talon_one.aio.IntegrationApi(client),
                list(memberships(4)),
                chunk_size=2,
                concurrency=1,
                limiter=Limiter(FREE),
                on_chunk=lambda result: refused.set(),
            )
            task = asyncio.ensure_future(job)
            await refused.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            return caught.value.summary  # type: ignore[attr-defined,no-any-return]  # put there by us

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
        yield from rows_of("change_audiences", range(4))
        while not slept:
            time.sleep(0.001)
            yield from rows_of("change_audiences", [len(platform.rows) + 4])
        raise LookupError

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        time.sleep(0.001)

    api = api_of(platform, "change_audiences")
    api.api_client.clock = Clock(sleep=sleep)
    with pytest.raises(bulk.BulkStopped, match="LookupError"):
        bulk.change_audiences(api, rows(), chunk_size=2, limiter=Limiter(FREE), concurrency=8)
    assert sum(slept) < 3600 * 8


# -- The retry policy ------------------------------------------------------------------------------


def attempt(status: int | None, retry_after: float | None = None) -> Attempt:
    return Attempt(Outcome.RESPONDED, True, status, retry_after=retry_after)


def test_the_limiter_gets_the_pause_that_a_response_asks_for() -> None:
    for status, asked, pause in (
        (429, None, 1.0),
        (429, 7.0, 7.0),
        (429, 1e9, 3600.0),
        (429, 0.0, None),
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
