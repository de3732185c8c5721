"""ApiClient: the asyncio client; it sends, waits and reads where a `Call` says so."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import talon_one
from talon_one._core.base_client import CLOSED, SECRETS, BaseClient
from talon_one._core.clock import Clock
from talon_one._core.constructors import checks_arguments
from talon_one._core.operation import Operation
from talon_one._core.response import RawResponse
from talon_one._utils.quoting import quoted
from talon_one._utils.special_forms import Self
from talon_one._vendor.calls import RawCalls
from talon_one._vendor.conversion import Conversion
from talon_one.aio.aiohttp_transport import AiohttpTransport
from talon_one.aio.connections import pool_size
from talon_one.aio.transport import Transport
from talon_one.exceptions import ApiException, ApiTypeError, ClientClosedError

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from talon_one._core.call import Call

# Attribute of an event loop: its transport for each client.
_OF_LOOP = "_talon_one_transports"


class ApiClient(BaseClient, RawCalls, Conversion):
    """Sends the calls of both APIs over its own connection pool; tasks may share it.

    It keeps connections for each event loop that it is used in, until `aclose` or the end of the
    loop.

    Args:
        configuration: Settings; a copy of `talon_one.Configuration.get_default` if not given.
        header_name: Name of a further header of every request.
        header_value: Its value.
        cookie: Value of the header ``Cookie`` of every request.
        transport: Sends the requests, in every event loop; a transport over aiohttp if not given.
    """

    asynchronous: ClassVar[bool] = True

    @checks_arguments("(Configuration(host=..., api_key={'api_key_v1': ...}))", SECRETS)
    def __init__(
        self,
        configuration: talon_one.Configuration | None = None,
        header_name: str | None = None,
        header_value: str | None = None,
        cookie: str | None = None,
        *,
        transport: talon_one.aio.Transport | None = None,
    ) -> None:
        super().__init__(configuration, header_name, header_value, cookie)
        if transport is not None and not isinstance(transport, Transport):
            raise ApiTypeError(f"a transport is a talon_one.aio.Transport, not {quoted(transport)}")
        self._given = transport
        # By the identity of their loops, which own them: see `_give_to`.
        self._transports: weakref.WeakValueDictionary[int, AiohttpTransport] = (
            weakref.WeakValueDictionary()
        )
        self.clock = Clock(asyncio.sleep)
        self._closed = False

    # -- Life ----------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections; further calls are rejected.

        Calls in flight in this event loop end first. Connections of other loops are closed with
        those loops.
        """
        self._closed = True
        if self._given is not None:
            await self._given.close()
        transport = self._transports.get(id(asyncio.get_running_loop()))
        if transport is not None:
            await transport.close()

    async def _transport(self) -> Transport:
        """Return the transport for the running event loop; created on first use."""
        if self._closed:
            raise ClientClosedError(CLOSED)
        if self._given is not None:
            return self._given
        loop = asyncio.get_running_loop()
        transport = self._transports.get(id(loop))
        if transport is None:
            # No other task can come in between, so that there is one per loop.
            self._drop_those_of_closed_loops()
            transport = AiohttpTransport(self.configuration, self._forgetting(loop))
            self._give_to(loop, transport)
            await transport.start()
        return transport

    def _pool_size(self) -> int:
        return pool_size(self.configuration)

    def _reset_after_fork(self) -> None:
        """Drop the connections of the parent process, in the child after a fork."""
        super()._reset_after_fork()
        if self._given is not None:
            self._given.detach()
        for transport in self._transports.values():
            transport.detach()
        self._transports.clear()

    def _give_to(self, loop: AbstractEventLoop, transport: AiohttpTransport) -> None:
        """Attach a transport for this client to a loop.

        A transport refers to its loop, so a client that owned it would keep the loop alive. As it
        is, loop and transport are collected together, even if the loop was never closed.
        """
        kept = vars(loop).setdefault(_OF_LOOP, weakref.WeakKeyDictionary())
        kept[self] = self._transports[id(loop)] = transport

    def _forgetting(self, loop: AbstractEventLoop) -> Callable[[], None]:
        """Return a function that drops the transport of a loop; it keeps no client alive."""
        client = weakref.ref(self)
        loop_kept = weakref.ref(loop)

        def forget() -> None:
            found, of_loop = client(), loop_kept()
            if found is not None and of_loop is not None:
                found._forget(of_loop)

        return forget

    def _drop_those_of_closed_loops(self) -> None:
        """Drop the transports of loops that were closed without notice."""
        for transport in list(self._transports.values()):
            if transport.loop.is_closed():
                self._forget(transport.loop)

    def _forget(self, loop: AbstractEventLoop) -> None:
        self._transports.pop(id(loop), None)
        vars(loop)[_OF_LOOP].pop(self, None)

    # -- Calls ---------------------------------------------------------------------------------

    async def call(
        self, operation: Operation, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Call an operation; the methods of the APIs end here.

        Args:
            operation: What to call.
            args: Its positional arguments.
            kwargs: Its keyword arguments and the settings of the call.
        """
        return await self._send(self.new_call(operation, args, kwargs))

    async def open(
        self, operation: Operation, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Call an operation and return its body as a stream; see `Download`."""
        return await self._send(self.new_call(operation, args, kwargs, stream=True))

    async def _send(self, call: Call) -> Any:
        if call.async_req:
            raise ApiTypeError(
                "async_req runs a blocking call in a thread: leave it out, and await the call"
            )
        call.start()
        pause = 0.0
        transport = None
        try:
            transport = await self._transport()
            transport.call_started()
            if call.needs_queue:
                await self._wait_in_queue(call)
            while True:
                try:
                    if pause:
                        await self.clock.sleep(pause)
                    if call.rejected is not None and self.token_source is not None:
                        call.renew(await self.token_source.renewed(call.rejected, call.remaining))
                    return await self._attempt(call, transport)
                except ApiException as failure:
                    pause = call.attempt_failed(failure)
        except ApiException:
            raise
        except BaseException as cause:
            instead = call.aborted(cause)
            if instead is None:
                raise
            raise instead from cause
        finally:
            try:
                call.leave_queue()
            finally:
                if transport is not None:
                    transport.call_ended()

    async def _wait_in_queue(self, call: Call) -> None:
        loop = asyncio.get_running_loop()
        woken = loop.create_future()

        def grant() -> None:
            if not woken.done():
                woken.set_result(None)

        def wake() -> bool:
            try:
                # The call that leaves the queue may run in another event loop.
                loop.call_soon_threadsafe(grant)
            except RuntimeError:
                # The loop was closed in the middle of this call, which nothing continues.
                return False
            return True

        if call.join_queue(wake):
            return
        # A timer may end a little early; the call is not sent before it is woken.
        while not woken.done() and (call.remaining is None or call.remaining > 0):
            await asyncio.wait([woken], timeout=call.remaining)
        if not woken.done():
            call.queue_timed_out()

    async def _attempt(self, call: Call, transport: Transport) -> Any:
        timeout = call.attempt_started()
        if call.supplied is not None:
            return call.supplied_result(call.supplied)
        if not call.preload:
            raw = await transport.open(call.request, timeout)
            call.stream_opened(raw.status, raw.headers)
            return raw
        if call.stream:
            stream = await transport.stream(call.request, timeout)
            if isinstance(stream, RawResponse):
                return call.succeeded(stream)
            call.stream_opened(stream.status, stream.headers)
            return stream
        self.last_response = response = await transport.send(call.request, timeout)
        return call.succeeded(response)
