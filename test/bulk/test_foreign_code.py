"""Whatever the code of the caller raises, all accounts are kept, and nobody takes it for ours."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from typing import Any

import pytest

import talon_one
from bulk.doing import Do, memberships, profiles, sent_ids
from support.calls import make_client
from support.server import RecordingServer, Response
from talon_one import IntegrationApi, NoResponseError, NotSentError, bulk
from talon_one.limiter import Limiter


class Mute(Exception):
    """An exception that cannot be told."""

    def __str__(self) -> str:
        raise OSError("no text")

    __repr__ = __str__


# What looks like a failure of the transport, or of this package, and what cannot be told.
RAISED = [
    NoResponseError(reason="the server of somebody else"),
    NotSentError(reason="the server of somebody else"),
    talon_one.ServiceException(500),
    talon_one.BadRequestException(400),
    talon_one.UnauthorizedException(401),
    TimeoutError("of the database"),
    ConnectionResetError(),
    Mute(),
]


@pytest.mark.parametrize("raised", RAISED, ids=lambda raised: type(raised).__name__)
def test_what_rows_raise_stops_the_work_and_is_chained(
    work: Do, server: RecordingServer, raised: Exception
) -> None:
    def rows() -> Iterator[Any]:
        yield from memberships(4)
        raise raised

    done = work("change_audiences", rows(), chunk_size=2)
    assert isinstance(done.failure, bulk.BulkStopped)
    assert done.failure.__cause__ is raised
    assert done.summary[:3] == (4, 0, 0)
    assert type(raised).__name__ in str(done.failure)


@pytest.mark.parametrize("raised", RAISED, ids=lambda raised: type(raised).__name__)
@pytest.mark.parametrize("name", ["progress", "on_chunk"])
def test_what_callbacks_raise_stops_the_work_and_is_chained(
    work: Do, server: RecordingServer, raised: Exception, name: str
) -> None:
    calls = []

    def callback(told: Any) -> None:
        calls.append(told)
        if len(calls) == 2:
            raise raised

    rows = list(memberships(9))
    done = work("change_audiences", rows, chunk_size=3, at_once=1, **{name: callback})
    assert isinstance(done.failure, bulk.BulkStopped)
    assert done.failure.__cause__ is raised
    sent = [id for ids in sent_ids(server) for id in ids]
    assert done.summary[:3] == (len(sent), 0, 0)
    last = work("change_audiences", rows, resume=done.summary.token)
    assert last.summary[:3] == (9, 0, 0)
    assert sorted(id for ids in sent_ids(server) for id in ids) == [f"p{n}" for n in range(9)]


@pytest.mark.parametrize("raised", RAISED, ids=lambda raised: type(raised).__name__)
def test_what_a_limiter_raises_leaves_the_rows_to_the_next_run(
    work: Do, server: RecordingServer, raised: Exception
) -> None:
    class Failing(Limiter):
        def reserve(self, endpoint: str) -> float:
            raise raised

    failures: list[bulk.Failure] = []
    rows = list(memberships(4))
    done = work("change_audiences", rows, limiter=Failing(), failures=failures.append)
    assert isinstance(done.failure, bulk.BulkStopped)
    assert done.failure.__cause__ is raised
    assert done.summary[:3] == (0, 0, 0)
    assert (failures, server.requests) == ([], [])
    assert work("change_audiences", rows, resume=done.summary.token).summary.sent == 4


class Hostile(dict):  # type: ignore[type-arg]  # of anything
    """A row whose every method fails."""

    def fail(self, *args: Any) -> Any:
        raise TimeoutError("of the database")

    get = items = keys = values = __iter__ = __getitem__ = __contains__ = fail


class Sized(list):  # type: ignore[type-arg]  # of anything
    """Rows that cannot be counted."""

    def __len__(self) -> int:
        raise TimeoutError("of the database")


@pytest.mark.parametrize("name", ["create_coupons", "upsert_profiles"])
def test_a_hostile_row_fails_and_the_others_go_on(
    work: Do, server: RecordingServer, name: str
) -> None:
    good: list[Any] = [{"usageLimit": 1, "numberOfCoupons": 1, "couponPattern": "A-####"}]
    place: tuple[Any, ...] = (3, 12)
    if name == "upsert_profiles":
        good, place = list(profiles(1)), ()
    done = work(name, *place, [*good, Hostile(a=1)], limiter=False)
    assert done.failure is None
    assert done.summary.sent + done.summary.failed == 2
    assert done.summary.unknown == 0
    assert work(name, *place, Sized(good)).summary.sent == 1


@pytest.mark.parametrize("name", ["progress", "on_chunk", "failures"])
@pytest.mark.parametrize("fails", [True, False], ids=["after an error", "at the end"])
def test_ctrl_c_after_an_error_is_what_the_caller_gets(
    server: RecordingServer, name: str, fails: bool
) -> None:
    """The work stops for a reason of its own, and Ctrl-C comes while its accounts are kept."""

    def rows() -> Iterator[Any]:
        yield from memberships(3)
        # The request is under way, and comes back only after this.
        if fails:
            raise TimeoutError("of the database")

    def interrupt(told: Any) -> None:
        if getattr(told, "finished", True) and not pressed:
            pressed.append(True)
            signal.raise_signal(signal.SIGINT)

    if name == "failures":
        server.default = Response(429)
    pressed: list[bool] = []
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


def test_a_cancellation_after_an_error_is_what_the_caller_gets() -> None:
    """As Ctrl-C, with asyncio: it comes while a request that is under way is awaited."""
    from bulk.test_interruptions import Held
    from support.calls import KEYS
    from talon_one import Configuration, aio

    held = Held()

    async def work(server: RecordingServer) -> None:
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
        asyncio.run(work(server))
