"""A server, and both ways to do bulk work with it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from bulk.doing import OK, Do, do, do_asynchronously
from support.server import RecordingServer


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer(default=OK) as running:
        yield running


@pytest.fixture(params=["blocking", "asyncio"])
def work(request: pytest.FixtureRequest, server: RecordingServer) -> Do:
    """A function that does bulk work, see `bulk.doing.do`."""
    return partial(do if request.param == "blocking" else do_asynchronously, server)
