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
from talon_one import Clock


class SetClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> Clock:
        return Clock(monotonic=lambda: self.now)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


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
