"""The HTTP server: an aiohttp shell around `dispatch`."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import replace
from types import TracebackType

from aiohttp import web

from talon_one.sandbox import door
from talon_one.sandbox.admission import Admission
from talon_one.sandbox.contract.operations import operation_at
from talon_one.sandbox.database import Database
from talon_one.sandbox.delivery import Delivery
from talon_one.sandbox.dispatch import Dispatcher, Request, Response, instead, refused
from talon_one.sandbox.disruption import half, reset, truncated
from talon_one.sandbox.errors import ApiError
from talon_one.sandbox.faults import Fault, Met
from talon_one.sandbox.protocol import Listener, sendable
from talon_one.sandbox.receiving import receive
from talon_one.sandbox.recording import Arrival, Recorder, unsent
from talon_one.sandbox.tomorrow import of_tomorrow
from talon_one.sandbox.world import World

HOST = "127.0.0.1"
# Seconds that a stopping server waits for requests in progress.
SHUTDOWN_TIMEOUT = 1.0
# Connections that the system queues before they are accepted.
BACKLOG = 128
# Seconds between checks whether the loop of the server still runs.
_WATCH_INTERVAL = 0.5

_log = logging.getLogger(__name__)


class _OutdatedError(Exception):
    """The sandbox has begun anew since a request arrived, so it must not be carried out."""


class Server:
    """A listening server with its database, open inside an `async with` block.

    Args:
        port: Port to listen on; with 0 the system chooses one.
        open_database: Opens the database; called on entering.
        world: Time and chance.
        latency: Seconds that each request takes longer.
        host: Address to listen on.

    Raises:
        OSError: On entering, if it cannot listen on the port.
        DatabaseError, SeedError: On entering, if the database cannot be opened.
    """

    def __init__(
        self,
        port: int,
        open_database: Callable[[], Database],
        world: World,
        latency: float = 0.0,
        host: str = HOST,
    ) -> None:
        self.port: int = port
        self._host = host
        self._open_database = open_database
        self._world = world
        self._latency = latency
        self._socket: socket.socket | None = None

    async def __aenter__(self) -> Server:
        self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()
        self._world.exchanges.clear()
        self.database: Database = self._open_database()
        self._dispatcher = Dispatcher(self.database, self._world)
        self._recorder = Recorder(self._world)
        self._delivery = Delivery(self.database.state, self._world)
        self._admission, self._one_at_a_time = Admission(), asyncio.Lock()
        # The low-level server hands over the path as sent. The router of a web.Application
        # would decode and normalize it first, and ids may contain slashes and dots.
        self._runner = web.ServerRunner(Listener(self._handle), shutdown_timeout=SHUTDOWN_TIMEOUT)
        try:
            await self._listen()
            self._delivery.start()
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

    def call(self, function: Callable[[], None]) -> None:
        """Call a function in the thread of the server, wait for it, and raise what it raises.

        Raises:
            RuntimeError: If the server stops in the meantime.
        """
        if threading.get_ident() == self._thread:
            function()
            return
        done: Future[None] = Future()

        def run() -> None:
            try:
                function()
            except BaseException as cause:
                done.set_exception(cause)
            else:
                done.set_result(None)

        try:
            self._loop.call_soon_threadsafe(run)
        except RuntimeError as cause:
            raise RuntimeError("the sandbox is not running") from cause
        while not done.done():
            # A loop that has ended leaves undone what it was asked for last.
            if self._loop.is_closed():
                raise RuntimeError("the sandbox has stopped")
            wait((done,), _WATCH_INTERVAL)
        done.result()

    def reset(self) -> None:
        """Put everything back to where it started, in the thread, inside a transaction."""
        self._dispatcher.reset()

    async def _listen(self) -> None:
        try:
            family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
            address = (self._host, self.port)
            self._socket = socket.create_server(address, family=family, backlog=BACKLOG)
        except OSError as cause:
            in_use = cause.errno == errno.EADDRINUSE
            reason = "the port is in use" if in_use else cause.strerror
            message = f"the sandbox cannot listen on {self._host}:{self.port}: {reason}"
            raise OSError(cause.errno, message) from cause
        self.port = self._socket.getsockname()[1]
        await self._runner.setup()
        await web.SockSite(self._runner, self._socket, backlog=BACKLOG).start()

    async def _close(self) -> None:
        try:
            # What they hold up would keep the connections open.
            self._world.faults.clear()
            await self._stop_accepting()
            await self._runner.cleanup()
            await self._delivery.stop()
            await _let_the_loop_turn()
        finally:
            if self._socket is not None:
                self._socket.close()
            self.database.close()

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
        arrival = self._recorder.arrived(request)
        try:
            incoming = await receive(request)
        except ApiError as refusal:
            response = refused(refusal)
            self._recorder.responded(arrival, response)
            # A part of the body may be unread.
            return sendable(response, close=True)
        arrival.content = incoming.body
        try:
            self._check(arrival)
            if self._world.faults and not door.is_at(incoming.target):
                operation = operation_at(incoming.method, incoming.target)
                met = self._world.faults.met_by(operation)
                if met is not None:
                    return await self._exchange_with_faults(arrival, incoming, met)
            response = await self._exchange(arrival, incoming)
        except _OutdatedError:
            return reset(request)
        self._recorder.responded(arrival, response)
        return sendable(response)

    async def _exchange_with_faults(
        self, arrival: Arrival, incoming: Request, met: Met
    ) -> web.StreamResponse:
        arrival.fault = met.name
        failure, delay = met.failure, met.delay
        response = unsent(met.operation)
        if failure is not None and failure.name == "hang":
            self._recorder.responded(arrival, response)
            await self._world.faults.wait(failure)
            return reset(arrival.request)
        if delay is not None:
            self._recorder.began(arrival, met.operation)
        if failure is None or failure.details.after_change:
            response = await self._exchange(arrival, incoming, delay)
        elif delay is not None:
            await self._pause(arrival, delay)
        if met.tomorrow is not None:
            response = of_tomorrow(response, incoming.body)
        if failure is not None and failure.name == "truncate":
            sent = replace(response, body=half(response.body))
            self._recorder.responded(arrival, sent if sent.body else unsent(met.operation))
            return await truncated(arrival.request, response)
        if failure is not None and failure.name == "disconnect":
            self._recorder.responded(arrival, unsent(met.operation))
            return reset(arrival.request)
        if failure is not None:
            response = instead(failure.details, met.operation)
        self._recorder.responded(arrival, response)
        return sendable(response)

    async def _exchange(
        self, arrival: Arrival, incoming: Request, delay: Fault | None = None
    ) -> Response:
        try:
            return await self._respond(arrival, incoming, delay)
        except _OutdatedError:
            raise
        except Exception:
            _log.exception("%s %s failed", incoming.method, incoming.target)
            return refused(ApiError(500, "Internal server error"))

    async def _pause(self, arrival: Arrival, delay: Fault) -> None:
        await self._world.faults.wait(delay, delay.details.seconds)
        self._check(arrival)

    def _check(self, arrival: Arrival) -> None:
        """Raise an error for a request that arrived before the sandbox began anew."""
        if arrival.generation != self._world.generation:
            raise _OutdatedError

    async def _respond(self, arrival: Arrival, incoming: Request, delay: Fault | None) -> Response:
        prepared = self._dispatcher.prepare(incoming)
        if isinstance(prepared, Response):
            return prepared
        try:
            async with self._admission.turn(prepared.entities):
                if self._latency:
                    await asyncio.sleep(self._latency)
                if delay is not None:
                    await self._pause(arrival, delay)
                # Requests are carried out strictly one after another. The loop turns once before
                # each, so that what has arrived in the meantime is counted as in flight.
                async with self._one_at_a_time:
                    await asyncio.sleep(0)
                    self._check(arrival)
                    response = self._dispatcher.carry_out(prepared)
                    self._delivery.wake()
                    return response
        except ApiError as refusal:
            return refused(refusal, prepared.operation)


async def _let_the_loop_turn() -> None:
    # asyncio needs a few turns from accepting a connection to calling its protocol, and from
    # closing a transport to closing its socket.
    for _ in range(8):
        await asyncio.sleep(0)
