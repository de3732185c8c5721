"""Connections and pools for SOCKS proxies; importing this module fails without PySocks."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import socks as pysocks  # type: ignore[import-untyped]
from urllib3 import exceptions as errors
from urllib3.contrib import socks

from talon_one._http.connections import Tracked, TrackedTls, genuine
from talon_one._http.pools import Pool, TlsPool

if TYPE_CHECKING:
    from urllib3.contrib.socks import SOCKSConnection, SOCKSHTTPSConnection

    from talon_one._http.exchange import Exchange
else:
    SOCKSConnection = genuine(socks.SOCKSConnection)
    SOCKSHTTPSConnection = genuine(socks.SOCKSHTTPSConnection)


class _SocksSocket(pysocks.socksocket):  # type: ignore[misc]  # PySocks has no annotations
    """A socket that keeps the deadline of an exchange while it speaks with the proxy.

    PySocks reads the replies of a proxy with one `recv_into` after another, without setting a
    timeout in between.

    Attributes:
        exchange: The exchange, until the connection is made.
    """

    exchange: Exchange | None = None

    def recv_into(self, *args: Any) -> int:
        self._bound()
        size: int = super().recv_into(*args)
        return size

    def send(self, *args: Any) -> int:
        self._bound()
        size: int = super().send(*args)
        return size

    def _bound(self) -> None:
        if self.exchange is not None:
            # Not that of PySocks, which would remember it as the timeout to go back to.
            socket.socket.settimeout(self, self.exchange.within(self.gettimeout()))


class TrackedSocks(Tracked, SOCKSConnection):
    """A connection through a SOCKS proxy, which may look up addresses itself."""

    def _connect_to_any(self, host: str, port: int | None) -> socket.socket:
        """Connect to the server through one of the addresses of the proxy."""
        proxy_host = (self._socks_options["proxy_host"] or "").strip("[]")
        return super()._connect_to_any(proxy_host, self._proxy_port)

    def _connect_to(self, address: str) -> socket.socket:
        """Connect to the server through the proxy at one address."""
        options = self._socks_options
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        connection: Any = _SocksSocket(family, socket.SOCK_STREAM)
        try:
            for option in self.socket_options or ():
                connection.setsockopt(*option)
            connection.set_proxy(
                options["socks_version"],
                address,
                self._proxy_port,
                options["rdns"],
                options["username"],
                options["password"],
            )
            connection.settimeout(self.timeout)
            connection.exchange = self.exchange
            connection.connect((self.host, self.port))
            connection.exchange = None
        except OSError as cause:  # The errors of PySocks are such, and wrap those of sockets.
            connection.close()
            raise self._failure(getattr(cause, "socket_err", None) or cause) from cause
        except BaseException:
            connection.close()
            raise
        found: socket.socket = connection
        return found

    @property
    def _proxy_port(self) -> int:
        return int(self._socks_options["proxy_port"] or pysocks.DEFAULT_PORTS[pysocks.SOCKS5])

    def _failure(self, cause: Exception) -> errors.HTTPError:
        if isinstance(cause, TimeoutError):
            return errors.ConnectTimeoutError(
                self, f"Connection to {self.host} timed out. (connect timeout={self.timeout})"
            )
        return errors.NewConnectionError(self, f"Failed to establish a new connection: {cause}")


class TrackedSocksTls(TrackedSocks, TrackedTls, SOCKSHTTPSConnection):
    """The same over TLS."""


class SocksPool(Pool, socks.SOCKSHTTPConnectionPool):
    """The connections to one host through a SOCKS proxy."""

    tracked = TrackedSocks
    original = socks.SOCKSHTTPConnectionPool


class SocksTlsPool(TlsPool, socks.SOCKSHTTPSConnectionPool):
    """The same over TLS."""

    tracked = TrackedSocksTls
    original = socks.SOCKSHTTPSConnectionPool
