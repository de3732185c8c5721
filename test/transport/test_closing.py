"""Closing a client: active calls complete, new ones are refused, and no connection is left."""

from __future__ import annotations

import gc
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from support.calls import CREATE, READ, make_client
from support.server import Received, RecordingServer, Response
from support.shells import Shell
from talon_one import ClientClosedError, IntegrationApi, TransportError

ASYNCHRONOUS: Any = {"async_req": True}


class Gate:
    """Responses as soon as the test lets it."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()

    def __call__(self, _: Received) -> Response:
        self.reached.set()
        self.open.wait(5)
        return Response(body={"customerSession": {"id": 1}})


@pytest.fixture
def server(shell: Shell) -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


def test_a_closed_client_says_so_and_sends_nothing(server: RecordingServer, shell: Shell) -> None:
    client = make_client(server.url)
    READ(client)
    client.close()
    client.close()
    uses: list[Callable[[], object]] = [
        lambda: READ(client),
        lambda: READ(client, _preload_content=False),
        lambda: client.call_api("/v1/things", "GET"),
    ]
    if not shell.awaits:
        uses += [
            lambda: READ(client, **ASYNCHRONOUS),
            lambda: client.rest_client.request("GET", server.url),
            lambda: client.pool.apply_async(print),
        ]
    for use in uses:
        with pytest.raises(ClientClosedError, match="this client is closed; make a new one"):
            use()
    assert len(server.requests) == 1


def test_a_client_that_was_never_used_can_be_closed(server: RecordingServer) -> None:
    with make_client(server.url) as client:
        pass
    with client:
        pass
    with pytest.raises(ClientClosedError):
        CREATE(client)
    assert server.connections == 0


def test_an_api_closes_its_client(server: RecordingServer) -> None:
    client = make_client(server.url)
    with IntegrationApi(client):
        pass
    with pytest.raises(ClientClosedError):
        READ(client)


@pytest.mark.one_shell("coroutines need no thread")
def test_calls_that_its_threads_have_started_are_finished_first(server: RecordingServer) -> None:
    gate = Gate()
    server.default = gate
    with make_client(server.url) as client:
        handles = [READ(client, **ASYNCHRONOUS) for _ in range(3)]
        gate.reached.wait(5)
        gate.open.set()
    assert [handle.get(0).customer_session.id for handle in handles] == [1, 1, 1]


@pytest.mark.one_shell("closing waits for tasks; see test/aio")
def test_a_call_in_progress_in_another_thread_gets_its_response(server: RecordingServer) -> None:
    gate = Gate()
    server.default = gate
    client = make_client(server.url)
    with ThreadPoolExecutor(1) as executor:
        under_way = executor.submit(READ, client)
        gate.reached.wait(5)
        client.close()
        gate.open.set()
        assert under_way.result().customer_session.id == 1
    with pytest.raises(ClientClosedError):
        READ(client)
    # Its connection was not kept.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del client
        gc.collect()


@pytest.mark.one_shell("closing waits for tasks; see test/aio")
def test_a_call_that_waits_for_a_connection_does_not_wait_on(server: RecordingServer) -> None:
    gate = Gate()
    server.default = gate
    client = make_client(server.url, connection_pool_maxsize=1)
    with ThreadPoolExecutor(2) as executor:
        under_way = executor.submit(READ, client)
        gate.reached.wait(5)
        waiting = executor.submit(READ, client, _request_timeout=0.1)
        client.close()
        with pytest.raises((ClientClosedError, TransportError)):
            waiting.result(5)
        gate.open.set()
        assert under_way.result().customer_session.id == 1
    assert len(server.requests) == 1


@pytest.mark.one_shell("it is urllib3 that stands behind it")
def test_the_connections_of_the_vendors_rest_client_are_closed_for_good(
    server: RecordingServer,
) -> None:
    client = make_client(server.url)
    rest = client.rest_client
    client.close()
    with pytest.raises(ClientClosedError):
        rest.request("GET", server.url)
    assert server.connections == 0


def test_the_pool_of_threads_has_the_public_methods_of_the_standard_library() -> None:
    with make_client("https://shop.talon.one") as client:
        assert client.pool.apply(len, ("abc",)) == 3
        for name in ("no_such_method", "_repopulate_pool", "__len__"):
            assert not hasattr(client.pool, name), name


def test_a_response_that_is_closed_late_leaves_the_next_one_alone(server: RecordingServer) -> None:
    with make_client(server.url) as client:
        first = READ(client, _preload_content=False)
        assert first.data == b"{}"
        second = READ(client, _preload_content=False)
        for _ in range(2):
            first.close()
            first.release_conn()
        assert second.data == b"{}"
        READ(client)
    assert server.connections == 1
