"""What stops a bulk job before the end of its rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bulk.runs import (
    OK,
    RunBulk,
    memberships,
    profiles,
    sent_ids,
    sent_rows,
    span,
)
from support.platforms import needs_linux
from support.server import HANG_UP, RecordingServer, Response
from talon_one import (
    NoResponseError,
    UnauthorizedException,
    bulk,
)

BAD_ID: dict[str, Any] = {"attributes": {}}


@pytest.mark.parametrize("status", [401, 403])
def test_a_rejected_api_key_stops_the_job_and_fails_no_row(
    run_bulk: RunBulk, server: RecordingServer, status: int
) -> None:
    server.default = Response(status, {"message": "no"})
    result = run_bulk("upsert_profiles", profiles(100), chunk_size=10, concurrency=2)
    assert isinstance(result.failure, bulk.BulkStopped)
    assert str(status) in str(result.failure)
    assert len(server.requests) <= 2
    assert result.summary[:3] == (0, 0, 0)
    server.default = OK
    again = run_bulk("upsert_profiles", profiles(100), resume=result.summary.token)
    assert again.summary[:3] == (100, 0, 0)


def test_the_cause_of_a_stop_is_chained(run_bulk: RunBulk, server: RecordingServer) -> None:
    server.default = Response(401, {"message": "no"})
    failure = run_bulk("upsert_profiles", profiles(1)).failure
    assert failure is not None
    assert isinstance(failure.__cause__, UnauthorizedException)


def test_an_outage_stops_the_job(run_bulk: RunBulk, server: RecordingServer) -> None:
    server.default = HANG_UP
    result = run_bulk(
        "upsert_profiles", profiles(100), chunk_size=1, concurrency=1, max_failed_chunks=3
    )
    assert len(server.requests) == 3
    assert not result.summary.complete
    assert result.failure is not None
    assert isinstance(result.failure.__cause__, NoResponseError)


@pytest.mark.parametrize("outage", [HANG_UP, Response(500), Response(503, {})])
def test_an_outage_costs_no_row(
    run_bulk: RunBulk, server: RecordingServer, outage: Response
) -> None:
    failures: list[bulk.Failure] = []
    reports: list[bulk.Progress] = []
    options: dict[str, Any] = {"chunk_size": 1, "concurrency": 1, "failures": failures.append}
    server.script(OK, OK)
    server.default = outage
    first = run_bulk("upsert_profiles", profiles(100), progress=reports.append, **options)
    assert first.summary[:3] == (2, 0, 0)
    assert {(report.failed, report.unknown) for report in reports} == {(0, 0)}
    server.clear()
    server.default = OK
    again = run_bulk("upsert_profiles", profiles(100), resume=first.summary.token, **options)
    assert again.summary[:4] == (100, 0, 0, 2)
    assert len(server.requests) == 98
    assert failures == []


def test_an_outage_costs_only_rows_that_must_not_be_sent_twice(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    server.default = Response(503, {})
    options: dict[str, Any] = {"chunk_size": 1, "concurrency": 1, "max_failed_chunks": 3}
    first = run_bulk("change_audiences", memberships(9), **options)
    # The server may have executed them.
    assert first.summary[:3] == (0, 0, 3)
    server.default = OK
    again = run_bulk("change_audiences", memberships(9), resume=first.summary.token, **options)
    assert again.summary[:4] == (6, 0, 3, 3)


def test_rows_that_failed_while_others_were_accepted_or_refused_are_failures(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    for status in (204, 400, 404):
        failures: list[tuple[int, int | None]] = []
        server.script(HANG_UP, Response(500), Response(status), *[HANG_UP] * 3)
        result = run_bulk(
            "upsert_profiles",
            profiles(9),
            chunk_size=1,
            concurrency=1,
            max_failed_chunks=6 if status != 204 else 3,
            failures=lambda failure, found=failures: found.append((failure.index, failure.status)),
        )
        # Those that stop the job are not among them.
        expected = [(0, None), (1, 500)] + ([(2, status)] if status != 204 else [])
        assert failures == expected
        assert result.summary.failed == len(expected)
        assert result.failure is not None


def test_a_429_does_not_end_an_outage(run_bulk: RunBulk, server: RecordingServer) -> None:
    server.script(HANG_UP, Response(429), HANG_UP)
    options: dict[str, Any] = {"chunk_size": 1, "concurrency": 1, "max_failed_chunks": 3}
    result = run_bulk("upsert_profiles", profiles(9), limiter=False, **options)
    assert result.summary[:3] == (0, 1, 0)


def test_rows_that_fail_at_the_end_are_failures(run_bulk: RunBulk, server: RecordingServer) -> None:
    server.default = HANG_UP
    failures: list[bulk.Failure] = []
    result = run_bulk("upsert_profiles", profiles(9), chunk_size=1, failures=failures.append)
    assert result.summary[:3] == (0, 9, 0)
    assert result.summary.complete
    assert sorted(failure.index for failure in failures) == list(range(9))


def test_rows_that_failed_before_a_refused_key_are_sent_by_the_next_run(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    server.script(HANG_UP, Response(500), Response(401))
    first = run_bulk("upsert_profiles", profiles(9), chunk_size=1, concurrency=1)
    assert first.summary[:3] == (0, 0, 0)
    again = run_bulk("upsert_profiles", profiles(9), chunk_size=1, resume=first.summary.token)
    assert again.summary[:4] == (9, 0, 0, 0)


def test_rows_of_one_profile_are_sent_in_their_order_after_an_outage(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    def rows() -> Iterator[dict[str, Any]]:
        for number in range(6):
            yield {"integrationId": "p0", "attributes": {"Number": number}}

    server.script(*[HANG_UP] * 3)
    first = run_bulk("upsert_profiles", rows(), max_failed_chunks=3)
    assert first.summary[:3] == (0, 0, 0)
    server.clear()
    run_bulk("upsert_profiles", rows(), resume=first.summary.token)
    numbers = [
        each["attributes"]["Number"] for received in server.requests for each in sent_rows(received)
    ]
    assert numbers == list(range(6))


def test_ten_failed_chunks_in_a_row_stop_the_job(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    server.default = Response(503, {})
    result = run_bulk("upsert_profiles", profiles(30), chunk_size=1, concurrency=1)
    assert result.failure is not None
    assert len(server.requests) == 10


def test_occasional_failures_do_not_stop_the_job(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    server.script(*[HANG_UP, HANG_UP, OK] * 10)
    result = run_bulk(
        "upsert_profiles", profiles(30), chunk_size=1, concurrency=1, max_failed_chunks=3
    )
    assert result.summary[:3] == (10, 20, 0)
    assert result.summary.complete


def test_no_number_of_failed_chunks_stops_the_job_if_there_is_no_limit(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    server.default = Response(400)
    result = run_bulk("upsert_profiles", profiles(50), chunk_size=1, max_failed_chunks=None)
    assert result.summary[:3] == (0, 50, 0)


def test_invalid_rows_do_not_count_as_failed_chunks(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    result = run_bulk("upsert_profiles", [BAD_ID] * 50, chunk_size=1, max_failed_chunks=1)
    assert result.summary[:3] == (0, 50, 0)
    assert result.summary.complete


def test_an_exception_from_the_rows_waits_for_requests_in_flight(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    def breaking() -> Iterator[dict[str, Any]]:
        yield from profiles(25)
        raise KeyError("the database is gone")

    result = run_bulk("upsert_profiles", breaking(), chunk_size=10)
    assert result.failure is not None
    assert isinstance(result.failure.__cause__, KeyError)
    assert "the database is gone" in str(result.failure)
    assert result.summary[:3] == (20, 0, 0)
    server.clear()
    again = run_bulk("upsert_profiles", profiles(40), chunk_size=100, resume=result.summary.token)
    assert [span(ids) for ids in sent_ids(server)] == ["20-39"]
    assert again.summary[:4] == (40, 0, 0, 20)


@pytest.mark.parametrize("option", ["progress", "on_chunk", "failures"])
def test_an_exception_from_a_callback_stops_the_job(run_bulk: RunBulk, option: str) -> None:
    def broken(report: object) -> None:
        raise ZeroDivisionError

    rows = [BAD_ID, *profiles(3)]
    result = run_bulk("upsert_profiles", rows, **{option: broken})
    assert result.failure is not None
    assert isinstance(result.failure.__cause__, ZeroDivisionError)


@needs_linux
def test_a_full_disk_stops_the_job_and_keeps_the_summary(run_bulk: RunBulk) -> None:
    result = run_bulk("upsert_profiles", [BAD_ID, *profiles(3)], failures="/dev/full")
    assert result.failure is not None
    assert isinstance(result.failure.__cause__, OSError)
