"""Send a request once with urllib3 and translate its errors."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import urllib3

from talon_one._core.response import RawResponse, unreadable
from talon_one._core.timeout import Timeout
from talon_one._core.transport import Transport
from talon_one._http.decompression import PackedError, unpack, unpacked_pieces
from talon_one._http.exchange import Exchange
from talon_one._http.pool_managers import pool_manager
from talon_one._http.pools import Pool
from talon_one._http.urllib3_errors import to_broken_response, to_transport_error
from talon_one.exceptions import ClientClosedError, TransportError

if TYPE_CHECKING:
    from talon_one._core.request import Request
    from talon_one.configuration import Configuration

_DEFAULT = Timeout()

_PIECE = 2**16


class Urllib3Transport(Transport):
    """The connections of one client.

    There is no lock: the handler of a signal may make a call while the one that it interrupts is
    in here.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._managers: dict[tuple[str, str | None], urllib3.PoolManager] = {}
        self._pools: dict[str, Pool] = {}
        self._closed = False

    def close(self) -> None:
        """Close all connections: the idle ones now, the others when their calls end."""
        self._closed = True
        self._managers = {}
        pools, self._pools = self._pools, {}
        for pool in list(pools.values()):
            pool.close()

    def detach(self) -> None:
        """Let go of connections that belong to the parent process, after a fork.

        Closing them here only gives up this process's share: nothing is sent over them.
        """
        for pool in self._pools.values():
            stack = pool.pool
            for connection in [] if stack is None else stack.start_anew():
                if connection.sock is not None:
                    connection.sock.close()
                    connection.sock = None

    @property
    def pool_manager(self) -> urllib3.PoolManager:
        """The pools of urllib3, those for the configured host."""
        return self._manager(self._configuration.host)

    def send(self, request: Request, timeout: Timeout = _DEFAULT) -> RawResponse:
        """Send a request once and return the complete response, whatever its status.

        Args:
            request: What to send.
            timeout: Time for the steps; its deadline counts from now and bounds all of them.

        Raises:
            NotSentError: The server has not seen the request.
            NoResponseError: It may have, but no complete response came back.
            ApiValueError: A file to upload could not be read completely; what was sent of it is
                not complete, and its connection is closed.
        """
        response, exchange = self._open(request, timeout)
        body = self._complete(response, request, exchange)
        return RawResponse(response.status, response.reason, response.headers, *body)

    def open(self, request: Request, timeout: Timeout = _DEFAULT) -> urllib3.BaseHTTPResponse:
        """Send a request once and return the response with its body still to be read.

        The caller reads it completely or closes it; the deadline ends with the headers. Errors are
        those of `send`.
        """
        response, exchange = self._open(request, timeout)
        exchange.ends = None
        return response

    def stream(self, request: Request, timeout: Timeout = _DEFAULT) -> Stream | RawResponse:
        """Send a request once and return the response, its body to be read in chunks if it is 2xx.

        Errors are those of `send`.
        """
        response, exchange = self._open(request, timeout)
        if 200 <= response.status <= 299:
            return Stream(response, request, exchange)
        body = self._complete(response, request, exchange)
        return RawResponse(response.status, response.reason, response.headers, *body)

    def _open(
        self, request: Request, timeout: Timeout
    ) -> tuple[urllib3.BaseHTTPResponse, Exchange]:
        """Send a request and return the response up to its body, and its exchange."""
        fresh = request.carryover is not None and request.carryover.fresh
        exchange = Exchange(timeout, fresh)
        upload = request.body
        try:
            if upload is None or isinstance(upload, (bytes, str)):
                return self._open_with(upload, request, timeout, exchange), exchange
            try:
                return self._open_with(iter(upload), request, timeout, exchange), exchange
            finally:
                # Also if the server has responded, or gone, before it was sent completely.
                upload.close()
        except TransportError as failure:
            self._distrust(failure, request, exchange)
            raise
        except BaseException:
            exchange.release()
            raise

    def _open_with(
        self,
        body: bytes | Iterator[bytes] | None,
        request: Request,
        timeout: Timeout,
        exchange: Exchange,
    ) -> urllib3.BaseHTTPResponse:
        try:
            pool = self._pools.get(request.base) or self._pool(request.base)
            target = request.target
            if pool.proxy is not None and request.base.startswith("http:"):
                target = request.url  # A proxy is told the whole address.
            return pool.urlopen(
                request.method,
                target,
                body=body,
                # A copy, because what an application has put around `urlopen` may add to them.
                headers=request.headers.copy(),
                # Both are decided above: what is retried, and that nothing is redirected.
                retries=False,
                redirect=False,
                # The host of the pool may be that of the proxy.
                assert_same_host=False,
                timeout=urllib3.Timeout(connect=timeout.connect, read=timeout.read),
                pool_timeout=exchange,  # type: ignore[arg-type]  # see `Pool`
                preload_content=False,
            )
        except Exception as cause:  # What is none of ours is returned as it is, and raised.
            failure = to_transport_error(cause, request, exchange)
        # Not above, so that what somebody else has raised keeps its context.
        try:
            raise failure
        finally:
            del failure  # Its traceback holds this frame.

    def _complete(
        self, response: urllib3.BaseHTTPResponse, request: Request, exchange: Exchange
    ) -> tuple[bytes, str | None]:
        """Return the body of a response as `_body` does, and give its connection back."""
        try:
            return _body(response, request, exchange)
        except TransportError as failure:
            self._distrust(failure, request, exchange)
            raise
        finally:
            exchange.release()

    def _distrust(self, failure: TransportError, request: Request, exchange: Exchange) -> None:
        """Draw the conclusions from a failure: what has happened to one connection befalls others.

        A server that was restarted has forgotten all of them, and a retry may cost money. So it
        goes over a fresh connection, and those that lie idle since before are closed.
        """
        exchange.release()
        if exchange.reused:
            failure.on_stale_connection = True
            if request.carryover is not None:
                request.carryover.fresh = True
            pool = self._pools.get(request.base)
            if pool is not None:
                pool.drop_idle()

    def _pool(self, base: str) -> Pool:
        pool: Any = self._manager(base).connection_from_url(base)
        self._pools[base] = pool
        if self._closed:  # Meanwhile, so that it may have been overlooked.
            pool.close()
        return pool  # type: ignore[no-any-return]

    def _manager(self, base: str) -> urllib3.PoolManager:
        """Return the pools for hosts with this scheme and proxy."""
        from talon_one._http.proxies import proxy_for

        if self._closed:
            raise ClientClosedError("this client is closed; make a new one")
        key = (base.partition(":")[0], proxy_for(self._configuration, base))
        found = self._managers.get(key)
        if found is None:
            # Of several threads that come here at the same time, all go on with the first one.
            found = self._managers.setdefault(key, pool_manager(self._configuration, *key))
        return found


class Stream:
    """A response whose body is read in chunks.

    Args:
        response: The response.
        request: What was sent.
        exchange: What has come to pass so far; its deadline bounds the reading, too.
    """

    def __init__(
        self, response: urllib3.BaseHTTPResponse, request: Request, exchange: Exchange
    ) -> None:
        self.status = response.status
        self.headers = response.headers
        self._response = response
        self._request = request
        self._exchange = exchange

    def pieces(self) -> Iterator[bytes]:
        """Yield the body as it comes.

        Raises:
            NoResponseError: It breaks off.
            InvalidResponseError: It cannot be unpacked.
        """
        codings = self.headers.get("Content-Encoding")
        try:
            yield from unpacked_pieces(iter(self._next, b""), codings or "")
        except PackedError as cause:
            self.close()
            raise unreadable(
                self._request, self.status, self.headers, cause.data, str(cause)
            ) from cause

    def _next(self) -> bytes:
        try:
            self._exchange.within(None)
            return _raw_piece(self._response)
        except Exception as cause:  # What is none of ours is returned as it is, and raised.
            self.close()
            failure = to_broken_response(cause, self._request, self._response, self._exchange)
        try:
            raise failure
        finally:
            del failure  # Its traceback holds this frame.

    def close(self) -> None:
        """Close the connection, unless all was read and it has been given back."""
        self._response.close()
        self._exchange.release()


def _raw_piece(response: urllib3.BaseHTTPResponse) -> bytes:
    """Return the next bytes of a body, still packed; none at its end."""
    if isinstance(response, urllib3.BaseHTTPResponse):
        return response.read1(_PIECE, decode_content=False)
    return response.read1(_PIECE)  # That of a cassette cannot unpack, and knows no such argument.


def _body(
    response: urllib3.BaseHTTPResponse, request: Request, exchange: Exchange
) -> tuple[bytes, str | None]:
    """Return the complete body of a response, and why it cannot be unpacked, if so."""
    codings = response.headers.get("Content-Encoding")
    try:
        if codings is None:
            return response.data, None
        # Not `read`, which refuses some codings even if it is not asked to unpack them.
        data = b"".join(iter(partial(_raw_piece, response), b""))
    except Exception as cause:  # What is none of ours is returned as it is, and raised.
        response.close()
        failure = to_broken_response(cause, request, response, exchange)
    else:
        return unpack(data, codings)
    try:
        raise failure
    finally:
        del failure  # Its traceback holds this frame.
