"""urllib3 behind one method: sends a request once, and puts what goes wrong into our words."""

from __future__ import annotations

import http.client
import re
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import urllib3

from talon_one.connections import Exchange, outside, pool_manager
from talon_one.exceptions import (
    ApiException,
    ClientClosedError,
    TransportError,
    transport_error_class,
)
from talon_one.response import Answer, unreadable
from talon_one.timeout import Timeout, as_timeout
from talon_one.tls import wrong_scheme
from talon_one.unpacking import PackedError, unpack, unpacked_pieces

if TYPE_CHECKING:
    from talon_one.configuration import Configuration
    from talon_one.request import Request

RawResponse: TypeAlias = urllib3.BaseHTTPResponse
"""What the ``..._without_preload_content`` methods return."""

_DEFAULT = Timeout()

_PIECE = 2**16

LONGEST_REASON = 300
"""Characters that an exception tells of what a library below said."""

POOL_IN_USE = "no connection became free in time: all are in use by other calls"
"""What is told of who waited in vain for a connection."""

__all__ = ["ApiException", "RESTClientObject", "RESTResponse"]


class RESTClientObject:
    """The connections of one client."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._lock = threading.Lock()
        self._managers: dict[tuple[str, str | None], urllib3.PoolManager] = {}
        self._pools: dict[str, urllib3.HTTPConnectionPool] = {}
        self._closed = False

    def close(self) -> None:
        """Close all connections: the idle ones now, the others when their calls end."""
        with self._lock:
            self._closed = True
            pools = list(self._pools.values())
            self._managers.clear()
            self._pools.clear()
        for pool in pools:
            pool.close()

    def abandon(self) -> None:
        """Let go of connections that belong to the parent process, after a fork.

        Closing them here only gives up this process's share: nothing is sent over them. No lock is
        taken, because a thread that does not exist here may have held it.
        """
        for pool in self._pools.values():
            # Emptied, because urllib3 takes its lock when the pool is collected.
            stack: Any = pool.pool
            for connection in [] if stack is None else stack.start_anew():
                if connection is not None and connection.sock is not None:
                    connection.sock.close()
                    connection.sock = None

    @property
    def pool_manager(self) -> urllib3.PoolManager:
        """The pools of urllib3, those for the configured host."""
        return self._manager(self._configuration.host)

    def send(self, request: Request, timeout: Timeout = _DEFAULT) -> Answer:
        """Send a request once and return the complete answer, whatever its status.

        Args:
            request: What to send.
            timeout: Time for the steps; its deadline counts from now and bounds all of them.

        Raises:
            NotSentError: The server has not seen the request.
            NoAnswerError: It may have, but no complete answer came back.
            ApiValueError: A file to upload could not be read to its end; what was sent of it is
                not complete, and its connection is closed.
        """
        with Exchange(timeout.deadline) as exchange:
            response = self._open(request, timeout, exchange)
            body = _body(response, request, exchange)
        return Answer(response.status, response.reason, response.headers, *body)

    def open(self, request: Request, timeout: Timeout = _DEFAULT) -> urllib3.BaseHTTPResponse:
        """Send a request once and return the answer with its body still to be read.

        The caller reads it to its end or closes it; the deadline ends with the headers. Errors are
        those of `send`.
        """
        with Exchange(timeout.deadline) as exchange:
            response = self._open(request, timeout, exchange)
        _check_uncut(response, request, exchange)
        return response

    def stream(self, request: Request, timeout: Timeout = _DEFAULT) -> Stream | Answer:
        """Send a request once and return the answer, its body to be read bit by bit if it is 2xx.

        Errors are those of `send`.
        """
        ends = None if timeout.deadline is None else time.monotonic() + timeout.deadline
        with Exchange(timeout.deadline) as exchange:
            response = self._open(request, timeout, exchange)
            streamed = 200 <= response.status <= 299
            body = (b"",) if streamed else _body(response, request, exchange)
        if streamed:
            _check_uncut(response, request, exchange)
            return Stream(response, request, ends)
        return Answer(response.status, response.reason, response.headers, *body)

    def _open(
        self, request: Request, timeout: Timeout, exchange: Exchange
    ) -> urllib3.BaseHTTPResponse:
        upload = request.body
        if upload is None or isinstance(upload, (bytes, str)):
            return self._open_with(upload, request, timeout, exchange)
        try:
            return self._open_with(outside(iter(upload)), request, timeout, exchange)
        finally:
            # Also if the server has answered, or gone, before it was sent to its end.
            upload.close()

    def _open_with(
        self,
        body: bytes | Iterator[bytes] | None,
        request: Request,
        timeout: Timeout,
        exchange: Exchange,
    ) -> urllib3.BaseHTTPResponse:
        pool = self._pools.get(request.base) or self._pool(request.base)
        target = request.target
        if pool.proxy is not None and request.base.startswith("http:"):
            target = request.url  # A proxy is told the whole address.
        try:
            response = pool.urlopen(
                request.method,
                target,
                body=body,
                headers=request.plain_headers(),
                # Both are decided above: what is repeated, and that nothing is redirected.
                retries=False,
                redirect=False,
                # The host of the pool may be that of the proxy.
                assert_same_host=False,
                timeout=urllib3.Timeout(connect=timeout.connect, read=timeout.read),
                pool_timeout=timeout.connect,  # type: ignore[arg-type]  # seconds need not be whole
                preload_content=False,
            )
            _check_end(response, exchange)
            return response
        except (urllib3.exceptions.HTTPError, OSError, http.client.HTTPException) as cause:
            raise _translated(cause, request, exchange) from cause

    def request(
        self,
        method: str,
        url: str,
        query_params: Any = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        post_params: Any = None,
        _preload_content: bool = True,
        _request_timeout: Any = None,
    ) -> Any:
        """Call any URL, as the vendor's packages do; prefer `talon_one.ApiClient.call_api`.

        Raises:
            ApiException: The status of the answer is not 2xx, or there was no answer.
        """
        from urllib.parse import urlencode

        from talon_one import wire
        from talon_one.address import split_url
        from talon_one.by_hand import checked_method
        from talon_one.guard import guarded
        from talon_one.headers import HARMLESS, check_headers
        from talon_one.request import Request
        from talon_one.secret import Secrets, hidden_url

        url = hidden_url(url)
        with guarded("an argument of request"):
            headers = Secrets({"Content-Type": "application/json", **(headers or {})}, HARMLESS)
            check_headers(headers)
            if post_params:
                body = urlencode(post_params).encode()
            elif body is not None and not isinstance(body, (bytes, str)):
                body = wire.encode(body)
            base, target = split_url(url)
            if query_params:
                target += f"{'&' if '?' in target else '?'}{urlencode(query_params)}"
            request = Request("", checked_method(method), base, target, headers, body)
        timeout = as_timeout(_request_timeout, _DEFAULT)
        if not _preload_content:
            return self.open(request, timeout)
        with Exchange(timeout.deadline) as exchange:
            response = self._open(request, timeout, exchange)
            answer = RESTResponse(response, _body(response, request, exchange)[0])
        if not 200 <= answer.status <= 299:
            raise ApiException.from_response(http_resp=answer)
        return answer

    def _pool(self, base: str) -> urllib3.HTTPConnectionPool:
        pool = self._manager(base).connection_from_url(base)
        self._pools[base] = pool
        return pool

    def _manager(self, base: str) -> urllib3.PoolManager:
        """Return the pools for hosts with this scheme and proxy."""
        from talon_one.proxies import proxy_for

        key = (base.partition(":")[0], proxy_for(self._configuration, base))
        with self._lock:
            if self._closed:
                raise ClientClosedError("this client is closed; make a new one")
            if key not in self._managers:
                self._managers[key] = pool_manager(self._configuration, *key)
            return self._managers[key]


class Stream:
    """An answer whose body is read piece by piece.

    Args:
        response: The answer.
        request: What was sent.
        ends: When reading must come to its end, as `time.monotonic` tells it.
    """

    def __init__(
        self, response: urllib3.BaseHTTPResponse, request: Request, ends: float | None
    ) -> None:
        self.status = response.status
        self.headers = response.headers
        self._response = response
        self._request = request
        self._ends = ends

    def pieces(self) -> Iterator[bytes]:
        """Yield the body as it comes.

        Raises:
            NoAnswerError: It breaks off.
            UndecodableAnswerError: It cannot be unpacked.
        """
        codings = self.headers.get("Content-Encoding")
        try:
            yield from unpacked_pieces(self._as_they_come(), codings or "")
        except PackedError as cause:
            self.close()
            raise unreadable(
                self._request, self.status, self.headers, cause.data, str(cause)
            ) from cause

    def _as_they_come(self) -> Iterator[bytes]:
        exchange = Exchange()
        try:
            while piece := self._response.read1(_PIECE, decode_content=False):
                yield piece
                if self._ends is not None and time.monotonic() >= self._ends:
                    raise TimeoutError("the deadline has passed")
        except (urllib3.exceptions.HTTPError, OSError) as cause:
            self.close()
            raise _broken_off(cause, self._request, self._response, exchange) from cause

    def close(self) -> None:
        """Close the connection, unless all was read and it has been given back."""
        self._response.close()


class RESTResponse:
    """An answer in the form of the vendor's packages."""

    def __init__(self, resp: urllib3.BaseHTTPResponse, data: bytes | None = None) -> None:
        self.response = resp
        self.urllib3_response = resp
        self.status = resp.status
        self.reason = resp.reason
        self.data: bytes | str = resp.data if data is None else data

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of the answer."""
        return self.response.headers

    def read(self) -> bytes | str:
        """Return the body."""
        return self.data

    def getheaders(self) -> Mapping[str, str]:
        """Return the headers of the answer."""
        return self.headers

    def getheader(self, name: str, default: str | None = None) -> str | None:
        """Return one header of the answer."""
        return self.headers.get(name, default)


def _body(
    response: urllib3.BaseHTTPResponse, request: Request, exchange: Exchange
) -> tuple[bytes, str | None]:
    """Return the complete body of an answer, and why it cannot be unpacked, if so."""
    codings = response.headers.get("Content-Encoding")
    try:
        if codings is None:
            data = response.data
        else:
            # Not `read`, which refuses some codings even if it is not asked to unpack them.
            data = b"".join(iter(partial(response.read1, _PIECE, decode_content=False), b""))
        _check_end(response, exchange)
    except (urllib3.exceptions.HTTPError, OSError) as cause:
        response.close()
        raise _broken_off(cause, request, response, exchange) from cause
    return (data, None) if codings is None else unpack(data, codings)


def _check_end(response: urllib3.BaseHTTPResponse, exchange: Exchange) -> None:
    """Refuse what ends because the connection was cut: it looks like a whole one, but shorter.

    Without a length the end of the connection is that of the body, and of the headers anyway.
    """
    if exchange.cut and response.length_remaining is None and not response.chunked:
        response.close()
        raise urllib3.exceptions.ProtocolError("cut")


def _check_uncut(response: urllib3.BaseHTTPResponse, request: Request, exchange: Exchange) -> None:
    """Refuse an answer whose connection was cut between its headers and the end of *exchange*.

    Its body would break off as if the server had gone.
    """
    if exchange.cut:
        response.close()
        cause = TimeoutError("the deadline has passed")
        raise _broken_off(cause, request, response, exchange) from cause


def _translated(cause: Exception, request: Request, exchange: Exchange) -> TransportError:
    """Return our exception for one of urllib3, of sockets, or of the standard library."""
    errors = urllib3.exceptions
    happened = cause.original_error if isinstance(cause, errors.ProxyError) else cause
    kind = transport_error_class(
        sent=exchange.sent,
        timed_out=_timed_out(happened, exchange),
        tls=isinstance(happened, (errors.SSLError, ssl.SSLError)),
    )
    reason = _reason(cause, exchange) + wrong_scheme(request.base, happened, exchange.sent)
    return kind(None, reason, **call_details(request))


def _broken_off(
    cause: Exception, request: Request, response: urllib3.BaseHTTPResponse, exchange: Exchange
) -> TransportError:
    """Return the exception for an answer that began and did not come to its end."""
    kind = transport_error_class(sent=True, timed_out=_timed_out(cause, exchange))
    return kind(
        response.status,
        f"the answer broke off: {_reason(cause, exchange)}",
        headers=response.headers,
        raw_data=_partial_data(cause),
        **call_details(request),
    )


def _timed_out(cause: BaseException, exchange: Exchange) -> bool:
    errors = urllib3.exceptions
    if isinstance(cause, errors.NewConnectionError):  # A timeout by name only.
        return exchange.time_is_up
    return exchange.time_is_up or isinstance(
        cause, (errors.TimeoutError, errors.EmptyPoolError, TimeoutError)
    )


def _reason(cause: Exception, exchange: Exchange) -> str:
    return "the deadline has passed" if exchange.time_is_up else _sentence(cause)[:LONGEST_REASON]


def _sentence(cause: BaseException) -> str:
    """Return in one line what happened, without the objects that it happened to."""
    if isinstance(cause, urllib3.exceptions.EmptyPoolError):
        return POOL_IN_USE
    text = str(cause)
    if isinstance(cause, urllib3.exceptions.HTTPError) and len(cause.args) == 2:
        what, inner = cause.args
        if not isinstance(what, str):
            text = str(inner)
        elif isinstance(inner, BaseException) and repr(inner) not in what:
            text = f"{what.rstrip('.')}: {_sentence(inner)}"
        else:
            text = what
    # urllib3 puts the connection in front of what happened.
    text = re.sub(r"^\w+\([^)]*\): ", "", text)
    return " ".join(text.split()) or type(cause).__name__


def _partial_data(cause: BaseException) -> bytes:
    """Return the bytes that were received before an answer broke off."""
    inner = cause.args[-1] if cause.args else None
    partial = getattr(inner, "partial", b"")
    return partial if isinstance(partial, bytes) else b""


def call_details(request: Request) -> dict[str, Any]:
    """Return what an exception tells of the call that it put an end to."""
    return {
        "operation_id": request.operation_id,
        "method": request.method,
        "url": request.url_without_query,
    }
