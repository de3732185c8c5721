"""ApiClient: what arrives at the server, and what the vendor's packages offer on a client."""

from __future__ import annotations

import io
import tempfile
import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from urllib3.filepost import encode_multipart_formdata

import talon_one
from support.every import for_every
from support.server import RecordingServer, Response
from support.shells import Shell
from talon_one import (
    ApiClient,
    ApiTypeError,
    ApiValueError,
    Configuration,
    Coupon,
    IntegrationApi,
    ManagementApi,
    SetDiscountEffectProps,
)

KEYS = {"api_key_v1": "i", "management_key": "m"}
COUPON = Coupon.from_dict({"id": 1})


@pytest.fixture(scope="module")
def shared_server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


@pytest.fixture
def server(shared_server: RecordingServer) -> RecordingServer:
    shared_server.requests.clear()
    return shared_server


@pytest.fixture
def client(server: RecordingServer, shell: Shell) -> Iterator[ApiClient]:
    with shell.new_client(Configuration(host=server.url, api_key=KEYS)) as made:
        yield made


# -- IDs ---------------------------------------------------------------------------------------


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
@example("a/b")
@example("100%")
@example("..%2F")
@example("../../v1/secrets")
@example("what?#anchor")
@example("a b+c")
@example("Füße 🎉")
@example("%2e%2e")
@example("..;")
@example("\x00\r\n")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_an_id_arrives_exactly_as_given(
    client: ApiClient, server: RecordingServer, session_id: str
) -> None:
    if not session_id.strip("."):
        with pytest.raises(ApiValueError):
            IntegrationApi(client).get_customer_session(session_id)
        return
    IntegrationApi(client).get_customer_session(session_id)
    prefix, _, segment = server.last.target.rpartition("/")
    assert prefix == "/v2/customer_sessions"
    assert unquote(segment, errors="strict") == session_id


def test_characters_may_be_declared_safe_in_paths(
    client: ApiClient, server: RecordingServer
) -> None:
    client.configuration.safe_chars_for_path_param = ":"
    IntegrationApi(client).get_customer_session("a:b/c")
    assert server.last.path == "/v2/customer_sessions/a:b%2Fc"


# -- Queries -----------------------------------------------------------------------------------


def test_values_of_the_query_are_written_the_way_the_platform_reads_them(
    client: ApiClient, server: RecordingServer
) -> None:
    moment = datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2)))
    IntegrationApi(client).update_customer_session_v2(
        "a", {"customerSession": {}}, dry=False, now=moment
    )
    assert server.last.query == "dry=false&now=2026-01-02T03%3A00%3A00%2B02%3A00"


def test_a_format_of_dates_may_be_configured_for_the_query(
    client: ApiClient, server: RecordingServer
) -> None:
    client.configuration.datetime_format = "%Y-%m-%d"
    IntegrationApi(client).update_customer_session_v2(
        "a", {"customerSession": {}}, now=datetime(2026, 1, 2, tzinfo=timezone.utc)
    )
    assert server.last.query == "now=2026-01-02"


def test_text_passes_where_the_query_wants_a_timestamp(
    client: ApiClient, server: RecordingServer
) -> None:
    IntegrationApi(client).update_customer_session_v2(
        "a",
        {"customerSession": {}},
        now="2026-01-02T00:00:00Z",  # type: ignore[arg-type]  # text that the server reads
    )
    assert server.last.query == "now=2026-01-02T00%3A00%3A00Z"


# -- Headers and options -----------------------------------------------------------------------


def test_headers_of_client_call_and_operation_all_arrive(
    client: ApiClient, server: RecordingServer
) -> None:
    client.set_default_header("X-Shop", "berlin")
    client.user_agent = "shop/1.0"
    IntegrationApi(client).update_customer_session_v2(
        "a", {"customerSession": {}}, idempotency_key="key-1", _headers={"X-Call": "1"}
    )
    headers = server.last.headers
    assert headers["X-Shop"] == "berlin"
    assert headers["User-Agent"] == "shop/1.0"
    assert headers["Idempotency-Key"] == "key-1"
    assert headers["X-Call"] == "1"
    assert headers["Authorization"] == "ApiKey-v1 i"
    assert headers["Content-Type"] == "application/json"
    assert headers["Accept"] == "application/json"


def test_headers_are_latin_1_both_ways(client: ApiClient, server: RecordingServer) -> None:
    latin = "K\u00f6ln \u00a3"
    api = IntegrationApi(client)
    for _ in range(2):
        server.script(Response(200, {}, {"X-City": latin}))
        response = api.get_customer_session_with_http_info("a", _headers={"X-Shop": latin})
        assert server.last.headers["X-Shop"] == latin
        assert response.headers["X-City"] == latin
        api.update_customer_session_v2("a", {"customerSession": {}}, _headers={"X-Shop": latin})
        assert server.last.headers["X-Shop"] == latin
        assert server.last.json() == {"customerSession": {}}
    server.script(Response(404, reason="Pas trouv\u00e9"))
    with pytest.raises(talon_one.NotFoundException, match="404 Pas trouv\u00e9"):
        api.get_customer_session("a")
    before = server.connections
    api.get_customer_session("a")
    assert server.connections == before


def test_the_constructor_takes_a_header_and_a_cookie(server: RecordingServer, shell: Shell) -> None:
    configuration = Configuration(host=server.url, api_key=KEYS)
    with shell.new_client(configuration, "X-Shop", "rome", cookie="a=b") as client:
        IntegrationApi(client).get_customer_session("a")
    assert server.last.headers["X-Shop"] == "rome"
    assert server.last.headers["Cookie"] == "a=b"


def test_a_header_of_the_constructor_may_be_empty(server: RecordingServer, shell: Shell) -> None:
    configuration = Configuration(host=server.url, api_key=KEYS)
    with shell.new_client(configuration, "X-Shop") as client:
        IntegrationApi(client).get_customer_session("a")
    assert server.last.headers["X-Shop"] == ""


def test_the_user_agent_can_be_read_replaced_and_left_out(client: ApiClient) -> None:
    assert client.user_agent == f"talon_one-python/{talon_one.__version__}"
    client.user_agent = "shop/1"
    assert client.user_agent == client.default_headers["User-Agent"] == "shop/1"
    client.default_headers.clear()
    assert client.user_agent == ""


def test_an_authorization_header_of_the_callers_own_is_kept(
    server: RecordingServer, shell: Shell
) -> None:
    configuration = Configuration(host=server.url)
    with shell.new_client(configuration, "authorization", "ApiKey-v1 own") as client:
        IntegrationApi(client).get_customer_session("a")
    assert server.last.headers["Authorization"] == "ApiKey-v1 own"


def test_a_call_may_bring_its_own_credential_and_content_type(
    client: ApiClient, server: RecordingServer
) -> None:
    auth = {"type": "api_key", "in": "header", "key": "Authorization", "value": "ApiKey-v1 once"}
    IntegrationApi(client).update_customer_session_v2(
        "a",
        {"customerSession": {}},
        _request_auth=auth,
        _content_type="application/json; charset=utf-8",
        _host_index=0,
    )
    assert server.last.headers["Authorization"] == "ApiKey-v1 once"
    assert server.last.headers["Content-Type"] == "application/json; charset=utf-8"


def test_a_signature_covers_the_bytes_that_arrive(server: RecordingServer, shell: Shell) -> None:
    from talon_one._core.auth import signature

    configuration = Configuration(
        host=server.url, application_id=3, application_secret="fefecafedeadbeef"
    )
    with (
        shell.new_client(configuration) as client,
        pytest.warns(DeprecationWarning, match="updateCustomerSession is deprecated"),
    ):
        IntegrationApi(client).update_customer_session("a", {"state": "open", "coupon": "Ä"})
    expected = signature(3, "fefecafedeadbeef", server.last.body)
    assert server.last.headers["Content-Signature"] == expected
    assert "Authorization" not in server.last.headers


# -- Bodies and uploads ------------------------------------------------------------------------


def test_the_body_of_the_2020_packages_is_taken_by_the_profile_update(
    client: ApiClient, server: RecordingServer
) -> None:
    body = talon_one.NewCustomerProfile(attributes={"Tier": "gold"})
    IntegrationApi(client).update_customer_profile_v2("p", body)
    assert server.last.json() == {"attributes": {"Tier": "gold"}}
    response = talon_one.CustomerProfileUpdate.from_dict({"customerProfile": {"id": 1}})
    assert response.customer_profile.id == 1


@pytest.mark.parametrize("form", ["path", "text path", "bytes", "file", "text file", "pair"])
def test_a_file_to_upload_arrives_whole(
    form: str, tmp_path: Path, client: ApiClient, server: RecordingServer
) -> None:
    content = "value\nÄ-1\r\n".encode()
    path = tmp_path / "coupons.csv"
    path.write_bytes(content)
    with path.open("rb") as opened, path.open(encoding="utf-8", newline="") as text:
        given: Any = {
            "path": path,
            "text path": str(path),
            "bytes": content,
            "file": opened,
            "text file": text,
            "pair": ("coupons.csv", io.BytesIO(content)),
        }[form]
        ManagementApi(client).import_coupons(1, 2, given, skip_duplicates=True)
    name = "upload.csv" if form == "bytes" else "coupons.csv"
    kind = server.last.headers["Content-Type"]
    boundary = kind.partition("boundary=")[2]
    expected, _ = encode_multipart_formdata({"upFile": (name, content, "text/csv")}, boundary)
    assert kind == f"multipart/form-data; boundary={boundary}"
    assert server.last.body == expected
    assert server.last.query == "skipDuplicates=true"


# -- Sharing -----------------------------------------------------------------------------------


def test_one_connection_serves_many_calls(server: RecordingServer, client: ApiClient) -> None:
    before = server.connections
    for _ in range(5):
        IntegrationApi(client).get_customer_session("a")
    assert server.connections == before + 1


def test_every_thread_gets_its_own_response(server: RecordingServer, client: ApiClient) -> None:
    api = IntegrationApi(client)
    server.default = lambda received: Response(body={"path": received.path})
    wrong = []

    def work(number: int) -> None:
        for _ in range(20):
            response = api.get_customer_session(f"session-{number}")
            if not response["path"].endswith(f"/session-{number}"):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.default = Response(body={})
    assert wrong == []
    assert len(server.requests) == 160


def test_closing_twice_does_no_harm_and_the_default_client_is_shared() -> None:
    client = ApiClient()
    client.close()
    client.close()
    try:
        assert ApiClient.get_default() is ApiClient.get_default()
        ApiClient.set_default(client)
        assert IntegrationApi().api_client is client
    finally:
        ApiClient.set_default(None)


# -- Calls by hand -----------------------------------------------------------------------------


def test_a_path_can_be_called_by_hand(client: ApiClient, server: RecordingServer) -> None:
    server.script(Response(200, [{"id": 1, "value": "A"}], {"X-Page": "1"}))
    data, status, headers = client.call_api(
        "/v1/things/{thingId}",
        "post",
        path_params={"thingId": "a/b"},
        query_params=[("tag", "new"), ("tag", "big"), ("tag", "red"), ("ids", [1, 2])],
        header_params={"X-Call": "1"},
        body=[{"a": datetime(2026, 1, 1, tzinfo=timezone.utc)}],
        response_type="list[Coupon]",
        _return_http_data_only=False,
        auth_settings=["management_key"],
        collection_formats={"ids": "csv"},
    )
    assert isinstance(data[0], Coupon)
    assert (status, headers["X-Page"]) == (200, "1")
    assert server.last.method == "POST"
    assert server.last.target == "/v1/things/a%2Fb?tag=new&tag=big&tag=red&ids=1,2"
    assert server.last.headers["X-Call"] == "1"
    assert server.last.headers["Authorization"] == "ManagementKey-v1 m"
    assert server.last.json() == [{"a": "2026-01-01T00:00:00Z"}]


@pytest.mark.parametrize("names", ["management_key", ["other"], ["management_key", "other"]])
def test_the_credentials_of_a_call_by_hand_are_a_list_of_known_names(
    client: ApiClient, server: RecordingServer, names: Any
) -> None:
    with pytest.raises(ApiValueError, match="auth_settings is a list of names out of"):
        client.call_api("/v1/x", "GET", auth_settings=names)
    assert server.requests == []


def test_a_call_by_hand_may_go_to_another_host(server: RecordingServer, shell: Shell) -> None:
    with shell.new_client(Configuration(host="https://a.talon.one")) as client:
        data = client.call_api("/v1/x", "GET", _host=server.url, _return_http_data_only=True)
    assert data == {}
    assert server.last.target == "/v1/x"


def test_the_query_of_a_call_by_hand_has_names_of_text(
    client: ApiClient, server: RecordingServer
) -> None:
    bad: list[Any] = [{7: "a"}, [(None, "a")], [("a", 1), (b"a", 2)]]
    before = len(server.requests)
    for query in bad:
        with pytest.raises(ApiTypeError, match="names of query_params are text"):
            client.call_api("/v1/x", "GET", query_params=query)
    assert len(server.requests) == before


def test_the_length_of_a_body_cannot_be_claimed_in_default_headers(
    client: ApiClient, server: RecordingServer
) -> None:
    client.default_headers["Content-Length"] = "5"
    for method, body in (("GET", None), ("POST", {"a": 1})):
        with pytest.raises(ApiValueError, match="Content-Length is set by the client itself"):
            client.call_api("/v1/x", method, body=body)
    assert server.requests == []


def test_a_call_by_hand_refuses_forms(client: ApiClient) -> None:
    with pytest.raises(ApiTypeError, match="import operations"):
        client.call_api("/v1/x", "POST", post_params=[("a", "b")])


@pytest.mark.one_shell("it is urllib3 that stands behind it")
def test_the_rest_client_responses_the_way_the_vendors_packages_do(
    client: ApiClient, server: RecordingServer
) -> None:
    server.script(Response(200, {"a": 1}, {"X-A": "b"}), Response(404, {"message": "no"}))
    response = client.rest_client.request("GET", f"{server.url}/v1/x", query_params={"q": "ä"})
    assert (response.status, response.data, response.getheader("x-a")) == (200, b'{"a": 1}', "b")
    assert server.last.target == "/v1/x?q=%C3%A4"
    with pytest.raises(talon_one.NotFoundException):
        client.rest_client.request("POST", f"{server.url}/v1/x", body={"a": 1})
    assert server.last.json() == {"a": 1}
    # Unread, and whatever its status is.
    server.script(Response(200, "text"), Response(404, "gone"))
    for status, text in ((200, b"text"), (404, b"gone")):
        unread = client.rest_client.request("GET", f"{server.url}/v1/x", _preload_content=False)
        assert (unread.status, unread.read()) == (status, text)
        unread.close()


# -- Conversion --------------------------------------------------------------------------------


class Holder:
    """A response as the legacy package passes it to `deserialize`."""

    def __init__(self, data: str, headers: dict[str, str] | None = None) -> None:
        self.data = data
        self.headers = headers


@for_every(
    "text, kind, expected",
    [
        ('{"id": 1}', "Coupon", COUPON),
        ('[{"id": 1}]', "list[Coupon]", [COUPON]),
        ('[{"id": 1}]', "List[Coupon]", [COUPON]),
        ('{"a": {"id": 1}}', "dict(str, Coupon)", {"a": COUPON}),
        ('{"a": {"id": 1}}', "Dict[str, Coupon]", {"a": COUPON}),
        ('{"a": [[{"id": 1}]]}', "dict(str, list[list[Coupon]])", {"a": [[COUPON]]}),
        ('"2026-01-02T03:04:05Z"', "datetime", datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)),
        ('"2026-01-02"', "date", date(2026, 1, 2)),
        ('"a"', "str", "a"),
        ("1", "int", 1),
        ("1.5", "float", 1.5),
        ("true", "bool", True),
        ('{"a": 1}', "object", {"a": 1}),
        ("null", "Coupon", None),
    ],
)
def test_text_becomes_the_type_that_a_type_string_names(
    text: str, kind: str, expected: object
) -> None:
    client = ApiClient()
    assert client.deserialize(Holder(text), kind) == expected
    assert client.deserialize(text, kind, "application/json") == expected


def test_text_that_is_not_json_stays_text_where_text_is_wanted() -> None:
    client = ApiClient()
    assert client.deserialize(Holder("plain words"), "str") == "plain words"
    assert client.deserialize("a,b\n", "str", "application/csv") == "a,b\n"
    with pytest.raises(ApiValueError, match="not JSON"):
        client.deserialize("plain words", "Coupon", "application/json")


def test_an_response_can_be_saved_to_a_file_under_its_own_name(tmp_path: Path) -> None:
    client = ApiClient()
    client.configuration.temp_folder_path = str(tmp_path)

    download = Holder("a\n", {"Content-Disposition": 'attachment; filename="../../codes.csv"'})
    saved = Path(client.deserialize(download, "file"))
    assert saved.name == "codes.csv"
    assert tmp_path in saved.parents
    assert saved.read_text() == "a\n"
    assert tempfile.gettempdir() not in str(saved.relative_to(tmp_path))
    for unnamed in ({}, {"Content-Disposition": "attachment"}):
        assert Path(client.deserialize(Holder("b", unnamed), "file")).read_text() == "b"


def test_props_of_an_effect_become_their_class_from_a_dict_or_from_an_object() -> None:
    client = ApiClient()
    props = {"name": "10% off", "value": 3.4, "brandNew": True}
    typed = client.deserialize_model(props, SetDiscountEffectProps)
    assert (typed.name, typed.value) == ("10% off", 3.4)
    assert typed.additional_properties == {"brandNew": True}
    assert client.deserialize_model(typed, SetDiscountEffectProps) is typed
    assert client.deserialize_model(props, "SetDiscountEffectProps") == typed
    other = talon_one.CustomEffectProps.from_dict(props)
    assert client.deserialize_model(other, SetDiscountEffectProps) == typed
    assert client.deserialize_model(None, SetDiscountEffectProps) is None
    not_models: list[Any] = [dict, "NoSuchThing", "str"]
    for no_model in not_models:
        with pytest.raises(ApiTypeError, match="is no model class"):
            client.deserialize_model(props, no_model)


def test_objects_become_plain_data() -> None:
    coupon = Coupon.from_dict({"id": 1, "value": "A"})
    coupon.start_date = datetime(2026, 1, 1, tzinfo=timezone.utc)
    assert ApiClient().sanitize_for_serialization([coupon, {"d": date(2026, 1, 2)}]) == [
        {"id": 1, "value": "A", "startDate": "2026-01-01T00:00:00Z"},
        {"d": "2026-01-02"},
    ]


def test_content_types_are_chosen_in_favour_of_json() -> None:
    client = ApiClient()
    assert client.select_header_accept(["text/csv", "application/json"]) == "application/json"
    assert client.select_header_accept(["application/csv"]) == "application/csv"
    assert client.select_header_accept([]) is None
    assert client.select_header_content_type([]) == "application/json"
    assert client.select_header_content_type(["text/csv", "application/json"]) == "application/json"
    assert client.select_header_content_type(["multipart/form-data"]) == "multipart/form-data"


def test_a_type_checker_knows_what_props_become() -> None:
    props = ApiClient().deserialize_model({"value": 2}, SetDiscountEffectProps)
    value: float = props.value
    assert value == 2
