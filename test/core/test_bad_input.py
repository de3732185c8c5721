"""What cannot be sent is refused before anything is sent, by an exception that says what to do."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import talon_one
from support.every import for_every
from support.server import RecordingServer
from support.shells import Shell
from talon_one import (
    ApiAttributeError,
    ApiClient,
    ApiTypeError,
    ApiValueError,
    CartItem,
    Configuration,
    ConfigurationError,
    IntegrationApi,
    IntegrationRequest,
    ManagementApi,
    ModelValidationError,
    NewCustomerSessionV2,
)

Call = Callable[[Any, Any], Any]


@pytest.fixture(scope="module")
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


@pytest.fixture
def client(server: RecordingServer, shell: Shell) -> Iterator[ApiClient]:
    keys = {"api_key_v1": "i", "management_key": "m"}
    with shell.new_client(Configuration(host=server.url, api_key=keys)) as made:
        yield made


def session(**properties: Any) -> IntegrationRequest:
    return IntegrationRequest(customer_session=NewCustomerSessionV2(**properties))


CASES: dict[str, tuple[Call, type[Exception], str]] = {
    "an empty path ID": (
        lambda i, m: i.get_customer_session(""),
        ApiValueError,
        "customer_session_id must not be empty",
    ),
    "a path ID of dots": (
        lambda i, m: i.get_customer_session(".."),
        ApiValueError,
        r"customer_session_id must not be '\.\.'",
    ),
    "a path ID of None": (
        lambda i, m: i.get_customer_session(None),
        ApiValueError,
        "getCustomerSession needs 'customer_session_id'",
    ),
    "a path ID that is an object": (
        lambda i, m: i.get_customer_session({"id": 1}),
        ModelValidationError,
        "customer_session_id must be text, not dict",
    ),
    "a path ID with half a character": (
        lambda i, m: i.get_customer_session("\ud83d"),
        ApiValueError,
        "no valid Unicode text",
    ),
    "a line break in a header parameter": (
        lambda i, m: i.update_customer_session_v2("a", session(), idempotency_key="a\r\nX: 1"),
        ApiValueError,
        "line break",
    ),
    "a header parameter that is too long": (
        lambda i, m: i.update_customer_session_v2("a", session(), idempotency_key="k" * 256),
        ModelValidationError,
        "at most 255 characters",
    ),
    "a line break in an own header": (
        lambda i, m: i.get_customer_session("a", _headers={"X-Shop": "1\n2"}),
        ApiValueError,
        "'X-Shop' holds a line break",
    ),
    "a character that headers cannot carry": (
        lambda i, m: i.get_customer_session("a", _headers={"X-Shop": "Łódź"}),
        ApiValueError,
        "non-Latin-1",
    ),
    "an unknown keyword": (
        lambda i, m: i.get_customer_session("a", dri=True),
        ApiTypeError,
        "getCustomerSession has no parameter 'dri'",
    ),
    "a mistyped keyword": (
        lambda i, m: i.update_customer_session_v2("a", session(), dryy=True),
        ApiTypeError,
        "Did you mean 'dry'",
    ),
    "an unknown setting of the call": (
        lambda i, m: i.get_customer_session("a", _request_timeot=1),
        ApiTypeError,
        "no parameter '_request_timeot'",
    ),
    "a missing body": (
        lambda i, m: i.update_customer_session_v2("a"),
        ApiValueError,
        "updateCustomerSessionV2 needs 'body'",
    ),
    "too many positional arguments": (
        lambda i, m: i.get_customer_session("a", "b"),
        ApiTypeError,
        "takes 1 positional arguments",
    ),
    "an argument given twice": (
        lambda i, m: i.get_customer_session("a", customer_session_id="b"),
        ApiTypeError,
        "got 'customer_session_id' twice",
    ),
    "the body given twice": (
        lambda i, m: i.update_customer_session_v2("a", {}, integration_request={}),
        ApiTypeError,
        "got 'body' twice",
    ),
    "a body of the wrong kind": (
        lambda i, m: i.update_customer_session_v2("a", "{}"),
        ApiTypeError,
        "is IntegrationRequest or a dict of wire names, not str",
    ),
    "a model of the wrong class": (
        lambda i, m: i.update_customer_session_v2("a", CartItem(sku="A", quantity=1)),
        ApiTypeError,
        "takes IntegrationRequest, not CartItem",
    ),
    "a nested model of the wrong class": (
        lambda i, m: i.update_customer_session_v2(
            "a", {"customerSession": CartItem(sku="A", quantity=1)}
        ),
        ModelValidationError,
        r"\$\.customerSession must be NewCustomerSessionV2 or a dict, not CartItem",
    ),
    "all violations of a body together": (
        lambda i, m: i.update_customer_session_v2(
            "a", session(state="opn", cart_items=[CartItem(sku="", quantity=0)])
        ),
        ModelValidationError,
        r"3 violations: .*\.state.*\.cartItems\[0\]\.sku.*\.cartItems\[0\]\.quantity",
    ),
    "a naive datetime in a free-form place": (
        lambda i, m: i.update_customer_session_v2(
            "a", session(attributes={"since": datetime(2026, 1, 1)})
        ),
        ModelValidationError,
        r"\$\.customerSession\.attributes\.since must have a time zone",
    ),
    "a naive datetime in the query": (
        lambda i, m: i.update_customer_session_v2("a", session(), now=datetime(2026, 1, 1)),
        ModelValidationError,
        "must have a time zone",
    ),
    "a timestamp without time zone as text": (
        lambda i, m: i.update_customer_session_v2("a", session(), now="2026-01-01T00:00:00"),
        ModelValidationError,
        "now must have a time zone at its end, such as Z",
    ),
    "a dict of Python names": (
        lambda i, m: i.update_customer_session_v2("a", {"customer_session": {}}),
        ModelValidationError,
        r"\$\.customer_session is a Python name; in a dict it is 'customerSession'",
    ),
    "a dict of Python names inside a model": (
        lambda i, m: i.update_customer_session_v2(
            "a", IntegrationRequest.from_json('{"customerSession": {"profile_id": "anna"}}')
        ),
        ModelValidationError,
        r"\$\.customerSession\.profile_id is a Python name; in a dict it is 'profileId'",
    ),
    "text where an ID is a number": (
        lambda i, m: m.get_application("seven"),
        ModelValidationError,
        "application_id must be an integer, not str",
    ),
    "a setting of the call without its prefix": (
        lambda i, m: i.get_customer_session("a", timeout=3),
        ApiTypeError,
        "Did you mean '_request_timeout'",
    ),
    "headers that are none": (
        lambda i, m: i.get_customer_session("a", _headers=["X-Shop"]),
        ApiTypeError,
        "_headers is a dict, such as",
    ),
    "a credential of the call that is none": (
        lambda i, m: i.get_customer_session("a", _request_auth="ApiKey-v1 k"),
        ApiTypeError,
        "_request_auth is a dict, such as",
    ),
    "half a credential of the call": (
        lambda i, m: i.get_customer_session("a", _request_auth={"value": "k"}),
        ApiTypeError,
        "_request_auth lacks the entry 'key'",
    ),
    "NaN": (
        lambda i, m: i.update_customer_session_v2(
            "a", session(cart_items=[CartItem(sku="A", quantity=1, price=math.nan)])
        ),
        ModelValidationError,
        r"\.price must be a finite number",
    ),
    "infinity in a free-form place": (
        lambda i, m: i.update_customer_session_v2("a", session(attributes={"x": [math.inf]})),
        ModelValidationError,
        r"\.attributes\.x\[0\] must be a finite number",
    ),
    "a value that JSON does not have": (
        lambda i, m: i.update_customer_session_v2("a", session(attributes={"x": object()})),
        ApiTypeError,
        r"object cannot be written as JSON at \$\.customerSession\.attributes\.x",
    ),
    "a query value out of range": (
        lambda i, m: m.get_applications(page_size=0),
        ModelValidationError,
        "page_size must be at least 1, not 0",
    ),
    "a query value outside its enumeration": (
        lambda i, m: m.export_coupons(1, date_format="roman"),
        ModelValidationError,
        "must be one of 'excel', 'ISO8601', not 'roman'",
    ),
    "a file that is not there": (
        lambda i, m: m.import_coupons(1, 2, "no/such/file.csv"),
        ApiValueError,
        "cannot read the file to upload: .*no/such/file.csv",
    ),
    "no file": (
        lambda i, m: m.import_coupons(1, 2),
        ApiValueError,
        "importCoupons needs 'up_file'",
    ),
    "a file that is none": (
        lambda i, m: m.import_coupons(1, 2, 3.5),
        ApiTypeError,
        "a file to upload is a path, bytes, an open file or an iterable of bytes, not float",
    ),
    "a timeout that is none": (
        lambda i, m: i.get_customer_session("a", _request_timeout="soon"),
        ApiTypeError,
        "a timeout is a number of seconds",
    ),
    "a timeout of nothing": (
        lambda i, m: i.get_customer_session("a", _request_timeout=0),
        ApiTypeError,
        "above 0",
    ),
}


@for_every("case", CASES)
def test_bad_input_is_refused_before_anything_is_sent(
    case: str, client: ApiClient, server: RecordingServer
) -> None:
    call, expected, advice = CASES[case]
    with pytest.raises(expected, match=advice) as caught:
        call(IntegrationApi(client), ManagementApi(client))
    assert isinstance(caught.value, talon_one.OpenApiException)
    assert server.requests == []


@pytest.mark.parametrize(
    "host", ["", "yourshop.talon.one", "https://yourbaseurl.talon.one", "https://a.talon.one/v1"]
)
def test_a_bad_host_is_refused_when_the_first_call_is_made(host: str, shell: Shell) -> None:
    configuration = Configuration(host=host, api_key={"api_key_v1": "k"})
    api = IntegrationApi(shell.new_client(configuration))
    with pytest.raises(ConfigurationError, match="host"):
        api.get_customer_session("a")


@pytest.mark.parametrize("key", ["a\nb", "a\r\nX-Evil: 1", "\x00"])
def test_a_key_with_a_line_break_is_refused_without_being_shown(
    key: str, server: RecordingServer, shell: Shell
) -> None:
    configuration = Configuration(host=server.url, api_key={"api_key_v1": f"sesame{key}"})
    api = IntegrationApi(shell.new_client(configuration))
    with pytest.raises(ApiValueError, match="Authorization") as caught:
        api.get_customer_session("a")
    assert "sesame" not in str(caught.value)
    assert server.requests == []


def test_a_default_header_with_a_line_break_is_refused_when_it_is_set(client: ApiClient) -> None:
    with pytest.raises(ApiValueError, match="line break"):
        client.set_default_header("X-Shop", "a\nb")


def test_checking_can_be_switched_off_for_what_a_newer_server_understands(
    client: ApiClient, server: RecordingServer
) -> None:
    client.configuration.client_side_validation = False
    IntegrationApi(client).update_customer_session_v2("a", session(state="suspended"))
    assert server.last.json() == {"customerSession": {"state": "suspended"}}
    server.requests.clear()


def test_an_api_refuses_a_configuration_in_the_place_of_a_client() -> None:
    with pytest.raises(ApiTypeError, match=r"use ApiClient\(configuration\)"):
        IntegrationApi(Configuration())  # type: ignore[arg-type]  # the mistake that is meant


@pytest.mark.parametrize("client", ["https://a.talon.one", {"host": "https://a.talon.one"}, 7])
def test_an_api_refuses_anything_else_in_the_place_of_a_client(client: Any) -> None:
    with pytest.raises(ApiTypeError, match="or the keywords host and api_key, not"):
        IntegrationApi(client)


def test_a_number_may_be_given_as_text_in_paths_and_queries(
    client: ApiClient, server: RecordingServer
) -> None:
    ManagementApi(client).get_campaigns("7", page_size="50")  # type: ignore[arg-type]  # text
    assert server.last.target == "/v1/applications/7/campaigns?pageSize=50"
    server.requests.clear()


def test_a_name_in_the_convention_of_the_api_leads_to_the_method(client: ApiClient) -> None:
    api: Any = IntegrationApi(client)
    with pytest.raises(ApiAttributeError, match="Did you mean 'update_customer_session_v2'"):
        print(api.updateCustomerSessionV2)


def test_an_api_refuses_a_client_together_with_a_host(client: ApiClient) -> None:
    with pytest.raises(ApiTypeError, match="give either"):
        IntegrationApi(client, host="https://a.talon.one")


def test_a_file_that_cannot_be_read_is_refused(
    tmp_path: Path, client: ApiClient, server: RecordingServer
) -> None:
    with pytest.raises(ApiValueError, match="cannot read the file"):
        ManagementApi(client).import_coupons(1, 2, tmp_path)
    assert server.requests == []


@pytest.mark.parametrize("query", [{1: "a"}, {None: "a"}, [(b"a", "b")]])
def test_names_in_a_query_called_by_hand_are_text(client: ApiClient, query: Any) -> None:
    with pytest.raises(ApiTypeError, match="names of query_params are text"):
        client.call_api("/v1/x", "GET", query_params=query)
