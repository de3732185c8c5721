"""A server, and a fixture that reads a list from it with either client."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from pagination.read_list import ReadList, read_blocking, read_with_asyncio
from support.server import RecordingServer


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


@pytest.fixture(params=["blocking", "asyncio"])
def read_list(request: pytest.FixtureRequest, server: RecordingServer) -> ReadList:
    """A function that reads a list from the server, see `read_blocking`."""
    return partial(read_blocking if request.param == "blocking" else read_with_asyncio, server)
