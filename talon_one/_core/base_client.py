"""BaseClient, what the blocking and the asyncio client share: all but sending and waiting."""

from __future__ import annotations

import copy
import os
import tempfile
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, overload

from talon_one import __version__
from talon_one._core.address import without_credentials
from talon_one._core.attempts import Attempts
from talon_one._core.call import Call
from talon_one._core.headers import HARMLESS, check_header
from talon_one._core.request import JSON_TYPE, build
from talon_one._core.response import RawResponse, decode, text
from talon_one._core.retry import RetryBudget
from talon_one._core.secret import Secrets, hidden, hidden_values
from talon_one._core.settings import checked_policy
from talon_one._schema import json_codec
from talon_one._schema.conversion import convert, model_class
from talon_one._schema.model import Model
from talon_one._utils.guard import guarded
from talon_one._utils.special_forms import Self
from talon_one._vendor.raw_call import operation_by_hand
from talon_one.configuration import Configuration
from talon_one.exceptions import ApiTypeError, ApiValueError

if TYPE_CHECKING:
    from talon_one._core.entity_queues import EntityQueues
    from talon_one._core.operation import Operation
    from talon_one._core.request import CallOptions
    from talon_one._core.retry import RetryPolicy

M = TypeVar("M", bound=Model)

SECRETS: tuple[str, ...] = ("header_value", "cookie")
"""Arguments of the constructors that no report of local variables may show."""

CLOSED = "this client is closed; make a new one"


class BaseClient:
    """Settings, headers, and what is to be done before and after the wire.

    Args:
        configuration: Settings; a copy of `Configuration.get_default` if not given.
        header_name: Name of one more header for every request.
        header_value: Its value.
        cookie: Value of the header ``Cookie`` of every request.
    """

    asynchronous: ClassVar[bool] = False
    """Whether the methods of APIs over this client are awaited."""
    _defaults: ClassVar[dict[bool, Any]] = {}

    def __init__(
        self,
        configuration: Configuration | None = None,
        header_name: str | None = None,
        header_value: str | None = None,
        cookie: str | None = None,
    ) -> None:
        if configuration is None:
            configuration = Configuration.get_default_copy()
        elif not isinstance(configuration, Configuration):
            raise ApiTypeError(
                "a client takes a Configuration: ApiClient(Configuration(host=...)),"
                f" not {type(configuration).__name__}"
            )
        self.configuration = configuration
        self.cookie = cookie
        self.last_response: RawResponse | None = None
        self._warned: set[str] = set()
        self._budget = RetryBudget()
        self._turns = self._new_turns()
        _clients.add(self)
        self.default_headers: dict[str, str] = Secrets(harmless=HARMLESS)
        self.user_agent = f"talon_one-python/{__version__}"
        if header_name is not None:
            self.set_default_header(header_name, header_value or "")
        if cookie:
            self.set_default_header("Cookie", cookie)

    @classmethod
    def get_default(cls) -> Self:
        """Return the client that APIs made without one share."""
        client: Self = BaseClient._defaults.get(cls.asynchronous) or cls()
        BaseClient._defaults[cls.asynchronous] = client
        return client

    @classmethod
    def set_default(cls, default: Self | None) -> None:
        """Make *default* the client of APIs that are made without one.

        Raises:
            ApiTypeError: It is no client.
        """
        with guarded("the default client"):
            if default is not None and not hasattr(default, "call"):
                raise ApiTypeError(f"the default is a client, not {type(default).__name__}")
        BaseClient._defaults[cls.asynchronous] = default

    def __repr__(self) -> str:
        # A report of local variables shows it also if the constructor has failed.
        host = getattr(vars(self).get("configuration"), "host", "")
        return f"<{type(self).__name__} {without_credentials(host)}>"

    # -- Headers of every request --------------------------------------------------------------

    @property
    def user_agent(self) -> str:
        """Value of the header ``User-Agent``."""
        return self.default_headers.get("User-Agent", "")

    @user_agent.setter
    def user_agent(self, value: str) -> None:
        self.set_default_header("User-Agent", value)

    def set_default_header(self, header_name: str, header_value: str) -> None:
        """Add a header to every request from now on."""
        header_value = hidden(header_value)
        with guarded("a header"):
            check_header(header_name, header_value)
            self.default_headers[str(header_name)] = str(header_value)

    # -- Calls ---------------------------------------------------------------------------------

    def _warn(self, operation: Operation) -> None:
        """Warn whoever calls an operation that is deprecated."""
        if operation.deprecated:
            import warnings

            # Between here and the caller stand ``call`` and the method of the API.
            warnings.warn(operation.deprecated, DeprecationWarning, stacklevel=4)

    def _new_call(
        self,
        operation: Operation,
        configuration: Configuration,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        options: CallOptions,
    ) -> Call:
        """Return a call, ready to be carried out.

        Raises:
            ApiTypeError, ApiValueError: The arguments cannot be sent.
        """
        with guarded("an argument of ", operation.id):
            timeout = configuration._timeout_for(
                operation.read_timeout, options.timeout, options.deadline
            )
            policy = self._policy(configuration, options)
            request = build(
                operation, configuration, self.default_headers, args, kwargs, options, self._warned
            )
        attempts = Attempts(operation, request, timeout, policy, self._budget)
        return Call(operation, request, options, attempts, self.configuration, self._turns)

    def _policy(self, configuration: Configuration, options: CallOptions) -> RetryPolicy:
        policy = checked_policy("retries", configuration.retries)
        if options.retries is None:
            return policy
        return checked_policy("_retries", options.retries, policy)

    def _pool_size(self) -> int:
        """Return how many connections to a host there may be."""
        return max(1, self.configuration.connection_pool_maxsize)

    def _new_turns(self) -> EntityQueues | None:
        most = self.configuration.calls_per_id
        if most is None:
            return None
        from talon_one._core.entity_queues import EntityQueues

        return EntityQueues(most)

    def _reset_after_fork(self) -> None:
        """Forget, in a child process, what belongs to the parent."""
        self._budget = RetryBudget()
        self._turns = self._new_turns()

    def _by_hand(
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
        collection_formats: Mapping[str, str] | None = None,
        response_types_map: Mapping[int, str | None] | None = None,
        _host: str | None = None,
        **settings: Any,
    ) -> tuple[Operation, Configuration, dict[str, Any]]:
        """Return what the arguments of ``call_api`` stand for: operation, settings, arguments."""
        with guarded("an argument of call_api"):
            header_params = hidden_values(header_params, HARMLESS)
            operation, values = operation_by_hand(
                resource_path,
                method,
                path_params,
                query_params,
                header_params,
                body,
                post_params,
                files,
                response_type,
                auth_settings,
                collection_formats,
                response_types_map,
                safe=self.configuration.safe_chars_for_path_param,
            )
        configuration = self.configuration
        if _host is not None:
            configuration = copy.deepcopy(configuration)
            configuration.host = _host
        return operation, configuration, {**values, **settings}

    # -- Conversion ----------------------------------------------------------------------------

    def sanitize_for_serialization(self, obj: Any) -> Any:
        """Return *obj* as plain data, ready to be written as JSON."""
        with guarded("the value"):
            return json_codec.plain(obj)

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
        with guarded("the text, or the type,"):
            return self._deserialized(response_text, response_type, content_type)

    def _deserialized(self, response_text: Any, response_type: Any, content_type: Any) -> Any:
        source = getattr(response_text, "data", response_text)
        headers = getattr(response_text, "headers", None) or {}
        raw = source if isinstance(source, bytes) else str(source).encode("utf-8", "surrogatepass")
        answer = RawResponse(200, None, headers, raw)
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
        with guarded("the data, or the class,"):
            return self._as_model(data, klass)

    def _as_model(self, data: Any, klass: Any) -> Any:
        cls: Any = model_class(klass) if isinstance(klass, str) else klass
        if cls is None or not (isinstance(cls, type) and issubclass(cls, Model)):
            raise ApiTypeError(
                f"{klass if isinstance(klass, str) else type(klass).__name__!r} is no model class"
            )
        if isinstance(data, cls) or data is None:
            return data
        if isinstance(data, Model):
            return cls._wrap(data.__wire__())
        return cls._wrap(data) if isinstance(data, dict) else cls.from_dict(data)

    def select_header_accept(self, accepts: list[str] | None) -> str | None:
        """Return the value of ``Accept`` for these content types: JSON alone if it is one."""
        accepts = _types(accepts)
        if not accepts:
            return None
        json_types = [each for each in accepts if "json" in each.lower()]
        return json_types[0] if json_types else ", ".join(accepts)

    def select_header_content_type(self, content_types: list[str] | None, *_: Any) -> str | None:
        """Return the content type to send: JSON if it is one of these, else the first."""
        content_types = _types(content_types)
        if not content_types:
            return JSON_TYPE
        json_types = [each for each in content_types if "json" in each.lower()]
        return json_types[0] if json_types else content_types[0]

    def _saved(self, answer: RawResponse) -> str:
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


_clients: weakref.WeakSet[BaseClient] = weakref.WeakSet()


def _reset_clients_after_fork() -> None:
    for client in list(_clients):
        client._reset_after_fork()


if hasattr(os, "register_at_fork"):  # Not on Windows, which has no fork.
    os.register_at_fork(after_in_child=_reset_clients_after_fork)


def _types(given: Any) -> list[str]:
    """Return content types as a list of texts."""
    with guarded("the list of content types"):
        found = list(given or ())
        if isinstance(given, str) or not all(type(each) is str for each in found):
            raise ApiTypeError("content types are a list of texts, such as ['application/json']")
        return found
