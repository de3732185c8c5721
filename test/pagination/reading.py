"""Reads lists by either client, blocking or asyncio, so that one test covers both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import talon_one
import talon_one.aio
from support.calls import KEYS, make_client
from support.server import RecordingServer
from talon_one import Configuration, OpenApiException


@dataclass
class Reading:
    """What came of an iteration."""

    iterator: Any = None
    got: list[Any] = field(default_factory=list)
    failure: OpenApiException | None = None
    pauses: list[float] = field(default_factory=list)

    @property
    def ids(self) -> list[Any]:
        """IDs of the items that were handed out."""
        return [item.id for item in self.got]


Make = Callable[[Any], Any]
"""Makes an iterator, given an object with ``integration`` and ``management``."""
Read = Callable[..., Reading]


class Apis:
    """Both APIs over one client."""

    def __init__(self, package: Any, client: Any) -> None:
        self.integration = package.IntegrationApi(client)
        self.management = package.ManagementApi(client)


def read(server: RecordingServer, make: Make, **settings: Any) -> Reading:
    """Read a list to its end, or to the first failure, by the blocking client.

    Args:
        server: Where the list comes from.
        make: See `Make`.
        settings: Attributes of the configuration.
    """
    found = Reading()
    with make_client(server.url, found.pauses, **settings) as client:
        found.iterator = make(Apis(talon_one, client))
        try:
            for each in found.iterator:
                found.got.append(each)
        except OpenApiException as failure:
            found.failure = failure
    return found


def read_asynchronously(server: RecordingServer, make: Make, **settings: Any) -> Reading:
    """As `read`, by the asyncio client."""
    found = Reading()

    async def pause(seconds: float) -> None:
        found.pauses.append(seconds)

    async def work() -> None:
        configuration = Configuration(host=server.url, api_key=KEYS)
        for name, value in settings.items():
            setattr(configuration, name, value)
        async with talon_one.aio.ApiClient(configuration) as client:
            client.clock = client.clock._replace(sleep=pause)
            found.iterator = make(Apis(talon_one.aio, client))
            try:
                async for each in found.iterator:
                    found.got.append(each)
            except OpenApiException as failure:
                found.failure = failure

    asyncio.run(work())
    return found
