"""aiohttp behind one method: sends a request once, and puts what goes wrong into our words."""

from __future__ import annotations

import asyncio
import io
import sys
import warnings
import weakref
from collections.abc import AsyncGenerator, Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import aiohttp
import yarl
from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.exceptions import HTTPError, InsecureRequestWarning

from talon_one.aio.connections import Connector, Exchange, LatinRequest, exchange_of_task
from talon_one.aio.failures import FAILURES, reason, timed_out, told, translated
from talon_one.base_client import CLOSED
from talon_one.exceptions import (
    ClientClosedError,
    ConfigurationError,
    TransportError,
    transport_error_class,
)
from talon_one.proxies import headers_for, proxy_for
from talon_one.response import Answer
from talon_one.rest import call_details, unpacked
from talon_one.tls import ssl_context

if TYPE_CHECKING:
    from talon_one.configuration import Configuration
    from talon_one.request import Request
    from talon_one.timeout import Timeout

# Those that the standard library allows.
_LONGEST_LINE = 2**16

_NO_TLS_IN_TLS = sys.version_info < (3, 11)

_SOCKS = ("socks4://", "socks4a://", "socks5://", "socks5h://")

# What goes out in one piece, because the system takes it in any case.
_LARGE_BODY = 2**16


class Transport:
    """The connections of one client in one event loop.

    Args:
        configuration: Settings of the client.
        at_end: Called when they are closed, which may be at the end of the loop.
    """

    def __init__(self, configuration: Configuration, at_end: Callable[[], object]) -> None:
        self._configuration = configuration
        self._connector = Connector(configuration)
        self._session = aiohttp.ClientSession(
            connector=self._connector,
            request_class=LatinRequest,
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
        # Those whose body may still be read by somebody.
        self._responses: weakref.WeakSet[aiohttp.ClientResponse] = weakref.WeakSet()
        self._life = _close_with_the_loop(self._session, self._connector, self._responses, at_end)
        self._under_way = 0
        self._idle: asyncio.Future[None] | None = None
        self._closing = asyncio.Lock()

    async def start(self) -> None:
        """Have the connections closed at the end of the loop, if not before."""
        await anext(self._life)

    async def close(self) -> None:
        """Close all connections, once the calls that are under way have come to their end.

        Who is cancelled here does not wait for them.
        """
        async with self._closing:
            try:
                if self._under_way:
                    self._idle = asyncio.get_running_loop().create_future()
                    await self._idle
            finally:
                await self._life.aclose()

    def calls_begin(self) -> None:
        """Note that a call begins, which is waited for when the connections are to be closed."""
        self._under_way += 1

    def calls_end(self) -> None:
        """Note that a call has come to its end."""
        self._under_way -= 1
        if self._idle is not None and not self._under_way and not self._idle.done():
            self._idle.set_result(None)

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
        stream = await self._stream(request, timeout)
        return await stream.answer()

    async def open(self, request: Request, timeout: Timeout) -> aiohttp.ClientResponse:
        """Send a request once and return the answer with its body still to be read.

        The caller reads it to its end or releases it. Errors are those of `send`.
        """
        return await self._open(request, timeout, Exchange(timeout))

    async def stream(self, request: Request, timeout: Timeout) -> Stream | Answer:
        """Send a request once and return the answer, its body to be read bit by bit if it is 2xx.

        Errors are those of `send`.
        """
        stream = await self._stream(request, timeout)
        return stream if 200 <= stream.status <= 299 else await stream.answer()

    async def _stream(self, request: Request, timeout: Timeout) -> Stream:
        exchange = Exchange(timeout)
        return Stream(await self._open(request, timeout, exchange), request, exchange)

    async def _open(
        self, request: Request, timeout: Timeout, exchange: Exchange
    ) -> aiohttp.ClientResponse:
        route = self._routes.get(request.base)
        if route is None:
            route = self._route(request.base)
        if request.base.startswith("https"):
            # Made anew when certificates have been renewed.
            route["ssl"] = ssl_context(self._configuration)
        headers = request.headers
        if "proxy" in route and not request.base.startswith("https"):
            # The proxy reads what it forwards.
            headers = {**route["proxy_headers"], **headers}
        body: Any = request.body
        if isinstance(body, bytes) and len(body) > _LARGE_BODY:
            headers = {**headers, "Content-Length": str(len(body))}
            body = _pieces(body)
        if body is not None and not isinstance(body, bytes):
            body = exchange.watched(body)
        exchange_of_task.set(exchange)
        response = None
        try:
            if self._session.closed:
                raise ClientClosedError(CLOSED)
            response = await self._session.request(
                request.method,
                # As it is: what is percent-encoded in an ID has to stay so.
                yarl.URL(request.url, encoded=True),
                data=body,
                headers=headers,
                allow_redirects=False,
                timeout=_client_timeout(timeout),
                **route,
            )
            self._responses.add(response)
            return response
        except FAILURES as cause:
            _raise_failure_of_file(request)
            raise translated(cause, request, exchange) from told(cause)
        finally:
            exchange.stop_watching()
            if response is None:
                _close_file(request)

    def _route(self, base: str) -> dict[str, Any]:
        """Return how a host is reached: its proxy, and the name that its certificate is for."""
        configuration = self._configuration
        route: dict[str, Any] = {}
        if configuration.tls_server_name is not None and base.startswith("https"):
            route["server_hostname"] = configuration.tls_server_name
        if base.startswith("https") and not configuration.verify_ssl:
            warnings.warn(
                f"who answers at {base} is not verified", InsecureRequestWarning, stacklevel=2
            )
        proxy = proxy_for(configuration, base)
        if proxy is not None:
            if proxy.startswith(_SOCKS):
                raise ConfigurationError(
                    "aiohttp speaks to no SOCKS proxy: use an HTTP proxy, or the blocking client"
                )
            if _NO_TLS_IN_TLS and proxy.startswith("https://") and base.startswith("https"):
                raise ConfigurationError(
                    "asyncio speaks no TLS inside TLS before Python 3.11: use an http:// proxy,"
                    " or the blocking client"
                )
            try:
                if not proxy.startswith(("http://", "https://")):
                    raise ValueError("a proxy of another kind")
                route["proxy"] = yarl.URL(proxy).with_user(None)
                route["proxy_headers"] = headers_for(configuration, proxy)
            except (ValueError, HTTPError):
                # Neither the message nor its cause may quote it: it may hold a password.
                raise ConfigurationError(
                    "the proxy cannot be used: its address is not valid"
                ) from None
        self._routes[base] = route
        return route


async def _pieces(body: bytes) -> AsyncGenerator[bytes, None]:
    for start in range(0, len(body), _LARGE_BODY):
        yield body[start : start + _LARGE_BODY]


def _raise_failure_of_file(request: Request) -> None:
    """Tell why a file could not be read, which is a broken connection in the eyes of aiohttp."""
    failure = None if isinstance(request.body, bytes | None) else request.body.failure
    if failure is not None:
        raise failure from failure.__cause__


def _close_file(request: Request) -> None:
    if not isinstance(request.body, bytes | None):
        request.body.close()


async def _close_with_the_loop(
    session: aiohttp.ClientSession,
    connector: Connector,
    responses: Iterable[aiohttp.ClientResponse],
    at_end: Callable[[], object],
) -> AsyncGenerator[None, None]:
    """Close a session when it is no longer used.

    A loop knows the asynchronous generators that were begun in it, and closes them before it ends.
    """
    try:
        yield
    finally:
        at_end()
        for response in list(responses):
            # Otherwise who reads a body would wait for ever: aiohttp tells only connections.
            response.close()
        await session.close()
        await connector.wait_until_closed()


def _client_timeout(timeout: Timeout) -> aiohttp.ClientTimeout:
    if timeout.deadline is None:
        return _lasting_timeout(timeout.connect, timeout.read)
    return aiohttp.ClientTimeout(timeout.deadline, timeout.connect, timeout.read)


@lru_cache(maxsize=64)
def _lasting_timeout(connect: float | None, read: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(None, connect, read)


def _latin(reason: str | None) -> str | None:
    if reason is None or reason.isascii():
        return reason
    return reason.encode("utf-8", "surrogateescape").decode("latin-1")


class Stream:
    """An answer whose body is still to come."""

    def __init__(
        self, response: aiohttp.ClientResponse, request: Request, exchange: Exchange
    ) -> None:
        self.status = response.status
        # The same as in the blocking client; those of aiohttp cannot be pickled, and are UTF-8.
        self.headers = HTTPHeaderDict(
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in response.raw_headers
        )
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
        except FAILURES as cause:
            _raise_failure_of_file(self._request)
            raise self._broken_off(cause, b"".join(received)) from told(cause)
        finally:
            self.close()
        return Answer(self.status, _latin(self._response.reason), self.headers, data)

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
        except FAILURES as cause:
            self.close()
            raise self._broken_off(cause, b"") from told(cause)

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
        kind = transport_error_class(sent=True, timed_out=timed_out(cause, self._exchange))
        happened = reason(cause, self._exchange)
        length = self.headers.get("Content-Length", "")
        if isinstance(cause, aiohttp.ClientPayloadError) and length.isdigit():
            happened = f"{len(received)} bytes read, {int(length) - len(received)} more expected"
        return kind(
            self.status,
            f"the answer broke off: {happened}",
            headers=self.headers,
            raw_data=received,
            **call_details(self._request),
        )
