"""Odd, wrong and malicious responses over connections that work."""

from __future__ import annotations

import contextlib
import json
import tracemalloc
from collections.abc import Iterator

import pytest

from support.calls import CHECKOUT, CREATE, READ, make_client
from support.certificates import certificate_of, server_context
from support.every import for_every
from support.server import RecordingServer, Response
from support.shells import Shell
from talon_one import ApiClient, ApiException, InvalidResponseError, NoResponseError

SESSION = {"customerSession": {"integrationId": "order-1"}}


@pytest.fixture
def stranger() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


def test_a_response_that_arrives_byte_by_byte_is_complete(
    server: RecordingServer, client: ApiClient
) -> None:
    server.script(Response(body=SESSION, pace=0))
    assert READ(client).customer_session.integration_id == "order-1"
    READ(client)
    assert server.connections == 1


@pytest.mark.parametrize(
    "announcement",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n",
    ],
)
def test_interim_responses_are_skipped(
    server: RecordingServer, client: ApiClient, announcement: bytes
) -> None:
    server.script(Response(body=SESSION, before=announcement))
    assert READ(client).customer_session.integration_id == "order-1"
    READ(client)
    assert server.connections == 1


def test_a_server_that_sends_only_interim_responses_is_given_up(
    server: RecordingServer, client: ApiClient
) -> None:
    for count in (17, 1000):
        server.script(Response(before=b"HTTP/1.1 102 Processing\r\n\r\n" * count, body=SESSION))
        with pytest.raises(NoResponseError, match="again and again"):
            CREATE(client)


def test_sixteen_interim_responses_are_accepted(server: RecordingServer, client: ApiClient) -> None:
    before = b"HTTP/1.1 102 Processing\r\n\r\n" * 16
    server.script(Response(before=before, body=SESSION), Response(before=before, body=SESSION))
    assert READ(client).customer_session.integration_id == "order-1"
    READ(client)
    assert server.connections == 1


# -- Not JSON ----------------------------------------------------------------------------------


@for_every(
    "response, said",
    [
        (Response(200, "<html>Sign in</html>", {"Content-Type": "text/html"}), r"\(text/html\)"),
        (Response(200, b"", {"Content-Type": "application/json"}), "empty"),
        (Response(200, b'{"customerSession": ', {}), r"not JSON \(no content type\)"),
        (Response(200, '{"a": "ü"}'.encode("latin-1"), {}), "not JSON"),
        (
            Response(200, '{"a": "ü"}'.encode("latin-1"), {"Content-Type": "a/b; charset=utf-8"}),
            "not JSON",
        ),
        (Response(200, b'{"a": "\xfc"}', {"Content-Type": "a/b; charset=klingon"}), "klingon"),
    ],
)
def test_a_2xx_that_cannot_be_read_is_raised_with_its_bytes_and_not_retried(
    server: RecordingServer, client: ApiClient, response: Response, said: str
) -> None:
    server.script(response)
    with pytest.raises(InvalidResponseError, match=said) as caught:
        # It was executed, key or not.
        CHECKOUT(client)
    assert caught.value.status == 200
    sent = response.body if isinstance(response.body, bytes) else response.body.encode()
    assert caught.value.raw_data == sent
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (Response(200, b'{"a": 1} and so on', {"Content-Length": "3"}), "not JSON"),
        (Response(raw=b"HTTP/1.1 200 OK\r\nContent-Ty"), "empty"),
    ],
    ids=["longer than it says", "ends in its headers"],
)
def test_a_response_that_ends_in_the_wrong_place_raises(
    server: RecordingServer, client: ApiClient, shell: Shell, response: Response, said: str
) -> None:
    server.script(response)
    if shell.awaits:
        # aiohttp does not take it for a response.
        with pytest.raises(NoResponseError):
            CREATE(client)
    else:
        with pytest.raises(InvalidResponseError, match=said) as caught:
            CREATE(client)
        assert caught.value.status == 200
    assert len(server.requests) == 1
    READ(client)


@pytest.mark.parametrize(
    ("encoding", "content_type"),
    [
        ("utf-8", "application/json"),
        ("utf-8", "application/json; charset=latin-1"),
        ("utf-8", "text/plain"),
        ("latin-1", "application/json; charset=ISO-8859-1"),
        ("cp1252", 'application/json; charset="windows-1252"'),
    ],
)
def test_json_is_read_in_the_encoding_that_it_has(
    server: RecordingServer, client: ApiClient, encoding: str, content_type: str
) -> None:
    text = json.dumps({"customerSession": {"integrationId": "Käse"}}, ensure_ascii=False)
    server.script(Response(200, text.encode(encoding), {"Content-Type": content_type}))
    assert READ(client).customer_session.integration_id == "Käse"


def test_a_response_longer_than_its_length_does_not_become_the_next_one(
    server: RecordingServer, client: ApiClient
) -> None:
    body = json.dumps(SESSION).encode()
    smuggled = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    for _ in range(20):
        server.script(Response(200, body + smuggled, {"Content-Length": str(len(body))}))
    for _ in range(20):
        assert READ(client).customer_session.integration_id == "order-1"


# -- Redirects ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("call", [READ, CHECKOUT, CREATE], ids=str)
def test_a_redirect_takes_neither_request_nor_credentials_elsewhere(
    server: RecordingServer,
    stranger: RecordingServer,
    client: ApiClient,
    status: int,
    call: object,
) -> None:
    assert callable(call)
    server.script(Response(status, headers={"Location": f"{stranger.url}/v2/steal"}))
    with pytest.raises(ApiException) as caught:
        call(client)
    assert caught.value.status == status
    assert caught.value.headers is not None
    assert caught.value.headers["Location"] == f"{stranger.url}/v2/steal"
    assert stranger.connections == 0
    assert len(server.requests) == 1


def test_a_redirect_of_the_raw_response_is_not_followed_either(
    server: RecordingServer, stranger: RecordingServer
) -> None:
    server.script(Response(302, headers={"Location": stranger.url}))
    with make_client(server.url) as client:
        raw = READ(client, _preload_content=False)
        assert raw.status == 302
        raw.close()
    assert stranger.connections == 0


@pytest.mark.one_shell("it is urllib3 that stands behind it")
def test_a_redirect_of_the_rest_client_of_the_vendors_packages_is_not_followed_either(
    server: RecordingServer, stranger: RecordingServer
) -> None:
    with make_client(server.url) as client:
        server.script(Response(302, headers={"Location": stranger.url}))
        with pytest.raises(ApiException):
            client.rest_client.request("GET", f"{server.url}/", headers={"Authorization": "x"})
    assert stranger.connections == 0


LENGTHS = [
    *("9" * 20, "9" * 400, "9" * 5000, str(2**31), str(2**63 - 1), str(2**63), str(10**12)),
    *("-1", "-" + "9" * 30, "+5", "5.0", "1e3", "0x10", "1_0", " 1 0", "\u0665", "abc", "", ","),
    *("5,6", "5, 5", "NaN", "\x00"),
]


@pytest.mark.one_shell("aiohttp reads lengths in its own way; see test/aio")
@pytest.mark.parametrize("deadline", [None, 30])
@for_every("length", LENGTHS)
def test_no_odd_length_of_an_response_raises_anything_foreign(
    server: RecordingServer, client: ApiClient, length: str, deadline: float | None
) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: " + length.encode() + b"\r\n\r\n"
    server.default = Response(raw=head + b'{"customerSession": {}}')
    for call in (READ, CREATE):
        with contextlib.suppress(NoResponseError, InvalidResponseError):
            call(client, _deadline=deadline)


@pytest.mark.parametrize("length", ["9" * 20, "9" * 400, str(2**63), str(10**12)])
def test_a_response_shorter_than_its_length_is_retried_if_safe(
    server: RecordingServer, client: ApiClient, shell: Shell, length: str
) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: " + length.encode() + b"\r\n\r\n"
    server.script(Response(raw=head + b'{"a": 1}'), Response(body=SESSION))
    assert CHECKOUT(client) is not None
    assert len(server.requests) == 2
    server.script(Response(raw=head + b'{"a": 1}'))
    with pytest.raises(NoResponseError) as caught:
        CREATE(client)
    if not shell.awaits:
        # aiohttp refuses some of them before it has read the headers.
        assert (caught.value.status, caught.value.raw_data) == (200, b'{"a": 1}')


@pytest.mark.one_shell("aiohttp reads chunks in its own way; see test/aio")
@pytest.mark.parametrize(
    "size", ["f" * 20, "f" * 4000, "-1", "-5", "7" + "f" * 15, "1_0", "0x5", "", " ", "\x00"]
)
def test_no_odd_size_of_a_chunk_raises_anything_foreign(
    server: RecordingServer, client: ApiClient, size: str
) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.default = Response(raw=head + size.encode() + b"\r\n{}\r\n0\r\n\r\n")
    for call in (READ, CREATE):
        with contextlib.suppress(NoResponseError, InvalidResponseError):
            call(client)


def test_an_announced_length_allocates_no_memory(
    server: RecordingServer, client: ApiClient
) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 4000000000\r\n\r\n"
    server.script(Response(raw=head + b"x" * 100))
    tracemalloc.start()
    try:
        with pytest.raises(NoResponseError):
            CREATE(client)
        assert tracemalloc.get_traced_memory()[1] < 20 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.one_shell("in asyncio, test/aio has it")
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("size", [0, 3000, 9000])
def test_an_unsolicited_response_is_never_taken_for_that_of_the_next_call(
    secure: bool, size: int
) -> None:
    body = json.dumps({**SESSION, "padding": "x" * size}).encode()
    stray = json.dumps({"customerSession": {"integrationId": "stray", "p": "y" * size}}).encode()
    extra = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(stray) + stray
    with (
        RecordingServer(server_context() if secure else None) as server,
        make_client(server.url, ca_cert_data=certificate_of("ours")) as client,
    ):
        for _ in range(50):
            # In one piece, which may be one record of TLS.
            server.script(Response(200, body + extra, {"Content-Length": str(len(body))}))
            assert READ(client).customer_session.integration_id == "order-1"
            server.default = Response(body=SESSION)
            # Half of the other response may be on its way still, which costs an attempt.
            assert READ(client).customer_session.integration_id == "order-1"
