"""ApiClient, the blocking shell around request, rest and response."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import talon_one
from talon_one._core.base_client import CLOSED, SECRETS, BaseClient
from talon_one._core.constructors import explained
from talon_one._core.operation import Operation
from talon_one._core.request import take_options
from talon_one._core.response import RawResponse
from talon_one._utils.special_forms import Self
from talon_one._vendor.calls import RawCalls
from talon_one._vendor.conversion import Conversion
from talon_one._vendor.threads import LazyThreads
from talon_one.exceptions import ApiException, ClientClosedError

if TYPE_CHECKING:
    from multiprocessing.pool import ThreadPool

    from talon_one._core.call import Call
    from talon_one._vendor.rest import RESTClientObject
    from talon_one.configuration import Configuration


class ApiClient(BaseClient, RawCalls, Conversion):
    """Sends the calls of both APIs over its own pool of connections; may be shared by threads.

    Args:
        configuration: Settings; a copy of `Configuration.get_default` if not given.
        header_name: Name of one more header for every request.
        header_value: Its value.
        cookie: Value of the header ``Cookie`` of every request.
        pool_threads: Threads that calls with ``async_req=True`` run in.
    """

    @explained("ApiClient(Configuration(host=..., api_key={'api_key_v1': ...}))", SECRETS)
    def __init__(
        self,
        configuration: talon_one.Configuration | None = None,
        header_name: str | None = None,
        header_value: str | None = None,
        cookie: str | None = None,
        pool_threads: int = 1,
    ) -> None:
        super().__init__(configuration, header_name, header_value, cookie)
        self._threads = LazyThreads(pool_threads, CLOSED)
        self._rest: RESTClientObject | None = None
        self._lock = threading.Lock()
        # An attribute, so that tests can look at the pauses rather than sit them out.
        self._sleep: Callable[[float], object] = time.sleep
        self._closed = False

    # -- Life ----------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections and end the threads; calls are refused from now on.

        Calls with ``async_req`` end first.
        """
        self._threads.shut_down()
        self._closed = True
        if self._rest is not None:
            self._rest.close()

    @property
    def rest_client(self) -> RESTClientObject:
        """The connections of this client; made when first used, and refusing calls once closed."""
        if self._rest is None:
            from talon_one._vendor.rest import RESTClientObject

            with self._lock:
                self._rest = self._rest or RESTClientObject(self.configuration)
                if self._closed:
                    self._rest.close()
        return self._rest

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
        """Carry out an operation; the methods of the APIs end here.

        Args:
            operation: What to call.
            args: Its positional arguments.
            kwargs: Its keyword arguments and the settings of the call.
        """
        self._warn(operation)
        return self._call(operation, self.configuration, args, kwargs)

    def open(self, operation: Operation, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Carry out an operation whose answer is read piece by piece; see `Download`."""
        options = take_options(kwargs)
        options.stream = True
        return self._carry_out(self._new_call(operation, self.configuration, args, kwargs, options))

    def _call(
        self,
        operation: Operation,
        configuration: Configuration,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        options = take_options(kwargs)
        call = self._new_call(operation, configuration, args, kwargs, options)
        if options.async_req:
            return self._threads.run(self._carry_out, call)
        return self._carry_out(call)

    def _carry_out(self, call: Call) -> Any:
        call.start()
        pause = 0.0
        try:
            if call.queues:
                self._wait_for_turn(call)
            while True:
                try:
                    if pause:
                        self._sleep(pause)
                    return self._attempt(call)
                except ApiException as failure:
                    pause = call.failed(failure)
        except ApiException:
            raise
        except ClientClosedError as cause:
            instead = call.closed(cause)
            raise instead or cause from (cause if instead else None)
        except BaseException as cause:
            call.ended(cause)
            raise
        finally:
            call.leave()

    def _wait_for_turn(self, call: Call) -> None:
        from queue import Empty, SimpleQueue

        # Unlike an event, it may be used by a finalizer that runs while this thread waits.
        turn: SimpleQueue[None] = SimpleQueue()
        if call.enter(partial(turn.put, None)):
            return
        remaining = call.remaining
        try:
            turn.get(timeout=None if remaining is None else max(0.0, remaining))
        except Empty:
            call.passed_over()

    def _attempt(self, call: Call) -> Any:
        timeout = call.begin()
        if not call.preload:
            raw = self.rest_client.open(call.request, timeout)
            call.opened(raw.status, raw.headers)
            return raw
        if call.stream:
            stream = self.rest_client.stream(call.request, timeout)
            if isinstance(stream, RawResponse):
                return call.answered(stream)
            call.opened(stream.status, stream.headers)
            return stream
        self.last_response = answer = self.rest_client.send(call.request, timeout)
        return call.answered(answer)

    def _reset_after_fork(self) -> None:
        """Forget, in a child process, what belongs to the parent: connections, threads, locks."""
        super()._reset_after_fork()
        rest, self._rest = self._rest, None
        self._threads.reset_after_fork()
        self._lock = threading.Lock()
        if rest is not None:
            rest.abandon()
