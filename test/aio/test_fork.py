"""After a fork, parent and child use separate connections."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import aio_forking as forking
from support.forking import Place, a_place, run

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on Windows")


@pytest.fixture(params=["http", "https"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with a_place(tmp_path if request.param == "https" else None) as found:
        yield found


def assert_apart(place: Place) -> None:
    """Check that no connection was used by two processes."""
    assert all(len(processes) == 1 for processes in place.processes)


def test_parent_and_child_go_on_over_connections_of_their_own(place: Place) -> None:
    run("in_turn", place, forking.__name__)
    assert len(place.server.requests) == 8
    # The parent keeps the one it had.
    assert place.server.connections == 3
    assert_apart(place)


def test_calls_in_progress_in_the_parent_are_not_disturbed(place: Place) -> None:
    run("busy", place, forking.__name__)
    assert len(place.server.requests) == 50
    assert place.server.connections == 30
    assert_apart(place)


def test_a_child_that_closes_the_client_closes_nothing_of_the_parents(place: Place) -> None:
    run("closing", place, forking.__name__)
    assert len(place.server.requests) == 2
    assert place.server.connections == 1


def test_a_fork_between_two_loops_is_none_at_all(place: Place) -> None:
    run("between", place, forking.__name__)
    assert len(place.server.requests) == place.server.connections == 3
    assert_apart(place)
