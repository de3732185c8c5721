"""Sockets whose operations end at the deadline of an exchange, however slowly the bytes arrive."""

from __future__ import annotations

import io
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from talon_one._http.exchange import Exchange

# Seconds by which an operation may exceed the deadline. It saves fast calls a `settimeout`.
_SLACK = 0.002


class BoundedSocket:
    """A socket from which `http.client` reads a response within the deadline of an exchange.

    Args:
        sock: A socket, or what urllib3 uses as one.
        exchange: The exchange; readers have no deadline once it has none.
        timeout: Seconds to wait for each piece.
    """

    def __init__(self, sock: Any, exchange: Exchange, timeout: float | None) -> None:
        self._sock = sock
        self._exchange = exchange
        self._timeout = timeout

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return a file to read from, as `socket.socket.makefile` does."""
        raw = self._sock.makefile(mode, buffering=0)
        return io.BufferedReader(_BoundedReader(raw, self._sock, self._exchange, self._timeout))


class _BoundedReader(io.RawIOBase):
    def __init__(
        self, raw: io.RawIOBase, sock: Any, exchange: Exchange, timeout: float | None
    ) -> None:
        # Only to be closed: it keeps the socket open after the connection was closed.
        self._raw = raw
        self._sock = sock
        self._exchange = exchange
        self._timeout = timeout
        self._latest: float | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        seconds = self._exchange.within(self._timeout)
        latest = self._latest
        if seconds is None or latest is None or not 0 <= latest - seconds < _SLACK:
            self._sock.settimeout(seconds)
            self._latest = seconds
        received: int = self._sock.recv_into(buffer)
        return received

    def close(self) -> None:
        try:
            self._raw.close()
        finally:
            super().close()


class ProxyTlsSocket:
    """The TLS socket to a proxy, for the TLS inside it.

    urllib3 reads the inner TLS with one `recv` after another until a message is complete, without
    setting a timeout in between. Here each `recv` and `send` gets the time that is left.

    Args:
        sock: A socket that speaks TLS with the proxy.
        connection: The connection that it belongs to, which knows the current exchange.
    """

    def __init__(self, sock: Any, connection: Any) -> None:
        self._sock = sock
        # Weak, because the connection holds this socket.
        self._connection = weakref.ref(connection)
        self._timeout: float | None = sock.gettimeout()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    @property
    def _io_refs(self) -> int:
        # urllib3 counts the files that it makes of a socket in the socket itself.
        count: int = self._sock._io_refs
        return count

    @_io_refs.setter
    def _io_refs(self, count: int) -> None:
        self._sock._io_refs = count

    def settimeout(self, seconds: float | None) -> None:
        """Set the timeout of each operation; a deadline may shorten it."""
        self._timeout = seconds
        self._sock.settimeout(seconds)

    def recv(self, size: int) -> bytes:
        """Receive up to so many bytes."""
        self._bound()
        received: bytes = self._sock.recv(size)
        return received

    def sendall(self, data: bytes) -> None:
        """Send all bytes."""
        with memoryview(data) as view:
            sent = 0
            while sent < len(view):
                self._bound()
                sent += self._sock.send(view[sent:])

    def _bound(self) -> None:
        connection = self._connection()
        if connection is not None:
            self._sock.settimeout(connection.exchange.within(self._timeout))
