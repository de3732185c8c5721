"""A server, and both ways to read a list from it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from pagination.reading import Read, read, read_asynchronously
from support.server import RecordingServer


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


@pytest.fixture(params=["blocking", "asyncio"])
def reading(request: pytest.FixtureRequest, server: RecordingServer) -> Read:
    """A function that reads a list from the server, see `pagination.reading.read`."""
    return partial(read if request.param == "blocking" else read_asynchronously, server)
