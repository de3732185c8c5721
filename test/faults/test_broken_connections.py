"""Connections that fail: before, while and after the request is sent."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from support.calls import CHECKOUT, CREATE, KINDS, READ, Kind, make_client
from support.network import closed_port, deaf_port, free_port
from support.server import HANG_UP, RESET, SILENCE, Received, RecordingServer, Response
from talon_one import (
    ApiClient,
    ApiTimeoutError,
    ConnectTimeoutError,
    ManagementApi,
    NoResponseError,
    NotSentError,
    ReadTimeoutError,
    TransportError,
)

TRUNCATED = Response(raw=b'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"effects": [')
TRUNCATED_CHUNK = Response(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{}")
STUCK = Response(raw=TRUNCATED.raw, silent=True)

# What happens after the request has been read, the exception, and what it says.
AFTER_READING = {
    "hangs up": (HANG_UP, NoResponseError, "closed connection without response"),
    "resets": (RESET, NoResponseError, "reset by peer|without response"),
    "says nothing": (SILENCE, ReadTimeoutError, "timed out"),
    "talks garbage": (Response(raw=b"SSH-2.0-OpenSSH_9.6\r\n"), NoResponseError, "SSH-2.0"),
    "sends a status of letters": (
        Response(raw=b"HTTP/1.1 OK\r\n\r\n"),
        NoResponseError,
        "HTTP/1.1 OK",
    ),
    "breaks off in the body": (TRUNCATED, NoResponseError, "broke off.*13 bytes read"),
    "breaks off in a chunk": (TRUNCATED_CHUNK, NoResponseError, "broke off"),
    "resets in the body": (
        Response(raw=TRUNCATED.raw, reset=True),
        NoResponseError,
        "broke off|reset by peer",
    ),
    "goes silent in the body": (STUCK, ReadTimeoutError, "broke off.*timed out"),
}
# The same where the request is not read at all.
BEFORE_READING = {"hangs up": HANG_UP, "resets": RESET}

fault = pytest.mark.parametrize("fault", AFTER_READING)
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)


def wait_for(response: Response) -> dict[str, Any]:
    """Return settings that do not wait long for what will not come."""
    return {"_request_timeout": (5, 0.1)} if response.silent else {}


@fault
@each_kind
def test_a_request_without_a_response_is_retried_only_where_that_is_safe(
    server: RecordingServer, client: ApiClient, fault: str, kind: Kind
) -> None:
    response, exception, said = AFTER_READING[fault]
    server.script(response)
    if kind.safe:
        kind(client, **wait_for(response))
        assert len(server.requests) == 2
        assert server.requests[0] == server.requests[1]
    else:
        with pytest.raises(exception, match=said) as caught:
            kind(client, **wait_for(response))
        assert type(caught.value) is exception
        assert caught.value.attempts == len(server.requests) == 1
        READ(client)
    # What went wrong on a connection may still be under way there.
    assert server.connections == 2


@fault
def test_a_request_that_never_gets_a_response_raises_the_last_failure(
    server: RecordingServer, client: ApiClient, fault: str
) -> None:
    response, exception, said = AFTER_READING[fault]
    server.script(response, response, response)
    with pytest.raises(exception, match=said) as caught:
        READ(client, **wait_for(response))
    failure = caught.value
    assert [type(each) for each in (*failure.earlier, failure)] == [exception] * 3
    assert failure.attempts == len(server.requests) == 3
    assert failure.__cause__ is not None
    assert (failure.operation_id, failure.method) == ("getCustomerSession", "GET")
    assert failure.url == f"{server.url}/v2/customer_sessions/order-1"
    assert server.connections == 3


@pytest.mark.parametrize("greeting", BEFORE_READING)
@each_kind
def test_a_connection_that_breaks_while_sending_may_have_delivered_the_request(
    server: RecordingServer, client: ApiClient, greeting: str, kind: Kind
) -> None:
    server.greet(BEFORE_READING[greeting])
    if kind.safe:
        kind(client)
        assert len(server.requests) == 1
    else:
        with pytest.raises(NoResponseError):
            kind(client)
        assert len(server.requests) == 0


def test_the_part_of_a_broken_response_that_arrived_is_kept(
    server: RecordingServer, client: ApiClient
) -> None:
    server.script(TRUNCATED)
    with pytest.raises(NoResponseError) as caught:
        CREATE(client)
    assert (caught.value.status, caught.value.raw_data) == (200, b'{"effects": [')


# -- Not sent ----------------------------------------------------------------------------------


@each_kind
def test_a_server_that_comes_back_gets_the_request_after_all(kind: Kind) -> None:
    server = RecordingServer()
    server.port = free_port()
    with make_client(server.url) as client:
        client.clock = client.clock._replace(sleep=lambda _: server.start())
        try:
            kind(client)
        finally:
            server.stop()
    assert len(server.requests) == 1


@each_kind
def test_a_refused_connection_is_retried_and_then_raised(kind: Kind) -> None:
    with (
        make_client(f"http://127.0.0.1:{closed_port()}") as client,
        pytest.raises(
            NotSentError, match=r"http://127\.0\.0\.1:\d+: .*Connection refused"
        ) as caught,
    ):
        kind(client)
    assert type(caught.value) is NotSentError
    assert [type(each) for each in caught.value.earlier] == [NotSentError, NotSentError]
    assert (caught.value.status, caught.value.body, caught.value.headers) == (None, None, None)


def test_an_unreachable_server_is_a_connect_timeout() -> None:
    with deaf_port() as port, make_client(f"http://127.0.0.1:{port}") as client:
        began = time.monotonic()
        with pytest.raises(ConnectTimeoutError, match="timed out") as caught:
            CREATE(client, _request_timeout=(0.05, 5))
    assert time.monotonic() - began < 4
    assert caught.value.attempts == 3
    assert isinstance(caught.value, (ApiTimeoutError, NotSentError, TimeoutError))


def test_a_name_that_does_not_resolve_is_not_sent(
    monkeypatch: pytest.MonkeyPatch, client: ApiClient
) -> None:
    def unknown(*_: object, **__: object) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    client.configuration.host = "https://no-such-deployment.talon.one"
    with pytest.raises(NotSentError, match="Failed to resolve 'no-such-deployment"):
        CREATE(client)
    monkeypatch.undo()


# -- Several failures in one call --------------------------------------------------------------


def going_away(server: RecordingServer) -> Callable[[float], None]:
    return lambda _: server.stop()


@pytest.mark.parametrize("first", [HANG_UP, RESET, TRUNCATED, Response(500), Response(503)])
def test_a_last_attempt_that_was_not_sent_does_not_hide_one_that_was(
    server: RecordingServer, client: ApiClient, first: Response
) -> None:
    server.script(first)
    client.clock = client.clock._replace(sleep=going_away(server))
    with pytest.raises(NoResponseError, match=r"refused.*; an earlier attempt.*") as caught:
        CHECKOUT(client)
    failure = caught.value
    assert not isinstance(failure, NotSentError)
    assert failure.attempts == 3
    assert [isinstance(each, NotSentError) for each in failure.earlier] == [False, True, True]
    assert failure.operation_id == "updateCustomerSessionV2"


@pytest.mark.parametrize(
    "first", [Response(429), Response(409, {"message": "Too many requests ..."})]
)
def test_refusals_before_do_not_make_a_request_look_sent(
    server: RecordingServer, client: ApiClient, first: Response
) -> None:
    server.script(first)
    client.clock = client.clock._replace(sleep=going_away(server))
    with pytest.raises(NotSentError):
        CHECKOUT(client)
    assert len(server.requests) == 1


def test_every_attempt_may_fail_in_its_own_way(
    server: RecordingServer, client: ApiClient, pauses: list[float]
) -> None:
    server.script(HANG_UP, Response(502), TRUNCATED, Response(429), {"customerSession": {"id": 1}})
    assert READ(client, _retries=4).customer_session.id == 1
    assert len(server.requests) == 5
    assert len(pauses) == 4


def test_a_connection_that_was_closed_while_idle_is_replaced_before_it_is_used(
    server: RecordingServer, client: ApiClient
) -> None:
    CREATE(client)
    server.stop()
    server.start()
    CREATE(client)
    assert len(server.requests) == 2


@pytest.mark.one_shell("it is urllib3 that stands behind it")
@pytest.mark.parametrize("response", [HANG_UP, TRUNCATED])
def test_the_rest_client_of_the_vendors_packages_raises_our_exceptions(
    server: RecordingServer, client: ApiClient, response: Response
) -> None:
    server.script(response)
    with pytest.raises(NoResponseError) as caught:
        client.rest_client.request("GET", f"{server.url}/v1/things?secret=1")
    assert caught.value.url == f"{server.url}/v1/things"


@pytest.mark.parametrize("response", [HANG_UP, TRUNCATED, Response(429), Response(404)])
def test_a_raw_response_may_fail_to_arrive_as_well(
    server: RecordingServer, client: ApiClient, response: Response
) -> None:
    server.script(response)
    if response is HANG_UP:
        with pytest.raises(TransportError):
            CREATE(client, _preload_content=False)
    else:
        raw = CREATE(client, _preload_content=False)
        raw.close()
    assert len(server.requests) == 1


# -- Connections that the server has forgotten --------------------------------------------------


class Forgetful:
    """Responses over the connections of one generation, and has forgotten all those before."""

    def __init__(self, failure: Response) -> None:
        self.failure = failure
        self.oldest = 0
        self.gate: threading.Barrier | None = None

    def __call__(self, request: Received) -> Response:
        if self.gate is not None:
            self.gate.wait(10)
        return self.failure if request.connection < self.oldest else Response(body={})


def fill_pool(client: ApiClient, memory: Forgetful, count: int) -> None:
    """Make as many calls at the same time, so that as many connections lie idle afterwards."""
    memory.gate = threading.Barrier(count)
    with ThreadPoolExecutor(count) as executor:
        for done in [executor.submit(READ, client) for _ in range(count)]:
            done.result()
    memory.gate = None


@pytest.mark.one_shell("asyncio has the same by other means; see test/aio")
@pytest.mark.parametrize("failure", [RESET, HANG_UP, SILENCE], ids=["reset", "closed", "silence"])
def test_a_retry_uses_a_new_connection_after_a_failure_on_a_used_one(
    server: RecordingServer, failure: Response
) -> None:
    memory = Forgetful(failure)
    server.default = memory
    with make_client(server.url, connection_pool_maxsize=6, timeout=(5, 0.2)) as client:
        fill_pool(client, memory, 6)
        memory.oldest = server.connections + 1
        for _ in range(3):
            CHECKOUT(client)
        # One failure, one fresh connection, which serves the others, too.
        assert len(server.requests) == 6 + 1 + 3
        assert server.connections == 7


@pytest.mark.one_shell("asyncio has the same by other means; see test/aio")
def test_a_retry_uses_a_new_connection_even_if_others_are_idle(
    server: RecordingServer,
) -> None:
    server.script(Response(body={}), RESET)
    with make_client(server.url) as client:
        READ(client)

        def call_of_another(_: float) -> None:
            client.clock = client.clock._replace(sleep=bool)
            READ(client)

        client.clock = client.clock._replace(sleep=call_of_another)
        CHECKOUT(client)
        first, broken, other, retry = [each.connection for each in server.requests]
        assert first == broken
        assert len({broken, other, retry}) == 3


@pytest.mark.one_shell("asyncio has the same by other means; see test/aio")
def test_a_failure_of_a_fresh_connection_leaves_the_idle_ones_alone(
    server: RecordingServer,
) -> None:
    memory = Forgetful(RESET)
    server.default = memory
    with make_client(server.url, retries=0) as client:
        fill_pool(client, memory, 2)
        # Both are held, so that the next call needs one of its own.
        held = [READ(client, _preload_content=False) for _ in range(2)]
        server.script(RESET)
        with pytest.raises(NoResponseError):
            CREATE(client)
        for each in held:
            assert each.data == b"{}"
        READ(client)
        assert server.connections == 3


def test_a_file_whose_source_makes_calls_of_its_own_is_sent_once(
    server: RecordingServer, client: ApiClient
) -> None:
    def rows() -> Iterator[bytes]:
        yield b"value\n"
        for number in range(3):
            # Its connection is another one, and so is what became of its request.
            with pytest.raises(NotSentError):
                READ(lost)
            READ(other)
            yield f"CODE-{number}\n".encode()

    uploads = []

    def respond(received: Received) -> Response:
        if received.method == "GET":
            return Response(body={})
        uploads.append(received.body)
        return SILENCE

    server.default = respond
    with (
        make_client(server.url) as other,
        make_client(f"http://127.0.0.1:{closed_port()}", retries=0) as lost,
        pytest.raises(ReadTimeoutError) as caught,
    ):
        ManagementApi(client).import_coupons(3, 12, rows(), _request_timeout=(5, 0.2))
    assert caught.value.attempts == len(uploads) == 1
    assert b"CODE-2" in uploads[0]
