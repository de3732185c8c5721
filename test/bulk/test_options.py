"""Options of bulk jobs, and the messages for wrong ones."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pandas
import polars
import pytest

import talon_one.aio
from bulk.runs import (
    OK,
    RunBulk,
    profiles,
)
from support.calls import KEYS
from support.every import for_every
from support.server import Received, RecordingServer, Response
from talon_one import (
    ApiTypeError,
    Configuration,
    ManagementApi,
    bulk,
)


@for_every(
    "options",
    [
        {"concurrency": 0},
        {"concurrency": True},
        {"chunk_size": -1},
        {"max_failed_chunks": 0},
        {"limiter": 3},
        {"resume": 7},
        {"resume": "{}"},
        {"failures": 7},
        {"_headers": 7},
        {"_headers": {7: "x"}},
        {"_headers": {"X-Job": 7}},
        {"_headers": {"X-Job": "a\nb"}},
        {"concurency": 2},
        {"async_req": True},
        {"_preload_content": False},
    ],
)
def test_a_wrong_option_is_rejected_before_anything_is_sent(
    run_bulk: RunBulk, server: RecordingServer, options: dict[str, Any]
) -> None:
    with pytest.raises((ApiTypeError, talon_one.ApiValueError)):
        run_bulk("upsert_profiles", profiles(1), **options)
    assert server.requests == []


def test_one_idempotency_key_for_all_requests_is_rejected(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    for name in ("Idempotency-Key", "idempotency-key"):
        with pytest.raises(ApiTypeError, match="each request gets its own Idempotency-Key"):
            run_bulk("upsert_profiles", profiles(1), _headers={"X-Job": "7", name: "k"})
    assert server.requests == []
    for headers in ({"X-Job": "7"}, {}, None):
        assert run_bulk("upsert_profiles", profiles(1), _headers=headers).summary.sent == 1
    assert server.requests[0].headers["X-Job"] == "7"


@pytest.mark.parametrize("rows", [{"integrationId": "p"}, "rows.csv", None, 7], ids=str)
def test_values_that_are_not_rows_are_rejected(run_bulk: RunBulk, rows: Any) -> None:
    with pytest.raises(ApiTypeError, match="rows is a list or a generator"):
        run_bulk("upsert_profiles", rows)


def test_a_data_frame_is_rejected_because_it_would_be_read_as_its_columns(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    columns = {"integrationId": ["p0", "p1"]}
    for frame in (pandas.DataFrame(columns), polars.DataFrame(columns)):
        with pytest.raises(ApiTypeError, match=r"yields its columns: pass frame\.to_dict"):
            run_bulk("upsert_profiles", frame)
    assert server.requests == []
    for rows in (
        pandas.DataFrame(columns).to_dict("records"),
        polars.DataFrame(columns).iter_rows(named=True),
        pandas.Series(pandas.DataFrame(columns).to_dict("records")),
    ):
        assert run_bulk("upsert_profiles", rows).summary.sent == 2


def test_a_misspelled_option_gets_a_suggestion(run_bulk: RunBulk) -> None:
    with pytest.raises(ApiTypeError, match="Did you mean 'concurrency'"):
        run_bulk("upsert_profiles", [], concurency=2)


def test_the_other_api_is_rejected() -> None:
    api: Any = ManagementApi(host="https://a.test", api_key="k")
    with pytest.raises(ApiTypeError, match="pass the other API"):
        bulk.upsert_profiles(api, [])


def test_an_asyncio_api_is_rejected_by_the_blocking_functions() -> None:
    api: Any = talon_one.aio.IntegrationApi(host="https://a.test", api_key="k")
    with pytest.raises(ApiTypeError, match=r"talon_one\.aio"):
        bulk.upsert_profiles(api, [])


def test_concurrency_beyond_the_connection_pool_warns_and_is_limited(
    server: RecordingServer,
) -> None:
    together = threading.Barrier(2)
    in_flight: list[int] = []
    counts: list[int] = []

    def respond(received: Received) -> Response:
        in_flight.append(1)
        counts.append(len(in_flight))
        # Two requests meet at the barrier. A third one would arrive before they are released.
        together.wait(10)
        in_flight.pop()
        return OK

    server.default = respond

    def blocking() -> bulk.Summary:
        configuration = Configuration(host=server.url, api_key=KEYS)
        configuration.connection_pool_maxsize = 2
        with talon_one.ApiClient(configuration) as client:
            api = talon_one.IntegrationApi(client)
            return bulk.upsert_profiles(api, profiles(12), chunk_size=2, concurrency=9)

    async def asynchronous() -> bulk.Summary:
        configuration = Configuration(host=server.url, api_key=KEYS)
        configuration.connection_pool_maxsize = 2
        async with talon_one.aio.ApiClient(configuration) as client:
            api = talon_one.aio.IntegrationApi(client)
            return await talon_one.aio.bulk.upsert_profiles(
                api, profiles(12), chunk_size=2, concurrency=9
            )

    def part() -> bulk.Summary:
        configuration = Configuration(host=server.url, api_key=KEYS)
        configuration.connection_pool_maxsize = 2
        with talon_one.ApiClient(configuration) as client:
            api = talon_one.IntegrationApi(client)
            return bulk.partition(
                bulk.upsert_profiles, api, profiles(12), chunk_size=2, concurrency=9
            )

    for run in (blocking, part, lambda: asyncio.run(asynchronous())):
        with pytest.warns(bulk.PoolSizeWarning, match="concurrency=9 .* 2 requests") as warned:
            assert run().sent == 12
        assert [each.filename for each in warned] == [__file__]
    assert max(counts) == 2
