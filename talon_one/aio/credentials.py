"""Sessions of users that renew themselves, and several Applications, for the asyncio client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Concatenate, ParamSpec, TypeVar

from talon_one._core.auth import NO_TOKEN_YET
from talon_one._core.base_client import CLOSED
from talon_one._core.single_flight import WaitedTooLongError
from talon_one._utils.special_forms import Self
from talon_one.aio.api.integration_api import IntegrationApi
from talon_one.aio.client import ApiClient
from talon_one.aio.transport import Transport
from talon_one.configuration import Configuration
from talon_one.credentials.applications import BaseApplications, K, Outcome
from talon_one.credentials.login import KEY, BaseLogin
from talon_one.exceptions import ApiException, ClientClosedError, UnauthorizedException

T = TypeVar("T")
P = ParamSpec("P")

__all__ = ["Applications", "Login", "Outcome"]


class Login(BaseLogin):
    """The asyncio twin of `talon_one.credentials.Login`; tasks and event loops may share it.

    ::

        async with talon_one.aio.ApiClient(configuration) as client:
            async with talon_one.aio.credentials.Login(client, email=..., password=...):
                await talon_one.aio.ManagementApi(client).get_applications()
    """

    _asynchronous = True

    async def renewed(self, rejected: str, remaining: float | None) -> str:
        """Return a value of ``Authorization`` in place of a rejected one; clients call it.

        Makes one call (operation ``createSession``), or waits for that of another task.
        """
        try:
            return await self._flights.run_async(
                KEY, lambda: self._sign_in(rejected, remaining), lambda: remaining
            )
        except WaitedTooLongError:
            raise self._timed_out() from None

    async def sign_in(self) -> None:
        """Create a session now, unless there is one. Makes one call then; see the blocking twin."""
        if not self.signed_in:
            await self.renewed(NO_TOKEN_YET, None)

    async def sign_out(self) -> None:
        """End the session, if there is one. Makes one call then; see the blocking twin."""
        if not self.signed_in:
            return
        with suppress(UnauthorizedException):
            await self._client.call(*self._sign_out_arguments())
        self._forget()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: object, *exc_info: object) -> None:
        try:
            await self.sign_out()
        except ApiException:
            if kind is None:  # Otherwise it would hide what went wrong in the block.
                raise

    async def _sign_in(self, rejected: str, remaining: float | None) -> str:
        replaced = self._replaced(rejected)
        if replaced is not None:
            return replaced
        return self._accept(await self._client.call(*self._sign_in_arguments(remaining)))


class Applications(BaseApplications[K, IntegrationApi]):
    """The asyncio twin of `talon_one.credentials.Applications`; tasks may share it."""

    async def call_all(
        self,
        method: Callable[Concatenate[IntegrationApi, P], Awaitable[T]],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> dict[K, Outcome[T]]:
        """Call a method for every Application at the same time; return how each call ended.

        Makes one call for each Application.

        Args:
            method: A method of the class `talon_one.aio.IntegrationApi`.
            args: Its positional arguments.
            kwargs: Its keyword arguments and the settings of each call.

        Raises:
            ApiTypeError: *method* is not such a method.
        """
        checked = self._method_of_class(method)

        async def outcome(name: K) -> Outcome[T]:
            try:
                return Outcome(await checked(self[name], *args, **kwargs))
            except Exception as failure:  # Each has its place in the result.
                return Outcome(None, failure)

        names = list(self)
        outcomes = await asyncio.gather(*map(outcome, names))
        return dict(zip(names, outcomes, strict=True))

    async def aclose(self) -> None:
        """Close the connections of all Applications; further calls are rejected.

        Makes no call.
        """
        for owner in self._owners.values():
            await owner.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    def _new_api(self, configuration: Configuration) -> IntegrationApi:
        return IntegrationApi(_ApplicationClient(configuration, self._owner(configuration)))

    def _new_owner(self, configuration: Configuration) -> ApiClient:
        return ApiClient(configuration)


class _ApplicationClient(ApiClient):
    """A client that sends over the connections of another client, its owner."""

    def __init__(self, configuration: Configuration, owner: ApiClient) -> None:
        super().__init__(configuration)
        self._owner = owner

    async def _transport(self) -> Transport:
        if self._closed:
            raise ClientClosedError(CLOSED)
        return await self._owner._transport()
