"""ApiClient, the blocking shell around request, rest and response."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import talon_one
from talon_one._core.base_client import CLOSED, SECRETS, BaseClient
from talon_one._core.constructors import explained
from talon_one._core.headers import HARMLESS
from talon_one._core.operation import Operation
from talon_one._core.request import take_options
from talon_one._core.response import RawResponse
from talon_one._core.secret import hidden_url, hidden_values
from talon_one._utils.guard import guarded
from talon_one._utils.special_forms import Self
from talon_one.exceptions import ApiException, ClientClosedError

if TYPE_CHECKING:
    from multiprocessing.pool import ThreadPool

    from talon_one._core.call import Call
    from talon_one._vendor.rest import RESTClientObject
    from talon_one.configuration import Configuration


class _LazyThreads:
    """Stands for a pool of threads that is started by the first use of a method of it."""

    def __init__(self, start: Callable[[], ThreadPool]) -> None:
        self._start = start

    def __getattr__(self, name: str) -> Any:
        from multiprocessing.pool import ThreadPool

        if name.startswith("_") or not hasattr(ThreadPool, name):
            raise AttributeError(name)
        return lambda *args, **kwargs: getattr(self._start(), name)(*args, **kwargs)


class ApiClient(BaseClient):
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
        self.pool_threads = pool_threads
        self._rest: RESTClientObject | None = None
        self._pool: ThreadPool | None = None
        self._lock = threading.Lock()
        # An attribute, so that tests can look at the pauses rather than sit them out.
        self._sleep: Callable[[float], object] = time.sleep
        self._ending = False
        self._closed = False

    # -- Life ----------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections and end the threads; calls are refused from now on.

        Calls that run in the threads of this client come to their end first.
        """
        with self._lock:
            pool, self._pool, self._ending = self._pool, None, True
        if pool is not None:
            pool.close()
            pool.join()
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
        """The threads of this client; started when first used, not when they are looked at."""
        return cast("ThreadPool", _LazyThreads(self._threads))

    def _threads(self) -> ThreadPool:
        from multiprocessing.pool import ThreadPool

        with self._lock:
            if self._ending:
                raise ClientClosedError(CLOSED)
            self._pool = self._pool or ThreadPool(self.pool_threads)
            return self._pool

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
            return self._threads().apply_async(self._carry_out, (call,))
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

    def call_api(
        self,
        resource_path: str,
        method: str,
        path_params: Mapping[str, Any] | None = None,
        query_params: Mapping[str, Any] | list[tuple[str, Any]] | None = None,
        header_params: Mapping[str, str] | None = None,
        body: Any = None,
        post_params: Any = None,
        files: Any = None,
        response_type: str | None = None,
        auth_settings: list[str] | None = None,
        async_req: bool | None = None,
        _return_http_data_only: bool | None = None,
        collection_formats: Mapping[str, str] | None = None,
        _preload_content: bool = True,
        _request_timeout: Any = None,
        _host: str | None = None,
        _request_auth: Any = None,
        response_types_map: Mapping[int, str | None] | None = None,
        **settings: Any,
    ) -> Any:
        """Call a path by hand, for what has no method.

        Args:
            resource_path: Path with ``{name}`` in the place of each path parameter.
            method: HTTP method.
            path_params: Values of the path parameters.
            query_params: Values of the query, by wire name.
            header_params: Further headers.
            body: JSON body: a model, a dict or a list.
            post_params: Not supported, must be empty.
            files: Not supported, must be empty.
            response_type: Type string of a successful answer; plain data if not given.
            auth_settings: Names of the security schemes, any one of which will do.
            async_req: Run in a thread and return a handle with ``get()``.
            _return_http_data_only: Return the decoded answer alone, not the triple of data,
                status and headers.
            collection_formats: ``{name: "csv"}`` joins a list of the query with commas.
            response_types_map: As `response_type`, by status.
            settings: Further settings of the call, such as ``_deadline`` and ``_headers``.

        Raises:
            ApiTypeError: Form fields and files, which only the upload operations send.
        """
        # Here as well, because this frame keeps them.
        with guarded("an argument of call_api"):
            header_params = hidden_values(header_params, HARMLESS)
            _request_auth = hidden_values(_request_auth, HARMLESS)
            _host = hidden_url(_host)
            if "_headers" in settings:
                settings["_headers"] = hidden_values(settings["_headers"], HARMLESS)
        operation, configuration, arguments = self._by_hand(
            resource_path,
            method,
            path_params=path_params,
            query_params=query_params,
            header_params=header_params,
            body=body,
            post_params=post_params,
            files=files,
            response_type=response_type,
            auth_settings=auth_settings,
            collection_formats=collection_formats,
            response_types_map=response_types_map,
            async_req=async_req,
            _return_http_data_only=bool(_return_http_data_only),
            _preload_content=_preload_content,
            _request_timeout=_request_timeout,
            _host=_host,
            _request_auth=_request_auth,
            **settings,
        )
        return self._call(operation, configuration, (), arguments)

    def _reset_after_fork(self) -> None:
        """Forget, in a child process, what belongs to the parent: connections, threads, locks."""
        super()._reset_after_fork()
        rest, self._rest = self._rest, None
        pool, self._pool = self._pool, None
        self._lock = threading.Lock()
        if rest is not None:
            rest.abandon()
        if pool is not None:
            pool.close()
