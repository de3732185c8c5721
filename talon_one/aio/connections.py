"""Connection pool of aiohttp, whose connections record how far a request got."""

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

# A waiting task costs far less than a waiting thread, so more calls may be in flight.
_DEFAULT_SIZE = 100

# Maximum difference in seconds between the timers of an event loop and its clock.
_TIMER_TOLERANCE = 0.002

# More iterations of the loop than closing ever takes.
_MAX_CLOSE_ITERATIONS = 100


def pool_size(configuration: Configuration) -> int:
    """Return the maximum number of connections to a host per event loop."""
    size = configuration.connection_pool_maxsize
    return _DEFAULT_SIZE if isinstance(size, DefaultPoolSize) else max(1, size)


class Exchange:
    """The state of one attempt: what was sent, and when it must end.

    Attributes:
        timeout: Limits of its steps.
        fresh: Whether it needs a new connection.
        reused: Pool key of its connection, if that has served other calls.
        waiting: Whether it waits for a connection in use by other calls.
        sent: Whether any of the request may have reached the server.
        ends: Loop time at the deadline, if there is one.
        stalled: Whether the server stopped reading the request.
        transport: The transport of its connection, once there is one.
    """

    __slots__ = (
        "_sending_since",
        "_timer",
        "deadline",
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
        self._sending_since: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.deadline = None
        if timeout.deadline is not None:
            self.deadline = asyncio.get_running_loop().time() + timeout.deadline

    @property
    def time_is_up(self) -> bool:
        """Whether the deadline has passed."""
        # Timers may fire a little early.
        return (
            self.deadline is not None
            and asyncio.get_running_loop().time() >= self.deadline - _TIMER_TOLERANCE
        )

    async def watched_upload(self, body: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
        """Yield the chunks of a body; abort the connection if sending one takes too long.

        aiohttp has a timeout only for the wait for the response.
        """
        loop = asyncio.get_running_loop()
        if self.timeout.read is not None:
            self._timer = loop.call_later(
                self.timeout.read, self._check_progress, self.timeout.read
            )
        async for piece in body:
            self._sending_since = loop.time()
            yield piece
            self._sending_since = None

    def _check_progress(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        left = seconds
        if self._sending_since is not None:
            left -= loop.time() - self._sending_since
        if left > 0:
            self._timer = loop.call_later(left, self._check_progress, seconds)
        elif self.transport is not None:
            self.stalled = True
            self.transport.abort()

    def stop_upload_timer(self) -> None:
        """Stop the send timeout: the response has begun, or the attempt has failed."""
        if self._timer is not None:
            self._timer.cancel()


current_exchange: ContextVar[Exchange] = ContextVar("talon_one_exchange")
"""The exchange of the current attempt of a task."""


class _Socket(socket.socket):
    """A socket that counts its reads, so that a pooled connection notices every byte.

    The layers above hide some: half a response waits in the parser, half a record in TLS.

    Attributes:
        reads: Number of reads, including that of the end of the stream.
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

    It limits the number of interim responses, and closes without delay when it is dropped.

    Args:
        sockets: Sockets by their file descriptors.
        loop: The event loop.
    """

    _interim_responses = 0
    _pooled = False
    _reads = 0
    _socket: _Socket | None = None

    def __init__(self, sockets: Mapping[int, _Socket], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self._sockets = sockets

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the socket below a transport; TLS puts several layers between them."""
        super().connection_made(transport)
        self._socket = self._sockets.get(transport.get_extra_info("socket").fileno())

    def data_received(self, data: bytes) -> None:
        """Receive data; on an idle connection they make the connection unusable."""
        # aiohttp calls this itself, without data, to resume the parser.
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

        It cannot if anything has arrived since it became idle, which would be taken for the
        response to the next request. Data that the event loop has not read yet count, too.
        """
        self._pooled = False
        if self._socket is None or self.should_close or not self.is_connected():
            return False
        return self._socket.reads == self._reads and not wait_for_read(self._socket, 0)

    async def read(self) -> Any:
        """Return the next head of a response, those of interim responses included."""
        response = await super().read()
        if not 100 <= response[0].code < 200:
            self._interim_responses = 0
        else:
            self._interim_responses += 1
            if self._interim_responses > MAX_INTERIM_RESPONSES:
                raise aiohttp.ClientError("interim responses come again and again")
        return response

    def connection_lost(self, exc: BaseException | None) -> None:
        """Close a connection that the other side has ended."""
        transport = self.transport
        super().connection_lost(exc)
        if transport is not None:
            # Before Python 3.11, TLS stays open until it is closed explicitly.
            transport.close()

    def close(self) -> None:
        """Close the connection immediately."""
        transport = self.transport
        super().close()
        if transport is not None:
            # TLS waits for the closing message of the other side, which may never come.
            transport.abort()


class Latin1Request(aiohttp.ClientRequest):
    """A request with Latin-1 headers, as HTTP defines and the blocking client sends them."""

    async def send(self, conn: Any) -> aiohttp.ClientResponse:
        """Write the request; aiohttp would write its headers in UTF-8."""
        if not all(value.isascii() for value in self.headers.values()):
            conn.protocol.transport = _Latin1Head(conn.protocol)
        return await super().send(conn)


class _Latin1Head:
    """Replaces the transport of a connection until the head of a request is written."""

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
    """A connector whose connections record in the exchange of a task how far a request got."""

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(limit=pool_size(configuration), socket_factory=self._new_socket)
        # aiohttp documents neither this attribute nor the method that waits; there is no other way.
        self._sockets: weakref.WeakValueDictionary[int, _Socket] = weakref.WeakValueDictionary()
        factory: Any = partial(_Connection, self._sockets, loop=self._loop)
        self._factory = factory
        self._options = configuration.socket_options or ()
        asserted = configuration.assert_hostname
        self._asserted = asserted if isinstance(asserted, str) else None

    def _new_socket(self, address: Any) -> socket.socket:
        family, kind, protocol, *_ = address
        made = _Socket(family, kind, protocol)
        # asyncio sets ``TCP_NODELAY`` itself.
        for option in self._options:
            made.setsockopt(*option)
        self._sockets[made.fileno()] = made
        return made

    async def connect(self, req: Any, traces: Any, timeout: Any) -> Any:
        """Return a connection; from then on the request counts as sent."""
        connection = await super().connect(req, traces, timeout)
        if self._asserted is not None and connection.transport is not None:
            tls = connection.transport.get_extra_info("ssl_object")
            if tls is not None and tls.context.verify_mode:
                try:
                    match_hostname(tls.getpeercert(), self._asserted)
                except CertificateError:
                    connection.close()
                    raise
        # From here on, the server may have seen the request.
        exchange = current_exchange.get()
        exchange.sent = True
        exchange.transport = connection.transport
        return connection

    async def _get(self, key: Any, traces: Any) -> Any:
        """Return a pooled connection that can serve another call, if there is one."""
        exchange = current_exchange.get()
        while (pooled := await super()._get(key, traces)) is not None:
            protocol: Any = pooled.protocol
            if protocol.leave_pool() and not exchange.fresh:
                exchange.reused = key
                break
            pooled.close()
            if exchange.fresh:
                # One closed connection makes room for the new one.
                return None
        return pooled

    def drop_stale_connections(
        self, request: Request, exchange: Exchange, failure: TransportError
    ) -> None:
        """After a failure on a reused connection, retry over a new one and close the idle ones.

        They may be as dead: the server was restarted, or a proxy has dropped them.
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
        exchange = current_exchange.get()
        exchange.waiting = True
        try:
            await super()._wait_for_available_connection(*args)
        except BaseException:
            # It may have been first in line; aiohttp does not wake the next one then.
            self._release_waiter()
            raise
        exchange.waiting = False

    async def wait_until_closed(self) -> None:
        """Wait until all sockets are closed, which takes a few iterations of the loop."""
        for _ in range(_MAX_CLOSE_ITERATIONS):
            if all(each.fileno() < 0 for each in self._sockets.values()):
                return
            await asyncio.sleep(0)

    def detach(self) -> None:
        """Close the sockets of the parent process without the event loop, after a fork.

        The loop shares its selector with the loop of the parent, which must not be changed.
        """
        for each in list(self._sockets.values()):
            each.close()
        self._closed = True
