"""The HTTP server: an aiohttp shell around `dispatch`."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from contextlib import suppress
from types import TracebackType
from urllib.parse import urlsplit

from aiohttp import web

from .database import Credentials, Database
from .dispatch import Dispatcher, Request, Response

HOST = "127.0.0.1"
# Seconds that a request under way is waited for when the server stops.
SHUTDOWN_TIMEOUT = 1.0
# Connections that may wait to be accepted.
BACKLOG = 128

_log = logging.getLogger(__name__)


class Server:
    """A listening server with its database, open for the length of an `async with`."""

    def __init__(self, port: int, database: str, credentials: Credentials) -> None:
        """Prepare a server.

        Args:
            port: Port to listen on; 0 lets the system choose.
            database: SQLite file, or `:memory:`.
            credentials: The secrets that open it.
        """
        self.port = port
        self._path = database
        self._credentials = credentials
        self._socket: socket.socket | None = None

    async def __aenter__(self) -> Server:
        """Open the database and listen.

        Raises:
            OSError: If the port cannot be had.
            DatabaseError, sqlite3.Error: If the database cannot be opened.
        """
        self._database = Database(self._path, self._credentials)
        self._dispatcher = Dispatcher(self._database)
        # The low-level server hands over the path as sent. The router of a web.Application
        # would decode and normalise it first, and ids may hold slashes and dots.
        self._runner = web.ServerRunner(
            web.Server(self._handle, access_log=None), shutdown_timeout=SHUTDOWN_TIMEOUT
        )
        try:
            await self._listen()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop listening, finish what is under way, close the database."""
        await self._close()

    async def _listen(self) -> None:
        try:
            self._socket = socket.create_server((HOST, self.port), backlog=BACKLOG)
        except OSError as error:
            in_use = error.errno == errno.EADDRINUSE
            reason = "the port is in use" if in_use else error.strerror
            message = f"the sandbox cannot listen on {HOST}:{self.port}: {reason}"
            raise OSError(error.errno, message) from error
        self.port = self._socket.getsockname()[1]
        await self._runner.setup()
        await web.SockSite(self._runner, self._socket, backlog=BACKLOG).start()

    async def _close(self) -> None:
        try:
            await self._stop_accepting()
            await self._runner.cleanup()
            await _let_the_loop_turn()
        finally:
            if self._socket is not None:
                self._socket.close()
            self._database.close()

    async def _stop_accepting(self) -> None:
        # Closing an asyncio server loses the connections it has accepted in the same turn of the
        # loop, and leaks their sockets. So first it stops looking at its port, and what it has
        # accepted gets the time to become a connection that the runner knows and closes.
        if self._socket is not None:
            # The proactor loop of Windows has no readers to remove, nor this fault.
            with suppress(NotImplementedError):
                asyncio.get_running_loop().remove_reader(self._socket)
        await _let_the_loop_turn()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        # The dispatcher does not await, so requests are answered strictly one after another.
        incoming = Request(
            method=request.method,
            target=_origin_form(request.raw_path),
            headers=request.headers,
            body=await request.content.read(),
        )
        try:
            response = self._dispatcher.answer(incoming)
        except Exception:
            _log.exception("%s %s failed", incoming.method, incoming.target)
            response = Response(500, b'{"message":"Internal server error","StatusCode":500}')
        return web.Response(
            status=response.status,
            body=response.body or None,
            headers=response.headers,
            content_type=response.content_type if response.body else None,
        )


async def _let_the_loop_turn() -> None:
    # asyncio takes a few turns from accepting a connection to telling its protocol, and from
    # closing a transport to closing its socket.
    for _ in range(8):
        await asyncio.sleep(0)


def _origin_form(target: str) -> str:
    """Return path and query of a request target, which proxies may send with the host."""
    if target.startswith("/"):
        return target
    parts = urlsplit(target)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
