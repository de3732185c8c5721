"""Stale connections in the pool: after a restart, or dropped by a load balancer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from support.calls import CHECKOUT, CREATE, READ, Kind, make_client
from support.certificates import certificate_of, server_context
from support.server import HANG_UP, RESET, SILENCE, Received, RecordingServer, Response
from talon_one import ApiClient, NoResponseError, RetryPolicy, ServiceException

POOLED = 5

TRUNCATED = Response(raw=b'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"effects": [')

# What a forgotten connection does when it gets its next request.
ENDS = {"resets": RESET, "closes": HANG_UP, "is silent": SILENCE, "breaks off": TRUNCATED}

# Long enough for a server that responses, and short for one that does not.
PATIENCE = (5, 0.3)

each_end = pytest.mark.parametrize("end", ENDS)


class Forgetful:
    """A server that responds, except on the connections that the test makes it forget."""

    def __init__(self) -> None:
        self.forgotten = 0
        self.end = RESET

    def __call__(self, request: Received) -> Response:
        return self.end if request.connection <= self.forgotten else Response(body={})


@pytest.fixture
def forgetful() -> Forgetful:
    return Forgetful()


@pytest.fixture(params=["http", "https"])
def server(request: pytest.FixtureRequest, forgetful: Forgetful) -> Iterator[RecordingServer]:
    tls = server_context() if request.param == "https" else None
    with RecordingServer(tls, default=forgetful) as running:
        yield running


@pytest.fixture
def client(server: RecordingServer) -> Iterator[ApiClient]:
    settings: Any = {"ca_cert_data": certificate_of("ours"), "connection_pool_maxsize": 2 * POOLED}
    with make_client(server.url, **settings) as made:
        yield made


def fill_pool(server: RecordingServer, client: ApiClient) -> None:
    """Have the client open connections at the same time, which are idle afterwards."""
    together = threading.Barrier(POOLED)

    def response(_: Received) -> Response:
        together.wait(10)
        return Response(body={})

    server.script(*[response] * POOLED)
    with ThreadPoolExecutor(POOLED) as threads:
        for done in [threads.submit(READ, client) for _ in range(POOLED)]:
            done.result()
    assert server.connections == POOLED
    server.clear()


def forget(server: RecordingServer, forgetful: Forgetful, end: str) -> None:
    forgetful.forgotten, forgetful.end = server.connections, ENDS[end]


@each_end
@pytest.mark.parametrize("kind", [CHECKOUT, READ], ids=str)
def test_one_retry_is_enough_however_many_connections_are_stale(
    server: RecordingServer, client: ApiClient, forgetful: Forgetful, end: str, kind: Kind
) -> None:
    fill_pool(server, client)
    forget(server, forgetful, end)
    kind(client, _retries=1, _request_timeout=PATIENCE)
    assert [each.connection for each in server.requests] == [
        server.requests[0].connection,
        POOLED + 1,
    ]


@each_end
def test_a_call_that_must_not_be_retried_ends_the_trouble_for_those_after_it(
    server: RecordingServer, client: ApiClient, forgetful: Forgetful, end: str
) -> None:
    fill_pool(server, client)
    forget(server, forgetful, end)
    with pytest.raises(NoResponseError):
        CREATE(client, _request_timeout=PATIENCE)
    for _ in range(POOLED):
        CREATE(client)
    assert {each.connection for each in server.requests[1:]} == {POOLED + 1}


@each_end
def test_calls_that_all_find_stale_connections_all_succeed(
    server: RecordingServer, client: ApiClient, forgetful: Forgetful, end: str
) -> None:
    fill_pool(server, client)
    forget(server, forgetful, end)
    with ThreadPoolExecutor(POOLED) as threads:
        calls = [
            threads.submit(CHECKOUT, client, _retries=1, _request_timeout=PATIENCE)
            for _ in range(POOLED)
        ]
        for call in calls:
            call.result()


def test_a_retry_never_uses_a_connection_that_served_another_call(
    server: RecordingServer, client: ApiClient, forgetful: Forgetful
) -> None:
    fill_pool(server, client)
    forget(server, forgetful, "resets")

    def meanwhile(_: float) -> None:
        # Between the attempts another call leaves a connection behind, and that is forgotten, too.
        client.clock = client.clock._replace(sleep=lambda _: None)
        CREATE(client)
        forget(server, forgetful, "resets")

    client.clock = client.clock._replace(sleep=meanwhile)
    CHECKOUT(client, _retries=1)
    assert server.requests[-1].connection == server.connections


def test_a_failure_on_a_new_connection_costs_the_pool_nothing(
    server: RecordingServer, client: ApiClient, forgetful: Forgetful
) -> None:
    server.script(RESET)
    CHECKOUT(client)
    READ(client)
    assert server.connections == 2


def test_a_failure_says_so_when_new_connections_fail_as_well(
    server: RecordingServer, client: ApiClient, forgetful: Forgetful
) -> None:
    client.configuration.retries = RetryPolicy(retries=2)
    fill_pool(server, client)
    server.script(RESET, RESET, RESET)
    with pytest.raises(NoResponseError) as caught:
        CHECKOUT(client)
    assert caught.value.attempts == 3
    assert [each.connection > POOLED for each in server.requests] == [False, True, True]


@each_end
def test_a_stale_connection_is_retried_when_the_budget_is_exhausted(
    server: RecordingServer, client: ApiClient, forgetful: Forgetful, end: str
) -> None:
    fill_pool(server, client)
    while client._budget.spend(has_key=True):
        pass
    forget(server, forgetful, end)
    CHECKOUT(client, _request_timeout=PATIENCE)
    # One over a connection that served others, one over a new one, which is on the budget.
    assert len(server.requests) == 2
    while client._budget.spend(has_key=True):
        pass
    server.script(Response(503))
    with pytest.raises(ServiceException, match="retry budget exhausted"):
        CHECKOUT(client)
