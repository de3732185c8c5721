"""Bytes that arrive on an idle connection are never taken for the next response."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator

import pytest

from support.calls import READ, make_client
from support.certificates import certificate_of, server_context
from support.server import Received, RecordingServer, Response
from talon_one import ApiClient, IntegrationApi

# Over HTTP and TLS, and for each kind of stray bytes: three hundred for each client.
CALLS = 25

# Nothing that is waited for takes as long, in seconds.
TOO_LONG = 10


def response(session_id: str) -> Response:
    return Response(body={"customerSession": {"integrationId": session_id}})


STRAY = response("of somebody else").encoded("GET")
HALF = len(STRAY) // 2

# What arrives while the connection is idle, and what together with its next request.
STRAYS = {
    "a response": (STRAY, b""),
    "several responses": (STRAY * 3, b""),
    "half a response, then the rest": (STRAY[:HALF], STRAY[HALF:]),
    "a line end, then a response": (b"\r\n", STRAY),
    "an announcement, then a response": (b"HTTP/1.1 103 Early Hints\r\n\r\n", STRAY),
    "garbage": (b"\0", b""),
}


class Intruder:
    """A server that responds with the requested ID, and then sends a response to no request."""

    def __init__(self, idle: bytes, later: bytes) -> None:
        self.received = threading.Semaphore(0)
        self.sent = threading.Semaphore(0)
        self._idle = idle
        self._later = later

    def __call__(self, request: Received) -> Response:
        made = response(request.path.rpartition("/")[2])
        return Response(body=made.body, then=self._intrude)

    def _intrude(self, connection: socket.socket) -> None:
        self.received.acquire(timeout=TOO_LONG)
        connection.sendall(self._idle)
        self.sent.release()
        # For the next request, or for the connection to be closed.
        select.select([connection], [], [], TOO_LONG)
        connection.sendall(self._later)


@pytest.fixture(params=["http", "https"])
def server(request: pytest.FixtureRequest) -> Iterator[RecordingServer]:
    with RecordingServer(server_context() if request.param == "https" else None) as running:
        yield running


@pytest.fixture
def client(server: RecordingServer) -> Iterator[ApiClient]:
    with make_client(server.url, ca_cert_data=certificate_of("ours"), retries=0) as made:
        yield made


@pytest.mark.parametrize("stray", STRAYS)
def test_no_call_gets_a_response_to_a_request_that_was_not_made(
    server: RecordingServer, client: ApiClient, stray: str
) -> None:
    server.default = intruder = Intruder(*STRAYS[stray])
    api = IntegrationApi(client)
    for number in range(CALLS):
        found = api.get_customer_session(str(number))
        assert found.customer_session is not None
        assert found.customer_session.integration_id == str(number)
        intruder.received.release()
        assert intruder.sent.acquire(timeout=TOO_LONG)
    assert server.connections == CALLS


def test_a_connection_on_which_nothing_arrived_is_used_again(
    server: RecordingServer, client: ApiClient
) -> None:
    # What TLS sends unasked, such as the tickets for another session, does no harm.
    for _ in range(20):
        READ(client)
    assert server.connections == 1
