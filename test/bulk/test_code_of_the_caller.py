"""Exceptions from rows, callbacks and limiters are chained, and every row keeps its outcome."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterator
from typing import Any

import pytest

import talon_one
from bulk.runs import RunBulk, memberships, profiles, sent_ids
from support.calls import make_client
from support.server import RecordingServer, Response
from talon_one import ApiValueError, IntegrationApi, NoResponseError, NotSentError, bulk
from talon_one.limiter import Limiter


class Unprintable(Exception):
    """An exception without a message: it cannot be converted to text."""

    def __str__(self) -> str:
        raise OSError("no text")

    __repr__ = __str__


# Exceptions that look like a failure of a request, and one that cannot be printed.
RAISED = [
    NoResponseError(reason="another server"),
    NotSentError(reason="another server"),
    talon_one.ServiceException(500),
    talon_one.BadRequestException(400),
    talon_one.UnauthorizedException(401),
    TimeoutError("of the database"),
    ConnectionResetError(),
    Unprintable(),
]


@pytest.mark.parametrize("raised", RAISED, ids=lambda raised: type(raised).__name__)
def test_an_exception_from_rows_stops_the_job_and_is_chained(
    run_bulk: RunBulk, server: RecordingServer, raised: Exception
) -> None:
    def rows() -> Iterator[Any]:
        yield from memberships(4)
        raise raised

    result = run_bulk("change_audiences", rows(), chunk_size=2)
    assert isinstance(result.failure, bulk.BulkStopped)
    assert result.failure.__cause__ is raised
    assert result.summary[:3] == (4, 0, 0)
    assert type(raised).__name__ in str(result.failure)


def one_dict(names: dict[str, Any], count: int) -> Iterator[dict[str, Any]]:
    """Yield one dict for all rows. Its texts with a # become those of the row."""
    row: dict[str, Any] = {}
    for number in range(count):
        row.update(json.loads(json.dumps(names).replace("#", str(number))))
        yield row


def test_one_dict_for_all_rows_is_refused_before_a_row_is_lost(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    for function, args, row in (
        ("upsert_profiles", [], {"integrationId": "p#"}),
        (
            "change_audiences",
            [],
            {"action": "add", "profileIntegrationId": "p#", "audienceId": 7},
        ),
        ("sync_catalog", [5], {"type": "REMOVE", "payload": {"sku": "p#"}}),
    ):
        result = run_bulk(function, *args, one_dict(row, 3))
        assert result.failure is not None, function
        assert isinstance(result.failure.__cause__, ApiValueError)
        assert "row 1 is the object of row 0" in str(result.failure)
        assert server.requests == []


def test_one_row_may_be_sent_several_times(run_bulk: RunBulk, server: RecordingServer) -> None:
    row = {"integrationId": "p"}
    assert run_bulk("upsert_profiles", [row] * 3).summary.sent == 3
    assert [len(ids) for ids in sent_ids(server)] == [1, 1, 1]


def test_a_coupon_row_is_sent_as_it_was_handed_over(
    run_bulk: RunBulk, server: RecordingServer
) -> None:
    rows = one_dict({"usageLimit": 1, "numberOfCoupons": 1, "couponPattern": "A#-X"}, 20)
    assert run_bulk("create_coupons", 3, 12, rows, limiter=False).summary.sent == 20
    patterns = sorted(each.json()["couponPattern"] for each in server.requests)
    assert patterns == sorted(f"A{number}-X" for number in range(20))


@pytest.mark.parametrize("raised", RAISED, ids=lambda raised: type(raised).__name__)
@pytest.mark.parametrize("name", ["progress", "on_chunk"])
def test_an_exception_from_callbacks_stops_the_job_and_is_chained(
    run_bulk: RunBulk, server: RecordingServer, raised: Exception, name: str
) -> None:
    calls = []

    def callback(report: Any) -> None:
        calls.append(report)
        if len(calls) == 2:
            raise raised

    rows = list(memberships(9))
    result = run_bulk("change_audiences", rows, chunk_size=3, concurrency=1, **{name: callback})
    assert isinstance(result.failure, bulk.BulkStopped)
    assert result.failure.__cause__ is raised
    sent = [id for ids in sent_ids(server) for id in ids]
    assert result.summary[:3] == (len(sent), 0, 0)
    last = run_bulk("change_audiences", rows, resume=result.summary.token)
    assert last.summary[:3] == (9, 0, 0)
    assert sorted(id for ids in sent_ids(server) for id in ids) == [f"p{n}" for n in range(9)]


@pytest.mark.parametrize("raised", RAISED, ids=lambda raised: type(raised).__name__)
def test_an_exception_from_a_limiter_leaves_the_rows_to_the_next_run(
    run_bulk: RunBulk, server: RecordingServer, raised: Exception
) -> None:
    class Failing(Limiter):
        def reserve(self, endpoint: str) -> float:
            raise raised

    failures: list[bulk.Failure] = []
    rows = list(memberships(4))
    result = run_bulk("change_audiences", rows, limiter=Failing(), failures=failures.append)
    assert isinstance(result.failure, bulk.BulkStopped)
    assert result.failure.__cause__ is raised
    assert result.summary[:3] == (0, 0, 0)
    assert (failures, server.requests) == ([], [])
    assert run_bulk("change_audiences", rows, resume=result.summary.token).summary.sent == 4


class Hostile(dict):  # type: ignore[type-arg]  # of anything
    """A row whose methods raise."""

    def fail(self, *args: Any) -> Any:
        raise TimeoutError("of the database")

    get = items = keys = values = __iter__ = __getitem__ = __contains__ = fail


class Sized(list):  # type: ignore[type-arg]  # of anything
    """Rows whose ``len`` raises."""

    def __len__(self) -> int:
        raise TimeoutError("of the database")


@pytest.mark.parametrize("name", ["create_coupons", "upsert_profiles"])
def test_a_row_whose_methods_raise_fails_alone(
    run_bulk: RunBulk, server: RecordingServer, name: str
) -> None:
    good: list[Any] = [{"usageLimit": 1, "numberOfCoupons": 1, "couponPattern": "A-####"}]
    path: tuple[Any, ...] = (3, 12)
    if name == "upsert_profiles":
        good, path = list(profiles(1)), ()
    result = run_bulk(name, *path, [*good, Hostile(a=1)], limiter=False)
    assert result.failure is None
    assert result.summary.sent + result.summary.failed == 2
    assert result.summary.unknown == 0
    assert run_bulk(name, *path, Sized(good)).summary.sent == 1


@pytest.mark.parametrize("name", ["progress", "on_chunk", "failures"])
@pytest.mark.parametrize("fails", [True, False], ids=["after an error", "at the end"])
def test_ctrl_c_replaces_an_earlier_error(server: RecordingServer, name: str, fails: bool) -> None:
    """The job stops because of an error, and Ctrl-C comes while outcomes are recorded."""

    def rows() -> Iterator[Any]:
        yield from memberships(3)
        # The request is in flight, and ends only after this.
        if fails:
            raise TimeoutError("of the database")

    def interrupt(report: Any) -> None:
        if getattr(report, "finished", True) and not interrupted:
            interrupted.append(True)
            signal.raise_signal(signal.SIGINT)

    if name == "failures":
        server.default = Response(429)
    interrupted: list[bool] = []
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    options: dict[str, Any] = {name: interrupt, "chunk_size": 3, "_retries": 0}
    try:
        with make_client(server.url) as client:
            api = IntegrationApi(client)
            with pytest.raises(KeyboardInterrupt) as caught:
                bulk.change_audiences(api, rows(), **options)
    finally:
        signal.signal(signal.SIGINT, before)
    summary: bulk.Summary = caught.value.summary  # type: ignore[attr-defined]  # put there by us
    assert summary[:3] == ((0, 3, 0) if name == "failures" else (3, 0, 0))
    assert not summary.complete or not fails


def test_a_cancellation_replaces_an_earlier_error() -> None:
    """The asyncio twin of the test above: it comes while a request in flight is awaited."""
    from bulk.test_interruptions import HeldResponses
    from support.calls import KEYS
    from talon_one import Configuration, aio

    held = HeldResponses()

    async def main(server: RecordingServer) -> None:
        failed = asyncio.Event()

        def rows() -> Iterator[Any]:
            yield from memberships(3)
            failed.set()
            raise TimeoutError("of the database")

        async with aio.ApiClient(Configuration(host=server.url, api_key=KEYS)) as client:
            api = aio.IntegrationApi(client)
            task = asyncio.ensure_future(aio.bulk.change_audiences(api, rows(), chunk_size=3))
            await failed.wait()
            await asyncio.to_thread(held.arrived.wait, 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            held.released.set()
            del caught

    with RecordingServer(default=held) as server:
        asyncio.run(main(server))
