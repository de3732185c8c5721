"""Connections that know how far a request has come, and that are cut when its time is up."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import urllib3
from urllib3 import exceptions as errors
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.connection import allowed_gai_family

from talon_one.exceptions import ConfigurationError
from talon_one.fair_stack import FairStack
from talon_one.proxies import headers_for
from talon_one.tls import ssl_context

if TYPE_CHECKING:
    from talon_one.configuration import Configuration

# Seconds to connect to the last address of a host, when those before it have used up the time.
_SHORTEST = 0.001

MOST_ANNOUNCEMENTS = 16
"""How often a server may announce an answer before it gives it."""


class Exchange:
    """One attempt while it goes on: whether anything was sent, and the end of its time.

    The timeouts of a socket bound each step by itself; a server that trickles can go on for ever.
    With a deadline, a timer cuts the connection when it has passed.

    Args:
        deadline: Seconds from now on, if there is one.

    Attributes:
        sent: Whether any of the request may have reached the server.
        connecting: Whether a connection is being made; a proxy is spoken to, the server is not.
        cut: Whether the deadline passed before the answer was complete.
        bounded: Whether there is a deadline.
    """

    __slots__ = (
        "_ends",
        "_lock",
        "_over",
        "_timer",
        "_watched",
        "bounded",
        "connecting",
        "cut",
        "sent",
    )

    def __init__(self, deadline: float | None = None) -> None:
        self.sent = False
        self.connecting = False
        self.cut = False
        self.bounded = deadline is not None
        self._timer: threading.Timer | None = None
        if deadline is not None:
            self._ends = time.monotonic() + deadline
            self._lock = threading.Lock()
            self._over = False
            self._watched: socket.socket | None = None
            self._timer = threading.Timer(deadline, self._cut)
            self._timer.daemon = True

    def __enter__(self) -> Exchange:
        _thread.exchange = self
        if self._timer is not None:
            self._timer.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        _thread.exchange = _NONE
        if self._timer is not None:
            self.let_go()
            self._timer.cancel()
            self._timer.join()

    @property
    def time_is_up(self) -> bool:
        """Whether the deadline has passed; a step that may take as long can be first to notice."""
        return self.bounded and (self.cut or time.monotonic() >= self._ends)

    def watch(self, connection: Any) -> None:
        """Have a connection cut when the time is up; for an exchange with a deadline.

        Raises:
            TimeoutError: It is up already, so nothing is to be sent over this connection.
        """
        if self._watched is not None:
            return
        with self._lock:
            if self.cut:
                raise TimeoutError("the deadline has passed")
            # A handle of its own, because TLS goes on with other objects than it began with.
            self._watched = socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM)

    def let_go(self) -> None:
        """Leave the connection alone from now on: it may serve another call."""
        with self._lock:
            self._over = True
            if self._watched is not None:
                self._watched.close()
                self._watched = None

    def _cut(self) -> None:
        with self._lock:
            if not self._over:
                self.cut = True
                if self._watched is not None:
                    with suppress(OSError):  # Closed by the other side, which is just as well.
                        self._watched.shutdown(socket.SHUT_RDWR)


# Stands for that of a thread in which none is under way.
_NONE = Exchange()


class _Thread(threading.local):
    exchange = _NONE


_thread = _Thread()


def outside(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Pass on the pieces of a body, each read as if no exchange were under way in this thread.

    Where they come from may make calls of its own: rows of an export can be imported at once.
    """
    exchange = _thread.exchange
    while True:
        _thread.exchange = _NONE
        try:
            piece = next(pieces, None)
        finally:
            _thread.exchange = exchange
        if piece is None:
            return
        yield piece


class _AnnouncedAnswer(http.client.HTTPResponse):
    """An answer that any status below 200 may announce; the standard library knows 100 alone."""

    _announcements = 0

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]  # not in typeshed
        if 100 <= status < 200:
            self._announcements += 1
            if self._announcements > MOST_ANNOUNCEMENTS:
                raise http.client.HTTPException("the answer is announced again and again")
            # The one that is passed over with its headers.
            status = http.client.CONTINUE
        return version, status, reason


class _ReturningAnswer(urllib3.HTTPResponse):
    """An answer that gives its connection back when it is closed, not only when it is read."""

    def close(self) -> None:
        super().close()
        # The pool waits for each of its connections, also for one that nobody read to its end.
        self.release_conn()


class _Tracked(HTTPConnection):
    """A connection that tells the exchange of its thread how far things have come."""

    response_class = _AnnouncedAnswer

    def connect(self) -> None:
        exchange = _thread.exchange
        exchange.connecting = True
        super().connect()
        exchange.connecting = False

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # as in urllib3
        answer = super().getresponse()
        # urllib3 names the class of its answers in the middle of a method.
        answer.__class__ = _ReturningAnswer
        return answer

    def _new_conn(self) -> socket.socket:
        connection = self._connected()
        try:
            if _thread.exchange.bounded:
                _thread.exchange.watch(connection)
        except TimeoutError:
            connection.close()
            raise
        return connection

    def _connected(self) -> socket.socket:
        """Connect to one of the addresses of the host, in the time that there is for all of them.

        urllib3 gives each the whole time, so that a deadline would pass unnoticed.
        """
        host, seconds = self._dns_host, self.timeout
        ends = time.monotonic() + seconds if isinstance(seconds, (int, float)) else None
        addresses = self._addresses()
        try:
            for left in range(len(addresses), 0, -1):
                self._dns_host = addresses[-left]
                if ends is not None:
                    # Something is left for the last one, however long the others took.
                    self.timeout = max(_SHORTEST, (ends - time.monotonic()) / left)
                try:
                    return super()._new_conn()
                except (errors.ConnectTimeoutError, errors.NewConnectionError):
                    if left == 1:
                        raise
        finally:
            self._dns_host, self.timeout = host, seconds
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

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        exchange = _thread.exchange
        if exchange.bounded:
            exchange.watch(self.sock)
        exchange.sent = exchange.sent or not exchange.connecting
        super().send(data)


class _TrackedTls(_Tracked, HTTPSConnection):
    """The same over TLS."""

    configuration: Configuration

    def connect(self) -> None:
        # Made when it is needed, and made anew when certificates have been renewed.
        self.ssl_context = ssl_context(self.configuration)
        self.cert_reqs = self.ssl_context.verify_mode
        super().connect()


class _Pool(urllib3.HTTPConnectionPool):
    """The connections to one host."""

    ConnectionCls: type[_Tracked] = _Tracked
    QueueCls: Any = FairStack

    def _put_conn(self, conn: Any) -> None:
        if _thread.exchange.bounded:
            _thread.exchange.let_go()
        super()._put_conn(conn)


class _TlsPool(_Pool, urllib3.HTTPSConnectionPool):
    """The same over TLS."""

    ConnectionCls: type[_TrackedTls] = _TrackedTls

    def __init__(self, configuration: Configuration, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._configuration = configuration

    def _new_conn(self) -> Any:
        connection: Any = super()._new_conn()
        connection.configuration = self._configuration
        return connection


def pool_manager(
    configuration: Configuration, scheme: str, proxy: str | None
) -> urllib3.PoolManager:
    """Return the pools for all hosts with this scheme that are reached through this proxy.

    Raises:
        ConfigurationError: The address of the proxy is not valid, or PySocks is missing.
    """
    settings: dict[str, Any] = {
        "num_pools": 4,
        "maxsize": max(1, configuration.connection_pool_maxsize),
        # Wait for a free connection rather than open one more and throw it away afterwards.
        "block": True,
    }
    if configuration.socket_options is not None:
        settings["socket_options"] = configuration.socket_options
    if scheme == "https":
        if configuration.assert_hostname not in (None, True):
            settings["assert_hostname"] = configuration.assert_hostname
        if configuration.tls_server_name is not None:
            settings["server_hostname"] = configuration.tls_server_name
    if proxy is not None:
        return _proxy_manager(configuration, proxy, settings)
    return _with_pools(urllib3.PoolManager(**settings), configuration, _Pool, _TlsPool)


def _with_pools(
    manager: urllib3.PoolManager,
    configuration: Configuration,
    pool: type[_Pool],
    tls_pool: type[_TlsPool],
) -> urllib3.PoolManager:
    classes: Any = {"http": pool, "https": partial(tls_pool, configuration)}
    manager.pool_classes_by_scheme = classes
    return manager


def _proxy_manager(
    configuration: Configuration, proxy: str, settings: dict[str, Any]
) -> urllib3.PoolManager:
    try:
        if proxy.startswith("socks"):
            return _socks_manager(configuration, proxy, settings)
        headers = headers_for(configuration, proxy)
        if proxy.startswith("https:"):
            settings["proxy_ssl_context"] = ssl_context(configuration)
        manager = urllib3.ProxyManager(proxy, proxy_headers=headers, **settings)
    except (ImportError, urllib3.exceptions.DependencyWarning) as cause:
        raise ConfigurationError("a SOCKS proxy needs PySocks: pip install PySocks") from cause
    except (urllib3.exceptions.HTTPError, ValueError):
        # Neither the message nor its cause may quote the address, which may hold a password.
        raise ConfigurationError("the proxy cannot be used: its address is not valid") from None
    return _with_pools(manager, configuration, _Pool, _TlsPool)


def _socks_manager(
    configuration: Configuration, proxy: str, settings: dict[str, Any]
) -> urllib3.PoolManager:
    # Here, because importing it without PySocks fails.
    from urllib3.contrib import socks

    class TrackedSocks(_Tracked, socks.SOCKSConnection):
        """A connection through a SOCKS proxy, which may look up addresses itself."""

        def _connected(self) -> socket.socket:
            found: socket.socket = socks.SOCKSConnection._new_conn(self)
            return found

    class TrackedSocksTls(_TrackedTls, socks.SOCKSHTTPSConnection):
        """The same over TLS."""

        _connected = TrackedSocks._connected

    class Pool(_Pool, socks.SOCKSHTTPConnectionPool):
        ConnectionCls = TrackedSocks

    class TlsPool(_TlsPool, socks.SOCKSHTTPSConnectionPool):
        ConnectionCls = TrackedSocksTls

    return _with_pools(socks.SOCKSProxyManager(proxy, **settings), configuration, Pool, TlsPool)
