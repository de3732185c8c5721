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

from talon_one.sandbox.database import Credentials, Database
from talon_one.sandbox.dispatch import Dispatcher, Request, Response

HOST = "127.0.0.1"
# Seconds that a stopping server waits for requests in progress.
SHUTDOWN_TIMEOUT = 1.0
# Connections that the system queues before they are accepted.
BACKLOG = 128

_log = logging.getLogger(__name__)


class Server:
    """A listening server with its database, open inside an `async with` block.

    Args:
        port: Port to listen on; with 0 the system chooses one.
        database: SQLite file, or `:memory:`.
        credentials: The keys and the secret that it accepts.

    Raises:
        OSError: On entering, if it cannot listen on the port.
        DatabaseError, sqlite3.Error: On entering, if the database cannot be opened.
    """

    def __init__(self, port: int, database: str, credentials: Credentials) -> None:
        self.port = port
        self._path = database
        self._credentials = credentials
        self._socket: socket.socket | None = None

    async def __aenter__(self) -> Server:
        self._database = Database(self._path, self._credentials)
        self._dispatcher = Dispatcher(self._database)
        # The low-level server hands over the path as sent. The router of a web.Application
        # would decode and normalize it first, and ids may contain slashes and dots.
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
        cause: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._close()

    async def _listen(self) -> None:
        try:
            self._socket = socket.create_server((HOST, self.port), backlog=BACKLOG)
        except OSError as cause:
            in_use = cause.errno == errno.EADDRINUSE
            reason = "the port is in use" if in_use else cause.strerror
            message = f"the sandbox cannot listen on {HOST}:{self.port}: {reason}"
            raise OSError(cause.errno, message) from cause
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
        # Closing an asyncio server loses the connections that it accepted in the same turn of the
        # loop, and leaks their sockets. So it first stops watching its port. The accepted sockets
        # then get the time to become connections, which the runner closes.
        if self._socket is not None:
            # The proactor loop of Windows has no readers, and does not have the defect.
            with suppress(NotImplementedError):
                asyncio.get_running_loop().remove_reader(self._socket)
        await _let_the_loop_turn()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        # The dispatcher does not await, so requests are handled strictly one after another.
        incoming = Request(
            method=request.method,
            target=_origin_form(request.raw_path),
            headers=request.headers,
            body=await request.content.read(),
        )
        try:
            response = self._dispatcher.respond(incoming)
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
    # asyncio needs a few turns from accepting a connection to calling its protocol, and from
    # closing a transport to closing its socket.
    for _ in range(8):
        await asyncio.sleep(0)


def _origin_form(target: str) -> str:
    """Return path and query of a request target, which proxies may send with the host."""
    if target.startswith("/"):
        return target
    parts = urlsplit(target)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
