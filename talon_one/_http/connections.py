"""Connections of urllib3 that record in an Exchange how far a request got."""

from __future__ import annotations

import http.client
import socket
import time
from typing import TYPE_CHECKING, Any

import urllib3.connection
from urllib3 import exceptions as errors
from urllib3.util.connection import allowed_gai_family

from talon_one._http.deadlines import BoundedSocket, ProxyTlsSocket
from talon_one._http.errors import MAX_INTERIM_RESPONSES
from talon_one._http.urllib3_errors import foreign_cause

if TYPE_CHECKING:
    from urllib3.connection import HTTPConnection, HTTPSConnection

    from talon_one._http.exchange import Exchange

# Seconds to connect to the last address of a host, if those before it have used up the time.
_MIN_CONNECT = 0.001

# TLS sends at most this in one step; a longer chunk takes several steps, each with a timeout.
_TLS_RECORD = 2**14

# Maximum memory to allocate for bytes that a server has only announced.
_MAX_PREALLOCATED = 2**20


GENUINE = ("urllib3.connection", "urllib3.contrib.socks")
"""Modules with the connection classes of urllib3 itself, rather than those of a library."""


def genuine(cls: Any) -> Any:
    """Return the class of urllib3 behind a class that a library has patched in."""
    return next(each for each in cls.__mro__ if each.__module__ in GENUINE)


if not TYPE_CHECKING:
    # This module may be imported while a cassette of vcrpy is active.
    HTTPConnection = genuine(urllib3.connection.HTTPConnection)
    HTTPSConnection = genuine(urllib3.connection.HTTPSConnection)


class _Response(http.client.HTTPResponse):
    """A response after any interim responses; the standard library skips only status 100."""

    _interim_responses = 0

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]  # not in typeshed
        if 100 <= status < 200:
            self._interim_responses += 1
            if self._interim_responses > MAX_INTERIM_RESPONSES:
                raise http.client.HTTPException("interim responses come again and again")
            # `http.client` skips this status together with its headers.
            status = http.client.CONTINUE
        return version, status, reason

    def _safe_read(self, amount: int) -> bytes:
        """Read *amount* bytes; memory is allocated for received, not for announced bytes."""
        if 0 <= amount <= _MAX_PREALLOCATED:
            data: bytes = super()._safe_read(amount)  # type: ignore[misc]  # not in typeshed
            return data
        if amount < 0:
            raise http.client.HTTPException("a chunk of negative size")
        pieces: list[bytes] = []
        left = amount
        while left:
            piece = self.fp.read(min(left, _MAX_PREALLOCATED))
            if not piece:
                raise http.client.IncompleteRead(b"".join(pieces), left)
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)


class Tracked(HTTPConnection):
    """A connection that records in its exchange how far the request got.

    Attributes:
        exchange: The current exchange; the pool sets it for each attempt.
    """

    exchange: Exchange
    _response: http.client.HTTPResponse | None = None

    def discard(self) -> None:
        """Close the connection and the response that has begun on it."""
        self.close()
        if self._response is not None:
            self._response.close()

    def connect(self) -> None:
        """Connect to the host, directly or through a proxy."""
        exchange = self.exchange
        exchange.connecting = True
        super().connect()
        exchange.connecting = False

    def response_class(  # type: ignore[override]
        self, sock: Any, *args: Any, **kwargs: Any
    ) -> http.client.HTTPResponse:
        """Begin to read a response; `http.client` has a class of this name here."""
        exchange = self.exchange
        if exchange.deadline is not None:
            sock = BoundedSocket(sock, exchange, self.timeout)
        self._response = _Response(sock, *args, **kwargs)
        return self._response

    def send(self, data: Any) -> None:
        """Send bytes of a request, to the server or to a proxy."""
        if self.sock is None:
            self.connect()
        exchange = self.exchange
        if exchange.deadline is None:
            if not exchange.connecting:
                exchange.sent = True
            super().send(data)
            return
        for start in range(0, len(data), _TLS_RECORD):
            seconds = exchange.within(self.timeout)
            if seconds != self.timeout:
                self.sock.settimeout(seconds)
            if not exchange.connecting:
                exchange.sent = True
            super().send(data[start : start + _TLS_RECORD])

    def is_usable(self) -> bool:
        """Return whether an idle connection may be reused: it is open, and nothing arrived."""
        return self.is_connected and not _has_decrypted_data(self.sock)

    def _tunnel(self) -> None:
        """Ask a proxy for a tunnel, and leave the handshake behind it the time that is left."""
        super()._tunnel()
        if self.exchange.deadline is not None:
            self.sock.settimeout(self.exchange.within(self.timeout))

    def _new_conn(self) -> socket.socket:
        connection = self._connect_to_any(self._dns_host, self.port)
        try:
            if self.exchange.deadline is not None:
                # The time left for the proxy and for TLS.
                connection.settimeout(self.exchange.within(self.timeout))
        except TimeoutError:
            connection.close()
            raise
        return connection

    def _connect_to_any(self, host: str, port: int | None) -> socket.socket:
        """Connect to one of the addresses of a host, which share the time to connect.

        urllib3 gives each address the whole time, and so would exceed a deadline.
        """
        timeout = self.timeout
        seconds = self.exchange.within(timeout)
        ends = None if seconds is None else time.monotonic() + seconds
        addresses = self._addresses(host, port)
        try:
            for left in range(len(addresses), 0, -1):
                if ends is not None:
                    # The last address has some time, however long the others took.
                    self.timeout = max(_MIN_CONNECT, (ends - time.monotonic()) / left)
                try:
                    return self._connect_to(addresses[-left])
                except (errors.ConnectTimeoutError, errors.NewConnectionError) as cause:
                    if left == 1 or foreign_cause(cause) is not None:
                        raise
        finally:
            self.timeout = timeout
        raise errors.NewConnectionError(self, "the host has no address")

    def _connect_to(self, address: str) -> socket.socket:
        """Connect to one address within `timeout`."""
        host = self._dns_host
        self._dns_host = address
        try:
            return super()._new_conn()
        finally:
            self._dns_host = host

    def _addresses(self, host: str, port: int | None) -> list[str]:
        try:
            found = socket.getaddrinfo(host, port, allowed_gai_family(), socket.SOCK_STREAM)
        except socket.gaierror as cause:
            raise errors.NameResolutionError(host.rstrip("."), self, cause) from cause
        except UnicodeError as cause:
            raise errors.LocationParseError(f"{host!r}, label empty or too long") from cause
        return [str(address[0]) for *_, address in found]


class TrackedTls(Tracked, HTTPSConnection):
    """The same over TLS."""

    def _connect_tls_proxy(self, hostname: str, sock: socket.socket) -> Any:
        """Speak TLS with a proxy; if there is TLS inside it, keep the deadline there, too."""
        secure = super()._connect_tls_proxy(hostname, sock)
        return ProxyTlsSocket(secure, self) if self.proxy_is_tunneling else secure


def _has_decrypted_data(sock: Any) -> bool:
    """Return whether TLS has decrypted data that polling the socket does not show."""
    if hasattr(sock, "sslobj"):  # TLS inside the TLS of a proxy, as urllib3 implements it.
        return bool(sock.sslobj.pending() or sock.incoming.pending) or _has_decrypted_data(
            sock.socket
        )
    return hasattr(sock, "pending") and sock.pending() > 0


class Loan:
    """What urllib3 sees as the connection of a response, until it returns to the pool.

    A response that is closed twice, or collected late, must not touch a connection that serves
    another call by then.
    """

    __slots__ = ("connection", "exchange")

    def __init__(self, connection: Any, exchange: Exchange) -> None:
        self.connection = connection
        self.exchange = exchange

    def close(self) -> None:
        """Close the connection and free its slot, unless it has returned to the pool."""
        lease = self.exchange.lease
        held = None if lease is None else lease.take()
        if held is not None:
            stack, slot = held
            self.connection.close()
            stack.free(slot)
