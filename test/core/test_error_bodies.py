"""The message and entries of an exception, whether Talon.One or a gateway sent the body."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support.every import for_every
from support.server import RecordingServer, Response
from support.shells import Shell
from talon_one import (
    ApiAttributeError,
    ApiException,
    ApiKeyError,
    Configuration,
    Coupon,
    IntegrationApi,
    InvalidResponseError,
    ManagementApi,
)
from talon_one._core.response import RawResponse

PLAIN = {"Content-Type": "text/plain; charset=utf-8"}
HTML = {"Content-Type": "text/html"}


@pytest.fixture(scope="module")
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


@pytest.fixture
def client(server: RecordingServer, shell: Shell) -> Iterator[Any]:
    keys = {"api_key_v1": "i", "management_key": "m"}
    with shell.new_client(Configuration(host=server.url, api_key=keys, retries=0)) as made:
        yield made


def failure(client: Any, server: RecordingServer, response: Response) -> ApiException:
    server.script(response)
    with pytest.raises(ApiException) as caught:
        IntegrationApi(client).get_customer_session("a")
    return caught.value


@for_every(
    "body, headers, message",
    [
        ({"message": "no such session"}, {}, "no such session"),
        ({"message": "no", "error": "other"}, {}, "no"),
        ({"message": None, "error": "no such session"}, {}, "no such session"),
        ({"error": "denied"}, {}, "denied"),
        ({"error": {"message": "denied"}}, {}, "denied"),
        ({"error_description": "the token is old"}, {}, "the token is old"),
        ({"error": "invalid_token", "error_description": "old"}, {}, "invalid_token: old"),
        ('"rate limit exceeded"', {}, "rate limit exceeded"),
        ("404 page not found\nmore", PLAIN, "404 page not found"),
        ("\n  upstream \t gone  \n", PLAIN, "upstream gone"),
        ("x" * 1000, PLAIN, "x" * 300),
        ("x" * 5000, PLAIN, None),
        ("", PLAIN, None),
        ("<html>no</html>", PLAIN, None),
        ("no such session", HTML, None),
        ("no such session", {}, None),
        ('"<p>no</p>"', {}, None),
        ({"message": 7, "error": [1]}, {}, None),
        ([1], {}, None),
        ("{}", PLAIN, None),
    ],
)
def test_the_message_is_what_the_body_says_in_any_of_the_usual_forms(
    client: Any, server: RecordingServer, body: Any, headers: dict[str, str], message: str | None
) -> None:
    failed = failure(client, server, Response(403, body, headers))
    assert failed.message == message
    assert str(failed) == "getCustomerSession 403 Forbidden" + (f": {message}" if message else "")
    assert pickle.loads(pickle.dumps(failed)).message == message


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://shop.talon.one/v2/x", "https://shop.talon.one/v2/x"),
        ("https://anna:pa55word@shop.talon.one/v2?token=t0ken#a", "https://shop.talon.one/v2"),
        ("/login?next=t0ken", "/login"),
        ("//shop.talon.one/v2", "//shop.talon.one/v2"),
    ],
)
@for_every("status", [301, 302, 303, 307, 308])
def test_a_redirect_says_where_it_leads_and_no_secret(
    client: Any, server: RecordingServer, status: int, location: str, shown: str
) -> None:
    failed = failure(client, server, Response(status, "<html>", {**HTML, "Location": location}))
    assert failed.message == f"redirected to {shown}"
    assert str(failed).endswith(f": redirected to {shown}")
    assert "t0ken" not in str(failed)
    assert "pa55word" not in str(failed)


def test_a_redirect_to_nowhere_says_nothing_of_it(client: Any, server: RecordingServer) -> None:
    for headers in ({}, {"Location": ""}, {"Location": "https://[::1"}):
        failed = failure(client, server, Response(302, {"message": "moved"}, headers))
        assert failed.message == "moved"
    assert failure(client, server, Response(404, "", {"Location": "/x"})).message is None


def test_entries_are_read_as_attributes_and_by_key_whatever_they_lack(
    client: Any, server: RecordingServer
) -> None:
    whole = {"title": "enum", "details": "is not open", "source": {"pointer": "/state"}, "x": 1}
    body = {"message": "no", "errors": [whole, {"title": "alone"}, {}, None, "text"]}
    failed = failure(client, server, Response(400, body))
    first, second, third = failed.errors
    assert first == whole
    assert (first.title, first.details, first.source.pointer, first.x) == (
        "enum",
        "is not open",
        "/state",
        1,
    )
    assert (second.title, second.details, second.source) == ("alone", None, None)
    assert (second["details"], second.get("details"), third["title"]) == (None, None, None)
    with pytest.raises(ApiKeyError):
        print(second["y"])
    with pytest.raises(ApiAttributeError):
        print(second.y)
    assert pickle.loads(pickle.dumps(first)) == first
    assert str(failed).endswith(": no; enum: is not open; alone")


@pytest.mark.parametrize("body", ["", " ", "null", " null\n"])
def test_an_object_that_was_promised_and_is_null_is_as_lost_as_one_that_is_empty(
    client: Any, server: RecordingServer, body: str
) -> None:
    calls: list[Callable[[], object]] = [
        lambda: IntegrationApi(client).update_customer_session_v2("a", {"customerSession": {}}),
        lambda: ManagementApi(client).get_application(1),
        lambda: client.call_api("/x", "GET", response_type="list[Coupon]"),
        lambda: client.call_api("/x", "GET", response_type=Coupon),
    ]
    for call in calls:
        server.script(Response(200, body))
        with pytest.raises(InvalidResponseError, match="OK, but the body is empty") as caught:
            call()
        assert caught.value.raw_data == body.encode()


def test_null_where_any_json_was_promised_is_none(client: Any, server: RecordingServer) -> None:
    for written in (None, "object", "Any", object):
        server.script(Response(200, "null"))
        settings: Any = {"response_type": written, "_return_http_data_only": True}
        assert client.call_api("/x", "GET", **settings) is None


@pytest.mark.one_shell("nothing is called here")
def test_an_exception_made_by_hand_takes_from_a_response_what_is_not_given() -> None:
    response = RawResponse(404, "Not Found", {"X-A": "1"}, b"gone")
    parts = ("status", "reason", "headers", "raw_data", "body")
    found = ApiException(http_resp=response)
    assert [getattr(found, part) for part in parts] == [*response[:4], "gone"]
    given: Any = {"status": 410, "reason": "Gone", "headers": {}, "raw_data": b"b", "body": "text"}
    for part, value in given.items():
        found = ApiException(http_resp=response, **{part: value})
        assert getattr(found, part) == value
        others = [other for other in parts[:4] if other != part]
        expected = [getattr(response, "data" if each == "raw_data" else each) for each in others]
        assert [getattr(found, other) for other in others] == expected
    assert ApiException(http_resp=response, raw_data=b"b").body == "b"
