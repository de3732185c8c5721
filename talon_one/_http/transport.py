"""Send a request once with urllib3, over the pools of one client."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import urllib3

from talon_one._core.response import RawResponse, is_success, unreadable
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
    """The transport of one blocking client: its connection pools.

    There is no lock: a signal handler may make a call while the interrupted call is in here.
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
        """Drop the connections of the parent process, in the child after a fork.

        Closing them only closes the file descriptors of this process: nothing is sent.
        """
        for pool in self._pools.values():
            stack = pool.pool
            for connection in [] if stack is None else stack.reset():
                if connection.sock is not None:
                    connection.sock.close()
                    connection.sock = None

    @property
    def pool_manager(self) -> urllib3.PoolManager:
        """The pool manager of urllib3 for the configured host."""
        return self._manager(self._configuration.host)

    def send(self, request: Request, timeout: Timeout = _DEFAULT) -> RawResponse:
        """Send a request once and return the complete response, whatever its status.

        Args:
            request: What to send.
            timeout: Limits of the steps; its deadline counts from now.

        Raises:
            NotSentError: The server has not seen the request.
            NoResponseError: It may have, but no complete response came back.
            ApiValueError: A file to upload could not be read to its end; the request stayed
                incomplete, and the connection was closed.
        """
        response, exchange = self._open(request, timeout)
        body = self._read_body(response, request, exchange)
        # Every call comes here; `_make` leaves out the check of the arguments.
        return RawResponse._make((response.status, response.reason, response.headers, *body))

    def open(self, request: Request, timeout: Timeout = _DEFAULT) -> urllib3.BaseHTTPResponse:
        """Send a request once and return the response with its body unread.

        The caller reads the whole body or closes the response. The deadline ends with the headers.
        Raises the same errors as `send`.
        """
        response, exchange = self._open(request, timeout)
        exchange.deadline = None
        return response

    def stream(self, request: Request, timeout: Timeout = _DEFAULT) -> Stream | RawResponse:
        """Send a request once; return a 2xx response as a stream, any other one complete.

        Raises the same errors as `send`.
        """
        response, exchange = self._open(request, timeout)
        if is_success(response.status):
            return Stream(response, request, exchange)
        body = self._read_body(response, request, exchange)
        return RawResponse(response.status, response.reason, response.headers, *body)

    def _open(
        self, request: Request, timeout: Timeout
    ) -> tuple[urllib3.BaseHTTPResponse, Exchange]:
        """Send a request; return the response with its body unread, and its exchange."""
        fresh = request.carryover is not None and request.carryover.fresh
        exchange = Exchange(timeout, fresh)
        upload = request.body
        try:
            if upload is None or isinstance(upload, (bytes, str)):
                return self._urlopen(upload, request, timeout, exchange), exchange
            try:
                return self._urlopen(iter(upload), request, timeout, exchange), exchange
            finally:
                # Even if the server responded, or closed the connection, before all was sent.
                upload.close()
        except TransportError as failure:
            self._drop_stale_connections(failure, request, exchange)
            raise
        except BaseException:
            exchange.release()
            raise

    def _urlopen(
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
                target = request.url  # A forwarding proxy needs the whole URL.
            return pool.urlopen(
                request.method,
                target,
                body=body,
                # A copy, because wrappers around `urlopen` may add headers.
                headers=request.headers.copy(),
                # Retries are decided above, and redirects are not followed.
                retries=False,
                redirect=False,
                # The pool may be that of a proxy.
                assert_same_host=False,
                timeout=urllib3.Timeout(connect=timeout.connect, read=timeout.read),
                pool_timeout=exchange,  # type: ignore[arg-type]  # see `Pool`
                preload_content=False,
            )
        except Exception as cause:  # Foreign exceptions are returned as they are, and raised.
            failure = to_transport_error(cause, request, exchange)
        # Raised here, so that foreign exceptions keep their context.
        try:
            raise failure
        finally:
            del failure  # Its traceback refers to this frame.

    def _read_body(
        self, response: urllib3.BaseHTTPResponse, request: Request, exchange: Exchange
    ) -> tuple[bytes, str | None]:
        """Return the body of a response as `_body` does, and return its connection to the pool."""
        try:
            return _body(response, request, exchange)
        except TransportError as failure:
            self._drop_stale_connections(failure, request, exchange)
            raise
        finally:
            exchange.release()

    def _drop_stale_connections(
        self, failure: TransportError, request: Request, exchange: Exchange
    ) -> None:
        """After a failure on a reused connection, retry over a new one and close the idle ones.

        A restarted server has dropped all pooled connections, and each failed attempt counts.
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
        if self._closed:  # `close` ran in the meantime and may have missed it.
            pool.close()
        return pool  # type: ignore[no-any-return]

    def _manager(self, base: str) -> urllib3.PoolManager:
        """Return the pool manager for the scheme and the proxy of a host."""
        from talon_one._http.proxies import proxy_for

        if self._closed:
            raise ClientClosedError("this client is closed; make a new one")
        key = (base.partition(":")[0], proxy_for(self._configuration, base))
        found = self._managers.get(key)
        if found is None:
            # If several threads come here at the same time, all use the first manager.
            found = self._managers.setdefault(key, pool_manager(self._configuration, *key))
        return found


class Stream:
    """A response whose body is read in chunks.

    Args:
        response: The response.
        request: What was sent.
        exchange: Its exchange, whose deadline also limits reading.
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
        """Yield the body as it arrives.

        Raises:
            NoResponseError: The body breaks off.
            InvalidResponseError: It cannot be decompressed.
        """
        codings = self.headers.get("Content-Encoding", "")
        try:
            yield from unpacked_pieces(iter(self._next, b""), codings)
        except PackedError as cause:
            self.close()
            raise unreadable(
                self._request, self.status, self.headers, cause.data, str(cause)
            ) from cause

    def _next(self) -> bytes:
        try:
            self._exchange.within(None)
            return _raw_piece(self._response)
        except Exception as cause:  # Foreign exceptions are returned as they are, and raised.
            self.close()
            failure = to_broken_response(cause, self._request, self._response, self._exchange)
        try:
            raise failure
        finally:
            del failure  # Its traceback refers to this frame.

    def close(self) -> None:
        """Close the connection, unless the whole body was read and the pool has it back."""
        self._response.close()
        self._exchange.release()


def _raw_piece(response: urllib3.BaseHTTPResponse) -> bytes:
    """Return the next bytes of a body, still compressed; empty at its end."""
    if isinstance(response, urllib3.BaseHTTPResponse):
        return response.read1(_PIECE, decode_content=False)
    return response.read1(_PIECE)  # The response of a cassette lacks this argument.


def _body(
    response: urllib3.BaseHTTPResponse, request: Request, exchange: Exchange
) -> tuple[bytes, str | None]:
    """Return the complete body of a response, and why it cannot be decompressed, if so."""
    codings = response.headers.get("Content-Encoding")
    try:
        if codings is None:
            return response.data, None
        # Not `read`, which rejects some codings even with ``decode_content=False``.
        data = b"".join(iter(partial(_raw_piece, response), b""))
    except Exception as cause:  # Foreign exceptions are returned as they are, and raised.
        response.close()
        failure = to_broken_response(cause, request, response, exchange)
    else:
        return unpack(data, codings)
    try:
        raise failure
    finally:
        del failure  # Its traceback refers to this frame.
