"""BaseClient: what the blocking and the asyncio client share, which is all but the I/O."""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from talon_one import __version__
from talon_one._core.address import without_credentials
from talon_one._core.auth import AUTHORIZATION, BEARER
from talon_one._core.call import Call
from talon_one._core.clock import Clock
from talon_one._core.headers import HARMLESS, check_header
from talon_one._core.operation import Operation
from talon_one._core.options import take_options
from talon_one._core.request import Request, build
from talon_one._core.response import RawResponse
from talon_one._core.retry import RetryBudget, RetryPolicy
from talon_one._core.secret import Secrets, hidden
from talon_one._core.settings import checked_policy
from talon_one._schema.model import Model
from talon_one._utils.guard import guarded
from talon_one._utils.special_forms import Self
from talon_one.configuration import Configuration
from talon_one.exceptions import ApiTypeError

if TYPE_CHECKING:
    from talon_one._core.auth import TokenSource
    from talon_one._core.entity_queues import EntityQueues
    from talon_one._core.options import CallOptions

M = TypeVar("M", bound=Model)

SECRETS: tuple[str, ...] = ("header_value", "cookie")
"""Arguments of the constructors that are masked in reports of local variables."""

CLOSED = "this client is closed; make a new one"

_DEFAULT_POLICY = RetryPolicy()


class BaseClient:
    """Settings and headers of a client, and everything about a call but sending and waiting.

    Args:
        configuration: Settings; a copy of `Configuration.get_default` if not given.
        header_name: Name of a further header of every request.
        header_value: Its value.
        cookie: Value of the header ``Cookie`` of every request.
    """

    asynchronous: ClassVar[bool] = False
    """Whether the methods of APIs over this client are awaited."""
    configuration: Configuration
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
        self.token_source: TokenSource | None = None
        """What renews the token of a user session; a `talon_one.credentials.Login` sets it."""
        self._warned: set[str] = set()
        self._budget = RetryBudget()
        self._queues = self._new_queues()
        # By security scheme; `talon_one.limiter` fills it.
        self._limiters: dict[str, Any] = {}
        self.clock = Clock()
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
            ApiTypeError: It is not a client.
        """
        with guarded("the default client"):
            if default is not None and not hasattr(default, "call"):
                raise ApiTypeError(f"the default is a client, not {type(default).__name__}")
        BaseClient._defaults[cls.asynchronous] = default

    def __getstate__(self) -> Any:
        raise ApiTypeError(
            f"{type(self).__name__} cannot be pickled or copied: it has connections and API keys."
            " Make a client in the process that uses it, such as in the function of a worker"
        )

    def __repr__(self) -> str:
        # Reports of local variables show it even if the constructor has failed.
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
        """Add a header to every further request."""
        header_value = hidden(header_value)
        with guarded("a header"):
            check_header(header_name, header_value)
            self.default_headers[str(header_name)] = str(header_value)

    # -- Calls ---------------------------------------------------------------------------------

    def new_call(
        self,
        operation: Operation,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        configuration: Configuration | None = None,
        stream: bool = False,
    ) -> Call:
        """Return a call that is ready to be sent.

        Args:
            operation: What is called.
            args: Its positional arguments.
            kwargs: Its keyword arguments and the settings of the call, which are taken out.
            configuration: Settings in place of those of the client.
            stream: Whether the caller reads the body in chunks.

        Raises:
            ApiTypeError, ApiValueError: The arguments cannot be sent.
        """
        if operation.deprecated:
            import warnings

            # Two frames lie in between: the method of the API and that of the client.
            warnings.warn(operation.deprecated, DeprecationWarning, stacklevel=4)
        options = take_options(kwargs)
        options.stream = stream
        if configuration is None:
            configuration = self.configuration
        with guarded("an argument of ", operation.id):
            timeout = configuration._timeout_for(
                operation.read_timeout, options.timeout, options.deadline
            )
            policy = _DEFAULT_POLICY
            if options.retries is not None or configuration.retries is not None:
                policy = self._policy(configuration, options)
            request = build(
                operation, configuration, self.default_headers, args, kwargs, options, self._warned
            )
        return Call(
            operation,
            request,
            options,
            timeout,
            policy,
            self._budget,
            self.configuration,
            self._queues,
            self.clock.monotonic,
            self.token_source is not None and self._has_own_token(operation, request, options),
        )

    def _has_own_token(self, operation: Operation, request: Request, options: CallOptions) -> bool:
        """Return whether a request has the token of the client, not one given for this call."""
        if options.auth or "manager_auth" not in operation.security:
            return False
        own = f"{BEARER}{self.configuration.access_token}"
        return request.headers.get(AUTHORIZATION) == own

    def _policy(self, configuration: Configuration, options: CallOptions) -> RetryPolicy:
        policy = checked_policy("retries", configuration.retries)
        if options.retries is None:
            return policy
        return checked_policy("_retries", options.retries, policy)

    def _pool_size(self) -> int:
        """Return the maximum number of connections to a host."""
        return max(1, self.configuration.connection_pool_maxsize)

    def _new_queues(self) -> EntityQueues | None:
        limit = self.configuration.calls_per_id
        if limit is None:
            return None
        from talon_one._core.entity_queues import EntityQueues

        return EntityQueues(limit)

    def _reset_after_fork(self) -> None:
        """Drop what belongs to the parent process, in the child after a fork."""
        self._budget = RetryBudget()
        self._queues = self._new_queues()
        self._limiters.clear()


_clients: weakref.WeakSet[BaseClient] = weakref.WeakSet()


def _reset_clients_after_fork() -> None:
    for client in list(_clients):
        client._reset_after_fork()


if hasattr(os, "register_at_fork"):  # Not on Windows, which has no fork.
    os.register_at_fork(after_in_child=_reset_clients_after_fork)
