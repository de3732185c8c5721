"""How many connections to a host a client keeps."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.calls import READ, make_client
from support.server import Received, RecordingServer, Response
from talon_one import Configuration

pytestmark = pytest.mark.usefixtures("shell")

CALLS = 6


class Meeting:
    """Responds when a number of requests are there together."""

    def __init__(self, expected: int) -> None:
        self._barrier = threading.Barrier(expected)

    def __call__(self, request: Received) -> Response:
        self._barrier.wait(10)
        return Response(body={})


@pytest.mark.parametrize(("setting", "size"), [(0, 1), (-1, 1), (1, 1), (2, 2), (3, 3)])
def test_there_are_as_many_connections_as_the_setting_says_and_at_least_one(
    setting: int, size: int
) -> None:
    with (
        RecordingServer(default=Meeting(size)) as server,
        make_client(server.url, connection_pool_maxsize=setting) as client,
        ThreadPoolExecutor(CALLS) as threads,
    ):
        for done in [threads.submit(READ, client) for _ in range(CALLS)]:
            done.result()
        assert server.most_at_once == size
        # They are kept: a second round needs no new ones.
        for done in [threads.submit(READ, client) for _ in range(CALLS)]:
            done.result()
        assert server.connections == size


@pytest.mark.one_shell("nothing is called here")
def test_the_size_depends_on_the_processors_unless_it_is_set() -> None:
    assert Configuration().connection_pool_maxsize == 4 * (os.cpu_count() or 1)
