"""One server and one client for all operations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support.server import RecordingServer
from support.spec import Operation
from talon_one import ApiClient, Configuration, IntegrationApi, ManagementApi

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
def _client(_server: RecordingServer) -> Iterator[ApiClient]:
    # What is asked for is sent, once; keys and repetitions have tests of their own.
    configuration = Configuration(host=_server.url, retries=0)
    configuration.generate_idempotency_keys = False
    with ApiClient(configuration) as client:
        yield client


@pytest.fixture
def client(_client: ApiClient) -> ApiClient:
    """The client, with the credentials of both APIs."""
    _client.configuration.api_key = dict(CREDENTIALS)
    return _client


@pytest.fixture
def method(client: ApiClient) -> Callable[..., Caller]:
    """A function that finds the method of an operation, or a variant of it by its suffix."""
    apis = {"IntegrationApi": IntegrationApi(client), "ManagementApi": ManagementApi(client)}

    def find(operation: Operation, suffix: str = "") -> Caller:
        found: Caller = getattr(apis[operation.api], operation.name + suffix)
        return found

    return find
