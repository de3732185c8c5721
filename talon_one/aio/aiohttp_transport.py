"""Send a request once with aiohttp and translate its errors."""

from __future__ import annotations

import asyncio
import sys
import warnings
import weakref
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import aiohttp
import yarl
from urllib3.exceptions import HTTPError, InsecureRequestWarning
from urllib3.util import parse_url

from talon_one._core.base_client import CLOSED
from talon_one._core.response import RawResponse, is_success
from talon_one._http.proxies import headers_for, proxy_for
from talon_one._http.tls import ssl_context
from talon_one.aio.connections import Connector, Exchange, Latin1Request, current_exchange
from talon_one.aio.failures import (
    chained_cause,
    foreign_cause,
    raise_upload_failure,
    to_transport_error,
)
from talon_one.aio.stream import Stream, close_upload
from talon_one.aio.transport import Transport
from talon_one.exceptions import ClientClosedError, ConfigurationError

if TYPE_CHECKING:
    from talon_one._core.request import Request
    from talon_one._core.timeout import Timeout
    from talon_one.configuration import Configuration

# The limit of the standard library.
_MAX_LINE = 2**16

_NO_TLS_IN_TLS = sys.version_info < (3, 11)

_SOCKS = ("socks4://", "socks4a://", "socks5://", "socks5h://")

# Smaller bodies are written in one step, because they fit into the buffers of the system.
_LARGE_BODY = 2**16


class AiohttpTransport(Transport):
    """The transport of one client in one event loop: its connection pool.

    Args:
        configuration: Settings of the client.
        at_end: Called when the connections are closed, possibly at the end of the loop.

    Attributes:
        loop: The event loop, which is running.
    """

    def __init__(self, configuration: Configuration, at_end: Callable[[], object]) -> None:
        self.loop = asyncio.get_running_loop()
        self._configuration = configuration
        self._connector = Connector(configuration)
        self._session = aiohttp.ClientSession(
            connector=self._connector,
            request_class=Latin1Request,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Content-Type",),
            headers={"Accept-Encoding": "identity"},
            auto_decompress=False,
            max_line_size=_MAX_LINE,
            max_field_size=_MAX_LINE,
        )
        # Retries are decided above. aiohttp decides by the method alone, and has no other switch.
        self._session._retry_connection = False
        self._routes: dict[str, tuple[str, dict[str, Any]]] = {}
        # Responses whose body may still be read.
        self._responses: weakref.WeakSet[aiohttp.ClientResponse] = weakref.WeakSet()
        self._lifetime = _close_with_loop(self._session, self._connector, self._responses, at_end)
        self._active_calls = 0
        self._idle: asyncio.Future[None] | None = None
        self._closing = asyncio.Lock()

    async def start(self) -> None:
        """Have the connections closed at the end of the loop at the latest."""
        await anext(self._lifetime)

    async def close(self) -> None:
        """Close all connections once the calls in flight have ended.

        If this is cancelled, it does not wait for them.
        """
        async with self._closing:
            try:
                if self._active_calls:
                    self._idle = asyncio.get_running_loop().create_future()
                    await self._idle
            finally:
                await self._lifetime.aclose()

    def call_started(self) -> None:
        """Note that a call begins; `close` waits for its end."""
        self._active_calls += 1

    def call_ended(self) -> None:
        """Count a call that has ended; the last one wakes `close`."""
        self._active_calls -= 1
        if self._idle is not None and not self._active_calls and not self._idle.done():
            self._idle.set_result(None)

    def detach(self) -> None:
        """Drop the connections of the parent process, in the child after a fork."""
        self._connector.detach()

    async def send(self, request: Request, timeout: Timeout) -> RawResponse:
        """Send a request once and return the complete response, whatever its status.

        Args:
            request: What to send.
            timeout: Limits of the steps; its deadline counts from now.

        Raises:
            NotSentError: The server has not seen the request.
            NoResponseError: It may have, but no complete response came back.
            ApiValueError: A file to upload could not be read to its end.
        """
        stream = await self._stream(request, timeout)
        return await stream.complete_response()

    async def open(self, request: Request, timeout: Timeout) -> aiohttp.ClientResponse:
        """Send a request once and return the response with its body unread.

        The caller reads the whole body or releases the response. Raises the same errors as `send`.
        """
        return await self._open(request, _exchange(request, timeout))

    async def stream(self, request: Request, timeout: Timeout) -> Stream | RawResponse:
        """Send a request once; return a 2xx response as a stream, any other one complete.

        Raises the same errors as `send`.
        """
        stream = await self._stream(request, timeout)
        return stream if is_success(stream.status) else await stream.complete_response()

    async def _stream(self, request: Request, timeout: Timeout) -> Stream:
        exchange = _exchange(request, timeout)
        return Stream(await self._open(request, exchange), request, exchange, self._connector)

    async def _open(self, request: Request, exchange: Exchange) -> aiohttp.ClientResponse:
        found = self._routes.get(request.base)
        if found is None:
            found = self._routes[request.base] = _ascii(request.base), self._route(request.base)
        base, route = found
        if request.base.startswith("https"):
            # A new one when certificates have been renewed.
            route["ssl"] = ssl_context(self._configuration)
        headers = request.plain_headers()
        if "proxy" in route and not request.base.startswith("https"):
            # A forwarding proxy reads the headers of the request.
            headers = {**route["proxy_headers"], **headers}
        body: Any = request.body
        if isinstance(body, bytes) and len(body) > _LARGE_BODY:
            headers = {**headers, "Content-Length": str(len(body))}
            body = _pieces(body)
        if body is not None and not isinstance(body, bytes):
            body = exchange.watched_upload(body)
        response = None
        # For the connector, to which aiohttp passes nothing.
        token = current_exchange.set(exchange)
        try:
            if self._session.closed:
                raise ClientClosedError(CLOSED)
            response = await self._session.request(
                request.method,
                # Not normalized: percent-encoded characters of an ID must stay encoded.
                yarl.URL(base + request.target, encoded=True),
                data=body,
                headers=headers,
                allow_redirects=False,
                timeout=_client_timeout(exchange.timeout),
                **route,
            )
            self._responses.add(response)
            return response
        except Exception as cause:  # Any exception of aiohttp.
            raise_upload_failure(request)
            other = foreign_cause(cause)
            if other is not None:
                raise other from other.__cause__
            failure = to_transport_error(cause, request, exchange)
            self._connector.drop_stale_connections(request, exchange, failure)
            raise failure from chained_cause(cause)
        finally:
            with suppress(ValueError):  # An abandoned call ends in another context.
                current_exchange.reset(token)
            exchange.stop_upload_timer()
            if response is None:
                close_upload(request)

    def _route(self, base: str) -> dict[str, Any]:
        """Return how to reach a host: its proxy, and the name to expect in its certificate."""
        configuration = self._configuration
        route: dict[str, Any] = {}
        if configuration.tls_server_name is not None and base.startswith("https"):
            route["server_hostname"] = configuration.tls_server_name
        if base.startswith("https") and not configuration.verify_ssl:
            warnings.warn(
                f"the server at {base} is not verified", InsecureRequestWarning, stacklevel=2
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
                # Neither the message nor its cause may quote the address with its password.
                raise ConfigurationError(
                    "the proxy cannot be used: its address is not valid"
                ) from None
        return route


def _ascii(base: str) -> str:
    """Return scheme, host and port as the blocking client sends them; yarl differs."""
    return base if base.isascii() else parse_url(base).url


async def _pieces(body: bytes) -> AsyncGenerator[bytes, None]:
    for start in range(0, len(body), _LARGE_BODY):
        yield body[start : start + _LARGE_BODY]


async def _close_with_loop(
    session: aiohttp.ClientSession,
    connector: Connector,
    responses: Iterable[aiohttp.ClientResponse],
    at_end: Callable[[], object],
) -> AsyncGenerator[None, None]:
    """Close a session when it is no longer used.

    An event loop closes the asynchronous generators that were started in it before it ends.
    """
    try:
        yield
    finally:
        at_end()
        for response in list(responses):
            # aiohttp notifies only connections; a task that reads a body would wait without end.
            response.close()
        await session.close()
        await connector.wait_until_closed()


def _exchange(request: Request, timeout: Timeout) -> Exchange:
    return Exchange(timeout, request.carryover is not None and request.carryover.fresh)


def _client_timeout(timeout: Timeout) -> aiohttp.ClientTimeout:
    if timeout.deadline is None:
        return _timeout_without_deadline(timeout.connect, timeout.read)
    return aiohttp.ClientTimeout(timeout.deadline, timeout.connect, timeout.read)


@lru_cache(maxsize=64)
def _timeout_without_deadline(connect: float | None, read: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(None, connect, read)
