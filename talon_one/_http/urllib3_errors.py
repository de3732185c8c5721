"""Translate exceptions of urllib3, sockets and the standard library into ours."""

from __future__ import annotations

import http.client
import re
import ssl
import sys
from typing import TYPE_CHECKING, Any

import urllib3
from urllib3 import exceptions as errors

from talon_one._http.errors import MAX_REASON, POOL_IN_USE, call_details
from talon_one._http.tls import wrong_scheme
from talon_one.exceptions import ApiValueError, transport_error_class

if TYPE_CHECKING:
    from talon_one._core.request import Request
    from talon_one._http.exchange import Exchange

# Libraries below the transport, with and without greenlets.
_LIBRARIES = sys.stdlib_module_names | {"urllib3", "socks", "OpenSSL", "gevent", "eventlet"}
_NETWORKING = {"urllib3", "socks", "OpenSSL", "gevent", "eventlet", "http", "socket", "ssl"} | {
    *("email", "encodings", "gzip", "idna", "io", "select", "selectors", "zlib")
}
_OURS = (
    "talon_one._http.connections",
    "talon_one._http.deadlines",
    "talon_one._http.exchange",
    "talon_one._http.pools",
    "talon_one._http.socks",
)


def foreign_cause(cause: BaseException) -> BaseException | None:
    """Return the exception of foreign code that this one is, or wraps.

    A signal handler may raise anything at any moment, such as a time limit that is a
    `TimeoutError`. urllib3 takes that for a network failure, and wraps it.
    """
    inner: Any = cause
    for _ in range(10):
        if not isinstance(inner, BaseException):
            break
        if type(inner).__module__.partition(".")[0] not in _LIBRARIES:
            return inner
        # Not the context, which may be what the caller is handling at the time.
        inner = (
            inner.__cause__
            or getattr(inner, "original_error", None)
            or (inner.args[-1] if inner.args else None)
        )
    return None


def to_transport_error(cause: Exception, request: Request, exchange: Exchange) -> BaseException:
    """Return the exception to raise for one that came before a response.

    Returns:
        A `TransportError` for one of urllib3, of sockets, or of the standard library;
        an `ApiValueError` if they refuse to send such a request; anything else as it is.
    """
    other = foreign_cause(cause)
    if other is not None:
        return other
    if not _is_network_error(cause):
        if not _was_raised_by_library(cause):
            return cause
        if isinstance(cause, ValueError) and not (exchange.sent and exchange.lease):
            # Its text may quote a header, which may be a secret.
            return ApiValueError(
                f"{request.operation_id or request.method} cannot be sent: what makes up the"
                " request, or that to the proxy, holds characters that HTTP does not allow"
            )
    happened = cause.original_error if isinstance(cause, errors.ProxyError) else cause
    kind = transport_error_class(
        # If the URL is refused, nothing was sent.
        sent=exchange.sent and not isinstance(cause, errors.LocationValueError),
        timed_out=_timed_out(happened, exchange),
        tls=isinstance(happened, (errors.SSLError, ssl.SSLError)),
    )
    reason = _reason(cause, exchange) + wrong_scheme(request.base, happened, exchange.sent)
    failure = kind(None, reason, **call_details(request))
    failure.__cause__ = cause
    return failure


def to_broken_response(
    cause: Exception, request: Request, response: urllib3.BaseHTTPResponse, exchange: Exchange
) -> BaseException:
    """Return the exception to raise for a response that is incomplete."""
    other = foreign_cause(cause)
    if other is not None:
        return other
    if not _is_network_error(cause) and not _was_raised_by_library(cause):
        return cause
    kind = transport_error_class(sent=True, timed_out=_timed_out(cause, exchange))
    failure = kind(
        response.status,
        f"the response broke off: {_reason(cause, exchange)}",
        headers=response.headers,
        raw_data=_partial_data(cause),
        **call_details(request),
    )
    failure.__cause__ = cause
    return failure


def _is_network_error(cause: Exception) -> bool:
    return isinstance(cause, (errors.HTTPError, OSError, http.client.HTTPException))


def _was_raised_by_library(cause: Exception) -> bool:
    """Return whether networking code raised an exception, such as an `OverflowError`.

    The caller's code raises its own: it reads files to upload, mocks servers, handles signals.
    """
    traceback = cause.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    module = "" if traceback is None else str(traceback.tb_frame.f_globals.get("__name__"))
    return module.partition(".")[0] in _NETWORKING or module in _OURS


def _timed_out(cause: BaseException, exchange: Exchange) -> bool:
    if isinstance(
        cause, errors.NewConnectionError
    ):  # It derives from the timeout error without being one.
        return exchange.time_is_up
    return exchange.time_is_up or isinstance(
        cause, (errors.TimeoutError, errors.EmptyPoolError, TimeoutError)
    )


def _reason(cause: Exception, exchange: Exchange) -> str:
    return "the deadline has passed" if exchange.time_is_up else _message(cause)[:MAX_REASON]


def _message(cause: BaseException) -> str:
    """Return the message of an error in one line, without the objects in it."""
    if isinstance(cause, errors.EmptyPoolError):
        return POOL_IN_USE
    text = str(cause)
    if isinstance(cause, errors.HTTPError) and len(cause.args) == 2:
        what, inner = cause.args
        if not isinstance(what, str):
            text = str(inner)
        elif isinstance(inner, BaseException) and repr(inner) not in what:
            text = f"{what.rstrip('.')}: {_message(inner)}"
        else:
            text = what
    # urllib3 puts the connection in front of the message.
    text = re.sub(r"^\w+\([^)]*\): ", "", text)
    return " ".join(text.split()) or type(cause).__name__


def _partial_data(cause: BaseException) -> bytes:
    """Return the bytes that were received before a response broke off."""
    inner = cause.args[-1] if cause.args else None
    partial = getattr(inner, "partial", b"")
    return partial if isinstance(partial, bytes) else b""
