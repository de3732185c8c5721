"""A sandbox for the module, a server before it that loses responses, and both kinds of clients."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

import talon_one.aio
import talon_one.aio.checkout
from checkout.lossy import LossyServer
from talon_one import ApiClient, Configuration, IntegrationApi, checkout
from talon_one.sandbox import Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="module")
def lossy(sandbox: Sandbox) -> Iterator[LossyServer]:
    with LossyServer(sandbox.url) as running:
        yield running


@pytest.fixture(scope="module")
def api(sandbox: Sandbox) -> Iterator[IntegrationApi]:
    with IntegrationApi(host=sandbox.url, api_key=sandbox.api_key) as made:
        yield made


class Shop:
    """Calls the functions of checkout over a lossy connection, with either client.

    Args:
        kind: ``blocking`` or ``asyncio``.
        lossy: Server between the client and the sandbox.
        key: API key.
    """

    def __init__(self, kind: str, lossy: LossyServer, key: str) -> None:
        self.kind = kind
        self._lossy = lossy
        self._key = key
        self._count = 0

    def new_id(self) -> str:
        """Return an ID of a session that does not exist."""
        self._count += 1
        return f"{self.kind}-{self._lossy.next_number()}-{self._count}"

    def do(self, name: str, *args: Any, losses: str = "", **settings: Any) -> Any:
        """Call ``close``, ``cancel`` or ``reopen``.

        Args:
            name: Name of the function.
            args: Its arguments after the API.
            losses: What happens to each request: see `LossyServer.plan`.
            settings: Its keyword arguments.
        """
        self._lossy.plan(losses)
        configuration = Configuration(host=self._lossy.url, api_key={"api_key_v1": self._key})
        if self.kind == "blocking":
            with ApiClient(configuration) as client:
                client.clock = client.clock._replace(sleep=lambda seconds: None)
                return getattr(checkout, name)(IntegrationApi(client), *args, **settings)
        return asyncio.run(self._awaited(configuration, name, args, settings))

    async def _awaited(
        self, configuration: Configuration, name: str, args: Any, settings: Any
    ) -> Any:
        async with talon_one.aio.ApiClient(configuration) as client:
            client.clock = client.clock._replace(sleep=lambda seconds: asyncio.sleep(0))
            function = getattr(talon_one.aio.checkout, name)
            return await function(talon_one.aio.IntegrationApi(client), *args, **settings)


@pytest.fixture(params=["blocking", "asyncio"])
def shop(request: pytest.FixtureRequest, lossy: LossyServer, sandbox: Sandbox) -> Shop:
    return Shop(request.param, lossy, sandbox.api_key)
