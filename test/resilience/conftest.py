"""A server for both shells, a clock that tests set, and the API over them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from support import shells
from support.calls import make_client
from support.each_shell import each_shell, pytest_generate_tests  # noqa: F401  for pytest
from support.server import RecordingServer, Response
from support.shells import Shell
from support.timing import MockClock


@pytest.fixture
def clock() -> MockClock:
    return MockClock()


@pytest.fixture
def server(shell: Shell) -> Iterator[RecordingServer]:
    with RecordingServer(default=Response(body={"customerSession": {}})) as running:
        yield running


@pytest.fixture
def client(server: RecordingServer) -> Iterator[Any]:
    with make_client(server.url) as made:
        yield made


@pytest.fixture
def integration(client: Any) -> Any:
    """The Integration API of the shell whose turn it is, with methods that block."""
    return shells.current().api("IntegrationApi", client)
