"""aiohttp behind one method: sends a request once, and puts what goes wrong into our words."""

from __future__ import annotations

import asyncio
import io
import socket
import weakref
from collections.abc import AsyncGenerator
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import aiohttp
import yarl
from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.exceptions import HTTPError
from urllib3.util import parse_url
from urllib3.util.ssl_match_hostname import CertificateError, match_hostname

from talon_one.configuration import DEFAULT_POOL_SIZE
from talon_one.exceptions import ConfigurationError, TransportError, transport_error_class
from talon_one.proxies import proxy_for
from talon_one.response import Answer
from talon_one.rest import LONGEST_REASON, call_details, unpacked
from talon_one.tls import ssl_context

if TYPE_CHECKING:
    from talon_one.configuration import Configuration
    from talon_one.request import Request
    from talon_one.timeout import Timeout

_FAILURES = (aiohttp.ClientError, asyncio.TimeoutError, OSError, CertificateError, HTTPError)

# Waiting for a connection costs a task far less than a thread, so that more calls are under way.
_DEFAULT_LIMIT = 100

# Those that the standard library allows.
_LONGEST_LINE = 2**16

# What aiohttp takes as bytes without a warning.
_LARGE_BODY = 2**20


class _Exchange:
    """One attempt while it goes on: whether anything may have been sent, and when it must end."""

    __slots__ = ("ends", "sent")

    def __init__(self, deadline: float | None) -> None:
        self.sent = False
        self.ends = None if deadline is None else asyncio.get_running_loop().time() + deadline

    @property
    def time_is_up(self) -> bool:
        return self.ends is not None and asyncio.get_running_loop().time() >= self.ends


_exchange: ContextVar[_Exchange] = ContextVar("talon_one_exchange")


class _Connector(aiohttp.TCPConnector):
    """Connections that tell the exchange of their task when there is one to send over."""

    def __init__(self, configuration: Configuration) -> None:
        size = configuration.connection_pool_maxsize
        super().__init__(
            limit=_DEFAULT_LIMIT if size == DEFAULT_POOL_SIZE else max(1, size),
            socket_factory=self._new_socket,
        )
        self._options = configuration.socket_options
        asserted = configuration.assert_hostname
        self._asserted = asserted if isinstance(asserted, str) else None
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def _new_socket(self, address: Any) -> socket.socket:
        family, kind, protocol, *_ = address
        made = socket.socket(family, kind, protocol)
        if self._options is None:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for option in self._options or ():
            made.setsockopt(*option)
        self._sockets.add(made)
        return made

    async def connect(self, req: Any, traces: Any, timeout: Any) -> Any:
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
        _exchange.get().sent = True
        return connection

    def abandon(self) -> None:
        """Let go of sockets that belong to the parent process, without the event loop.

        The loop shares its selector with that of the parent, which must not hear of it.
        """
        for each in list(self._sockets):
            each.close()
        self._closed = True


class Transport:
    """The connections of one client in one event loop."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._connector = _Connector(configuration)
        self._session = aiohttp.ClientSession(
            connector=self._connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Content-Type",),
            headers={"Accept-Encoding": "identity"},
            auto_decompress=False,
            max_line_size=_LONGEST_LINE,
            max_field_size=_LONGEST_LINE,
        )
        # What is repeated is decided above; aiohttp knows methods only. It has no other switch.
        self._session._retry_connection = False
        self._routes: dict[str, dict[str, Any]] = {}
        self._life = _close_with_the_loop(self._session)
        self._under_way = 0
        self._idle: asyncio.Future[None] | None = None

    async def start(self) -> None:
        """Have the connections closed at the end of the loop, if not before."""
        await anext(self._life)

    async def close(self) -> None:
        """Close all connections, once the calls that are under way have come to their end."""
        try:
            if self._under_way:
                self._idle = asyncio.get_running_loop().create_future()
                await self._idle
        finally:
            await self._life.aclose()

    def abandon(self) -> None:
        """Let go of connections that belong to the parent process, after a fork."""
        self._connector.abandon()

    async def send(self, request: Request, timeout: Timeout) -> Answer:
        """Send a request once and return the complete answer, whatever its status.

        Args:
            request: What to send.
            timeout: Time for the steps; its deadline counts from now and bounds all of them.

        Raises:
            NotSentError: The server has not seen the request.
            NoAnswerError: It may have, but no complete answer came back.
            ApiValueError: A file to upload could not be read to its end.
        """
        self._under_way += 1
        try:
            stream = await self._stream(request, timeout)
            return await stream.answer()
        finally:
            self._under_way -= 1
            if self._idle is not None and not self._under_way and not self._idle.done():
                self._idle.set_result(None)

    async def open(self, request: Request, timeout: Timeout) -> aiohttp.ClientResponse:
        """Send a request once and return the answer with its body still to be read.

        The caller reads it to its end or releases it. Errors are those of `send`.
        """
        return await self._open(request, timeout, _Exchange(timeout.deadline))

    async def stream(self, request: Request, timeout: Timeout) -> Stream | Answer:
        """Send a request once and return the answer, its body to be read bit by bit if it is 2xx.

        Errors are those of `send`.
        """
        stream = await self._stream(request, timeout)
        return stream if 200 <= stream.status <= 299 else await stream.answer()

    async def _stream(self, request: Request, timeout: Timeout) -> Stream:
        exchange = _Exchange(timeout.deadline)
        return Stream(await self._open(request, timeout, exchange), request, exchange)

    async def _open(
        self, request: Request, timeout: Timeout, exchange: _Exchange
    ) -> aiohttp.ClientResponse:
        route = self._routes.get(request.base)
        if route is None:
            route = self._route(request.base)
        if request.base.startswith("https"):
            # Made anew when certificates have been renewed.
            route["ssl"] = ssl_context(self._configuration)
        body: Any = request.body
        if isinstance(body, bytes) and len(body) > _LARGE_BODY:
            body = io.BytesIO(body)
        token = _exchange.set(exchange)
        response = None
        try:
            response = await self._session.request(
                request.method,
                # As it is: what is percent-encoded in an ID has to stay so.
                yarl.URL(request.url, encoded=True),
                data=body,
                headers=request.headers,
                allow_redirects=False,
                timeout=_client_timeout(timeout),
                **route,
            )
            return response
        except _FAILURES as cause:
            _raise_failure_of_file(request)
            raise _translated(cause, request, exchange) from _told(cause)
        finally:
            _exchange.reset(token)
            if response is None:
                _close_file(request)

    def _route(self, base: str) -> dict[str, Any]:
        """Return how a host is reached: its proxy, and the name that its certificate is for."""
        configuration = self._configuration
        route: dict[str, Any] = {}
        if configuration.tls_server_name is not None and base.startswith("https"):
            route["server_hostname"] = configuration.tls_server_name
        proxy = proxy_for(configuration, base)
        if proxy is not None:
            if not proxy.startswith("http"):
                raise ConfigurationError(
                    "aiohttp speaks to no SOCKS proxy: use an HTTP proxy, or the blocking client"
                )
            try:
                address = parse_url(proxy)
                route["proxy"] = yarl.URL(proxy).with_user(None)
                if address.auth:
                    name, _, password = address.auth.partition(":")
                    route["proxy_auth"] = aiohttp.BasicAuth(name, password, "utf-8")
            except (ValueError, HTTPError):
                # Neither the message nor its cause may quote it: it may hold a password.
                raise ConfigurationError(
                    "the proxy cannot be used: its address is not valid"
                ) from None
            route["proxy_headers"] = configuration.proxy_headers
        self._routes[base] = route
        return route


def _raise_failure_of_file(request: Request) -> None:
    """Tell why a file could not be read, which is a broken connection in the eyes of aiohttp."""
    failure = None if isinstance(request.body, bytes | None) else request.body.failure
    if failure is not None:
        raise failure from failure.__cause__


def _close_file(request: Request) -> None:
    if not isinstance(request.body, bytes | None):
        request.body.close()


async def _close_with_the_loop(session: aiohttp.ClientSession) -> AsyncGenerator[None, None]:
    """Close a session when it is no longer used.

    A loop knows the asynchronous generators that were begun in it, and closes them before it ends.
    """
    try:
        yield
    finally:
        await session.close()


def _client_timeout(timeout: Timeout) -> aiohttp.ClientTimeout:
    if timeout.deadline is None:
        return _lasting_timeout(timeout.connect, timeout.read)
    return aiohttp.ClientTimeout(timeout.deadline, timeout.connect, timeout.read)


@lru_cache(maxsize=64)
def _lasting_timeout(connect: float | None, read: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(None, connect, read)


class Stream:
    """An answer whose body is still to come."""

    def __init__(
        self, response: aiohttp.ClientResponse, request: Request, exchange: _Exchange
    ) -> None:
        self.status = response.status
        # The same class as in the blocking client; that of aiohttp cannot be pickled.
        self.headers = HTTPHeaderDict(response.headers.items())
        self._response = response
        self._request = request
        self._exchange = exchange

    async def answer(self) -> Answer:
        """Return the answer with its complete body."""
        received: list[bytes] = []
        try:
            while piece := await self._response.content.readany():
                received.append(piece)
            data = self._unpacked(b"".join(received))
        except _FAILURES as cause:
            _raise_failure_of_file(self._request)
            raise self._broken_off(cause, b"".join(received)) from _told(cause)
        finally:
            self.close()
        return Answer(self.status, self._response.reason, self.headers, data)

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield the body as it comes.

        Raises:
            NoAnswerError: It breaks off.
        """
        if "Content-Encoding" in self.headers:
            # Nobody asked for it to be packed, so that it will not be large.
            yield (await self.answer()).data
            return
        try:
            while piece := await self._response.content.readany():
                yield piece
        except _FAILURES as cause:
            self.close()
            raise self._broken_off(cause, b"") from _told(cause)

    def close(self) -> None:
        """Close the connection, unless all was read and it has been given back."""
        self._response.close()
        # Not earlier: an answer may begin before the file has been sent.
        _close_file(self._request)

    def _unpacked(self, data: bytes) -> bytes:
        if "Content-Encoding" not in self.headers:
            return data
        return unpacked(HTTPResponse(io.BytesIO(data), self.headers, preload_content=False))

    def _broken_off(self, cause: Exception, received: bytes) -> TransportError:
        """Return the exception for an answer that began and did not come to its end."""
        kind = transport_error_class(sent=True, timed_out=_timed_out(cause, self._exchange))
        return kind(
            self.status,
            f"the answer broke off: {_reason(cause, self._exchange)}",
            headers=self.headers,
            raw_data=received,
            **call_details(self._request),
        )


def _translated(cause: Exception, request: Request, exchange: _Exchange) -> TransportError:
    """Return our exception for one of aiohttp, of asyncio or of sockets."""
    kind = transport_error_class(
        sent=exchange.sent,
        timed_out=_timed_out(cause, exchange),
        tls=isinstance(cause, (aiohttp.ClientSSLError, CertificateError)),
    )
    return kind(None, _reason(cause, exchange), **call_details(request))


def _timed_out(cause: Exception, exchange: _Exchange) -> bool:
    return exchange.time_is_up or isinstance(cause, asyncio.TimeoutError)


def _reason(cause: Exception, exchange: _Exchange) -> str:
    if exchange.time_is_up:
        return "the deadline has passed"
    if isinstance(cause, aiohttp.ConnectionTimeoutError):
        return "no connection in time"
    text = cause.message if isinstance(cause, aiohttp.ClientResponseError) else str(cause)
    return (" ".join(text.split()) or type(cause).__name__)[:LONGEST_REASON]


def _told(cause: Exception) -> BaseException | None:
    """Return what may be chained: some exceptions of aiohttp quote the URL with its query."""
    if isinstance(cause, (aiohttp.ConnectionTimeoutError, aiohttp.ClientResponseError)):
        return cause.__cause__
    return cause
