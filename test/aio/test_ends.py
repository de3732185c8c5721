"""How asyncio calls end: stalls, closing, queues, lost loops."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from support.awaiting import ask, make_client, until
from support.echo import Echo
from support.server import RecordingServer, Response
from talon_one import (
    ApiTypeError,
    ClientClosedError,
    NoResponseError,
    ReadTimeoutError,
    Timeout,
    TransportError,
    aio,
)
from talon_one._core.entity_queues import Ticket
from talon_one.aio.connections import Exchange

pytestmark = pytest.mark.asyncio

SESSION = {"customerSession": {"profileId": "anna"}}


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


@pytest.fixture
def reluctant() -> Iterator[str]:
    """A server that accepts connections and reads nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        accepted: list[socket.socket] = []

        def accept() -> None:
            try:
                while True:
                    accepted.append(listener.accept()[0])
            except OSError:
                return

        thread = threading.Thread(target=accept)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        for each in accepted:
            each.close()


def within(seconds: float, call: Awaitable[Any]) -> Awaitable[Any]:
    return asyncio.wait_for(call, seconds)


# -- Sending -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["json", "bytes", "path"])
async def test_a_server_that_stops_accepting_a_request_times_out(
    reluctant: str, kind: str, tmp_path: Path
) -> None:
    size = 16 * 2**20
    async with make_client(reluctant) as client:
        settings: dict[str, Any] = {"_request_timeout": (5, 0.2), "_retries": 0}
        if kind == "json":
            body = {"customerSession": {"attributes": {"note": "x" * size}}}
            api = aio.IntegrationApi(client)
            call: Any = api.update_customer_session_v2("1", body, **settings)
        else:
            path = tmp_path / "coupons.csv"
            path.write_bytes(b"x" * size)
            file = path if kind == "path" else path.read_bytes()
            call = aio.ManagementApi(client).import_coupons(1, 2, file, **settings)
        with pytest.raises(ReadTimeoutError, match="Sending timed out"):
            await within(10, call)


async def test_a_file_that_is_slow_to_read_is_not_taken_for_a_server_that_stalls(
    server: RecordingServer,
) -> None:
    gate = threading.Event()

    def slowly() -> Iterator[bytes]:
        yield b"value\n" * 20_000
        gate.wait(0.4)
        yield b"value\n" * 20_000

    async with make_client(server.url) as client:
        api = aio.ManagementApi(client)
        await api.import_coupons(1, 2, slowly(), _request_timeout=(5, 0.2))
    assert len(server.requests) == 1


async def test_a_stall_counts_from_the_piece_that_is_being_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = asyncio.get_running_loop()
    now = 1000.0
    timers: list[float] = []
    monkeypatch.setattr(loop, "time", lambda: now)
    monkeypatch.setattr(loop, "call_later", lambda delay, *_: timers.append(delay))
    exchange = Exchange(Timeout(read=5))
    exchange.transport = Mock()
    pieces = exchange.watched_upload(pieces_of(b"a", b"b"))
    assert timers == []
    for _ in range(2):
        await anext(pieces)
        for passed in (0, 1, 4.5):
            now += passed
            exchange._check_progress(5)
            now -= passed
        now += 100
    # The first timer, and two pieces of which each has what is left of its own five seconds.
    assert timers == [5, *(5, 4, 0.5) * 2]
    assert not exchange.stalled
    now -= 95
    exchange._check_progress(5)
    assert exchange.stalled
    exchange.transport.abort.assert_called_once_with()
    await pieces.aclose()


async def pieces_of(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


# -- Closing -----------------------------------------------------------------------------------


def half() -> Response:
    return Response(body=b"a" * 10, headers={"Content-Length": "20"}, silent=False)


async def download(client: aio.ApiClient) -> Any:
    management = aio.ManagementApi(client)
    async with management.stream(management.export_coupons, 1) as body:
        return await body.read()


async def raw(client: aio.ApiClient) -> Any:
    response = await aio.ManagementApi(client).export_coupons_without_preload_content(1)
    return await response.read()


@pytest.mark.parametrize("use", [download, raw])
async def test_reading_a_body_of_a_closed_client_raises(
    server: RecordingServer, use: Callable[[aio.ApiClient], Awaitable[Any]]
) -> None:
    server.script(half())
    client = make_client(server.url)
    reading = asyncio.ensure_future(use(client))
    await until(lambda: server.requests)
    # It has come to the body when nothing is left to do.
    for _ in range(20):
        await asyncio.sleep(0.001)
    await client.aclose()
    with pytest.raises(Exception, match="losed") as caught:
        await within(5, reading)
    assert use is raw or isinstance(caught.value, TransportError)


async def test_closing_that_is_cancelled_ends_the_calls_that_read_a_body(
    server: RecordingServer,
) -> None:
    server.script(half())
    client = make_client(server.url, retries=0)
    call = asyncio.ensure_future(ask(client, "1"))
    await until(lambda: server.requests)
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(client.aclose(), 0.1)
    with pytest.raises(NoResponseError):
        await within(5, call)


async def test_closing_waits_for_a_call_that_pauses_before_a_retry(
    server: RecordingServer,
) -> None:
    server.default = Echo()
    server.script(Response(503))
    client = make_client(server.url)
    pausing, go_on = asyncio.Event(), asyncio.Event()

    async def pause(_: float) -> None:
        pausing.set()
        await go_on.wait()

    client.clock = client.clock._replace(sleep=pause)
    call = asyncio.ensure_future(ask(client, "1"))
    await pausing.wait()
    closing = [asyncio.ensure_future(client.aclose()) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(ClientClosedError):
        await ask(client, "2")
    assert not any(each.done() for each in closing)
    go_on.set()
    await asyncio.gather(*closing)
    await call


async def test_a_call_whose_client_is_gone_says_that_it_may_have_been_executed(
    server: RecordingServer,
) -> None:
    server.script(Response(503))
    client = make_client(server.url)

    async def close(_: float) -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client.aclose(), 0.01)

    client.clock = client.clock._replace(sleep=close)
    with pytest.raises(
        NoResponseError, match="the client was closed; an earlier attempt"
    ) as caught:
        await aio.IntegrationApi(client).update_customer_session_v2("1", SESSION)
    assert caught.value.attempts == len(server.requests) == 1
    assert isinstance(caught.value.__cause__, ClientClosedError)


async def test_an_unsent_call_says_only_that_the_client_is_closed(
    server: RecordingServer,
) -> None:
    server.script(Response(429))
    client = make_client(server.url)

    async def close(_: float) -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client.aclose(), 0.01)

    client.clock = client.clock._replace(sleep=close)
    with pytest.raises(ClientClosedError):
        await aio.IntegrationApi(client).update_customer_session_v2("1", SESSION)


# -- Queues ------------------------------------------------------------------------------------


async def test_a_call_that_is_cancelled_when_it_leaves_the_queue_is_not_sent(
    server: RecordingServer,
) -> None:
    async with make_client(server.url) as client:
        client.configuration.calls_per_id = 1
        client._queues = client._new_queues()
        api = aio.IntegrationApi(client)

        def update() -> asyncio.Task[Any]:
            return asyncio.ensure_future(api.update_customer_session_v2("1", SESSION, _deadline=5))

        for _ in range(5):
            first, second = update(), update()
            await first
            second.cancel()
            with pytest.raises(asyncio.CancelledError):
                await second
    assert len(server.requests) == 5


async def test_a_call_whose_deadline_passes_in_the_queue_says_so_and_is_not_sent(
    server: RecordingServer,
) -> None:
    async with make_client(server.url) as client:
        client.configuration.calls_per_id = 1
        client._queues = client._new_queues()
        assert client._queues is not None
        before = Ticket([("profile", "anna")], lambda: None)
        client._queues.join(before)
        api = aio.IntegrationApi(client)
        calls = [
            api.update_customer_session_v2("1", SESSION, _deadline=0.01 + each / 10_000)
            for each in range(50)
        ]
        done = await aio.gather(calls, limit=50)
    assert {str(each).partition(": ")[2] for each in done.failures.values()} == {
        "the deadline has passed in the queue of its profile or session"
    }
    assert (len(done.failures), server.requests) == (50, [])


async def test_a_lost_loop_in_the_queue_blocks_no_other_call(server: RecordingServer) -> None:
    client = make_client(server.url)
    client.configuration.calls_per_id = 1
    turns = client._queues = client._new_queues()
    assert turns is not None
    first = Ticket([("profile", "anna")], lambda: None)
    turns.join(first)
    woken: list[str] = []
    third = Ticket([("profile", "anna")], lambda: woken.append("third"))

    def lose_a_loop() -> None:
        lost = asyncio.new_event_loop()
        api = aio.IntegrationApi(client)
        task = lost.create_task(api.update_customer_session_v2("1", SESSION))
        lost.run_until_complete(asyncio.sleep(0.01))
        lost.run_until_complete(lost.shutdown_asyncgens())
        lost.close()
        turns.join(third)
        turns.leave(first)
        # Nobody will ever finish it, which Python would complain of.
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # as asyncio does itself

    await asyncio.to_thread(lose_a_loop)
    assert woken == ["third"]


# -- Gathering ---------------------------------------------------------------------------------


async def test_a_cancelled_call_does_not_affect_the_others() -> None:
    async def good() -> int:
        await asyncio.sleep(0)
        return 1

    async def bad() -> int:
        raise asyncio.CancelledError

    done = await aio.gather([good(), bad(), good(), good()], limit=2)
    assert done.results == {0: 1, 2: 1, 3: 1}
    assert isinstance(done.failures[1], asyncio.CancelledError)


async def test_a_large_limit_costs_nothing_by_itself() -> None:
    async def good() -> int:
        return 1

    done = await within(1, aio.gather([good()], limit=10**9))
    assert done.values() == [1]


# -- Wrong use ---------------------------------------------------------------------------------


async def test_a_method_of_another_object_is_refused(server: RecordingServer) -> None:
    async with make_client(server.url) as client:
        ours, theirs = aio.ManagementApi(client), aio.ManagementApi(client)
        with pytest.raises(ApiTypeError, match="a method of another object"):
            ours.stream(theirs.export_coupons, 1)


async def test_a_client_of_something_else_than_settings_is_refused() -> None:
    wrong: Any = "http://127.0.0.1:1"
    with pytest.raises(ApiTypeError, match="a client takes a Configuration"):
        aio.ApiClient(wrong)
