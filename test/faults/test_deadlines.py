"""Timeouts of a step, and deadlines of a call.

These tests wait in real time, about a tenth of a second each.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing
from typing import Any

import pytest
from urllib3.exceptions import NewConnectionError

from support.calls import CHECKOUT, CREATE, READ, make_client
from support.certificates import certificate_of, server_context
from support.network import deaf_port
from support.server import SILENCE, RecordingServer, Response
from support.shells import Shell
from support.timing import time_of
from talon_one import (
    ApiClient,
    ApiTimeoutError,
    ConnectTimeoutError,
    NotSentError,
    ReadTimeoutError,
    RetryPolicy,
    ServiceException,
    Timeout,
)
from talon_one._core.request import Request
from talon_one._http.connections import Tracked

DEADLINE = 0.15
PATIENT = RetryPolicy(retries=100, backoff=0.001)
HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "response",
    [
        SILENCE,
        Response(body={"a": "b" * 3000}, pace=0.001),
        Response(raw=HEAD + b"X: " + b"x" * 3000, pace=0.001),
        Response(raw=HEAD + b"\r\n" + b" " * 3000, pace=0.001),
        Response(
            raw=HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n1\r\n" * 500, pace=0.001
        ),
        Response(before=b"HTTP/1.1 102 Processing\r\nX: " + b"x" * 3000 + b"\r\n\r\n", pace=0.001),
    ],
    ids=["silence", "body", "headers", "body without a length", "chunks", "announcements"],
)
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_a_deadline_ends_a_call_however_slowly_the_response_trickles(
    response: Response, secure: bool
) -> None:
    threads = threading.active_count()
    with (
        RecordingServer(server_context() if secure else None) as server,
        make_client(server.url, ca_cert_data=certificate_of("ours")) as client,
    ):
        READ(client)
        server.script(response)
        with (
            time_of(DEADLINE),
            pytest.raises(ReadTimeoutError, match="the deadline has passed"),
        ):
            READ(client, _deadline=DEADLINE)
        assert len(server.requests) == 2
        READ(client)
        assert server.connections == 2
    assert threading.active_count() == threads


def test_a_deadline_bounds_connecting() -> None:
    with (
        deaf_port() as port,
        make_client(f"http://127.0.0.1:{port}") as client,
        time_of(DEADLINE),
        pytest.raises(ConnectTimeoutError),
    ):
        CREATE(client, _deadline=DEADLINE)


def test_a_deadline_bounds_the_handshake() -> None:
    with (
        RecordingServer(server_context()) as server,
        make_client(server.url, ca_cert_data=certificate_of("ours")) as client,
    ):
        server.greet(SILENCE)
        with time_of(DEADLINE), pytest.raises(ConnectTimeoutError):
            CREATE(client, _deadline=DEADLINE)
        assert server.requests == []


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize(("lookup", "deadline"), [(0.4, 0.5), (0.5, 0.4)])
def test_the_rest_of_a_call_gets_the_time_that_a_slow_start_left(
    monkeypatch: pytest.MonkeyPatch, shell: Shell, secure: bool, lookup: float, deadline: float
) -> None:
    look_up = socket.getaddrinfo
    # What is looked up by its number afterwards takes no time.
    pauses = iter([lookup])

    def slowly(_: Any, *arguments: Any, **settings: Any) -> Any:
        time.sleep(next(pauses, 0))
        return look_up("127.0.0.1", *arguments, **settings)

    # A blocking call cannot leave the system before it has found the address.
    ends = deadline if shell.awaits else max(lookup, deadline)
    with (
        RecordingServer(server_context("localhost") if secure else None) as server,
        make_client(
            server.url.replace("127.0.0.1", "localhost"), ca_cert_data=certificate_of("ours")
        ) as client,
    ):
        server.greet(SILENCE)
        monkeypatch.setattr(socket, "getaddrinfo", slowly)
        with (
            time_of(ends, room=0.35),
            pytest.raises(ApiTimeoutError, match="the deadline has passed") as caught,
        ):
            CREATE(client, _deadline=deadline)
        monkeypatch.undo()
        # Without TLS the request is on its way as soon as there is a connection.
        assert isinstance(caught.value, NotSentError) == (secure or lookup > deadline)
        assert server.requests == []


def test_a_deadline_bounds_the_wait_for_a_free_connection(server: RecordingServer) -> None:
    server.script(Response(headers={"Content-Length": "9"}))
    with (
        make_client(server.url, connection_pool_maxsize=1) as client,
        # Its body is left unread, and keeps the only connection.
        closing(READ(client, _preload_content=False)),
    ):
        with time_of(0.1), pytest.raises(ConnectTimeoutError):
            CREATE(client, _deadline=0.1)
        with pytest.raises(ConnectTimeoutError, match="no connection became free"):
            CREATE(client, _request_timeout=(0.05, 5), _retries=0)
    assert len(server.requests) == 1


def test_a_deadline_bounds_all_attempts_together(
    server: RecordingServer, client: ApiClient
) -> None:
    server.script(SILENCE, SILENCE, SILENCE)
    with time_of(0.25), pytest.raises(ReadTimeoutError) as caught:
        READ(client, _request_timeout=(1, 0.1), _deadline=0.25, _retries=PATIENT)
    failure = caught.value
    # Three, unless the machine is very busy.
    assert 2 <= failure.attempts == len(server.requests) <= 3
    assert failure.reason is not None
    assert failure.reason.startswith("the deadline has passed")
    assert failure.earlier[0].reason == "Read timed out. (read timeout=0.1)"


def test_a_deadline_bounds_the_pauses_too(server: RecordingServer, client: ApiClient) -> None:
    server.default = Response(503, headers={"Retry-After": "10"})
    now = [1000.0]

    def pause(seconds: float) -> None:
        now[0] += seconds

    client.clock = client.clock._replace(sleep=pause, monotonic=lambda: now[0])
    with pytest.raises(ServiceException) as caught:
        READ(client, _deadline=25, _retries=PATIENT)
    # A third pause would exceed the deadline.
    assert caught.value.attempts == len(server.requests) == 3
    assert now == [1020.0]


def test_a_deadline_that_has_passed_during_a_pause_ends_the_call_without_sending(
    server: RecordingServer, client: ApiClient
) -> None:
    server.default = Response(503)
    client.clock = client.clock._replace(sleep=lambda _: time.sleep(0.2))
    with pytest.raises(ApiTimeoutError, match="the deadline has passed") as caught:
        CHECKOUT(client, _deadline=0.15, _retries=PATIENT)
    # The first attempt may have been executed.
    assert isinstance(caught.value, ReadTimeoutError)
    assert len(server.requests) == 1


def test_the_deadline_of_a_call_that_came_in_time_cuts_nothing_afterwards(
    server: RecordingServer, client: ApiClient
) -> None:
    READ(client, _deadline=0.1)
    # The same connection is busy when that time is up.
    server.script(Response(body={}, pace=0.002))
    CREATE(client)
    assert server.connections == 1


@pytest.mark.one_shell("asyncio bounds the reading of a raw response, too")
def test_the_deadline_of_a_raw_response_ends_with_its_headers(server: RecordingServer) -> None:
    request = Request("", "GET", server.url, "/", {}, None)
    server.script(Response(body=b"x" * 100_000))
    with make_client(server.url) as client:
        rest = client.rest_client
        raw = rest.open(request, Timeout(deadline=0.1))
        time.sleep(0.15)
        assert len(raw.data) == 100_000
        rest.send(request)
    assert server.connections == 1


def test_the_read_timeout_bounds_every_piece_and_not_the_whole(
    server: RecordingServer, client: ApiClient
) -> None:
    server.script(Response(body={}, pace=0.002))
    READ(client, _request_timeout=(1, 0.1), _retries=0)
    server.script(Response(raw=HEAD, silent=True))
    with time_of(0.05), pytest.raises(ReadTimeoutError, match="timed out"):
        CREATE(client, _request_timeout=(1, 0.05))


@pytest.mark.parametrize(
    ("of_client", "of_call"),
    [
        ({"timeout": 0.1}, {}),
        ({"timeout": (5, 0.1)}, {}),
        ({"timeout": Timeout(read=0.1)}, {}),
        ({"deadline": 0.1}, {}),
        ({"timeout": None}, {"_request_timeout": 0.1}),
        ({"timeout": None}, {"_request_timeout": Timeout(None, None, 0.1)}),
        ({"timeout": None}, {"_deadline": 0.1}),
        ({"deadline": 0.1}, {"_request_timeout": Timeout(5, 5)}),
        ({"timeout": 60}, {"_request_timeout": (60, 60), "_deadline": 0.1}),
    ],
)
def test_time_is_set_for_the_client_and_for_the_call(
    server: RecordingServer, of_client: dict[str, Any], of_call: dict[str, Any]
) -> None:
    server.script(SILENCE)
    with (
        make_client(server.url, **of_client) as client,
        time_of(0.1),
        pytest.raises(ReadTimeoutError),
    ):
        CREATE(client, **of_call)


def test_without_any_timeout_a_call_waits(server: RecordingServer) -> None:
    server.script(Response(body={}, pace=0.001))
    with make_client(server.url, timeout=None) as client:
        READ(client)


# -- A host with several addresses -------------------------------------------------------------


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Have every host found at these addresses."""

    def found(host: Any, port: int, *_: Any, **__: Any) -> list[Any]:
        kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        names = [host] if host in addresses else addresses
        return [(*kind, (name, port)) for name in names]

    monkeypatch.setattr(socket, "getaddrinfo", found)


@pytest.mark.parametrize("limit", [{"_request_timeout": 0.2}, {"_deadline": 0.2}])
def test_all_addresses_of_a_host_share_the_time_to_connect(
    monkeypatch: pytest.MonkeyPatch, limit: dict[str, float]
) -> None:
    resolve_to(monkeypatch, *["127.0.0.1"] * 8)
    with (
        deaf_port() as port,
        make_client(f"http://localhost:{port}") as client,
        time_of(0.2),
        pytest.raises(ConnectTimeoutError),
    ):
        READ(client, _retries=0, **limit)


def test_an_address_that_does_not_respond_leaves_time_for_the_next(
    server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with deaf_port("127.0.0.2", server.port):
        resolve_to(monkeypatch, "127.0.0.2", "127.0.0.1")
        with make_client(f"http://localhost:{server.port}") as client:
            READ(client, _request_timeout=(1, 5), _retries=0)
    assert server.last.headers["host"] == f"localhost:{server.port}"


@pytest.mark.one_shell("a system that knows no address says so; aiohttp relies on it")
def test_a_host_without_an_address_was_never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch)
    with (
        make_client("http://localhost") as client,
        pytest.raises(NotSentError, match="no address"),
    ):
        CREATE(client, _retries=0)


class Limit(TimeoutError):
    """A time limit of the application, which a signal handler raises."""


@pytest.mark.one_shell("aiohttp tries the addresses of the asyncio client")
@pytest.mark.parametrize("raised", [Limit(), None], ids=["time limit", "refused"])
def test_a_time_limit_of_the_application_ends_the_search_for_an_address(
    monkeypatch: pytest.MonkeyPatch, raised: Exception | None
) -> None:
    resolve_to(monkeypatch, "127.0.0.1", "127.0.0.2", "127.0.0.3")
    tried: list[str] = []

    def refuse(connection: Tracked, address: str) -> socket.socket:
        tried.append(address)
        raise NewConnectionError(connection, "refused") from raised

    monkeypatch.setattr(Tracked, "_connect_to", refuse)
    with (
        make_client("http://localhost") as client,
        pytest.raises(Limit if raised else NotSentError),
    ):
        READ(client, _retries=0)
    assert len(tried) == (1 if raised else 3)
