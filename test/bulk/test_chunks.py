"""Rows and requests: sizes, kinds of rows, responses, and memory."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

import benchmarks.server
from bulk.runs import (
    OK,
    RunBulk,
    profiles,
    run_async,
    run_blocking,
    sent_ids,
    sent_rows,
    span,
)
from support.server import Received, RecordingServer, Response
from talon_one import (
    MultipleCustomerProfileIntegrationRequestItem,
    bulk,
)


def test_chunks_are_as_large_as_the_platform_allows(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    result = run_bulk("upsert_profiles", profiles(2500))
    assert [span(ids) for ids in sent_ids(server)] == ["0-999", "1000-1999", "2000-2499"]
    assert {each.target for each in server.requests} == {"/v2/customer_profiles"}
    assert result.summary[:3] == (2500, 0, 0)
    assert result.summary.complete


def test_no_rows_make_no_requests(run_bulk: RunBulk, server: RecordingServer) -> None:
    assert run_bulk("upsert_profiles", []).summary.complete
    assert server.requests == []


def test_rows_may_be_models_or_dicts_in_any_iterable(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    model = MultipleCustomerProfileIntegrationRequestItem(
        integration_id="p0", attributes={"Name": "Ada"}
    )
    run_bulk("upsert_profiles", (model, {"integrationId": "p1"}))
    assert server.last.json() == {
        "customerProfiles": [
            {"integrationId": "p0", "attributes": {"Name": "Ada"}},
            {"integrationId": "p1"},
        ]
    }


def test_chunk_results_hold_the_responses(run_bulk: RunBulk, server: RecordingServer) -> None:
    server.default = Response(body={"integrationStates": []})
    results: list[bulk.ChunkResult] = []
    run_bulk("upsert_profiles", profiles(5), silent="no", chunk_size=3, on_chunk=results.append)
    assert {each.query for each in server.requests} == {"silent=no"}
    results.sort()
    assert [(each.first, each.last, each.rows, each.outcome) for each in results] == [
        (0, 2, 3, "sent"),
        (3, 4, 2, "sent"),
    ]
    assert results[0].response.integration_states == []


def test_call_settings_are_passed_on(run_bulk: RunBulk, server: RecordingServer) -> None:
    run_bulk("upsert_profiles", profiles(1), _headers={"X-Job": "import"})
    assert server.last.headers["X-Job"] == "import"


def test_rows_are_read_as_they_are_needed(run_bulk: RunBulk, server: RecordingServer) -> None:
    received = 0
    max_ahead = 0
    lock = threading.Lock()

    def respond(request: Received) -> Response:
        nonlocal received
        with lock:
            received += len(sent_rows(request))
        return OK

    def rows() -> Iterator[dict[str, Any]]:
        nonlocal max_ahead
        for number, row in enumerate(profiles(2000)):
            max_ahead = max(max_ahead, number - received)
            yield row

    server.default = respond
    run_bulk("upsert_profiles", rows(), chunk_size=10, concurrency=3)
    # Chunks in flight, one that is ready, and one that is being read.
    assert max_ahead <= 10 * (3 + 2)


@pytest.mark.parametrize("function", [run_blocking, run_async])
def test_memory_does_not_grow_with_the_number_of_rows(function: RunBulk) -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            assert function(host, "upsert_profiles", profiles(count)).summary.sent == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    # The server of the benchmarks has its own process, and does not record requests.
    with benchmarks.server.running(empty=True) as url:
        host = RecordingServer()
        host.port = int(url.rpartition(":")[2])
        peak(3_000)
        # The number of chunks in memory varies. Memory that grew with the rows would be sixfold.
        assert peak(18_000) < 2 * peak(3_000)


async def _async_profiles(count: int) -> AsyncIterator[dict[str, Any]]:
    for row in profiles(count):
        yield row


def test_rows_may_come_from_an_asynchronous_generator(server: RecordingServer) -> None:
    result = run_async(server, "upsert_profiles", _async_profiles(25), chunk_size=10)
    assert result.summary[:3] == (25, 0, 0)
    assert [span(ids) for ids in sent_ids(server)] == ["0-9", "10-19", "20-24"]
