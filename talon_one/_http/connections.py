"""Connections of urllib3 that record in an Exchange how far a request got."""

from __future__ import annotations

import http.client
import socket
import time
from typing import TYPE_CHECKING, Any

import urllib3.connection
from urllib3 import exceptions as errors
from urllib3.util.connection import allowed_gai_family

from talon_one._http.errors import MAX_INTERIM_RESPONSES
from talon_one._http.exchange import BoundedSocket
from talon_one._http.urllib3_errors import foreign_cause

if TYPE_CHECKING:
    from urllib3.connection import HTTPConnection, HTTPSConnection

    from talon_one._http.exchange import Exchange

# Minimum seconds for the last address of a host, when the others have used up the time.
_SHORTEST = 0.001

# TLS sends at most this in one step; a longer chunk takes several steps, each with a timeout.
_RECORD = 2**14

# Maximum memory to allocate for bytes that a server has only announced.
_MAX_UNSEEN = 2**20


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

    _announcements = 0

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]  # not in typeshed
        if 100 <= status < 200:
            self._announcements += 1
            if self._announcements > MAX_INTERIM_RESPONSES:
                raise http.client.HTTPException("interim responses come again and again")
            # `http.client` skips this status together with its headers.
            status = http.client.CONTINUE
        return version, status, reason

    def _safe_read(self, amount: int) -> bytes:
        """Read *amount* bytes; memory is allocated for received, not for announced bytes."""
        if 0 <= amount <= _MAX_UNSEEN:
            data: bytes = super()._safe_read(amount)  # type: ignore[misc]  # not in typeshed
            return data
        if amount < 0:
            raise http.client.HTTPException("a chunk of negative size")
        pieces: list[bytes] = []
        left = amount
        while left:
            piece = self.fp.read(min(left, _MAX_UNSEEN))
            if not piece:
                raise http.client.IncompleteRead(b"".join(pieces), left)
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)


class Tracked(HTTPConnection):
    """A connection that records in its exchange how far the request got.

    Attributes:
        exchange: Set whenever the connection is taken from its pool.
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
        if exchange.ends is not None:
            sock = BoundedSocket(sock, exchange, self.timeout)
        self._response = _Response(sock, *args, **kwargs)
        return self._response

    def send(self, data: Any) -> None:
        """Send bytes of a request, to the server or to a proxy."""
        if self.sock is None:
            self.connect()
        exchange = self.exchange
        if exchange.ends is None:
            exchange.sent = exchange.sent or not exchange.connecting
            super().send(data)
            return
        for start in range(0, len(data), _RECORD):
            seconds = exchange.within(self.timeout)
            if seconds != self.timeout:
                self.sock.settimeout(seconds)
            exchange.sent = exchange.sent or not exchange.connecting
            super().send(data[start : start + _RECORD])

    def is_usable(self) -> bool:
        """Return whether an idle connection may be reused: it is open, and nothing arrived."""
        return self.is_connected and not _has_decrypted(self.sock)

    def _new_conn(self) -> socket.socket:
        connection = self._connected()
        try:
            if self.exchange.ends is not None:
                # The time left for the proxy and for TLS.
                connection.settimeout(self.exchange.within(self.timeout))
        except TimeoutError:
            connection.close()
            raise
        return connection

    def _connected(self) -> socket.socket:
        """Connect to one of the addresses of the host, within one timeout for all of them.

        urllib3 gives each address the whole timeout, which would exceed a deadline.
        """
        host, timeout = self._dns_host, self.timeout
        seconds = self.exchange.within(timeout)
        ends = None if seconds is None else time.monotonic() + seconds
        addresses = self._addresses()
        try:
            for left in range(len(addresses), 0, -1):
                self._dns_host = addresses[-left]
                if ends is not None:
                    # The last address always gets some time.
                    self.timeout = max(_SHORTEST, (ends - time.monotonic()) / left)
                try:
                    return super()._new_conn()
                except (errors.ConnectTimeoutError, errors.NewConnectionError) as cause:
                    if left == 1 or foreign_cause(cause) is not None:
                        raise
        finally:
            self._dns_host, self.timeout = host, timeout
        raise errors.NewConnectionError(self, "the host has no address")

    def _addresses(self) -> list[str]:
        try:
            found = socket.getaddrinfo(
                self._dns_host, self.port, allowed_gai_family(), socket.SOCK_STREAM
            )
        except socket.gaierror as cause:
            raise errors.NameResolutionError(self.host, self, cause) from cause
        except UnicodeError as cause:
            raise errors.LocationParseError(f"{self.host!r}, label empty or too long") from cause
        return [str(address[0]) for *_, address in found]


class TrackedTls(Tracked, HTTPSConnection):
    """The same over TLS."""


def _has_decrypted(sock: Any) -> bool:
    """Return whether TLS has decrypted data that polling the socket does not show."""
    if hasattr(sock, "sslobj"):  # TLS inside the TLS of a proxy, as urllib3 implements it.
        return bool(sock.sslobj.pending() or sock.incoming.pending) or _has_decrypted(sock.socket)
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
