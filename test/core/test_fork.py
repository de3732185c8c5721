"""After a fork: the child has connections, threads and locks of its own, the parent keeps its."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.forking import Place, a_place, run

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on Windows")


@pytest.fixture(params=["http", "https"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with a_place(tmp_path if request.param == "https" else None) as found:
        yield found


def test_parent_and_child_go_on_over_connections_of_their_own(place: Place) -> None:
    run("in_turn", place)
    assert len(place.server.requests) == 8
    # The parent keeps the one it had.
    assert place.server.connections == 3
    assert all(len(processes) == 1 for processes in place.processes)


def test_a_child_that_closes_the_client_closes_nothing_of_the_parents(place: Place) -> None:
    run("closing", place)
    assert len(place.server.requests) == 2
    assert place.server.connections == 1


def test_locks_that_were_held_at_the_time_of_the_fork_block_no_call(place: Place) -> None:
    run("locked", place)
    assert len(place.server.requests) == 3
    assert place.server.connections == 2


def test_asynchronous_calls_work_in_the_child(place: Place) -> None:
    run("threads", place)
    assert len(place.server.requests) == 3
