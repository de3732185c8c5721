"""Clients for asyncio that make no pauses, responses that wait, and hooks that remember."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from support.calls import KEYS
from support.server import Received, Response
from talon_one import CallEvent, Configuration, Hooks, aio

# Nothing that is waited for takes as long, in seconds.
_TOO_LONG = 10


def make_client(host: str, **settings: Any) -> aio.ApiClient:
    """Return a client that makes no pauses between its attempts.

    Args:
        host: Address of the server.
        settings: Attributes of its configuration.
    """
    configuration = Configuration(host=host, api_key=KEYS)
    for name, value in settings.items():
        setattr(configuration, name, value)
    client = aio.ApiClient(configuration)
    client.clock = client.clock._replace(sleep=lambda _: asyncio.sleep(0))
    return client


async def ask(client: aio.ApiClient, session_id: str) -> None:
    """Make a call of a server that echoes IDs, and check that the response is its own."""
    found = await aio.IntegrationApi(client).get_customer_session(session_id)
    assert found.customer_session is not None
    assert found.customer_session.integration_id == session_id


async def until(happened: Callable[[], object]) -> None:
    """Wait for something that happens in another thread or task."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + _TOO_LONG
    while not happened():
        assert loop.time() < ends
        await asyncio.sleep(0.001)


class Gate:
    """Responses, with the ID that was asked for, as soon as the test lets it."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()

    def __call__(self, request: Received) -> Response:
        self.reached.set()
        self.open.wait(_TOO_LONG)
        session_id = request.path.rpartition("/")[2]
        return Response(body={"customerSession": {"integrationId": session_id}})


class Notes(Hooks):
    """Notes the events of calls as a whole, and of attempts."""

    def __init__(self) -> None:
        self.noted: list[tuple[str, int]] = []
        self.failures: list[BaseException | None] = []

    def on_request(self, event: CallEvent) -> None:
        self.noted.append(("request", event.attempt))

    def on_response(self, event: CallEvent) -> None:
        self.noted.append(("response", event.attempt))

    def on_error(self, event: CallEvent) -> None:
        self.noted.append(("error", event.attempt))
        self.failures.append(event.failure)
