"""Connection pools of urllib3 that lease connections to exchanges."""

from __future__ import annotations

from queue import Empty
from typing import TYPE_CHECKING, Any

from urllib3 import connectionpool
from urllib3 import exceptions as errors
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from talon_one._core.timeout import Timeout
from talon_one._http.connections import GENUINE, Loan, Tracked, TrackedTls
from talon_one._http.exchange import Exchange
from talon_one._http.fair_queue import FairQueue
from talon_one._http.tls import ssl_context

if TYPE_CHECKING:
    from talon_one.configuration import Configuration


class _CurrentClass:
    """The current connection class of a pool.

    If a library has patched in its own class, connections work but record nothing in exchanges.
    """

    def __get__(self, pool: Pool, _: object) -> Any:
        current: Any = pool.original.ConnectionCls
        return pool.tracked if current.__module__ in GENUINE else current


class Pool(HTTPConnectionPool):
    """The connections to one host.

    The `Exchange` of a call travels as ``pool_timeout``: `urlopen` passes it on unchanged, even
    through wrappers that an application has put around `urlopen`.
    """

    QueueCls: Any = FairQueue
    pool: Any

    tracked: Any = Tracked
    """The connection class, unless a library has patched that of urllib3."""
    original: type[HTTPConnectionPool] = HTTPConnectionPool
    """The class of urllib3 whose connection class libraries such as vcrpy patch."""

    ConnectionCls: Any = _CurrentClass()

    def close(self) -> None:
        """Close the idle connections; calls that wait for one fail."""
        stack = self.pool
        super().close()
        if stack is not None:
            stack.close()

    def drop_idle(self) -> None:
        """Close the idle connections."""
        stack = self.pool
        while stack is not None and not stack.empty():
            connection = stack.get_oldest()
            if connection is not None:
                connection.close()

    def _get_conn(self, timeout: Any = None) -> Any:
        exchange = timeout if isinstance(timeout, Exchange) else Exchange(Timeout(timeout, None))
        stack = self.pool
        if stack is None:
            raise errors.ClosedPoolError(self, "Pool is closed.")
        exchange.sent = False
        try:
            exchange.lease = stack.lease(exchange.pool_timeout)
        except Empty:
            if self.pool is None:
                raise errors.ClosedPoolError(self, "Pool is closed.") from None
            raise errors.EmptyPoolError(self, "all connections are in use") from None
        connection: Any = self._take_idle(stack, exchange) or self._new_conn()
        connection.exchange = exchange
        if not isinstance(connection, Tracked):
            exchange.sent = True
        return connection

    def _take_idle(self, stack: FairQueue, exchange: Exchange) -> Any:
        """Return an idle connection that can be reused; ``None`` if there is none."""
        if exchange.fresh:
            connection = None if stack.has_room() else stack.get_oldest()
            if connection is not None:
                connection.close()
            return None
        current = self.ConnectionCls
        while not stack.empty():
            try:
                connection = stack.get()
            except Empty:
                break
            if type(connection) is current and _is_usable(connection):
                exchange.reused = True
                return connection
            connection.close()
        return None

    def _put_conn(self, conn: Any) -> None:
        """Take a connection back.

        Args:
            conn: The connection; its `Loan` to a response; ``None`` after a failure, when the
                connection has been closed, and its slot is freed with the exchange.
        """
        if conn is None:
            return
        connection = conn.connection if isinstance(conn, Loan) else conn
        lease = conn.exchange.lease
        held = None if lease is None else lease.take()
        if held is None:
            # A connection that serves another call by now is left alone.
            if conn is connection:
                connection.close()
            return
        stack, slot = held
        if self.pool is stack:
            stack.put(connection)
        else:
            connection.close()
        stack.free(slot)

    def _make_request(self, conn: Any, *args: Any, **settings: Any) -> Any:
        exchange = conn.exchange
        loan = Loan(conn, exchange)
        if settings.get("response_conn") is not None:
            settings["response_conn"] = loan
        if not isinstance(conn, Tracked):
            # It may record headers, which must be plain `str` for that.
            settings["headers"] = {str(key): str(each) for key, each in settings["headers"].items()}
        try:
            response = super()._make_request(conn, *args, **settings)
        except BaseException:
            if isinstance(conn, Tracked):
                conn.discard()
            exchange.release()
            raise
        if not isinstance(conn, Tracked):
            # Its response may never return it. Unread bytes can still be read.
            loan.close()
        return response


class TlsPool(Pool, HTTPSConnectionPool):
    """The same over TLS."""

    tracked: Any = TrackedTls
    original = HTTPSConnectionPool

    def __init__(self, configuration: Configuration, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._configuration = configuration

    def _new_conn(self) -> Any:
        connection: Any = super()._new_conn()
        # Created on demand, and again when certificates have been renewed.
        connection.ssl_context = ssl_context(self._configuration)
        connection.cert_reqs = connection.ssl_context.verify_mode
        return connection


def _is_usable(connection: Any) -> bool:
    if isinstance(connection, Tracked):
        return connection.is_usable()
    # Looked up by name, because libraries that patch in connections patch this function, too.
    return not connectionpool.is_connection_dropped(connection)  # type: ignore[attr-defined]
