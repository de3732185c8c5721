"""ApiClient, the blocking shell around request, rest and response."""

from __future__ import annotations

import copy
import os
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, overload

from talon_one import __version__, wire
from talon_one.api_response import ApiResponse
from talon_one.attempts import Attempts
from talon_one.configuration import Configuration
from talon_one.exceptions import ApiException, ApiTypeError, ApiValueError, ClientClosedError
from talon_one.model import Model
from talon_one.operation import Body, Operation, header, query
from talon_one.request import (
    JSON_TYPE,
    Request,
    build,
    check_header,
    path_segment,
    take_options,
)
from talon_one.response import Answer, decode, result, text
from talon_one.retry import REPETITIONS, RetryBudget, as_policy
from talon_one.types import convert, model_class

if TYPE_CHECKING:
    from multiprocessing.pool import ThreadPool

    from typing_extensions import Self

    from talon_one.observe import Observation
    from talon_one.request import CallOptions
    from talon_one.rest import RESTClientObject
    from talon_one.retry import RetryPolicy

M = TypeVar("M", bound=Model)

_CLOSED = "this client is closed; make a new one"


class ApiClient:
    """Sends the calls of both APIs over its own pool of connections; may be shared by threads.

    Args:
        configuration: Settings; a copy of `Configuration.get_default` if not given.
        header_name: Name of one more header for every request.
        header_value: Its value.
        cookie: Value of the header ``Cookie`` of every request.
        pool_threads: Threads that calls with ``async_req=True`` run in.
    """

    _default: ClassVar[ApiClient | None] = None

    def __init__(
        self,
        configuration: Configuration | None = None,
        header_name: str | None = None,
        header_value: str | None = None,
        cookie: str | None = None,
        pool_threads: int = 1,
    ) -> None:
        if configuration is None:
            configuration = Configuration.get_default_copy()
        self.configuration = configuration
        self.pool_threads = pool_threads
        self.cookie = cookie
        self.last_response: Answer | None = None
        self._rest: RESTClientObject | None = None
        self._pool: ThreadPool | None = None
        self._lock = threading.Lock()
        self._budget = self._new_budget()
        # An attribute, so that tests can look at the pauses rather than sit them out.
        self._sleep: Callable[[float], object] = time.sleep
        self._ending = False
        self._closed = False
        _clients.add(self)
        self.default_headers: dict[str, str] = {}
        self.user_agent = f"talon_one-python/{__version__}"
        if header_name is not None:
            self.set_default_header(header_name, header_value or "")
        if cookie:
            self.set_default_header("Cookie", cookie)

    # -- Life ----------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<ApiClient {self.configuration.host}>"

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
        """The connections of this client; made when first used."""
        if self._closed:
            raise ClientClosedError(_CLOSED)
        if self._rest is None:
            from talon_one.rest import RESTClientObject

            with self._lock:
                self._rest = self._rest or RESTClientObject(self.configuration)
        return self._rest

    @property
    def pool(self) -> ThreadPool:
        """The threads of this client; started when first used."""
        from multiprocessing.pool import ThreadPool

        with self._lock:
            if self._ending:
                raise ClientClosedError(_CLOSED)
            self._pool = self._pool or ThreadPool(self.pool_threads)
            return self._pool

    @classmethod
    def get_default(cls) -> ApiClient:
        """Return the client that APIs made without one share."""
        if ApiClient._default is None:
            ApiClient._default = cls()
        return ApiClient._default

    @classmethod
    def set_default(cls, default: ApiClient | None) -> None:
        """Make *default* the client of APIs that are made without one."""
        ApiClient._default = default

    # -- Headers of every request --------------------------------------------------------------

    @property
    def user_agent(self) -> str:
        """Value of the header ``User-Agent``."""
        return self.default_headers["User-Agent"]

    @user_agent.setter
    def user_agent(self, value: str) -> None:
        self.set_default_header("User-Agent", value)

    def set_default_header(self, header_name: str, header_value: str) -> None:
        """Add a header to every request from now on."""
        check_header(header_name, header_value)
        self.default_headers[header_name] = header_value

    # -- Calls ---------------------------------------------------------------------------------

    def call(self, operation: Operation, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Carry out an operation; the methods of the APIs end here.

        Args:
            operation: What to call.
            args: Its positional arguments.
            kwargs: Its keyword arguments and the settings of the call.
        """
        if operation.deprecated:
            import warnings

            # The method stands between this one and the caller.
            warnings.warn(operation.deprecated, DeprecationWarning, stacklevel=3)
        return self._call(operation, self.configuration, args, kwargs)

    def _call(
        self,
        operation: Operation,
        configuration: Configuration,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        options = take_options(kwargs)
        timeout = configuration.timeout_for(
            operation.read_timeout, options.timeout, options.deadline
        )
        policy = self._policy(configuration, options)
        request = build(operation, configuration, self.default_headers, args, kwargs, options)
        attempts = Attempts(operation, request, timeout, policy, self._budget)
        if options.async_req:
            work = (operation, request, options, attempts)
            return self.pool.apply_async(self._carry_out, work)
        return self._carry_out(operation, request, options, attempts)

    def _carry_out(
        self, operation: Operation, request: Request, options: CallOptions, attempts: Attempts
    ) -> Any:
        # Here, because it brings logging, which making a client does not need.
        from talon_one.observe import observe

        observation = observe(self.configuration, operation, request)
        pause = 0.0
        while True:
            try:
                if pause:
                    self._sleep(pause)
                return self._attempt(operation, request, options, attempts, observation)
            except ApiException as failure:
                pause, final = attempts.failed(failure)
                if observation is not None:
                    observation.failed(failure, final)
                if final is not None:
                    raise final from failure.__cause__
            except BaseException as cause:
                # What hooks began, such as a span, has to come to its end.
                if observation is not None:
                    observation.ended(cause)
                raise

    def _attempt(
        self,
        operation: Operation,
        request: Request,
        options: CallOptions,
        attempts: Attempts,
        observation: Observation | None,
    ) -> Any:
        timeout = attempts.begin()
        if observation is not None:
            observation.begins(attempts.made)
        if not options.preload:
            raw = self.rest_client.open(request, timeout)
            if observation is not None:
                observation.answered(raw.status, raw.headers)
            return raw
        answer = self.rest_client.send(request, timeout)
        self.last_response = answer
        data = result(operation, request, answer)
        attempts.succeeded()
        if observation is not None:
            observation.answered(answer.status, answer.headers, answer.data)
        if options.full:
            return ApiResponse(answer.status, answer.headers, data, answer.data)
        return data

    def _policy(self, configuration: Configuration, options: CallOptions) -> RetryPolicy:
        try:
            policy = as_policy(configuration.retries)
            return policy if options.retries is None else as_policy(options.retries, policy)
        except TypeError as cause:
            raise ApiTypeError(str(cause)) from cause

    def _new_budget(self) -> RetryBudget:
        # A restart of the server breaks all connections of a pool at once, which is no outage.
        return RetryBudget(max(REPETITIONS, 2 * self.configuration.connection_pool_maxsize))

    def _start_clean(self) -> None:
        """Forget, in a child process, what belongs to the parent: connections, threads, locks."""
        rest, self._rest = self._rest, None
        pool, self._pool = self._pool, None
        self._lock = threading.Lock()
        self._budget = self._new_budget()
        if rest is not None:
            rest.abandon()
        if pool is not None:
            pool.close()

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

        Raises:
            ApiTypeError: Form fields and files, which only the upload operations send.
        """
        if post_params or files:
            raise ApiTypeError("forms and files are sent by the methods of the import operations")
        safe = self.configuration.safe_chars_for_path_param
        for name, value in (path_params or {}).items():
            resource_path = resource_path.replace(f"{{{name}}}", path_segment(name, value, safe))
        pairs = query_params.items() if isinstance(query_params, Mapping) else query_params or []
        values: dict[str, Any] = {}
        for name, value in pairs:
            # A pair may occur several times, which is how a list is written here.
            values[name] = value if name not in values else [*_as_list(values[name]), value]
        commas = {name for name, style in (collection_formats or {}).items() if style == "csv"}
        operation = Operation(
            f"{method.upper()} {resource_path}",
            method.upper(),
            resource_path,
            *(query(name, name, "Any", comma=name in commas) for name in values),
            *(header(name, name, "Any") for name in header_params or {}),
            body=None if body is None else Body("body", "Any"),
            results=dict(response_types_map or {200: response_type or "Any"}),
            security=tuple(auth_settings or ()),
            accept=(header_params or {}).get("Accept", JSON_TYPE),
        )
        options = {
            "_request_timeout": _request_timeout,
            "_request_auth": _request_auth,
            "_preload_content": _preload_content,
            "_return_http_data_only": bool(_return_http_data_only),
            "async_req": async_req,
        }
        arguments = {name: value for name, value in values.items() if value is not None}
        arguments.update(header_params or {})
        if body is not None:
            arguments["body"] = body
        configuration = self.configuration
        if _host is not None:
            configuration = copy.deepcopy(configuration)
            configuration.host = _host
        return self._call(operation, configuration, (), {**arguments, **options})

    # -- Conversion ----------------------------------------------------------------------------

    def sanitize_for_serialization(self, obj: Any) -> Any:
        """Return *obj* as plain data, ready to be written as JSON."""
        return wire.plain(obj)

    def deserialize(
        self, response_text: Any, response_type: Any, content_type: str | None = None
    ) -> Any:
        """Return JSON text as the type that a type string names.

        Args:
            response_text: JSON text, or an object whose ``data`` holds it.
            response_type: Type string such as ``list[Coupon]``, or the type itself.
            content_type: Content type of the text; ``text/...`` and CSV stay text.

        Raises:
            ApiValueError: The text is not JSON.
        """
        source = getattr(response_text, "data", response_text)
        headers = getattr(response_text, "headers", None) or {}
        raw = source if isinstance(source, bytes) else str(source).encode("utf-8", "surrogatepass")
        answer = Answer(200, None, headers, raw)
        if response_type == "file":
            return self._saved(answer)
        kind = (content_type or "").partition(";")[0].strip().lower()
        if kind.startswith("text/") or kind.endswith("/csv"):
            return text(answer)
        try:
            data = decode(answer)
        except ValueError as cause:
            if response_type in ("str", "object", str, object) and content_type is None:
                return text(answer)
            raise ApiValueError(f"not JSON: {cause}") from cause
        return convert(data, response_type)

    @overload
    def deserialize_model(self, data: Any, klass: type[M]) -> M: ...

    @overload
    def deserialize_model(self, data: Any, klass: str) -> Any: ...

    def deserialize_model(self, data: Any, klass: type[M] | str) -> Any:
        """Return *data* as an object of a model class, such as the `props` of an effect.

        Args:
            data: A dict of wire names, or an object that is typed already.
            klass: The class, or its name.
        """
        cls: Any = model_class(klass) if isinstance(klass, str) else klass
        if cls is None or not (isinstance(cls, type) and issubclass(cls, Model)):
            raise ApiTypeError(f"{klass!r} is no model class")
        if isinstance(data, cls) or data is None:
            return data
        if isinstance(data, Model):
            return cls._wrap(data.__wire__())
        return cls._wrap(data) if isinstance(data, dict) else cls.from_dict(data)

    def select_header_accept(self, accepts: list[str] | None) -> str | None:
        """Return the value of ``Accept`` for these content types: JSON alone if it is one."""
        if not accepts:
            return None
        json_types = [each for each in accepts if "json" in each.lower()]
        return json_types[0] if json_types else ", ".join(accepts)

    def select_header_content_type(self, content_types: list[str] | None, *_: Any) -> str | None:
        """Return the content type to send: JSON if it is one of these, else the first."""
        if not content_types:
            return JSON_TYPE
        json_types = [each for each in content_types if "json" in each.lower()]
        return json_types[0] if json_types else content_types[0]

    def _saved(self, answer: Answer) -> str:
        """Write an answer to a file of its own in the temporary folder and return its path."""
        disposition = answer.headers.get("Content-Disposition", "")
        name = os.path.basename(
            disposition.partition("filename=")[2].partition(";")[0].strip("\"' ")
        )
        folder = tempfile.mkdtemp(dir=self.configuration.temp_folder_path)
        path = os.path.join(folder, name or "answer")
        with open(path, "wb") as file:
            file.write(answer.data)
        return path


_clients: weakref.WeakSet[ApiClient] = weakref.WeakSet()


def _start_clean_after_fork() -> None:
    for client in list(_clients):
        client._start_clean()


if hasattr(os, "register_at_fork"):  # Not on Windows, which has no fork.
    os.register_at_fork(after_in_child=_start_clean_after_fork)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
