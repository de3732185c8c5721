"""A server that can be hostile, and a client that records its pauses instead of sleeping."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.calls import make_client
from support.each_shell import each_shell, pytest_generate_tests  # noqa: F401  for pytest
from support.server import RecordingServer
from support.shells import Shell
from talon_one import ApiClient


@pytest.fixture(autouse=True)
def whose_turn_it_is(shell: Shell) -> Shell:
    """Every fault is met by both shells."""
    return shell


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def client(server: RecordingServer, pauses: list[float]) -> Iterator[ApiClient]:
    with make_client(server.url, pauses) as made:
        yield made
