"""Proxies: which one a host uses, what it receives, and what it must never see."""

from __future__ import annotations

import logging
import socket
import sys
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from support.calls import CREATE, READ, make_client
from support.certificates import certificate_of, server_context
from support.network import closed_port
from support.proxy import HttpProxy, SocksProxy
from support.server import RecordingServer
from support.shells import Shell
from support.timing import time_of
from talon_one import (
    ApiException,
    Configuration,
    ConfigurationError,
    ConnectTimeoutError,
    NotSentError,
    OpenApiException,
    TlsError,
)
from talon_one._http.proxies import is_exempt, proxy_for

pytestmark = pytest.mark.usefixtures("shell")

NAME = "shop.talon.test"
TRUSTED: Any = {"ca_cert_data": certificate_of("ours")}


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


@pytest.fixture
def secure() -> Iterator[RecordingServer]:
    with RecordingServer(server_context(NAME)) as running:
        yield running


# -- Which one ---------------------------------------------------------------------------------

ENVIRONMENT = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "request_method")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.one_shell("nothing is called here")
@pytest.mark.parametrize(
    ("environment", "base", "proxy"),
    [
        ({}, "https://a.talon.one", None),
        ({"HTTPS_PROXY": "http://p:1"}, "https://a.talon.one", "http://p:1"),
        ({"https_proxy": "http://p:1"}, "https://a.talon.one", "http://p:1"),
        ({"HTTPS_PROXY": "p:1"}, "https://a.talon.one", "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1"}, "http://a.talon.one", None),
        ({"HTTP_PROXY": "http://p:1"}, "http://a.talon.one", "http://p:1"),
        ({"HTTP_PROXY": "http://p:1"}, "https://a.talon.one", None),
        ({"ALL_PROXY": "socks5h://p:1"}, "https://a.talon.one", "socks5h://p:1"),
        (
            {"ALL_PROXY": "http://p:1", "HTTPS_PROXY": "http://q:2"},
            "https://a.talon.one",
            "http://q:2",
        ),
        (
            {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "localhost,.talon.one"},
            "https://a.talon.one",
            None,
        ),
        (
            {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "other.one"},
            "https://a.talon.one",
            "http://p:1",
        ),
        (
            {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "a.talon.one:8443"},
            "https://a.talon.one",
            "http://p:1",
        ),
        ({"HTTPS_PROXY": "http://p:1", "no_proxy": "a.talon.one:443"}, "https://a.talon.one", None),
        # The port of an address that names none is that of its scheme.
        ({"HTTP_PROXY": "http://p:1", "NO_PROXY": "a.talon.one:80"}, "http://a.talon.one", None),
        (
            {"HTTP_PROXY": "http://p:1", "NO_PROXY": "a.talon.one:443"},
            "http://a.talon.one",
            "http://p:1",
        ),
        (
            {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "a.talon.one:80"},
            "https://a.talon.one",
            "http://p:1",
        ),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, "https://a.talon.one", None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"}, "https://10.1.2.3:443", None),
        # An entry that is neither an address nor a network exempts no host.
        (
            {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/99,10.1,nobody"},
            "https://10.1.2.3:443",
            "http://p:1",
        ),
        # The sandbox runs here; a proxy would not find it.
        ({"ALL_PROXY": "http://p:1"}, "http://127.0.0.1:9000", None),
        ({"ALL_PROXY": "http://p:1"}, "http://localhost:9000", None),
        ({"ALL_PROXY": "http://p:1"}, "http://[::1]:9000", None),
        # Set by web servers from a header that clients choose.
        (
            {"HTTP_PROXY": "http://evil:1", "REQUEST_METHOD": "GET"},
            "http://a.talon.one",
            None,
        ),
    ],
)
def test_the_environment_names_the_proxy_for_a_host(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], base: str, proxy: str | None
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(Configuration(), base) == proxy


@pytest.mark.one_shell("nothing is called here")
def test_the_configuration_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://p:1")
    configuration = Configuration()
    configuration.proxy = "http://mine:2"
    assert proxy_for(configuration, "https://a.talon.one") == "http://mine:2"
    assert proxy_for(configuration, "http://127.0.0.1") == "http://mine:2"
    configuration.proxy = ""
    assert proxy_for(configuration, "https://a.talon.one") is None
    configuration.proxy = None
    configuration.trust_env = False
    assert proxy_for(configuration, "https://a.talon.one") is None


@pytest.mark.one_shell("nothing is called here")
@pytest.mark.parametrize(
    ("host", "port", "exemptions", "exempt"),
    [
        ("a.talon.one", 443, "", False),
        ("a.talon.one", 443, "a.talon.one", True),
        ("A.Talon.One", 443, "a.talon.ONE", True),
        ("a.talon.one", 443, "talon.one", True),
        ("a.talon.one", 443, ".talon.one", True),
        ("talon.one", 443, ".talon.one", True),
        ("nottalon.one", 443, "talon.one", False),
        ("a.talon.one", 443, "x, y  a.talon.one", True),
        ("a.talon.one", 443, "a.talon.one:443", True),
        ("a.talon.one", 80, "a.talon.one:443", False),
        ("a.talon.one", 443, "*", True),
        ("a.talon.one", 443, "talon", False),
        ("10.1.2.3", 443, "10.0.0.0/8", True),
        ("11.1.2.3", 443, "10.0.0.0/8", False),
        ("10.1.2.3", 443, "10.1.2.3", True),
        ("10.1.2.3", 443, "10.1.2.3/33", False),
        ("a.talon.one", 443, "10.0.0.0/8", False),
        ("fe80::1", 443, "fe80::/10", True),
        ("fe80::1", 443, "[fe80::1]", True),
        ("fe80::1", 443, "[fe80::1]:443", True),
        ("fe80::1", 80, "[fe80::1]:443", False),
        ("fe80::1", 443, "fe80::1", True),
        ("fe80::1", 443, "10.0.0.0/8", False),
    ],
)
def test_exemptions_are_names_suffixes_addresses_and_networks(
    host: str, port: int, exemptions: str, exempt: bool
) -> None:
    assert is_exempt(host, port, exemptions) is exempt


def speaks_no_tls_in_tls(shell: Shell) -> bool:
    """Say whether HTTPS through a proxy that speaks TLS itself is beyond a shell."""
    return shell.awaits and sys.version_info < (3, 11)


def assert_refused(proxy: HttpProxy) -> None:
    """Check that a proxy which speaks TLS is refused without being asked."""
    with (
        make_client(f"https://{NAME}", proxy=proxy.url, **TRUSTED) as client,
        pytest.raises(ConfigurationError, match=r"no TLS inside TLS before Python 3\.11"),
    ):
        CREATE(client)
    assert proxy.seen == []


# -- What a proxy receives ---------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:calls to http:talon_one.InsecureHostWarning")
def test_plain_http_is_forwarded_with_the_whole_url(
    server: RecordingServer,
) -> None:
    with HttpProxy(server.port, "user:pass word") as proxy:
        address = proxy.url.replace(" ", "%20")
        with make_client(f"http://{NAME}:8080", proxy=address) as client:
            READ(client)
            READ(client)
    ((line, headers),) = proxy.seen
    assert line == f"GET http://{NAME}:8080/v2/customer_sessions/order-1 HTTP/1.1"
    assert headers["Host"] == f"{NAME}:8080"
    assert len(server.requests) == 2


@pytest.mark.parametrize("proxy_speaks_tls", [False, True])
def test_https_goes_through_a_tunnel_and_the_proxy_sees_no_credentials_of_the_api(
    secure: RecordingServer, shell: Shell, proxy_speaks_tls: bool
) -> None:
    tls = server_context() if proxy_speaks_tls else None
    with HttpProxy(secure.port, "user:password", tls) as proxy:
        if tls is not None and speaks_no_tls_in_tls(shell):
            assert_refused(proxy)
            return
        with make_client(f"https://{NAME}", proxy=proxy.url, **TRUSTED) as client:
            CREATE(client)
            CREATE(client)
        ((line, headers),) = proxy.seen
    assert line.startswith(f"CONNECT {NAME}:443 HTTP/1.")
    assert "Authorization" not in headers
    assert headers["Proxy-Authorization"] == "Basic dXNlcjpwYXNzd29yZA=="
    assert [request.headers.get("Proxy-Authorization") for request in secure.requests] == [None] * 2
    assert secure.last.headers["Authorization"] == "ApiKey-v1 integration-secret"
    assert secure.last.headers["Host"] == NAME


def test_the_proxy_of_the_environment_is_used(
    secure: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with HttpProxy(secure.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "10.0.0.0/8")
        with make_client(f"https://{NAME}", **TRUSTED) as client:
            CREATE(client)
        assert len(proxy.seen) == 1


@pytest.mark.filterwarnings("ignore:calls to http:talon_one.InsecureHostWarning")
def test_an_exempt_network_is_reached_directly(
    monkeypatch: pytest.MonkeyPatch, server: RecordingServer
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
    monkeypatch.setattr("talon_one._http.proxies.is_loopback", lambda _: False)
    with make_client(server.url) as client:
        with pytest.raises(NotSentError):
            READ(client)
        monkeypatch.setenv("NO_PROXY", "127.0.0.0/8")
    with make_client(server.url) as client:
        READ(client)


def test_headers_for_the_proxy_alone_stay_there(secure: RecordingServer) -> None:
    with HttpProxy(secure.port, "user:password") as proxy:
        settings: Any = {
            "proxy": f"http://other:wrong@127.0.0.1:{proxy.port}",
            # Comes before the credentials in the address.
            "proxy_headers": {
                "proxy-authorization": "Basic dXNlcjpwYXNzd29yZA==",
                "X-Gate": "west",
            },
        }
        with make_client(f"https://{NAME}", **settings, **TRUSTED) as client:
            CREATE(client)
        ((_, headers),) = proxy.seen
    assert headers["X-Gate"] == "west"
    assert "X-Gate" not in secure.last.headers


@pytest.mark.one_shell("aiohttp speaks to no SOCKS proxy")
@pytest.mark.parametrize(("scheme", "host"), [("socks5h", NAME), ("socks5", "127.0.0.1")])
def test_a_socks_proxy_leads_to_the_server(
    secure: RecordingServer, monkeypatch: pytest.MonkeyPatch, scheme: str, host: str
) -> None:
    lookup = socket.getaddrinfo

    def here(name: Any, *arguments: Any, **settings: Any) -> Any:
        return lookup("127.0.0.1" if name == NAME else name, *arguments, **settings)

    monkeypatch.setattr(socket, "getaddrinfo", here)
    with SocksProxy(secure.port, "user:password") as proxy:
        with make_client(f"https://{NAME}", proxy=proxy.url(scheme), **TRUSTED) as client:
            CREATE(client)
            CREATE(client, _deadline=5)
        assert proxy.seen == [(host, 443)]
    assert len(secure.requests) == 2


@pytest.mark.one_shell("aiohttp speaks to no SOCKS proxy")
def test_plain_http_goes_through_socks_as_well(server: RecordingServer) -> None:
    with SocksProxy(server.port) as proxy:
        with make_client("http://127.0.0.1:8080", proxy=proxy.url("socks5")) as client:
            READ(client)
        assert proxy.seen == [("127.0.0.1", 8080)]
    assert server.last.target == "/v2/customer_sessions/order-1"


@pytest.mark.one_shell("aiohttp speaks to no SOCKS proxy")
@pytest.mark.parametrize(
    ("proxy", "looked_up"),
    [
        ("socks5h://[::1]:7", ("::1", 7)),
        ("socks5h://gate.test", ("gate.test", 1080)),
        ("socks4a://gate.test.:7", ("gate.test.", 7)),
    ],
)
def test_the_address_of_a_socks_proxy_is_looked_up_without_its_brackets(
    monkeypatch: pytest.MonkeyPatch, proxy: str, looked_up: tuple[str, int]
) -> None:
    asked: list[Any] = []

    def nothing(*address: Any, **_: Any) -> Any:
        asked.append(address[:2])
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nothing)
    with (
        make_client(f"https://{NAME}", proxy=proxy, retries=0) as client,
        pytest.raises(NotSentError, match="Failed to resolve"),
    ):
        CREATE(client)
    assert asked == [looked_up]


# -- What goes wrong ---------------------------------------------------------------------------


def test_a_proxy_that_refuses_the_credentials_has_sent_nothing(secure: RecordingServer) -> None:
    with HttpProxy(secure.port, "user:password") as proxy:
        address = f"http://user:wrong@127.0.0.1:{proxy.port}"
        with (
            make_client(f"https://{NAME}", proxy=address, **TRUSTED) as client,
            pytest.raises(NotSentError, match="407 Proxy Authentication Required") as caught,
        ):
            CREATE(client)
    assert secure.connections == 0
    assert "wrong" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.filterwarnings("ignore:calls to http:talon_one.InsecureHostWarning")
def test_a_proxy_that_forwards_may_respond_itself(server: RecordingServer) -> None:
    with HttpProxy(server.port, "user:password") as proxy:
        address = f"http://127.0.0.1:{proxy.port}"
        with (
            make_client(f"http://{NAME}", proxy=address) as client,
            pytest.raises(ApiException) as caught,
        ):
            CREATE(client)
    assert caught.value.status == 407
    assert server.connections == 0


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_a_proxy_that_is_not_there_has_sent_nothing(scheme: str, shell: Shell) -> None:
    refusal: type[OpenApiException] = NotSentError
    said = "Connection refused"
    if shell.awaits and scheme == "socks5h":
        refusal, said = ConfigurationError, "aiohttp speaks to no SOCKS proxy"
    address = f"{scheme}://user:password@127.0.0.1:{closed_port()}"
    with (
        make_client(f"https://{NAME}", proxy=address) as client,
        pytest.raises(refusal, match=said) as caught,
    ):
        CREATE(client)
    assert "password" not in "".join(traceback.format_exception(caught.value))


def test_a_certificate_is_checked_behind_the_proxy_too() -> None:
    with (
        RecordingServer(server_context(NAME, by="somebody")) as server,
        HttpProxy(server.port) as proxy,
        make_client(f"https://{NAME}", proxy=proxy.url, **TRUSTED) as client,
        pytest.raises(TlsError),
    ):
        CREATE(client)
    assert server.requests == []


def test_the_certificate_of_the_proxy_is_checked(secure: RecordingServer, shell: Shell) -> None:
    with (
        HttpProxy(secure.port, tls=server_context("127.0.0.1", by="somebody")) as proxy,
        make_client(f"https://{NAME}", proxy=proxy.url, **TRUSTED) as client,
    ):
        with pytest.raises(ConfigurationError if speaks_no_tls_in_tls(shell) else TlsError):
            CREATE(client)
        assert proxy.seen == []
    assert secure.connections == 0


@pytest.mark.parametrize("proxy_speaks_tls", [False, True])
def test_a_deadline_bounds_a_proxy_that_trickles(
    secure: RecordingServer, shell: Shell, proxy_speaks_tls: bool
) -> None:
    # Where that is refused, another test says so.
    tls = server_context() if proxy_speaks_tls and not speaks_no_tls_in_tls(shell) else None
    with (
        HttpProxy(secure.port, tls=tls, pace=0.02) as proxy,
        make_client(f"https://{NAME}", proxy=proxy.url, **TRUSTED) as client,
        time_of(0.15),
        pytest.raises(ConnectTimeoutError, match="the deadline has passed"),
    ):
        CREATE(client, _deadline=0.15)
    assert secure.requests == []


@pytest.mark.parametrize(
    "address",
    [
        "ftp://user:password@proxy:21",
        "http://user:password@proxy:99999999",
        "http://user:password@[::1",
        "http://user:password@proxy\uff0etest:8080",
        "socks9://user:password@proxy:1080",
        "user:password@proxy:8080",
    ],
)
def test_an_address_that_cannot_be_used_is_not_shown(address: str) -> None:
    with (
        make_client("https://shop.talon.one", proxy=address) as client,
        pytest.raises(ConfigurationError, match="the proxy cannot be used") as caught,
    ):
        CREATE(client)
    assert "password" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.one_shell("aiohttp speaks to no SOCKS proxy")
def test_socks_without_pysocks_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "socks", None)
    monkeypatch.delitem(sys.modules, "urllib3.contrib.socks", raising=False)
    monkeypatch.delattr("urllib3.contrib.socks", raising=False)
    with (
        make_client("https://shop.talon.one", proxy="socks5://127.0.0.1:1") as client,
        pytest.raises(ConfigurationError, match="pip install PySocks"),
    ):
        CREATE(client)


def test_neither_logs_nor_representations_show_the_password_of_a_proxy(
    secure: RecordingServer, shell: Shell, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with (
        HttpProxy(secure.port, "user:hidden") as proxy,
        make_client(f"https://{NAME}", proxy=proxy.url, **TRUSTED) as client,
    ):
        CREATE(client)
        shown = [repr(client), repr(client.configuration)]
        if not shell.awaits:
            shown.append(repr(client.rest_client))
        shown.append(client.configuration.to_debug_report())
    text = caplog.text + "".join(shown)
    assert "hidden" not in text
    assert "dXNlcjpoaWRkZW4=" not in text
