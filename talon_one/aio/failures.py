"""Translate exceptions of aiohttp into ours, with the messages of the blocking client."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

import aiohttp
from urllib3.util.ssl_match_hostname import CertificateError

from talon_one._http.errors import MAX_REASON, POOL_IN_USE, call_details
from talon_one._http.tls import wrong_scheme
from talon_one.exceptions import TransportError, transport_error_class

if TYPE_CHECKING:
    from talon_one._core.request import Request
    from talon_one.aio.connections import Exchange

# Libraries below the transport; any exception of theirs is a failure of the attempt.
_LIBRARIES = sys.stdlib_module_names | {
    *("aiohttp", "aiohappyeyeballs", "aiosignal", "frozenlist", "multidict", "propcache", "yarl"),
    *("aiodns", "pycares", "idna", "urllib3", "uvloop", "winloop"),
}


def foreign_cause(cause: BaseException) -> BaseException | None:
    """Return the exception of foreign code, or of this package, that this one is or wraps.

    Examples are a library that mocks the server, and a time limit of the application.
    """
    inner: BaseException | None = cause
    while inner is not None:
        if type(inner).__module__.partition(".")[0] not in _LIBRARIES:
            return inner
        inner = inner.__cause__
    return None


def raise_upload_failure(request: Request) -> None:
    """Raise the error of a file that could not be read; aiohttp reports a broken connection."""
    failure = None if isinstance(request.body, bytes | None) else request.body.failure
    if failure is not None:
        raise failure from failure.__cause__


def to_transport_error(cause: Exception, request: Request, exchange: Exchange) -> TransportError:
    """Return the exception of this package for one of aiohttp, asyncio or sockets."""
    kind = transport_error_class(
        sent=exchange.sent,
        timed_out=timed_out(cause, exchange),
        tls=isinstance(cause, (aiohttp.ClientSSLError, CertificateError)),
    )
    happened = reason(cause, exchange) + wrong_scheme(request.base, cause, exchange.sent)
    return kind(None, happened, **call_details(request))


def timed_out(cause: Exception, exchange: Exchange) -> bool:
    """Return whether a timeout ended an attempt."""
    return exchange.time_is_up or exchange.stalled or isinstance(cause, asyncio.TimeoutError)


def reason(cause: Exception, exchange: Exchange) -> str:
    """Return one line that says what happened."""
    if exchange.time_is_up:
        return "the deadline has passed"
    return (" ".join(_message(cause, exchange).split()) or type(cause).__name__)[:MAX_REASON]


def _message(cause: Exception, exchange: Exchange) -> str:
    """Return the message of the blocking client for an error, without objects in it."""
    if exchange.stalled:
        return f"Sending timed out. (read timeout={exchange.timeout.read})"
    if isinstance(cause, asyncio.TimeoutError):
        if exchange.sent:
            return f"Read timed out. (read timeout={exchange.timeout.read})"
        if exchange.waiting:
            return POOL_IN_USE
        return f"Connecting timed out. (connect timeout={exchange.timeout.connect})"
    if isinstance(cause, aiohttp.ServerDisconnectedError):
        return "Remote end closed connection without response"
    if isinstance(cause, aiohttp.ClientConnectorDNSError):
        return f"Failed to resolve '{cause.host}' ({cause.os_error})"
    if isinstance(cause, aiohttp.ClientConnectorCertificateError):
        return str(cause.certificate_error)
    if isinstance(cause, aiohttp.ClientConnectorError):
        return f"Failed to establish a new connection: {_system_message(cause.os_error)}"
    if isinstance(cause, aiohttp.ClientHttpProxyError):
        return f"Tunnel connection failed: {cause.status} {cause.message}"
    if isinstance(cause, aiohttp.ClientResponseError):
        return cause.message
    return str(cause)


def _system_message(cause: OSError) -> str:
    """Return an error with the message of the system, which asyncio leaves out."""
    if type(cause) in (OSError, ConnectionRefusedError) and cause.errno is not None:
        return f"[Errno {cause.errno}] {os.strerror(cause.errno)}"
    return str(cause)


def chained_cause(cause: Exception) -> BaseException | None:
    """Return the cause to chain: some exceptions of aiohttp quote the URL with its query."""
    if isinstance(cause, (aiohttp.ConnectionTimeoutError, aiohttp.ClientResponseError)):
        return cause.__cause__
    return cause
