"""A pooled connection is reused only if nothing arrived on it."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from typing import Any

import pytest

from support.awaiting import ask, make_client
from support.certificates import certificate_of, server_context
from support.server import Received, RecordingServer, Response
from talon_one import aio

pytestmark = pytest.mark.asyncio

STRAY = Response(body={"customerSession": {"integrationId": "of somebody else"}}).encoded("GET")
TRUST: Any = {"ca_cert_data": certificate_of("ours"), "retries": 0}

each_scheme = pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])


class Intruder:
    """A server that responds with the requested ID, and on command sends a response to no request.

    Attributes:
        go: Set to have it sent.
        sent: Set when it is.
    """

    def __init__(self) -> None:
        self.go = threading.Event()
        self.sent = threading.Event()

    def __call__(self, request: Received) -> Response:
        body = {"customerSession": {"integrationId": request.path.rpartition("/")[2]}}
        return Response(body=body, then=None if self.sent.is_set() else self._intrude)

    def _intrude(self, connection: socket.socket) -> None:
        self.go.wait(10)
        connection.sendall(STRAY)
        self.sent.set()


@each_scheme
async def test_bytes_that_the_loop_has_not_read_yet_count_as_arrived(secure: bool) -> None:
    intruder = Intruder()
    tls = server_context() if secure else None
    with RecordingServer(tls, default=intruder) as server:
        async with make_client(server.url, **TRUST) as client:
            await ask(client, "1")
            intruder.go.set()
            # It blocks the loop on purpose: the bytes stay in the buffers of the system.
            assert intruder.sent.wait(10)
            await ask(client, "2")
        assert server.connections == 2


Lost = Callable[[Any], object]


@pytest.mark.parametrize(
    ("what", "reusable"),
    [
        (lambda _: None, True),
        (lambda connection: connection.data_received(b"x"), False),
        # aiohttp resumes its parser this way.
        (lambda connection: connection.data_received(b""), True),
        (lambda connection: connection.force_close(), False),
        (lambda connection: connection.close(), False),
        # Without the socket it cannot be known what has arrived.
        (lambda connection: setattr(connection, "_socket", None), False),
        (lambda connection: setattr(connection._socket, "reads", 99), False),
    ],
    ids=["nothing", "data", "no data", "to be closed", "closed", "no socket", "read"],
)
async def test_a_connection_is_reused_unless_anything_happened_to_it(
    what: Lost, reusable: bool
) -> None:
    with RecordingServer() as server:
        async with make_client(server.url) as client:
            await aio.IntegrationApi(client).get_customer_session("1")
            (transport,) = client._transports.values()
            (connections,) = transport._connector._conns.values()
            connection: Any = connections[0][0]
            what(connection)
            assert connection.leave_pool() is reusable


class Holding:
    """Stands between client and server, and holds back the end of what the server sends.

    Attributes:
        hold: Whether it does so from now on.
        held: Set when the beginning was passed on.
    """

    def __init__(self, upstream: int) -> None:
        self.hold = False
        self.held = asyncio.Event()
        self._upstream = upstream
        self._wanted = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._upstream)
        await asyncio.gather(
            self._pass_on(reader, to_server, self._note_request),
            self._pass_on(from_server, writer, self._hold_back),
        )

    async def _pass_on(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        look: Callable[[bytes, asyncio.StreamWriter], Awaitable[bytes]],
    ) -> None:
        # The client may have closed the connection, as it should.
        with suppress(OSError), closing(target):
            while data := await source.read(2**16):
                target.write(await look(data, target))
                await target.drain()

    async def _note_request(self, data: bytes, _: asyncio.StreamWriter) -> bytes:
        if self.held.is_set():
            self._wanted.set()
        return data

    async def _hold_back(self, data: bytes, target: asyncio.StreamWriter) -> bytes:
        if not self.hold:
            return data
        self.hold = False
        target.write(data[: len(data) // 2])
        await target.drain()
        self.held.set()
        await self._wanted.wait()
        return data[len(data) // 2 :]


@each_scheme
async def test_half_a_record_of_tls_counts_as_arrived(secure: bool) -> None:
    intruder = Intruder()
    tls = server_context() if secure else None
    with RecordingServer(tls, default=intruder) as server:
        between = Holding(server.port)
        async with await asyncio.start_server(between.serve, "127.0.0.1", 0) as listener:
            host = f"{server.url.rpartition(':')[0]}:{listener.sockets[0].getsockname()[1]}"
            async with make_client(host, **TRUST) as client:
                await ask(client, "1")
                between.hold = True
                intruder.go.set()
                await between.held.wait()
                # The loop has read it when nothing is left to do.
                for _ in range(20):
                    await asyncio.sleep(0.001)
                await ask(client, "2")
        assert server.connections == 2
