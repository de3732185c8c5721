"""One server for all operations, and one client of each shell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support.each_shell import each_shell, pytest_generate_tests  # noqa: F401  for pytest
from support.server import RecordingServer
from support.shells import Shell
from support.spec import Operation
from talon_one import ApiClient, Configuration

CREDENTIALS = {"api_key_v1": "integration-key", "management_key": "management-key"}

Caller = Callable[..., Any]


@pytest.fixture(scope="session")
def _server() -> Iterator[RecordingServer]:
    with RecordingServer() as server:
        yield server


@pytest.fixture
def server(_server: RecordingServer) -> RecordingServer:
    """The server, without memories of other tests."""
    _server.clear()
    return _server


@pytest.fixture(scope="session")
def _clients(_server: RecordingServer) -> Iterator[dict[str, ApiClient]]:
    """A client of each shell, once it has been used."""
    made: dict[str, ApiClient] = {}
    yield made
    for each in made.values():
        each.close()


@pytest.fixture
def client(_server: RecordingServer, _clients: dict[str, ApiClient], shell: Shell) -> ApiClient:
    """The client, with the credentials of both APIs."""
    if shell.name not in _clients:
        # Each call sends one request; keys and retries have tests of their own.
        configuration = Configuration(host=_server.url, retries=0)
        configuration.generate_idempotency_keys = False
        _clients[shell.name] = shell.new_client(configuration, lasting=True)
    found = _clients[shell.name]
    found.configuration.api_key = dict(CREDENTIALS)
    return found


@pytest.fixture
def method(client: ApiClient, shell: Shell) -> Callable[..., Caller]:
    """A function that finds the method of an operation, or a variant of it by its suffix."""
    apis = {name: shell.api(name, client) for name in ("IntegrationApi", "ManagementApi")}

    def find(operation: Operation, suffix: str = "") -> Caller:
        found: Caller = getattr(apis[operation.api], operation.name + suffix)
        return found

    return find
