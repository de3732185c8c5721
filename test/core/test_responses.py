"""What comes back becomes an object, or one exception that carries all there is to know."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
import urllib3

import talon_one
from support.every import for_every
from support.server import HANG_UP, RecordingServer, Response
from support.shells import Shell
from talon_one import (
    ApiClient,
    ApiException,
    ApiResponse,
    Configuration,
    IntegrationApi,
    IntegrationStateV2,
    InvalidResponseError,
    ManagementApi,
    NoResponseError,
    NotSentError,
)
from talon_one._core.response import RawResponse, content_length, decode, text

SESSION = {"customerSession": {"state": "open"}}


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


@pytest.fixture
def client(server: RecordingServer, shell: Shell) -> Iterator[ApiClient]:
    keys = {"api_key_v1": "sesame-i", "management_key": "sesame-m"}
    # Each response is looked at by itself; retries have tests of their own.
    with shell.new_client(Configuration(host=server.url, api_key=keys, retries=0)) as made:
        yield made


@pytest.fixture
def api(client: ApiClient) -> IntegrationApi:
    return IntegrationApi(client)


@for_every(
    "response, explained",
    [
        (Response(200, "<html>Welcome</html>", {"Content-Type": "text/html"}), "text/html"),
        (Response(200, '{"effects": [', {"Content-Type": "application/json"}), "not JSON"),
        (Response(200, "", {"Content-Type": "application/json"}), "empty"),
        (Response(200, "  \n"), "empty"),
        (
            Response(200, '{"a": "ü"}'.encode("latin-1"), {"Content-Type": "application/json"}),
            "not JSON",
        ),
        (
            Response(200, b'{"a": "\xfc"}', {"Content-Type": "application/json; charset=klingon"}),
            "unknown encoding",
        ),
    ],
)
def test_a_success_that_is_not_the_json_promised_keeps_what_was_received(
    api: IntegrationApi, server: RecordingServer, response: Response, explained: str
) -> None:
    server.script(response)
    with pytest.raises(InvalidResponseError, match=explained) as caught:
        api.update_customer_session_v2("order-1", SESSION)
    error = caught.value
    body = response.body if isinstance(response.body, bytes) else response.body.encode()
    assert error.status == 200
    assert error.raw_data == body
    assert error.headers is not None
    assert error.headers["content-length"] == str(len(body))
    assert error.operation_id == "updateCustomerSessionV2"


def test_a_response_that_breaks_off_keeps_its_status_and_what_arrived(
    api: IntegrationApi, server: RecordingServer
) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    server.script(Response(raw=head + b'{"effects": ['))
    with pytest.raises(NoResponseError, match="broke off") as caught:
        api.update_customer_session_v2("order-1", SESSION)
    assert caught.value.status == 200
    assert caught.value.raw_data == b'{"effects": ['
    assert caught.value.headers is not None
    assert caught.value.headers["content-type"] == "application/json"


def test_a_declared_charset_is_honoured_where_the_body_is_not_utf_8(
    api: IntegrationApi, server: RecordingServer
) -> None:
    body = '{"ruleName": "grün"}'.encode("latin-1")
    server.script(Response(200, body, {"Content-Type": "application/json; charset=ISO-8859-1"}))
    state = api.update_customer_session_v2("order-1", SESSION)
    assert state.additional_properties == {"ruleName": "grün"}


@for_every(
    "body",
    [
        {},
        {"effects": None},
        {"effects": [None, 1, "x", [], {"props": None}]},
        {"effects": {"0": {}}},
        {"customerSession": "closed", "unheard": {"of": [1]}},
        {"customerSession": {"cartItems": [[{"sku": 1}]], "created": 5, "state": "frozen"}},
        [],
        [{"effects": []}],
        "text",
        17,
    ],
)
def test_json_of_an_unexpected_shape_is_handed_over_whole(
    api: IntegrationApi, client: ApiClient, server: RecordingServer, body: Any
) -> None:
    server.script(Response(200, json.dumps(body)))
    state: Any = api.update_customer_session_v2("order-1", SESSION)
    if isinstance(body, dict):
        assert isinstance(state, IntegrationStateV2)
        repr([getattr(state, name) for name in state.attribute_map])
    assert client.sanitize_for_serialization(state) == body


def test_an_empty_response_is_none_where_one_may_be_expected(
    api: IntegrationApi, server: RecordingServer
) -> None:
    server.script(Response(204), Response(204))
    assert api.delete_customer_data("a") is None
    assert api.update_customer_profiles_v2({"customerProfiles": []}) is None


@pytest.mark.parametrize("status", [200, 202, 299])
def test_an_unexpected_success_status_is_decoded_all_the_same(
    api: IntegrationApi, server: RecordingServer, status: int
) -> None:
    server.script(Response(status, {"effects": []}))
    assert api.update_customer_session_v2("a", SESSION) == IntegrationStateV2.from_dict(
        {"effects": []}
    )


@pytest.mark.parametrize(("status", "succeeds"), [(201, True), (299, True), (300, False)])
def test_every_2xx_is_a_success_and_nothing_else_is(
    api: IntegrationApi, server: RecordingServer, status: int, succeeds: bool
) -> None:
    server.script(Response(status, {"effects": []}))
    if succeeds:
        response = api.update_customer_session_v2("a", SESSION)
        assert response == IntegrationStateV2.from_dict({"effects": []})
    else:
        with pytest.raises(ApiException) as caught:
            api.update_customer_session_v2("a", SESSION)
        assert caught.value.status == status


def test_csv_comes_as_text_without_a_byte_order_mark(
    client: ApiClient, server: RecordingServer
) -> None:
    csv = {"Content-Type": "application/csv"}
    server.script(Response(200, "\ufeffcode\nÄ-1\n", csv), Response(200, "", csv))
    management = ManagementApi(client)
    assert management.export_coupons(1) == "code\nÄ-1\n"
    assert management.export_coupons(1) == ""
    assert server.last.headers["Accept"] == "application/csv, application/json"


ERROR = {
    "message": "The submitted data was invalid",
    "errors": [{"title": "enum", "details": "state must be open", "source": {"pointer": "/state"}}],
    "StatusCode": 400,
}


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/csv"])
@for_every(
    "status, name",
    [
        (400, "BadRequestException"),
        (401, "UnauthorizedException"),
        (403, "ForbiddenException"),
        (404, "NotFoundException"),
        (409, "ConflictException"),
        (418, "ApiException"),
        (422, "UnprocessableEntityException"),
        (429, "TooManyRequestsException"),
        (500, "ServiceException"),
        (503, "ServiceException"),
    ],
)
def test_an_error_response_is_an_exception_of_its_status_with_the_decoded_body(
    api: IntegrationApi, server: RecordingServer, status: int, name: str, content_type: str
) -> None:
    server.script(Response(status, ERROR, {"Content-Type": content_type}))
    with pytest.raises(ApiException) as caught:
        api.update_customer_session_v2("order-1", SESSION, dry=True)
    error = caught.value
    assert type(error) is getattr(talon_one, name)
    assert error.status == status
    assert error.data.to_wire() == ERROR
    assert error.message == ERROR["message"]
    assert error.errors == ERROR["errors"]
    assert error.body is not None
    assert "invalid" in error.body
    assert error.url == f"{server.url}/v2/customer_sessions/order-1"
    assert error.method == "PUT"
    assert str(error).startswith(f"updateCustomerSessionV2 {status} ")
    assert str(error).endswith(": The submitted data was invalid; enum: state must be open")
    assert "\n" not in str(error)


@for_every("body", ["<html>no</html>", "", b"\xff\xfe\x00", "[1]", "null", "{}"])
def test_an_error_response_with_any_body_is_still_an_exception_of_its_status(
    api: IntegrationApi, server: RecordingServer, body: str | bytes
) -> None:
    server.script(Response(404, body))
    with pytest.raises(talon_one.NotFoundException) as caught:
        api.get_customer_session("a")
    assert caught.value.message is None
    assert caught.value.errors == []
    assert str(caught.value) == "getCustomerSession 404 Not Found"
    raw = body if isinstance(body, bytes) else body.encode()
    assert caught.value.raw_data == raw


@for_every(
    "headers, body, expected",
    [
        ({"X-Request-Id": "a"}, {"RequestUUID": "b"}, "a"),
        ({"x-request-id": "a"}, "<html>", "a"),
        ({"X-Correlation-Id": "a"}, {"RequestUUID": "b"}, "a"),
        ({"Request-Id": "a"}, {"RequestUUID": "b"}, "a"),
        ({"X-Amzn-Trace-Id": "a"}, {"RequestUUID": "b"}, "a"),
        ({"X-Request-Id": ""}, {"RequestUUID": "b"}, "b"),
        ({}, {"RequestUUID": "b"}, "b"),
        ({}, {"RequestUUID": 1}, None),
        ({}, ["RequestUUID"], None),
        ({}, "", None),
    ],
)
def test_an_error_has_the_id_of_its_request_if_there_is_one(
    api: IntegrationApi,
    server: RecordingServer,
    headers: dict[str, str],
    body: Any,
    expected: str | None,
) -> None:
    server.script(Response(404, body, headers))
    with pytest.raises(talon_one.NotFoundException) as caught:
        api.get_customer_session("a")
    assert caught.value.request_id == expected
    # Without a response, there are no headers.
    assert ApiException().request_id is None
    assert ApiException().retry_after is None


@pytest.mark.parametrize("status", [300, 399, 600])
def test_every_other_status_is_a_failure(
    api: IntegrationApi, server: RecordingServer, status: int
) -> None:
    server.script(Response(status, {"effects": []}))
    with pytest.raises(ApiException) as caught:
        api.update_customer_session_v2("a", SESSION)
    assert caught.value.status == status


def test_a_redirect_is_not_followed(api: IntegrationApi, server: RecordingServer) -> None:
    server.script(Response(302, "", {"Location": "http://127.0.0.2/elsewhere"}))
    with pytest.raises(ApiException) as caught:
        api.get_customer_session("a")
    assert caught.value.status == 302
    assert caught.value.headers is not None
    assert caught.value.headers["location"] == "http://127.0.0.2/elsewhere"
    assert len(server.requests) == 1


def test_a_server_that_hangs_up_may_have_seen_the_request(
    api: IntegrationApi, server: RecordingServer, shell: Shell
) -> None:
    server.script(HANG_UP)
    with pytest.raises(NoResponseError) as caught:
        api.update_customer_session_v2("order-1", SESSION)
    assert len(server.requests) == 1
    assert caught.value.status is None
    below = aiohttp.ClientError if shell.awaits else urllib3.exceptions.HTTPError
    assert isinstance(caught.value.__cause__, below)


def test_a_server_that_is_not_there_has_not_seen_the_request(shell: Shell) -> None:
    with RecordingServer() as server:
        url = server.url
    with (
        shell.new_client(Configuration(host=url, api_key={"api_key_v1": "k"})) as client,
        pytest.raises(NotSentError, match="refused") as caught,
    ):
        IntegrationApi(client).get_customer_session("a", _retries=0)
    assert isinstance(caught.value, ApiException)
    assert caught.value.url == f"{url}/v2/customer_sessions/a"


def test_a_name_that_does_not_resolve_has_not_seen_the_request(shell: Shell) -> None:
    configuration = Configuration(host="https://shop.invalid", api_key={"api_key_v1": "k"})
    with shell.new_client(configuration) as client, pytest.raises(NotSentError):
        IntegrationApi(client).get_customer_session("a", _request_timeout=5)


def test_every_failure_survives_pickling_and_copying(
    api: IntegrationApi, server: RecordingServer
) -> None:
    failures: list[talon_one.OpenApiException] = [
        talon_one.ApiTypeError("no", ["a", 0]),
        talon_one.ApiKeyError("no"),
        talon_one.ConfigurationError("no"),
    ]
    server.script(Response(400, ERROR), Response(200, "<html>"), HANG_UP)
    for _ in range(3):
        with pytest.raises(ApiException) as caught:
            api.get_customer_session("a")
        failures.append(caught.value)
    with pytest.raises(talon_one.ModelValidationError) as invalid:
        talon_one.CartItem.from_dict({}).validate()
    failures.append(invalid.value)
    for failure in failures:
        for twin in (pickle.loads(pickle.dumps(failure)), copy.copy(failure)):
            assert type(twin) is type(failure)
            assert str(twin) == str(failure)
            assert vars(twin).keys() == vars(failure).keys()
            assert "sesame" not in repr(vars(twin)) + str(twin) + repr(twin)


def test_the_variant_with_http_info_returns_status_and_headers(
    api: IntegrationApi, server: RecordingServer
) -> None:
    server.script(Response(200, {"effects": []}, {"X-Request": "r1"}))
    response = api.update_customer_session_v2_with_http_info("a", SESSION)
    assert isinstance(response, ApiResponse)
    data, status, headers = response
    assert data is response.data
    assert isinstance(data, IntegrationStateV2)
    assert (status, response.status_code) == (200, 200)
    assert headers["x-request"] == response.headers["X-Request"] == "r1"
    assert response.raw_data == b'{"effects": []}'


def test_the_legacy_keyword_decides_what_the_variant_returns(
    api: IntegrationApi, server: RecordingServer
) -> None:
    server.script({"effects": []})
    only: Any = api.update_customer_session_v2_with_http_info(
        "a",
        SESSION,
        _return_http_data_only=True,  # type: ignore[call-arg]
    )
    assert isinstance(only, IntegrationStateV2)


def test_the_raw_response_is_left_to_be_read(api: IntegrationApi, server: RecordingServer) -> None:
    server.script(Response(404, "raw"), Response(200, "raw"))
    refused = api.get_customer_session_without_preload_content("a")
    assert (refused.status, refused.read()) == (404, b"raw")
    untyped: Any = api  # The keyword changes what comes back, so type checkers refuse it.
    again = untyped.get_customer_session("a", _preload_content=False)
    assert (again.status, again.read()) == (200, b"raw")


@pytest.mark.parametrize("way", ["close", "forget", "read"])
def test_a_raw_response_gives_its_connection_back_however_it_ends(
    server: RecordingServer, shell: Shell, way: str
) -> None:
    configuration = Configuration(host=server.url, api_key={"api_key_v1": "i"}, retries=0)
    configuration.connection_pool_maxsize = 1
    server.default = Response(200, "{}")
    with shell.new_client(configuration) as client:
        api = IntegrationApi(client)
        for _ in range(3):
            raw = api.get_customer_session_without_preload_content("a")
            if way == "close":
                raw.close()
            elif way == "read":
                raw.read()
            del raw
        api.get_customer_session("a", _request_timeout=0.5)


@pytest.mark.one_shell("coroutines need no thread")
def test_an_asynchronous_call_returns_a_handle(
    api: IntegrationApi, server: RecordingServer
) -> None:
    server.script(Response(200, {"effects": []}), Response(404, ERROR))
    untyped: Any = api  # The keyword changes what comes back, so type checkers refuse it.
    handle = untyped.update_customer_session_v2("a", SESSION, async_req=True)
    assert handle.get() == IntegrationStateV2.from_dict({"effects": []})
    failing = untyped.get_customer_session("a", async_req=True)
    with pytest.raises(talon_one.NotFoundException):
        failing.get()


@pytest.mark.one_shell("nothing is called here")
@pytest.mark.parametrize(
    "written", ["charset=cp1252", 'charset="cp1252"; x=y', "CHARSET='cp1252'", "charset= cp1252 "]
)
def test_a_charset_is_read_in_every_spelling(written: str) -> None:
    def received(data: bytes) -> RawResponse:
        return RawResponse(200, None, {"Content-Type": f"text/plain; {written}"}, data)

    assert decode(received(b'{"a": "\x80"}')) == {"a": "€"}
    assert text(received(b"\x80")) == "€"
    # What is UTF-8 is read as that, whatever a server declares.
    assert text(received(b"\xef\xbb\xbf\xe2\x82\xac")) == "€"
    assert text(RawResponse(200, None, {}, b"\x80")) == "\x80"


@pytest.mark.one_shell("nothing is called here")
@pytest.mark.parametrize(
    ("written", "length"),
    [
        *(("0", 0), (" 12 ", 12), ("9" * 18, 10**18 - 1), ("9" * 19, None)),
        *(("-1", None), ("1.0", None), ("²", None), ("", None), (None, None)),
    ],
)
def test_a_length_is_a_plausible_number_of_bytes(written: str | None, length: int | None) -> None:
    headers = {} if written is None else {"Content-Length": written}
    assert content_length(headers) == length


@pytest.mark.one_shell("nothing is called here")
@pytest.mark.parametrize("charset", ["utf-8", "utf8", "", "klingon"])
def test_a_body_that_no_charset_can_read_is_not_json(charset: str) -> None:
    headers = {"Content-Type": f"application/json; charset={charset}"}
    with pytest.raises(ValueError, match=r"codec can't decode|unknown encoding"):
        decode(RawResponse(200, None, headers, b'{"a": "\xfc"}'))
