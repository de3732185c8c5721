"""Connections and pools for SOCKS proxies; importing this fails without PySocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from urllib3.contrib import socks

from talon_one._http.connections import Tracked, TrackedTls, genuine
from talon_one._http.pools import Pool, TlsPool

if TYPE_CHECKING:
    import socket

    from urllib3.contrib.socks import SOCKSConnection, SOCKSHTTPSConnection
else:
    SOCKSConnection = genuine(socks.SOCKSConnection)
    SOCKSHTTPSConnection = genuine(socks.SOCKSHTTPSConnection)


class TrackedSocks(Tracked, SOCKSConnection):
    """A connection through a SOCKS proxy, which may look up addresses itself."""

    def _connected(self) -> socket.socket:
        found: socket.socket = SOCKSConnection._new_conn(self)
        return found


class TrackedSocksTls(TrackedTls, SOCKSHTTPSConnection):
    """The same over TLS."""

    _connected = TrackedSocks._connected


class SocksPool(Pool, socks.SOCKSHTTPConnectionPool):
    """The connections to one host through a SOCKS proxy."""

    tracked = TrackedSocks
    original = socks.SOCKSHTTPConnectionPool


class SocksTlsPool(TlsPool, socks.SOCKSHTTPSConnectionPool):
    """The same over TLS."""

    tracked = TrackedSocksTls
    original = socks.SOCKSHTTPSConnectionPool
