"""Hosts and paths: what a caller hands in never leads a request, and its key, somewhere else."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest

from support.every import for_every
from support.server import RecordingServer, Response
from support.shells import Shell
from talon_one import ApiClient, ApiValueError, Configuration, ConfigurationError, OpenApiException
from talon_one._core.address import base_url, is_address

KEY = "k3y-of-the-integration-api"


@pytest.fixture(scope="module")
def shared_server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


@pytest.fixture
def server(shared_server: RecordingServer) -> RecordingServer:
    shared_server.clear()
    shared_server.requests.clear()
    return shared_server


@pytest.fixture
def client(server: RecordingServer, shell: Shell) -> Iterator[ApiClient]:
    with shell.new_client(Configuration(host=server.url, api_key={"api_key_v1": KEY})) as made:
        yield made


def call(client: ApiClient, path: Any, **arguments: Any) -> Any:
    settings = {"auth_settings": ["api_key_v1"], "_return_http_data_only": True, **arguments}
    return client.call_api(path, settings.pop("method", "GET"), **settings)


# -- Hosts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", ["a", "ü"])
def test_a_name_has_as_many_characters_as_the_system_of_names_allows(label: str) -> None:
    labels = [label * 20 for _ in range(20)]
    while len(".".join(labels).encode("idna")) > 253:
        labels.pop()
    longest = ".".join(labels)
    missing = 253 - len(longest.encode("idna"))
    longest += ".a" * (missing // 2 - 1) + (".a" if missing % 2 == 0 else ".ab")
    assert len(longest.encode("idna")) == 253
    assert base_url(f"https://{longest}") == f"https://{longest.encode('idna').decode()}"
    with pytest.raises(ConfigurationError):
        base_url(f"https://{longest}a")


@pytest.mark.parametrize("name", ["ü..test", "a.ü..test", f"{'ü' * 70}.test"])
def test_a_short_name_that_no_host_can_have_is_refused_in_any_alphabet(name: str) -> None:
    for written in (name, name.replace("ü", "u")):
        with pytest.raises(ConfigurationError):
            base_url(f"https://{written}")


# -- Paths -------------------------------------------------------------------------------------

PATHS = [
    *("", "v1/x", "x", "@evil.test/", "@evil.test", ":80@evil.test/", ".evil.test/", ":1/"),
    *("//evil.test/", "///x", "/\\evil.test", "\\\\evil.test", "/v1\\x", "/%2f/x", "/%5cevil.test"),
    *("/%252f/x", "https://evil.test/v1/x", "http:/evil.test", "?x=1", "#x", "*"),
    *("/v1/x#fragment", "/v1/x?a=1#b", "/v1/a b", "/v1/x?a=b c", " /v1/x", "/v1/x ", "\t/v1"),
    *("/v1/x\n", "/v1/x\r\nX-Evil: 1", "/v1/x\x00", "/v1/\x7f", "/v1/%00", "/v1/x?a=%00"),
    *("/v1/%0d%0aX-Evil:1", "/v1/%7f", "/v1/%C2%85", "/v1/\x85x", "/v1/\u2028", "/v1/\u200b"),
    *("/v1/../x", "/..", "/v1/..", "/./x", "/v1/.", "/v1/%2e%2e/x", "/v1/.%2E/x", "/v1/%2e"),
    *("/v1/%252e%252e/x", "/v1/x%2f..%2fy", "/v1/..%5cx", "/v1/..;/x", "/v1/...", "/v1/..?a=1"),
    *("/v1/Füße", "/v1/\uff0e\uff0e/x", "/v1/\uff0fx", "/v1/\ud83d", "/v1/%", "/v1/%zz", "/v1/%2"),
    *("/v1/{id}", "/v1/{", "/v1/a}b", "/v1/<x>", '/v1/"x"', "/v1/a|b", "/v1/a^b", "/v1/`x`"),
    *("/v1/[x]", None, 7, b"/v1/x", ["/v1/x"], object()),
]


def test_a_path_that_could_lead_elsewhere_is_refused_before_anything_is_sent(
    client: ApiClient, server: RecordingServer
) -> None:
    before = server.connections
    accepted = []
    shown = []
    for path in PATHS:
        try:
            call(client, path)
        except OpenApiException as refused:
            shown += traceback.format_exception(refused)
        else:
            accepted.append(path)
    assert accepted == []
    assert not any(KEY in line or "pa55word" in line for line in shown)
    assert server.connections == before


def test_a_refused_path_is_not_quoted_because_it_may_hold_anything(client: ApiClient) -> None:
    with pytest.raises(ApiValueError) as caught:
        call(client, "https://anna:pa55word@shop.test/v1?token=t0ken")
    assert "pa55word" not in str(caught.value)
    assert "t0ken" not in str(caught.value)


@for_every(
    "path, target",
    [
        ("/", "/"),
        ("/v1/x", "/v1/x"),
        ("/v1/x/", "/v1/x/"),
        ("/v1/a%20b%2Fc", "/v1/a%20b%2Fc"),
        ("/v1/anna@shop.test", "/v1/anna@shop.test"),
        ("/v1/a;b=c,d:e", "/v1/a;b=c,d:e"),
        ("/v1/.hidden/a..b", "/v1/.hidden/a..b"),
        ("/v1/x?a=1&b=2", "/v1/x?a=1&b=2"),
        ("/v1/x?a=%0A&a=", "/v1/x?a=%0A&a="),
        ("/v1/x?next=//b/../c", "/v1/x?next=%2F%2Fb%2F..%2Fc"),
    ],
)
def test_any_other_path_arrives_as_it_is(
    client: ApiClient, server: RecordingServer, path: str, target: str
) -> None:
    call(client, path)
    assert server.last.target == target
    assert server.last.headers["Authorization"] == f"ApiKey-v1 {KEY}"


def test_a_query_in_the_path_and_further_parameters_make_one_query(
    client: ApiClient, server: RecordingServer
) -> None:
    call(client, "/v1/x?a=1", query_params={"b": "2", "body": "3", "_headers": "4"}, body={"c": 5})
    assert server.last.target == "/v1/x?a=1&b=2&body=3&_headers=4"
    assert server.last.json() == {"c": 5}


@for_every("value", ["..%2f..", "%2e%2e", "//evil.test", "a#b?c", "\r\n", "\x00", "ü"])
def test_the_value_of_a_path_parameter_is_one_segment_whatever_it_holds(
    client: ApiClient, server: RecordingServer, value: str
) -> None:
    call(client, "/v1/{id}/{id}", path_params={"id": value})
    first, second = server.last.target.removeprefix("/v1/").split("/")
    assert first == second
    assert unquote(first) == value


@pytest.mark.parametrize("value", ["..", ".", "a/../b", "../b", ""])
def test_characters_declared_safe_do_not_let_an_id_climb(
    client: ApiClient, server: RecordingServer, value: str
) -> None:
    client.configuration.safe_chars_for_path_param = "/"
    with pytest.raises(ApiValueError):
        call(client, "/v1/{id}", path_params={"id": value})
    assert server.requests == []


@for_every("safe", ["#", "?", "\\", " ", "\r\n", "%", "ü", None, 7])
def test_only_what_may_stand_in_a_path_can_be_declared_safe(client: ApiClient, safe: Any) -> None:
    with pytest.raises(OpenApiException, match="safe_chars_for_path_param"):
        client.configuration.safe_chars_for_path_param = safe


# -- Methods -----------------------------------------------------------------------------------


METHODS = ["", " ", "GET ", "GE T", "GET\r\nX: 1", "GET\x00", "TRACE", "CONNECT", "opt\u0131ons"]


def test_a_method_that_the_api_does_not_have_is_refused(
    client: ApiClient, server: RecordingServer
) -> None:
    others: list[Any] = [None, 7, b"GET", ["GET"]]
    for method in METHODS + others:
        with pytest.raises(ApiValueError, match="one of GET, HEAD"):
            call(client, "/v1/x", method=method)
    assert server.requests == []


@for_every("method", ["get", "Get", "POST", "put", "PATCH", "delete", "OPTIONS"])
def test_a_method_may_be_written_in_either_case(
    client: ApiClient, server: RecordingServer, method: str
) -> None:
    call(client, "/v1/x", method=method)
    assert server.last.method == method.upper()


# -- Hosts -------------------------------------------------------------------------------------

HOSTS = [
    *("https://anna:pa55word@a.test", "https://pa55word@a.test", "https://a.test@evil.test"),
    *("https://a.test/v1", "https://a.test/?x", "https://a.test?x", "https://a.test#x"),
    *("https://a.test#@evil.test", "https://a.test\\@evil.test", "https://a.test\\evil.test"),
    *("https://a.test%00", "https://a.test\x00", "https://a.test%00.evil.test", "https://%61.test"),
    *("https://a.test%2fx", "https://a.test ", " https://a.test", "https://a .test", "\thttps://a"),
    *("https://a.test\r\n", "https://a.test\nX: 1", "https://a.\x7ftest", "https://a\u200b.test"),
    *("https://a\u3002test", "https://a\uff0etest", "https://a\uff61test", "https://\uff41.test"),
    *(
        "https://a.test\uff0fevil",
        "https://\u2100.test",
        "https://\u212a.test",
        "https://stra\xdfe.test",
    ),
    *(
        "https://a.test\uff1a80",
        "https://a.test:\uff18\uff10",
        "https://a.test:0",
        "https://a.test:65536",
    ),
    *("https://a.test:" + "1" * 5000, "https://a.test:000443"),
    *("https://a.test:-1", "https://a.test:+80", "https://a.test:8o", "https://a.test:80:80"),
    *("https://a..test", "https://.a.test", "https://.", "https://" + "a" * 64 + ".test"),
    *(
        "https://" + "a." * 130 + "test",
        "https://[::1",
        "https://::1",
        "https://[::1]x",
        "https://[]",
    ),
    *(
        "https://[fe80::1%00]",
        "https://[fe80::1%/]",
        "https://[a.test]",
        "https://a[.test",
        "https://a,b",
    ),
    *("https://a.test;x", "https://a'b", "https://*", "https://a=b", "https://<a>", "https:a.test"),
    *(
        "https:///a.test",
        "//a.test",
        "a.test",
        "ftp://a.test",
        "javascript:alert(1)",
        "https://",
        "",
    ),
    *(7, b"https://a.test", ["https://a.test"], object()),
]


def test_a_host_that_is_not_what_it_seems_is_refused_before_anything_is_sent(
    client: ApiClient, server: RecordingServer
) -> None:
    before = server.connections
    accepted = []
    shown = []
    for host in HOSTS:
        try:
            call(client, "/v1/x", _host=host)
        except OpenApiException as refused:
            shown += traceback.format_exception(refused)
        else:
            accepted.append(host)
        with pytest.raises(ConfigurationError):
            base_url(host)
    assert accepted == []
    assert not any(KEY in line or "pa55word" in line for line in shown)
    assert server.connections == before


def test_a_host_may_differ_in_case_and_have_slashes_behind(
    client: ApiClient, server: RecordingServer
) -> None:
    call(client, "/v1/x", _host=f"HTTP://LOCALHOST:{server.port}//")
    assert server.last.headers["Host"].lower() == f"localhost:{server.port}"


@pytest.mark.one_shell("nothing is called here")
@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("https://b\xfccher.test", "https://xn--bcher-kva.test"),
        ("https://xn--bcher-kva.test:8443", "https://xn--bcher-kva.test:8443"),
        ("https://shop_1.test.", "https://shop_1.test."),
        ("https://[2001:DB8::1]:8443", "https://[2001:DB8::1]:8443"),
        ("https://[fe80::1%25eth0]", "https://[fe80::1%25eth0]"),
        ("https://a.test:", "https://a.test"),
    ],
)
def test_the_address_of_a_host_is_put_together_from_its_parts(host: str, address: str) -> None:
    assert base_url(host) == address


# -- The rest client of the vendor's packages --------------------------------------------------


@pytest.mark.one_shell("it is urllib3 that stands behind it")
def test_the_rest_client_refuses_the_same_addresses(
    client: ApiClient, server: RecordingServer
) -> None:
    bad: list[Any] = [
        f"{server.url}{path}" for path in PATHS if isinstance(path, str) and path[:1] == "/"
    ]
    bad += [
        host for host in HOSTS if isinstance(host, str) and "/v1" not in host and "?" not in host
    ]
    bad += [f"{server.url}@evil.test/", *PATHS[-6:]]
    accepted = []
    shown = []
    for url in bad:
        try:
            client.rest_client.request("GET", url)
        except OpenApiException as refused:
            shown += traceback.format_exception(refused)
        else:
            accepted.append(url)
    assert accepted == []
    assert not any(KEY in line or "pa55word" in line for line in shown)
    assert server.requests == []
    for url in ("v1/x", "", "mailto:a@b.test", None, 5):
        with pytest.raises(ApiValueError, match="a URL begins with https://"):
            client.rest_client.request("GET", url)


@pytest.mark.one_shell("it is urllib3 that stands behind it")
def test_the_rest_client_calls_a_url_with_its_query(
    client: ApiClient, server: RecordingServer
) -> None:
    server.script(Response(200, {}), Response(200, {}), Response(200, {}))
    for url in ("", "?a=1", "/v1/x?a=1"):
        client.rest_client.request("get", server.url + url, query_params={"b": "c d"})
    assert [each.target for each in server.requests] == [
        "/?b=c+d",
        "/?a=1&b=c+d",
        "/v1/x?a=1&b=c+d",
    ]


@pytest.mark.one_shell("nothing is called here")
@for_every(
    "url, expected",
    [
        ("http://proxy", True),
        ("HTTP://user:password@proxy:8080/", True),
        ("http://[::1]:8080", True),
        ("http://proxy:65535", True),
        ("http://proxy:00080", True),
        ("http://" + "a." * 126 + "a", True),
        # One fault each.
        ("http://" + "a." * 126 + "ab", False),
        ("http://proxy:000080", False),
        ("http://proxy:0", False),
        ("http://proxy:²", False),
        ("ftp://proxy", False),
        ("proxy:8080", False),
        ("http://", False),
        ("http://:8080", False),
        ("http://pro xy", False),
        ("http://proxy\x00", False),
        ("http://proxy/path", False),
        ("http://proxy:0x50", False),
        ("http://proxy:65536", False),
        ("http://pro..xy", False),
        ("http://[::1", False),
    ],
)
def test_an_address_has_a_scheme_a_host_perhaps_a_port_and_nothing_else(
    url: str, expected: bool
) -> None:
    assert is_address(url, ("http",)) is expected
