"""Answers that are odd, wrong or a trap, over connections that work."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from support.calls import CHECKOUT, CREATE, READ, make_client
from support.server import Answer, RecordingServer
from support.shells import Shell
from talon_one import ApiClient, ApiException, NoAnswerError, UndecodableAnswerError

SESSION = {"customerSession": {"integrationId": "order-1"}}


@pytest.fixture
def stranger() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


def test_an_answer_that_comes_byte_by_byte_is_complete(
    server: RecordingServer, client: ApiClient
) -> None:
    server.script(Answer(body=SESSION, pace=0))
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
def test_announcements_of_an_answer_are_passed_over(
    server: RecordingServer, client: ApiClient, announcement: bytes
) -> None:
    server.script(Answer(body=SESSION, before=announcement))
    assert READ(client).customer_session.integration_id == "order-1"
    READ(client)
    assert server.connections == 1


def test_a_server_that_announces_for_ever_is_not_listened_to_for_ever(
    server: RecordingServer, client: ApiClient
) -> None:
    server.script(Answer(before=b"HTTP/1.1 102 Processing\r\n\r\n" * 1000, body=SESSION))
    with pytest.raises(NoAnswerError, match="again and again"):
        CREATE(client)


# -- Not JSON ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(200, "<html>Sign in</html>", {"Content-Type": "text/html"}), r"\(text/html\)"),
        (Answer(200, b"", {"Content-Type": "application/json"}), "empty"),
        (Answer(200, b'{"customerSession": ', {}), r"not JSON \(no content type\)"),
        (Answer(200, '{"a": "ü"}'.encode("latin-1"), {}), "not JSON"),
        (
            Answer(200, '{"a": "ü"}'.encode("latin-1"), {"Content-Type": "a/b; charset=utf-8"}),
            "not JSON",
        ),
        (Answer(200, b'{"a": "\xfc"}', {"Content-Type": "a/b; charset=klingon"}), "klingon"),
    ],
)
def test_a_success_that_cannot_be_read_is_told_with_its_bytes_and_not_repeated(
    server: RecordingServer, client: ApiClient, answer: Answer, said: str
) -> None:
    server.script(answer)
    with pytest.raises(UndecodableAnswerError, match=said) as caught:
        # It was carried out, key or not.
        CHECKOUT(client)
    assert caught.value.status == 200
    sent = answer.body if isinstance(answer.body, bytes) else answer.body.encode()
    assert caught.value.raw_data == sent
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(200, b'{"a": 1} and so on', {"Content-Length": "3"}), "not JSON"),
        (Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Ty"), "empty"),
    ],
    ids=["longer than it says", "ends in its headers"],
)
def test_an_answer_whose_end_is_not_where_it_should_be_is_told(
    server: RecordingServer, client: ApiClient, shell: Shell, answer: Answer, said: str
) -> None:
    server.script(answer)
    if shell.awaits:
        # aiohttp does not take it for an answer.
        with pytest.raises(NoAnswerError):
            CREATE(client)
    else:
        with pytest.raises(UndecodableAnswerError, match=said) as caught:
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
    server.script(Answer(200, text.encode(encoding), {"Content-Type": content_type}))
    assert READ(client).customer_session.integration_id == "Käse"


def test_an_answer_that_is_longer_than_it_says_does_not_become_the_next_one(
    server: RecordingServer, client: ApiClient
) -> None:
    body = json.dumps(SESSION).encode()
    smuggled = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    for _ in range(20):
        server.script(Answer(200, body + smuggled, {"Content-Length": str(len(body))}))
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
    server.script(Answer(status, headers={"Location": f"{stranger.url}/v2/steal"}))
    with pytest.raises(ApiException) as caught:
        call(client)
    assert caught.value.status == status
    assert caught.value.headers is not None
    assert caught.value.headers["Location"] == f"{stranger.url}/v2/steal"
    assert stranger.connections == 0
    assert len(server.requests) == 1


def test_a_redirect_of_the_raw_answer_is_not_followed_either(
    server: RecordingServer, stranger: RecordingServer
) -> None:
    server.script(Answer(302, headers={"Location": stranger.url}))
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
        server.script(Answer(302, headers={"Location": stranger.url}))
        with pytest.raises(ApiException):
            client.rest_client.request("GET", f"{server.url}/", headers={"Authorization": "x"})
    assert stranger.connections == 0
