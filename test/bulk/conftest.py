"""A server, and bulk jobs against it with either client."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from bulk.runs import OK, RunBulk, run_async, run_blocking
from support.server import RecordingServer


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer(default=OK) as running:
        yield running


@pytest.fixture(params=["blocking", "asyncio"])
def run_bulk(request: pytest.FixtureRequest, server: RecordingServer) -> RunBulk:
    """A function that runs a bulk job, see `bulk.runs.run_blocking`."""
    return partial(run_blocking if request.param == "blocking" else run_async, server)
