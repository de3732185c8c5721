"""Applications: one API object for each Application of a shop, by a key of the caller."""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast

import talon_one
from talon_one._core.base_client import CLOSED
from talon_one._core.constructors import checks_arguments
from talon_one._core.operation import operation_of
from talon_one._core.secret import Secrets, hidden
from talon_one._utils.guard import guarded
from talon_one._utils.quoting import quoted
from talon_one._utils.special_forms import Self
from talon_one._utils.suggest import did_you_mean
from talon_one.api.integration_api import IntegrationApi
from talon_one.api_client import ApiClient
from talon_one.configuration import Configuration
from talon_one.exceptions import ApiKeyError, ApiTypeError, ClientClosedError

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
P = ParamSpec("P")
A = TypeVar("A")

# Clients whose settings agree in these share their connections.
_OF_CONNECTIONS = (
    *("host", "verify_ssl", "ssl_ca_cert", "ca_cert_data", "cert_file", "key_file"),
    *("assert_hostname", "tls_server_name", "system_trust", "trust_env", "proxy"),
    *("proxy_headers", "connection_pool_maxsize", "socket_options"),
)


class Outcome(Generic[T]):
    """How the call for one Application ended.

    Attributes:
        value: What the method returned, if it did.
        failure: The exception that it raised, if it did.
    """

    __slots__ = ("failure", "value")

    value: T | None
    failure: Exception | None

    def __init__(self, value: T | None, failure: Exception | None = None) -> None:
        self.value = value
        self.failure = failure

    @property
    def ok(self) -> bool:
        """Whether the call succeeded."""
        return self.failure is None

    def unwrap(self) -> T:
        """Return the value.

        Raises:
            Exception: The call failed with it.
        """
        if self.failure is not None:
            raise self.failure
        return cast("T", self.value)

    def __repr__(self) -> str:
        shown = "ok" if self.failure is None else type(self.failure).__name__
        return f"<Outcome {shown}>"


class BaseApplications(Mapping[K, A]):
    """What the blocking and the asyncio Applications share."""

    @checks_arguments("({'EUR': 'key 1', 'USD': 'key 2'}, configuration)", ("keys",))
    def __init__(
        self,
        keys: Mapping[K, str | Configuration],
        configuration: Configuration | None = None,
    ) -> None:
        if not isinstance(keys, Mapping):
            raise ApiTypeError(f"keys is a dict of API keys, not {type(keys).__name__}")
        if configuration is not None and not isinstance(configuration, Configuration):
            raise ApiTypeError(
                f"configuration is a Configuration, not {type(configuration).__name__}"
            )
        self._configurations: dict[K, Configuration] = {}
        for name, key in keys.items():
            if isinstance(key, Configuration):
                self._configurations[name] = key
            elif isinstance(key, str) and key:
                self._configurations[name] = _with_key(configuration, key)
            else:
                raise ApiTypeError(
                    f"the key of Application {quoted(name)} is an API key or a Configuration,"
                    f" not {type(key).__name__}"
                )
        # Objects are made on first use. If two threads make one, both use the first.
        self._apis: dict[K, A] = {}
        self._owners: dict[int, Any] = {}

    def __getitem__(self, name: K) -> A:
        with guarded("the key of an Application"):
            api = self._apis.get(name)
            configuration = self._configurations.get(name)
        if api is not None:
            return api
        if configuration is None:
            known = [each for each in self._configurations if isinstance(each, str)]
            hint = did_you_mean(name, known) if isinstance(name, str) else ""
            raise ApiKeyError(f"there is no Application {quoted(name)}.{hint}")
        return self._apis.setdefault(name, self._new_api(configuration))

    def __iter__(self) -> Iterator[K]:
        return iter(self._configurations)

    def __len__(self) -> int:
        return len(self._configurations)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {', '.join(quoted(each) for each in self)}>"

    def _new_api(self, configuration: Configuration) -> A:
        raise NotImplementedError

    def _new_owner(self, configuration: Configuration) -> Any:
        raise NotImplementedError

    def _owner(self, configuration: Configuration) -> Any:
        """Return the client whose connections an Application uses."""
        wanted = _of_connections(configuration)
        numbered = enumerate(map(_of_connections, self._configurations.values()))
        number = next(number for number, settings in numbered if settings == wanted)
        if number not in self._owners:
            self._owners.setdefault(number, self._new_owner(configuration))
        return self._owners[number]

    def _method_of_class(self, method: Any) -> Callable[..., Any]:
        """Return a method, if it is one of the API class.

        Raises:
            ApiTypeError: It is anything else.
        """
        operation = operation_of(method)
        if getattr(method, "__self__", None) is not None:
            raise ApiTypeError(
                f"give the method of the class, IntegrationApi.{method.__name__}, not that of one"
                f" object: {operation.id} is called for every Application"
            )
        return cast("Callable[..., Any]", method)


class Applications(BaseApplications[K, IntegrationApi]):
    """An `IntegrationApi` for each Application, by a key of yours: a currency, a site, a brand.

    ::

        applications = Applications({"EUR": "key 1", "USD": "key 2"}, configuration)
        applications["EUR"].update_customer_session_v2("order-1", cart)

    Each Application has its own API key. Objects are made on first use. Those with the same host
    and the same settings for connections share a connection pool. Threads may share it all.

    Args:
        keys: For each of your keys the API key of the Application, or a `Configuration` of its own,
            for one with another host or a signature.
        configuration: Host and settings of the Applications that are given by an API key; a copy of
            `Configuration.get_default` if not given. It is copied.

    Raises:
        ApiTypeError: An argument is not of its type.
    """

    def call_all(
        self,
        method: Callable[Concatenate[IntegrationApi, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> dict[K, Outcome[T]]:
        """Call a method for every Application, one after another; return how each call ended.

        Makes one call for each Application. One that fails does not keep the others from being
        made. ::

            update = talon_one.IntegrationApi.update_customer_profile_v2
            outcomes = applications.call_all(update, "anna", {"attributes": {"Tier": "gold"}})

        Args:
            method: A method of the class `IntegrationApi`.
            args: Its positional arguments.
            kwargs: Its keyword arguments and the settings of each call.

        Raises:
            ApiTypeError: *method* is not such a method.
        """
        checked = self._method_of_class(method)
        outcomes: dict[K, Outcome[T]] = {}
        for name in self:
            try:
                outcomes[name] = Outcome(checked(self[name], *args, **kwargs))
            except Exception as failure:  # Each has its place in the result.
                outcomes[name] = Outcome(None, failure)
        return outcomes

    def close(self) -> None:
        """Close the connections of all Applications; further calls are rejected.

        Makes no call.
        """
        for owner in self._owners.values():
            owner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _new_api(self, configuration: Configuration) -> IntegrationApi:
        return IntegrationApi(_ApplicationClient(configuration, self._owner(configuration)))

    def _new_owner(self, configuration: Configuration) -> ApiClient:
        return ApiClient(configuration)


class _ApplicationClient(ApiClient):
    """A client that sends over the connections of another client, its owner."""

    def __init__(self, configuration: Configuration, owner: ApiClient) -> None:
        super().__init__(configuration)
        self._owner = owner

    def _new_transport(self) -> talon_one.Transport:
        # It is not kept, so that closing this client leaves it open for the others.
        if self._closed:
            raise ClientClosedError(CLOSED)
        return self._owner.transport


def _of_connections(configuration: Configuration) -> list[object]:
    return [getattr(configuration, name) for name in _OF_CONNECTIONS]


def _with_key(configuration: Configuration | None, key: str) -> Configuration:
    if configuration is None:
        made = Configuration.get_default_copy()
    else:
        made = copy.deepcopy(configuration)
    made.api_key = cast("dict[str, str]", Secrets({"api_key_v1": hidden(key)}))
    made.application_id = made.application_secret = None
    return made
