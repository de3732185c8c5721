"""A cancelled call leaves no task and no half-read connection, wherever it was."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from support.awaiting import Gate, Notes, ask, make_client, until
from support.certificates import certificate_of, server_context
from support.echo import Echo
from support.network import deaf_port
from support.server import SILENCE, RecordingServer, Response
from talon_one import CallEvent, ClientClosedError, Hooks, ReadTimeoutError, aio
from talon_one.aio.stream import Stream

pytestmark = pytest.mark.asyncio

HALF = b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"customerSession": {"integ'


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


async def cancelled(call: asyncio.Task[Any]) -> None:
    """Cancel a call and wait for its end."""
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


def assert_all_ends_are_noted(notes: Notes) -> None:
    """Check that everything that was begun has ended, the last of it by being cancelled."""
    assert notes.noted[-1] == ("error", 0)
    assert isinstance(notes.failures[-1], asyncio.CancelledError)
    begun = [number for method, number in notes.noted if method == "request"]
    ended = [number for method, number in notes.noted if method != "request"]
    assert sorted(begun) == sorted(ended)


async def test_while_it_waits_for_a_connection(server: RecordingServer) -> None:
    gate = Gate()
    server.default = gate
    notes = Notes()
    async with make_client(server.url, connection_pool_maxsize=1) as client:
        first = asyncio.ensure_future(ask(client, "1"))
        await until(gate.reached.is_set)
        client.configuration.hooks.append(notes)
        second = asyncio.ensure_future(ask(client, "2"))
        await until(lambda: notes.noted == [("request", 0), ("request", 1)])
        await cancelled(second)
        assert_all_ends_are_noted(notes)
        gate.open.set()
        await first
        await ask(client, "3")
    assert [each.path[-1] for each in server.requests] == ["1", "3"]
    assert server.connections == 1


async def test_when_it_is_next_in_line_for_a_connection(server: RecordingServer) -> None:
    gate = Gate()
    server.default = gate
    waiting: list[asyncio.Task[None]] = []

    class Impatient(Hooks):
        """Cancels a call in the very turn of the loop in which it is given a connection."""

        def on_response(self, event: CallEvent) -> None:
            waiting[0].cancel()

    settings: Any = {"connection_pool_maxsize": 1, "retries": 0, "timeout": (1, 5)}
    async with make_client(server.url, hooks=[Impatient()], **settings) as client:
        first = asyncio.ensure_future(ask(client, "1"))
        await until(gate.reached.is_set)
        waiting += [asyncio.ensure_future(ask(client, each)) for each in ("2", "3")]
        for _ in range(10):
            await asyncio.sleep(0)
        gate.open.set()
        await first
        with pytest.raises(asyncio.CancelledError):
            await waiting[0]
        # Its turn was passed on.
        await waiting[1]
    assert [each.path[-1] for each in server.requests] == ["1", "3"]


@pytest.mark.parametrize("secure", [False, True], ids=["connection", "handshake"])
async def test_while_it_connects(stack: ExitStack, notes: Notes, secure: bool) -> None:
    if secure:
        server = stack.enter_context(RecordingServer(server_context()))
        server.greet(SILENCE)
        host = server.url
    else:
        host = f"http://127.0.0.1:{stack.enter_context(deaf_port())}"
    settings: Any = {"ca_cert_data": certificate_of("ours"), "hooks": [notes]}
    async with make_client(host, **settings) as client:
        call = asyncio.ensure_future(ask(client, "1"))
        await until(lambda: client._transports and _sockets(client))
        if secure:
            await until(lambda: server.connections == 1)
        await cancelled(call)
        assert_all_ends_are_noted(notes)
        assert all(each.fileno() < 0 for each in _sockets(client))
        if secure:
            server.default = Echo()
            await ask(client, "2")
            assert len(server.requests) == 1


def _sockets(client: aio.ApiClient) -> list[Any]:
    (transport,) = client._transports.values()
    return list(transport._connector._sockets.values())


async def test_while_it_sends(server: RecordingServer, client: aio.ApiClient, notes: Notes) -> None:
    # Far more than the system takes before somebody reads it.
    server.greet(SILENCE)
    body = {"large": "x" * 2**25}
    call = asyncio.ensure_future(client.call_api("/v1/things", "POST", body=body))
    await until(lambda: server.connections == 1)
    await cancelled(call)
    assert_all_ends_are_noted(notes)
    server.default = Echo()
    await ask(client, "2")
    assert server.connections == 2


async def test_while_it_waits_for_the_response(
    server: RecordingServer, client: aio.ApiClient, notes: Notes
) -> None:
    server.script(SILENCE)
    server.default = Echo()
    call = asyncio.ensure_future(ask(client, "1"))
    await until(lambda: server.requests)
    await cancelled(call)
    assert_all_ends_are_noted(notes)
    await ask(client, "2")
    assert [each.connection for each in server.requests] == [1, 2]


async def test_while_it_reads_the_response(
    server: RecordingServer,
    client: aio.ApiClient,
    notes: Notes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reading = asyncio.Event()
    read = Stream.complete_response

    async def response(stream: Stream) -> Any:
        reading.set()
        return await read(stream)

    monkeypatch.setattr(Stream, "complete_response", response)
    server.script(Response(raw=HALF, silent=True))
    server.default = Echo()
    call = asyncio.ensure_future(ask(client, "1"))
    await reading.wait()
    await cancelled(call)
    assert_all_ends_are_noted(notes)
    await ask(client, "2")
    assert [each.connection for each in server.requests] == [1, 2]


async def test_while_it_pauses_between_attempts(
    server: RecordingServer, client: aio.ApiClient, notes: Notes
) -> None:
    server.script(Response(503, headers={"Retry-After": "20"}))
    server.default = Echo()
    client.clock = client.clock._replace(sleep=asyncio.sleep)
    call = asyncio.ensure_future(ask(client, "1"))
    await until(lambda: ("error", 1) in notes.noted)
    await cancelled(call)
    assert_all_ends_are_noted(notes)
    await ask(client, "2")
    # The refusal had been read to its end.
    assert [each.connection for each in server.requests] == [1, 1]


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
async def test_at_every_turn_of_the_loop(secure: bool) -> None:
    tls = server_context() if secure else None
    with RecordingServer(tls, default=Echo()) as server:
        settings: Any = {"ca_cert_data": certificate_of("ours"), "connection_pool_maxsize": 2}
        async with make_client(server.url, **settings) as client:
            for turns in range(40):
                call = asyncio.ensure_future(ask(client, "1"))
                for _ in range(turns):
                    await asyncio.sleep(0)
                call.cancel()
                with suppress(asyncio.CancelledError):
                    await call
                # Were one of them lost, or its response somebody else's, one of these would fail.
                await asyncio.gather(ask(client, "2"), ask(client, "3"))
        assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_an_unread_raw_response_blocks_no_other_call(
    server: RecordingServer,
) -> None:
    server.default = Response(body={}, headers={"Content-Length": "9"})
    async with make_client(server.url, connection_pool_maxsize=1) as client:
        api = aio.IntegrationApi(client)
        for _ in range(3):
            raw = await api.get_customer_session_without_preload_content("1")
            raw.close()
    assert server.connections == 3


# -- Time --------------------------------------------------------------------------------------


@pytest.mark.parametrize("response", [SILENCE, Response(raw=HALF, silent=True)])
async def test_a_timeout_of_asyncio_cuts_a_call_short(
    server: RecordingServer, client: aio.ApiClient, notes: Notes, response: Response
) -> None:
    server.script(response)
    server.default = Echo()
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(ask(client, "1"), 0.1)
    assert_all_ends_are_noted(notes)
    await ask(client, "2")
    assert [each.connection for each in server.requests] == [1, 2]


async def test_a_timeout_of_the_call_is_a_timeout_error(
    server: RecordingServer, client: aio.ApiClient
) -> None:
    server.script(SILENCE, SILENCE)
    api = aio.IntegrationApi(client)
    settings: Any = {"_retries": 0}
    for limit in ({"_deadline": 0.05}, {"_request_timeout": (5, 0.05)}):
        with pytest.raises(TimeoutError) as caught:
            await api.get_customer_session("1", **limit, **settings)
        assert isinstance(caught.value, ReadTimeoutError)


# -- Closing -----------------------------------------------------------------------------------


async def test_closing_waits_for_calls_in_progress(server: RecordingServer) -> None:
    gate = Gate()
    server.default = gate
    client = make_client(server.url)
    calls = [asyncio.ensure_future(ask(client, str(number))) for number in range(3)]
    await until(lambda: len(server.requests) == 3)
    closing = asyncio.ensure_future(client.aclose())
    await asyncio.sleep(0)
    with pytest.raises(ClientClosedError):
        await ask(client, "4")
    assert not closing.done()
    gate.open.set()
    await closing
    await asyncio.gather(*calls)
    assert len(server.requests) == 3


async def test_a_call_that_waits_for_a_connection_while_the_client_closes_completes(
    server: RecordingServer,
) -> None:
    gate = Gate()
    server.default = gate
    client = make_client(server.url, connection_pool_maxsize=1)
    calls = [asyncio.ensure_future(ask(client, str(number))) for number in range(3)]
    await until(gate.reached.is_set)
    closing = asyncio.ensure_future(client.aclose())
    await asyncio.sleep(0)
    gate.open.set()
    await closing
    await asyncio.gather(*calls)


async def test_closing_may_be_cancelled_and_closes_all_the_same(server: RecordingServer) -> None:
    server.script(SILENCE)
    client = make_client(server.url, retries=0)
    call = asyncio.ensure_future(ask(client, "1"))
    await until(lambda: server.requests)
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(client.aclose(), 0.05)
    call.cancel()
    with suppress(Exception, asyncio.CancelledError):
        await call
    with pytest.raises(ClientClosedError):
        await ask(client, "2")


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_closing_again_does_no_harm(server: RecordingServer, times: int) -> None:
    server.default = Echo()
    client = make_client(server.url)
    await ask(client, "1")
    for _ in range(times):
        await client.aclose()
    await asyncio.gather(client.aclose(), client.aclose())
    uses: list[Callable[[], Any]] = [
        lambda: ask(client, "1"),
        lambda: client.call_api("/v1/things", "GET"),
        lambda: aio.IntegrationApi(client).get_customer_session_without_preload_content("1"),
    ]
    for use in uses:
        with pytest.raises(ClientClosedError, match="this client is closed; make a new one"):
            await use()
    assert len(server.requests) == 1
