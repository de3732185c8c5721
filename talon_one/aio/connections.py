"""Connections of aiohttp that record how far a request got, and close at the deadline."""

from __future__ import annotations

import asyncio
import socket
import weakref
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp.client_proto import ResponseHandler
from urllib3.util import wait_for_read
from urllib3.util.ssl_match_hostname import CertificateError, match_hostname

from talon_one._http.errors import MAX_INTERIM_RESPONSES
from talon_one.configuration import DefaultPoolSize

if TYPE_CHECKING:
    from talon_one._core.request import Request
    from talon_one._core.timeout import Timeout
    from talon_one.configuration import Configuration
    from talon_one.exceptions import TransportError

# Waiting for a connection costs a task far less than a thread, so that more calls are under way.
_DEFAULT_SIZE = 100

# By how much the timers of an event loop differ from its clock, in seconds.
_EARLY = 0.002

# More than closing ever takes.
_TURNS = 100


def pool_size(configuration: Configuration) -> int:
    """Return how many connections to a host there may be in each event loop."""
    size = configuration.connection_pool_maxsize
    return _DEFAULT_SIZE if isinstance(size, DefaultPoolSize) else max(1, size)


class Exchange:
    """One attempt while it goes on: how far it has come, and when it must end.

    Attributes:
        timeout: Time for its steps.
        fresh: Whether it needs a connection that has served no other call.
        reused: Key in the pool of the connection that it uses, if that has served other calls.
        waiting: Whether it waits for a connection that other calls use.
        sent: Whether any of the request may have reached the server.
        ends: Time of the loop at which its deadline passes, if it has one.
        stalled: Whether the server took no more of the request.
        transport: What it is sent over, once there is a connection.
    """

    __slots__ = (
        "_sending",
        "_timer",
        "ends",
        "fresh",
        "reused",
        "sent",
        "stalled",
        "timeout",
        "transport",
        "waiting",
    )

    def __init__(self, timeout: Timeout, fresh: bool = False) -> None:
        self.timeout = timeout
        self.fresh = fresh
        self.reused: Any = None
        self.waiting = False
        self.sent = False
        self.stalled = False
        self.transport: asyncio.Transport | None = None
        self._sending: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.ends = None
        if timeout.deadline is not None:
            self.ends = asyncio.get_running_loop().time() + timeout.deadline

    @property
    def time_is_up(self) -> bool:
        """Whether the deadline has passed."""
        # Timers may end a little early.
        return self.ends is not None and asyncio.get_running_loop().time() >= self.ends - _EARLY

    async def watched(self, body: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
        """Yield the pieces of a body, and break the connection when one is not taken in time.

        aiohttp bounds only the wait for the response.
        """
        loop = asyncio.get_running_loop()
        if self.timeout.read is not None:
            self._timer = loop.call_later(self.timeout.read, self._look, self.timeout.read)
        async for piece in body:
            self._sending = loop.time()
            yield piece
            self._sending = None

    def _look(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        left = seconds
        if self._sending is not None:
            left -= loop.time() - self._sending
        if left > 0:
            self._timer = loop.call_later(left, self._look, seconds)
        elif self.transport is not None:
            self.stalled = True
            self.transport.abort()

    def stop_watching(self) -> None:
        """Leave the connection alone from now on: the response has begun, or will not."""
        if self._timer is not None:
            self._timer.cancel()


exchange_of_task: ContextVar[Exchange] = ContextVar("talon_one_exchange")
"""That of the attempt which the task is at."""


class _Socket(socket.socket):
    """A socket that counts its reads, so that a pooled connection knows of every byte.

    What is on top of it hides some: half a response waits in the parser, half a record in TLS.

    Attributes:
        reads: How often something was received, be it the end.
    """

    __slots__ = ("reads",)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.reads = 0

    def recv(self, *args: Any) -> bytes:
        received = super().recv(*args)
        self.reads += 1
        return received

    def recv_into(self, *args: Any) -> int:
        size = super().recv_into(*args)
        self.reads += 1
        return size


class _Connection(ResponseHandler):
    """A connection that is reused only if nothing arrived while it was idle.

    It does not listen to endless announcements, and it is closed without delay when it is dropped.

    Args:
        sockets: Sockets by their file descriptors.
        loop: The event loop.
    """

    _announcements = 0
    _pooled = False
    _reads = 0
    _socket: _Socket | None = None

    def __init__(self, sockets: Mapping[int, _Socket], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self._sockets = sockets

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the socket below a transport; over TLS there are several layers between them."""
        super().connection_made(transport)
        self._socket = self._sockets.get(transport.get_extra_info("socket").fileno())

    def data_received(self, data: bytes) -> None:
        """Take what has arrived; on an idle connection it makes the connection unusable."""
        # aiohttp calls this itself, with nothing, to have the parser go on.
        if self._pooled and data:
            self.force_close()
        super().data_received(data)

    def enter_pool(self) -> None:
        """Note that the connection is idle from now on."""
        self._pooled = True
        if self._socket is not None:
            self._reads = self._socket.reads

    def leave_pool(self) -> bool:
        """Return whether the connection can serve another call.

        It cannot if anything has arrived since it became idle: it would be taken for the response
        to the next request. What the event loop has not read yet counts as well.
        """
        self._pooled = False
        if self._socket is None or self.should_close or not self.is_connected():
            return False
        return self._socket.reads == self._reads and not wait_for_read(self._socket, 0)

    async def read(self) -> Any:
        """Return the next head of a response, announcements included."""
        response = await super().read()
        if not 100 <= response[0].code < 200:
            self._announcements = 0
        else:
            self._announcements += 1
            if self._announcements > MAX_INTERIM_RESPONSES:
                raise aiohttp.ClientError("interim responses come again and again")
        return response

    def connection_lost(self, exc: BaseException | None) -> None:
        """Close what is left of a connection that the other side has ended."""
        transport = self.transport
        super().connection_lost(exc)
        if transport is not None:
            # Before 3.11, TLS counts as open until it is told.
            transport.close()

    def close(self) -> None:
        """Close the connection at once."""
        transport = self.transport
        super().close()
        if transport is not None:
            # TLS waits for the other side to take its leave, which may be what is amiss.
            transport.abort()


class LatinRequest(aiohttp.ClientRequest):
    """A request whose headers are Latin-1, as HTTP has it and the blocking client sends them."""

    async def send(self, conn: Any) -> aiohttp.ClientResponse:
        """Write the request, with what of its headers aiohttp would write in UTF-8 in Latin-1."""
        if not all(value.isascii() for value in self.headers.values()):
            conn.protocol.transport = _LatinHead(conn.protocol)
        return await super().send(conn)


class _LatinHead:
    """Stands in for the transport of a connection until the head of a request is written."""

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self._transport = protocol.transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def writelines(self, pieces: Iterable[bytes]) -> None:
        self.write(b"".join(pieces))

    def write(self, data: bytes) -> None:
        self._protocol.transport = self._transport
        head, end, body = bytes(data).partition(b"\r\n\r\n")
        self._transport.write(head.decode().encode("latin-1") + end + body)


class Connector(aiohttp.TCPConnector):
    """Connections that tell the exchange of their task how far things have come."""

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(limit=pool_size(configuration), socket_factory=self._new_socket)
        # Neither this nor the method that waits is documented by aiohttp; there is no other way.
        self._sockets: weakref.WeakValueDictionary[int, _Socket] = weakref.WeakValueDictionary()
        factory: Any = partial(_Connection, self._sockets, loop=self._loop)
        self._factory = factory
        self._options = configuration.socket_options
        asserted = configuration.assert_hostname
        self._asserted = asserted if isinstance(asserted, str) else None

    def _new_socket(self, address: Any) -> socket.socket:
        family, kind, protocol, *_ = address
        made = _Socket(family, kind, protocol)
        if self._options is None:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for option in self._options or ():
            made.setsockopt(*option)
        self._sockets[made.fileno()] = made
        return made

    async def connect(self, req: Any, traces: Any, timeout: Any) -> Any:
        """Return a connection, and note that the request may be on its way from then on."""
        connection = await super().connect(req, traces, timeout)
        if self._asserted is not None and connection.transport is not None:
            tls = connection.transport.get_extra_info("ssl_object")
            if tls is not None and tls.context.verify_mode:
                try:
                    match_hostname(tls.getpeercert(), self._asserted)
                except CertificateError:
                    connection.close()
                    raise
        # From here on, even the server may know more of the request than we do.
        exchange = exchange_of_task.get()
        exchange.sent = True
        exchange.transport = connection.transport
        return connection

    async def _get(self, key: Any, traces: Any) -> Any:
        """Return a pooled connection that can serve another call, if there is one."""
        exchange = exchange_of_task.get()
        while (pooled := await super()._get(key, traces)) is not None:
            protocol: Any = pooled.protocol
            if protocol.leave_pool() and not exchange.fresh:
                exchange.reused = key
                break
            pooled.close()
            if exchange.fresh:
                # One is enough: the new connection takes its place.
                return None
        return pooled

    def distrust(self, request: Request, exchange: Exchange, failure: TransportError) -> None:
        """Draw the conclusions from an attempt that got no complete response.

        If its connection had served other calls, those that are idle now may be as dead: the server
        was restarted, or something on the way has forgotten them. They are closed, and a retry
        goes over a new one.
        """
        if exchange.reused is None:
            return
        failure.on_stale_connection = True
        if request.carryover is not None:
            request.carryover.fresh = True
        for protocol, _ in self._conns.pop(exchange.reused, ()):
            protocol.close()

    def _release(self, key: Any, protocol: Any, *, should_close: bool = False) -> None:
        protocol.enter_pool()
        super()._release(key, protocol, should_close=should_close)

    async def _wait_for_available_connection(self, *args: Any) -> None:
        exchange = exchange_of_task.get()
        exchange.waiting = True
        try:
            await super()._wait_for_available_connection(*args)
        except BaseException:
            # It may have been its turn, which aiohttp then forgets to pass on.
            self._release_waiter()
            raise
        exchange.waiting = False

    async def wait_until_closed(self) -> None:
        """Wait until all sockets are closed, which takes the loop a few turns."""
        for _ in range(_TURNS):
            if all(each.fileno() < 0 for each in self._sockets.values()):
                return
            await asyncio.sleep(0)

    def detach(self) -> None:
        """Let go of sockets that belong to the parent process, without the event loop.

        The loop shares its selector with that of the parent, which must not hear of it.
        """
        for each in list(self._sockets.values()):
            each.close()
        self._closed = True
