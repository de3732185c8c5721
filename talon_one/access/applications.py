"""Several Applications, such as one for each currency or site, as one object."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import talon_one
from talon_one._core.constructors import checks_arguments
from talon_one._core.secret import Secret
from talon_one._utils.quoting import quoted
from talon_one._utils.special_forms import Self
from talon_one._utils.suggest import did_you_mean
from talon_one.access.outcomes import Outcome, Outcomes
from talon_one.exceptions import ApiException, ApiKeyError, ApiTypeError, ApiValueError

if TYPE_CHECKING:
    from talon_one import models

K = TypeVar("K")
R = TypeVar("R")
A = TypeVar("A")

# Requests to all Applications that are in flight at the same time.
_THREADS = 8


class AnyApplications(Generic[K, A]):
    """What the blocking and the asyncio `Applications` share: keys, and APIs made when needed.

    Args:
        keys: Integration API keys of the Applications, by keys of yours.
        configuration: All other settings; by default a copy of `Configuration.get_default`.

    Raises:
        ApiTypeError: *keys* is no dict, or an API key is no text.
        ApiValueError: There are no keys, or one is empty.
    """

    @checks_arguments("({'EUR': '...', 'USD': '...'}, configuration=...)", ("keys",))
    def __init__(
        self, keys: Mapping[K, str], configuration: talon_one.Configuration | None = None
    ) -> None:
        if not isinstance(keys, Mapping):
            given = "text" if isinstance(keys, str) else type(keys).__name__
            raise ApiTypeError(f"keys is a dict of API keys, not {given}")
        if not keys:
            raise ApiValueError("there is no Application: keys is empty")
        for name, key in keys.items():
            if not isinstance(key, str):
                raise ApiTypeError(
                    f"the API key of {quoted(name)} is text, not {type(key).__name__}"
                )
            if not key:
                raise ApiValueError(f"the API key of {quoted(name)} is empty")
        if configuration is None:
            configuration = talon_one.Configuration.get_default_copy()
        elif not isinstance(configuration, talon_one.Configuration):
            raise ApiTypeError(
                f"configuration is a Configuration, not {type(configuration).__name__}"
            )
        self._keys: dict[K, str] = {name: Secret(key) for name, key in keys.items()}
        self._configuration = copy.deepcopy(configuration)
        self._apis: dict[K, A] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {', '.join(map(str, self._keys))}>"

    def __getitem__(self, key: K) -> A:
        """Return the API object of an Application; it is made on first use.

        Raises:
            ApiKeyError: There is no such Application.
        """
        found = self._apis.get(key)
        if found is not None:
            return found
        if key not in self._keys:
            hint = did_you_mean(str(key), map(str, self._keys))
            known = "" if hint else f" There are {', '.join(map(str, self._keys))}."
            raise ApiKeyError(f"there is no Application {quoted(key)}.{hint}{known}")
        configuration = copy.deepcopy(self._configuration)
        configuration.api_key = {"api_key_v1": self._keys[key]}
        # Where several threads come here at the same time, all use the first one.
        return self._apis.setdefault(key, self._new_api(configuration))

    def __iter__(self) -> Iterator[K]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def _new_api(self, configuration: talon_one.Configuration) -> A:
        raise NotImplementedError


class Applications(AnyApplications[K, "talon_one.IntegrationApi"]):
    """Several Applications of the Integration API, each by a key of yours.

    ::

        shops = access.Applications({"EUR": eur_key, "USD": usd_key}, configuration)
        shops["EUR"].update_customer_session_v2("order-1", body)

    Each has a client of its own, made when it is first used. All threads may share the object; as
    a context manager it closes the clients.

    Args:
        keys: Integration API keys of the Applications, by keys of yours.
        configuration: All other settings; by default a copy of `Configuration.get_default`.

    Raises:
        ApiTypeError: *keys* is no dict, or an API key is no text.
        ApiValueError: There are no keys, or one is empty.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections of all clients."""
        for api in self._apis.values():
            api.close()

    def call_each(self, call: Callable[[talon_one.IntegrationApi], R]) -> Outcomes[K, R]:
        """Call a function with the API of each Application, in parallel threads.

        This sends what the function sends. A failure of one Application does not keep the others
        from being called.

        Args:
            call: Function of an `IntegrationApi`.

        Returns:
            The outcome for each Application. An exception other than an `ApiException`, such as a
            mistake in the function, is raised when all calls have ended.
        """
        from concurrent.futures import ThreadPoolExecutor

        def outcome(key: K) -> Outcome[R]:
            try:
                return Outcome(call(self[key]), None)
            except ApiException as failure:
                return Outcome(None, failure)

        with ThreadPoolExecutor(min(len(self), _THREADS)) as pool:
            return Outcomes(dict(zip(self, pool.map(outcome, self), strict=True)))

    def update_profile(
        self,
        integration_id: str,
        body: models.CustomerProfileIntegrationRequestV2 | dict[str, Any],
        **settings: Any,
    ) -> Outcomes[K, models.CustomerProfileIntegrationResponseV2]:
        """Update a customer profile in each Application (operation updateCustomerProfileV2).

        Applications of one deployment and environment share their profiles, so that one of them is
        enough to change attributes. All of them matter where each should run its rules
        (``run_rule_engine=True``), and where live and sandbox Applications are mixed.

        Args:
            integration_id: ID of the profile.
            body: What to change.
            settings: Further arguments of the method, and settings of the calls.
        """
        return self.call_each(
            lambda api: api.update_customer_profile_v2(integration_id, body, **settings)
        )

    def _new_api(self, configuration: talon_one.Configuration) -> talon_one.IntegrationApi:
        return talon_one.IntegrationApi(talon_one.ApiClient(configuration))
