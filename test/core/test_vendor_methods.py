"""What only the vendor's packages offer: calls by hand, conversions, threads, settings."""

from __future__ import annotations

import hashlib
import logging
import os
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from support.calls import make_client
from support.server import RecordingServer, Response
from talon_one import (
    ApiClient,
    ApiException,
    ApiTypeError,
    ApiValueError,
    Configuration,
    ConfigurationError,
    Coupon,
    Effect,
    Model,
    rest,
)
from talon_one._vendor import installation
from talon_one._vendor.threads import LazyThreads
from talon_one.exceptions import ClientClosedError

pytestmark = pytest.mark.one_shell("the vendor's packages have a blocking client alone")


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer(default=Response(200, {"id": 1})) as running:
        yield running


@pytest.fixture
def client(server: RecordingServer) -> Iterator[ApiClient]:
    with make_client(server.url) as made:
        yield made


# -- Calls by hand -----------------------------------------------------------------------------


def test_a_call_by_hand_returns_the_triple_unless_it_asks_for_the_data(client: ApiClient) -> None:
    data, status, headers = client.call_api("/v1/x", "GET")
    assert (data, status, headers["Content-Type"]) == ({"id": 1}, 200, "application/json")
    assert client.call_api("/v1/x", "GET", _return_http_data_only=True) == {"id": 1}
    assert client.call_api("/v1/x", "GET", _return_http_data_only=False)[0] == {"id": 1}


def test_types_are_given_by_status_or_for_all(client: ApiClient) -> None:
    def data(**types: Any) -> Any:
        return client.call_api("/v1/x", "GET", _return_http_data_only=True, **types)

    assert type(data(response_type="Coupon")) is Coupon
    assert type(data(response_type=Coupon)) is Coupon
    assert type(data(response_types_map={200: "Coupon"})) is Coupon
    assert type(data(response_types_map={"200": Coupon, 204: None})) is Coupon
    # The map comes before the type for all.
    assert type(data(response_type="Effect", response_types_map={200: "Coupon"})) is Coupon
    with pytest.raises(ApiTypeError, match=r"such as list\[Coupon\], not int"):
        data(response_types_map={200: 5})


def test_a_query_by_hand_is_joined_or_repeated(server: RecordingServer, client: ApiClient) -> None:
    client.call_api(
        "/v1/x?a=0&empty=",
        "get",
        query_params=[("a", 1), ("a", 2), ("b", [3, 4]), ("none", None)],
        collection_formats={"b": "csv", "a": "multi"},
    )
    assert server.last.method == "GET"
    assert server.last.target == "/v1/x?a=0&a=1&a=2&empty=&b=3,4"
    client.call_api("/v1/{id}/{rest}", "GET", {"id": "a/b", "rest": "?"}, {"a": 1})
    assert server.last.target == "/v1/a%2Fb/%3F?a=1"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "TRACE"}, "the method of a call is one of GET"),
        ({"method": "GE\u017fT"}, "the method of a call is one of GET"),
        ({"method": None}, "the method of a call is one of GET"),
        ({"post_params": {"a": 1}}, "forms and files are sent by"),
        ({"files": {"a": b""}}, "forms and files are sent by"),
        ({"query_params": [(1, 2)]}, "names of query_params are text, not int"),
        ({"auth_settings": ["api_key_v1", "basic"]}, "auth_settings is a list of names out of"),
        ({"resource_path": None}, "resource_path is text, not NoneType"),
    ],
)
def test_a_call_by_hand_that_cannot_be_sent_is_refused(
    server: RecordingServer, client: ApiClient, arguments: dict[str, Any], message: str
) -> None:
    given: dict[str, Any] = {"resource_path": "/v1/x", "method": "GET", **arguments}
    with pytest.raises((ApiTypeError, ApiValueError), match=message):
        client.call_api(**given)
    assert server.requests == []


def test_only_a_body_that_is_given_is_sent(server: RecordingServer, client: ApiClient) -> None:
    client.call_api("/v1/x", "POST", body={})
    assert (server.last.body, server.last.headers["Content-Type"]) == (b"{}", "application/json")
    client.call_api("/v1/x", "POST", header_params={"Accept": "text/csv"})
    assert (server.last.body, server.last.headers["Accept"]) == (b"", "text/csv")


# -- The REST client ---------------------------------------------------------------------------


def test_the_rest_client_calls_any_url(server: RecordingServer, client: ApiClient) -> None:
    transport: Any = client.rest_client
    found = transport.request("get", f"{server.url}/a?b=1", query_params={"c": "2 3"})
    assert isinstance(found, rest.RESTResponse)
    assert server.last.target == "/a?b=1&c=2+3"
    assert (found.status, found.reason, found.data) == (200, "OK", b'{"id": 1}')
    assert found.read() == found.data
    assert found.response is found.urllib3_response
    assert found.getheaders() is found.headers
    assert found.getheader("content-type") == "application/json"
    assert found.getheader("X-Not-There") is None
    assert found.getheader("X-Not-There", "instead") == "instead"
    transport.request("GET", f"{server.url}/a", query_params={"c": 2})
    assert server.last.target == "/a?c=2"


def test_the_rest_client_sends_forms_bytes_text_and_json(
    server: RecordingServer, client: ApiClient
) -> None:
    transport: Any = client.rest_client
    for arguments, body in (
        ({"post_params": {"a": "b c"}}, b"a=b+c"),
        ({"body": b"raw"}, b"raw"),
        ({"body": "text"}, b"text"),
        ({"body": {"a": 1}}, b'{"a":1}'),
        ({}, b""),
    ):
        transport.request("POST", f"{server.url}/a", **arguments)
        assert server.last.body == body
        assert server.last.headers["Content-Type"] == "application/json"
    transport.request("POST", f"{server.url}/a", headers={"Content-Type": "text/csv"}, body="x")
    assert server.last.headers["Content-Type"] == "text/csv"


@pytest.mark.parametrize(("status", "is_error"), [(200, False), (299, False), (300, True)])
def test_the_rest_client_raises_for_any_status_but_2xx(
    server: RecordingServer, client: ApiClient, status: int, is_error: bool
) -> None:
    transport: Any = client.rest_client
    server.script(Response(status, {"message": "no"}))
    if not is_error:
        assert transport.request("GET", f"{server.url}/a").status == status
        return
    with pytest.raises(ApiException) as caught:
        transport.request("GET", f"{server.url}/a")
    assert (caught.value.status, caught.value.body) == (status, '{"message": "no"}')


def test_a_response_that_is_not_preloaded_is_read_by_the_caller(
    server: RecordingServer, client: ApiClient
) -> None:
    transport: Any = client.rest_client
    found = transport.request("GET", f"{server.url}/a", _preload_content=False)
    assert found.read() == b'{"id": 1}'
    found.close()


# -- Conversion --------------------------------------------------------------------------------


def test_text_is_deserialized_by_its_type(client: ApiClient) -> None:
    assert client.deserialize('{"id": 1}', "Coupon").id == 1
    assert client.deserialize(SimpleNamespace(data=b"[1]"), "list[int]") == [1]
    for kind in ("text/plain", "TEXT/html; charset=utf-8", "application/csv"):
        assert client.deserialize("1", "int", kind) == "1"
    assert client.deserialize("1", "int", "application/json") == 1
    for named in ("str", "object", str, object):
        assert client.deserialize("no json", named) == "no json"
        with pytest.raises(ApiValueError, match="not JSON"):
            client.deserialize("no json", named, "application/json")
    with pytest.raises(ApiValueError, match="not JSON"):
        client.deserialize("no json", "int")


def test_a_file_is_saved_under_the_name_in_its_headers(client: ApiClient, tmp_path: Path) -> None:
    client.configuration.temp_folder_path = str(tmp_path)
    for disposition, name in (
        ('attachment; filename="a b.csv"; size=1', "a b.csv"),
        ("attachment; filename='../../a.csv'", "a.csv"),
        ("attachment", "response"),
    ):
        headers = {"Content-Disposition": disposition}
        path = client.deserialize(SimpleNamespace(data=b"\x00\xff", headers=headers), "file")
        assert os.path.basename(path) == name
        assert os.path.commonpath([path, tmp_path]) == str(tmp_path)
        assert Path(path).read_bytes() == b"\x00\xff"
    assert Path(client.deserialize(SimpleNamespace(data=b"x"), "file")).name == "response"


def test_data_become_a_model_once(client: ApiClient) -> None:
    coupon = client.deserialize_model({"id": 1}, Coupon)
    assert client.deserialize_model(coupon, "Coupon") is coupon
    assert client.deserialize_model(None, Coupon) is None
    assert client.deserialize_model(Model.from_dict({"id": 2}), Coupon).id == 2
    assert type(client.deserialize_model(Effect.from_dict({}), "Coupon")) is Coupon
    wrong: Any
    for wrong, name in (("Cupon", "'Cupon'"), (int, "'type'"), (5, "'int'")):
        with pytest.raises(ApiTypeError, match=f"{name} is no model class"):
            client.deserialize_model({}, wrong)


def test_json_comes_before_other_content_types(client: ApiClient) -> None:
    for types, accept, content_type in (
        (["text/csv", "application/JSON", "text/json"], "application/JSON", "application/JSON"),
        (["text/csv", "text/html"], "text/csv, text/html", "text/csv"),
        (("text/csv",), "text/csv", "text/csv"),
        ([], None, "application/json"),
        (None, None, "application/json"),
    ):
        given: Any = types
        assert client.select_header_accept(given) == accept
        assert client.select_header_content_type(given, "POST", {}) == content_type
    wrong: Any
    for wrong in ("application/json", ["a", 5]):
        with pytest.raises(ApiTypeError, match="content types are a list of texts"):
            client.select_header_accept(wrong)


def test_an_object_without_a_description_is_its_own_text() -> None:
    assert Coupon.from_dict({"id": 1}).to_str().startswith("{")
    types: dict[str, str] = Coupon.openapi_types
    assert (types["id"], types["attributes"]) == ("int", "object")
    assert Coupon.attribute_map["usage_limit"] == "usageLimit"


# -- Threads -----------------------------------------------------------------------------------


def test_threads_start_with_the_first_call_and_end_with_the_last() -> None:
    threads = LazyThreads(2, "closed already")
    assert threads.count == 2
    threads.shut_down()  # Nothing has been started.
    with pytest.raises(ClientClosedError, match="closed already"):
        threads.run(int)
    threads = LazyThreads(1, "closed already")
    assert threads.run(divmod, 7, 4).get(10) == (1, 3)
    assert threads.map(abs, [-1, 2]) == [1, 2]
    ended = threads.run(sum, [1, 2])
    threads.shut_down()
    assert ended.ready()
    assert ended.get(0) == 3


def test_threads_have_the_public_methods_of_a_pool_alone() -> None:
    threads = LazyThreads(1, "closed")
    assert hasattr(threads, "apply_async")
    for name in ("_pool_of_mine", "_setup_queues", "__len__", "gather"):
        assert not hasattr(threads, name)


def test_a_child_process_has_threads_of_its_own() -> None:
    threads = LazyThreads(1, "closed")
    threads.reset_after_fork()  # Nothing has been started.
    assert threads.run(abs, -1).get(10) == 1
    parents: Any = threads._pool
    threads.reset_after_fork()
    assert threads._pool is None
    with pytest.raises(ValueError, match="Pool not running"):
        parents.apply_async(abs, [-1])
    parents.join()
    assert threads.run(abs, -2).get(10) == 2
    threads.shut_down()


# -- Settings ----------------------------------------------------------------------------------


def test_settings_without_an_effect_can_be_read_back() -> None:
    plain: Any = Configuration()
    assert (plain.username, plain.password, plain.discard_unknown_keys) == (None, None, False)
    assert (plain.server_index, plain.server_variables) == (0, {})
    assert (plain.server_operation_index, plain.server_operation_variables) == ({}, {})
    assert plain.ignore_operation_servers is False
    made: Any = Configuration(
        username="u", discard_unknown_keys=True, server_index=2, server_variables={"a": "b"}
    )
    assert (made.username, made.discard_unknown_keys, made.server_index) == ("u", True, 2)
    assert made.server_variables == {"a": "b"}


def test_a_key_has_its_prefix_by_name_or_alias() -> None:
    configuration: Any = Configuration(api_key={"X": "k"}, api_key_prefix={"X": "Basic", "Y": "Z"})
    assert configuration.get_api_key_with_prefix("X") == "Basic k"
    assert configuration.get_api_key_with_prefix("Y") is None
    assert configuration.get_api_key_with_prefix("Y", alias="X") == "Z k"
    assert configuration.get_api_key_with_prefix("W", alias="X") == "k"


def test_credentials_are_listed_by_scheme() -> None:
    assert Configuration().auth_settings() == {}
    found = Configuration(api_key={"management_key": "k"}).auth_settings()
    assert set(found) == {"management_key"}
    setting = found["management_key"]
    assert (setting["type"], setting["in"], setting["key"]) == (
        "api_key",
        "header",
        "Authorization",
    )
    assert setting["value"] == "ManagementKey-v1 k"


def test_hosts_are_chosen_by_index() -> None:
    configuration = Configuration(host="https://a.test")
    (known,) = configuration.get_host_settings()
    assert set(known) == {"url", "description"}
    assert configuration.get_host_from_settings(None) == "https://a.test"
    assert configuration.get_host_from_settings(0) == known["url"]
    servers = [{"url": "https://a"}, {"url": "https://{b}.{c}"}]
    found = configuration.get_host_from_settings(1, {"b": "x", "c": "y"}, servers)
    assert found == "https://x.y"
    for index in (-1, 2):
        with pytest.raises(ConfigurationError, match=f"2 servers, none has the index {index}"):
            configuration.get_host_from_settings(index, servers=servers)


def test_debug_sets_the_level_of_both_loggers() -> None:
    configuration = Configuration()
    assert configuration.debug is False
    try:
        configuration.debug = True
        levels = {logging.getLogger(name).level for name in ("talon_one", "urllib3")}
        assert (configuration.debug, levels) == (True, {logging.DEBUG})
    finally:
        configuration.debug = False
    assert {logging.getLogger(name).level for name in ("talon_one", "urllib3")} == {0}


# -- Mixed installations -----------------------------------------------------------------------


class Installed:
    """A distribution with files, as `importlib.metadata` finds it."""

    version = "1.0"

    def __init__(self, folder: Path, record: str | None) -> None:
        self.folder = folder
        self.record = record

    def read_text(self, name: str) -> str | None:
        assert name == "RECORD"
        return self.record

    def locate_file(self, path: str) -> Path:
        return self.folder / path


@pytest.mark.parametrize("state", ["same", "other", "missing", "unrecorded", "foreign", "editable"])
def test_files_that_another_package_has_overwritten_are_noticed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state: str
) -> None:
    path = "talon_one/rest.py"
    (tmp_path / "talon_one").mkdir()
    content = b"ours"
    digest = urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
    record: str | None = f"{path},sha256={digest},4\n"
    if state != "missing":
        (tmp_path / path).write_bytes(b"theirs" if state == "other" else content)
    if state == "unrecorded":
        record = f"{path},,\n"
    elif state == "foreign":
        record = "talon_one/own.py,sha256=x,4\n"
    elif state == "editable":
        record = None
    ours = Installed(tmp_path, record)
    monkeypatch.setattr(
        installation, "_installed", lambda name: ours if name == "talon_one" else None
    )
    found = installation.mixed_with()
    if state in ("other", "missing"):
        assert found is not None
        assert found.startswith("another package has overwritten, or removed, files of talon_one")
    else:
        assert found is None


@pytest.mark.parametrize("present", [1, 2])
def test_packages_of_the_vendor_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, present: int
) -> None:
    theirs = installation.VENDORS[:present]
    monkeypatch.setattr(
        installation, "_installed", lambda name: Installed(tmp_path, "") if name in theirs else None
    )
    named = " and ".join(f"{name} 1.0" for name in theirs)
    found = f"talon_one shares its folder with {named}: {installation.ADVICE}"
    assert installation.mixed_with() == found


def test_every_file_that_the_packages_share_is_compared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "talon_one" / "models").mkdir(parents=True)
    files = ["__init__", "api_client", "configuration", "exceptions", "rest", "models/__init__"]
    for name in files:
        path = f"talon_one/{name}.py"
        (tmp_path / path).write_bytes(b"theirs")
        ours = Installed(tmp_path, f"talon_one/other.py,sha256=x,1\n{path},sha256=ours,4\n")
        monkeypatch.setattr(installation, "_installed", {"talon_one": ours}.get)
        assert installation.mixed_with() is not None, name


def test_a_package_that_is_not_installed_is_not_mixed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert installation._installed("talon-one-that-nobody-has") is None
    monkeypatch.setattr(installation, "_installed", lambda name: None)
    assert installation.mixed_with() is None


def test_configurations_are_equal_if_their_settings_are() -> None:
    one, other = Configuration(host="https://a.test"), Configuration(host="https://a.test")
    assert one == other
    other.timeout = 7
    assert one != other
    assert one.__eq__(5) is NotImplemented


def test_a_pool_has_room_for_one_connection_at_least() -> None:
    for size, expected in ((0, 1), (1, 1), (2, 2)):
        configuration = Configuration(host="https://a.test")
        configuration.connection_pool_maxsize = size
        assert ApiClient(configuration)._pool_size() == expected
