"""A recording server, and the Management API of either client that calls it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

import talon_one.aio
from support.server import RecordingServer
from talon_one import ManagementApi


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


@pytest.fixture
def management(server: RecordingServer) -> Iterator[ManagementApi]:
    with ManagementApi(host=server.url, api_key="secret") as api:
        yield api


@pytest_asyncio.fixture
async def awaited(server: RecordingServer) -> AsyncIterator[talon_one.aio.ManagementApi]:
    async with talon_one.aio.ManagementApi(host=server.url, api_key="secret") as api:
        yield api
