"""Several Applications as one object, for asyncio; see `talon_one.access.Applications`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from talon_one._utils.special_forms import Self
from talon_one.access.applications import AnyApplications
from talon_one.access.outcomes import Outcome, Outcomes
from talon_one.aio.api.integration_api import IntegrationApi
from talon_one.aio.client import ApiClient
from talon_one.exceptions import ApiException

if TYPE_CHECKING:
    import talon_one
    from talon_one import models

K = TypeVar("K")
R = TypeVar("R")


class Applications(AnyApplications[K, IntegrationApi]):
    """Several Applications of the Integration API, each by a key of yours.

    ::

        async with aio.Applications({"EUR": eur_key, "USD": usd_key}, configuration) as shops:
            await shops["EUR"].update_customer_session_v2("order-1", body)

    Arguments and exceptions are those of `talon_one.access.Applications`.
    """

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections of all clients."""
        for api in self._apis.values():
            await api.aclose()

    async def call_each(self, call: Callable[[IntegrationApi], Awaitable[R]]) -> Outcomes[K, R]:
        """Call a function with the API of each Application, all at the same time.

        This sends what the function sends; see `talon_one.access.Applications.call_each`.
        """

        async def outcome(key: K) -> Outcome[R]:
            try:
                return Outcome(await call(self[key]), None)
            except ApiException as failure:
                return Outcome(None, failure)

        ended = await asyncio.gather(*map(outcome, self))
        return Outcomes(dict(zip(self, ended, strict=True)))

    async def update_profile(
        self,
        integration_id: str,
        body: models.CustomerProfileIntegrationRequestV2 | dict[str, Any],
        **settings: Any,
    ) -> Outcomes[K, models.CustomerProfileIntegrationResponseV2]:
        """Update a customer profile in each Application (operation updateCustomerProfileV2).

        See `talon_one.access.Applications.update_profile`.
        """
        return await self.call_each(
            lambda api: api.update_customer_profile_v2(integration_id, body, **settings)
        )

    def _new_api(self, configuration: talon_one.Configuration) -> IntegrationApi:
        return IntegrationApi(ApiClient(configuration))
