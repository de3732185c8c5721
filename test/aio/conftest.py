"""A server, an asyncio client of it, and a check that a test leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from support.awaiting import Notes, make_client
from support.server import RecordingServer
from talon_one import aio


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest_asyncio.fixture
async def client(server: RecordingServer, notes: Notes) -> AsyncIterator[aio.ApiClient]:
    async with make_client(server.url, hooks=[notes]) as made:
        yield made
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left
