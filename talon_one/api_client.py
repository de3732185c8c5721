"""ApiClient: the blocking client; it sends, waits and reads where a `Call` says so."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

import talon_one
from talon_one._core.base_client import CLOSED, SECRETS, BaseClient
from talon_one._core.constructors import checks_arguments
from talon_one._core.operation import Operation
from talon_one._core.response import RawResponse
from talon_one._core.transport import Transport
from talon_one._utils.quoting import quoted
from talon_one._utils.special_forms import Self
from talon_one._vendor.calls import RawCalls
from talon_one._vendor.conversion import Conversion
from talon_one._vendor.threads import LazyThreads
from talon_one.exceptions import ApiException, ApiTypeError

if TYPE_CHECKING:
    from multiprocessing.pool import ThreadPool

    from talon_one._core.call import Call


class ApiClient(BaseClient, RawCalls, Conversion):
    """Sends the calls of both APIs over its own connection pool; threads may share it.

    Args:
        configuration: Settings; a copy of `Configuration.get_default` if not given.
        header_name: Name of a further header of every request.
        header_value: Its value.
        cookie: Value of the header ``Cookie`` of every request.
        pool_threads: Number of threads for calls with ``async_req=True``.
        transport: Sends the requests; a transport over urllib3 if not given.
    """

    @checks_arguments("(Configuration(host=..., api_key={'api_key_v1': ...}))", SECRETS)
    def __init__(
        self,
        configuration: talon_one.Configuration | None = None,
        header_name: str | None = None,
        header_value: str | None = None,
        cookie: str | None = None,
        pool_threads: int = 1,
        *,
        transport: talon_one.Transport | None = None,
    ) -> None:
        super().__init__(configuration, header_name, header_value, cookie)
        self._threads = LazyThreads(pool_threads, CLOSED)
        if transport is not None and not isinstance(transport, Transport):
            raise ApiTypeError(f"a transport is a talon_one.Transport, not {quoted(transport)}")
        self._given = self._transport = transport
        self._transports: dict[str, Transport] = {}
        self._closed = False

    # -- Life ----------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections and end the threads; further calls are rejected.

        Calls with ``async_req`` end first.
        """
        self._threads.shut_down()
        self._closed = True
        if self._transport is not None:
            self._transport.close()

    @property
    def transport(self) -> Transport:
        """The transport; created on first use, and rejecting calls once closed."""
        return self._transport or self._new_transport()

    @property
    def rest_client(self) -> Any:
        """The transport, by the name of the vendor's packages."""
        return self.transport

    def _new_transport(self) -> Transport:

        from talon_one._vendor.rest import RESTClientObject

        # If several threads come here at the same time, all use the first one. There is no lock,
        # because a signal handler may make a call in the middle of this.
        made = self._transports.setdefault("", RESTClientObject(self.configuration))
        self._transport = made
        if self._closed:
            made.close()
        return made

    @property
    def pool(self) -> ThreadPool:
        """The threads of calls with ``async_req``; started when one of its methods is called."""
        return cast("ThreadPool", self._threads)

    @property
    def pool_threads(self) -> int:
        """Number of threads for calls with ``async_req``."""
        return self._threads.count

    @pool_threads.setter
    def pool_threads(self, count: int) -> None:
        self._threads.count = count

    # -- Calls ---------------------------------------------------------------------------------

    def call(self, operation: Operation, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call an operation; the methods of the APIs end here.

        Args:
            operation: What to call.
            args: Its positional arguments.
            kwargs: Its keyword arguments and the settings of the call.
        """
        call = self.new_call(operation, args, kwargs)
        return self._threads.run(self._run, call) if call.async_req else self._run(call)

    def open(self, operation: Operation, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call an operation and return its body as a stream; see `Download`."""
        return self._run(self.new_call(operation, args, kwargs, stream=True))

    def _send(self, call: Call) -> Any:
        return self._threads.run(self._run, call) if call.async_req else self._run(call)

    def _run(self, call: Call) -> Any:
        call.start()
        pause = 0.0
        try:
            if call.needs_queue:
                self._wait_in_queue(call)
            while True:
                try:
                    if pause:
                        self.clock.sleep(pause)
                    if call.rejected is not None and self.token_source is not None:
                        call.renew(self.token_source.renewed(call.rejected, call.remaining))
                    return self._attempt(call)
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
            call.leave_queue()

    def _wait_in_queue(self, call: Call) -> None:
        from queue import Empty, SimpleQueue

        # Unlike an event, it may be used by a finalizer that runs while this thread waits.
        woken: SimpleQueue[None] = SimpleQueue()
        if call.join_queue(partial(woken.put, None)):
            return
        remaining = call.remaining
        try:
            woken.get(timeout=None if remaining is None else max(0.0, remaining))
        except Empty:
            call.queue_timed_out()

    def _attempt(self, call: Call) -> Any:
        timeout = call.attempt_started()
        if call.supplied is not None:
            return call.supplied_result(call.supplied)
        transport = self._transport or self._new_transport()
        if not call.preload:
            raw = transport.open(call.request, timeout)
            call.stream_opened(raw.status, raw.headers)
            return raw
        if call.stream:
            stream = transport.stream(call.request, timeout)
            if isinstance(stream, RawResponse):
                return call.succeeded(stream)
            call.stream_opened(stream.status, stream.headers)
            return stream
        self.last_response = response = transport.send(call.request, timeout)
        return call.succeeded(response)

    def _reset_after_fork(self) -> None:
        """Drop connections, threads and locks of the parent process, in the child after a fork."""
        super()._reset_after_fork()
        transport, self._transport = self._transport, self._given
        self._transports = {}
        self._threads.reset_after_fork()
        if transport is not None:
            transport.detach()
