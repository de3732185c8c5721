"""Helpers that read a list with either client, blocking or asyncio, so one test covers both."""

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
class ReadResult:
    """Outcome of an iteration."""

    iterator: Any = None
    got: list[Any] = field(default_factory=list)
    failure: OpenApiException | None = None
    pauses: list[float] = field(default_factory=list)

    @property
    def ids(self) -> list[Any]:
        """IDs of the items that the iterator handed out."""
        return [item.id for item in self.got]


MakeIterator = Callable[[Any], Any]
"""Makes an iterator from an object with ``integration`` and ``management``."""
ReadList = Callable[..., ReadResult]


class Apis:
    """Both APIs over one client."""

    def __init__(self, package: Any, client: Any) -> None:
        self.integration = package.IntegrationApi(client)
        self.management = package.ManagementApi(client)


def read_blocking(server: RecordingServer, make: MakeIterator, **settings: Any) -> ReadResult:
    """Read a list with the blocking client until it ends or a call fails.

    Args:
        server: Server that sends the list.
        make: See `MakeIterator`.
        settings: Attributes of the configuration.
    """
    result = ReadResult()
    with make_client(server.url, result.pauses, **settings) as client:
        result.iterator = make(Apis(talon_one, client))
        try:
            for each in result.iterator:
                result.got.append(each)
        except OpenApiException as failure:
            result.failure = failure
    return result


def read_with_asyncio(server: RecordingServer, make: MakeIterator, **settings: Any) -> ReadResult:
    """Read a list with the asyncio client; otherwise like `read_blocking`."""
    result = ReadResult()

    async def pause(seconds: float) -> None:
        result.pauses.append(seconds)

    async def run() -> None:
        configuration = Configuration(host=server.url, api_key=KEYS)
        for name, value in settings.items():
            setattr(configuration, name, value)
        async with talon_one.aio.ApiClient(configuration) as client:
            client.clock = client.clock._replace(sleep=pause)
            result.iterator = make(Apis(talon_one.aio, client))
            try:
                async for each in result.iterator:
                    result.got.append(each)
            except OpenApiException as failure:
                result.failure = failure

    asyncio.run(run())
    return result
