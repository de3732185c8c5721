"""A deadline also holds for libraries that read from a proxy piece by piece."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from support.calls import CREATE, READ, make_client
from support.certificates import certificate_of, server_context
from support.network import deaf_port
from support.proxy import HttpProxy, SocksProxy
from support.server import SILENCE, RecordingServer
from support.timing import time_of
from talon_one import ConnectTimeoutError, ReadTimeoutError

from .test_deadlines import resolve_to

NAME = "shop.talon.test"
TRUSTED: Any = {"ca_cert_data": certificate_of("ours"), "retries": 0}
# A message of 100 bytes or more takes a multiple of any deadline here.
PACE = 0.02

blocking_only = pytest.mark.one_shell("aiohttp speaks to no SOCKS proxy")
blocking_before_3_11 = pytest.mark.one_shell("asyncio has timers for whole steps in its loop")


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer(server_context(NAME)) as running:
        yield running


@blocking_only
@pytest.mark.parametrize("credentials", [None, "user:password"])
@pytest.mark.usefixtures("shell")
def test_a_deadline_bounds_the_greeting_of_a_socks_proxy(
    server: RecordingServer, credentials: str | None
) -> None:
    threads = threading.active_count()
    with (
        SocksProxy(server.port, credentials, PACE) as proxy,
        make_client(f"https://{NAME}", proxy=proxy.url("socks5h"), **TRUSTED) as client,
    ):
        during = threading.active_count()
        with (
            time_of(0.3),
            pytest.raises(ConnectTimeoutError, match="the deadline has passed") as caught,
        ):
            CREATE(client, _deadline=0.3)
        assert caught.value.attempts == 1
        # The proxy has one for the connection.
        assert threading.active_count() <= during + 1
    assert threading.active_count() == threads
    assert server.connections == 0


@blocking_only
@pytest.mark.usefixtures("shell")
def test_a_slow_socks_proxy_is_waited_for_without_a_deadline(server: RecordingServer) -> None:
    with SocksProxy(server.port, pace=0.0005) as proxy:
        settings: Any = {"timeout": (0.2, 5), **TRUSTED}
        with make_client(f"https://{NAME}", proxy=proxy.url("socks5h"), **settings) as client:
            CREATE(client)
            CREATE(client, _deadline=5)
    assert len(server.requests) == 2


@blocking_only
@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize("limit", [{"_request_timeout": 0.2}, {"_deadline": 0.2}])
def test_all_addresses_of_a_socks_proxy_share_the_time_to_connect(
    monkeypatch: pytest.MonkeyPatch, limit: dict[str, float]
) -> None:
    resolve_to(monkeypatch, *["127.0.0.1"] * 8)
    with (
        deaf_port() as port,
        make_client(f"https://{NAME}", proxy=f"socks5h://localhost:{port}", **TRUSTED) as client,
        time_of(0.2),
        pytest.raises(ConnectTimeoutError),
    ):
        READ(client, **limit)


@blocking_before_3_11
@pytest.mark.usefixtures("shell")
def test_a_deadline_bounds_the_handshake_inside_the_tls_of_a_proxy(
    server: RecordingServer,
) -> None:
    with (
        HttpProxy(server.port, tls=server_context()) as proxy,
        make_client(f"https://{NAME}", proxy=proxy.url, **TRUSTED) as client,
    ):
        proxy.tunnel_pace = PACE
        with time_of(0.3), pytest.raises(ConnectTimeoutError, match="the deadline has passed"):
            CREATE(client, _deadline=0.3)
    assert server.requests == []


@blocking_before_3_11
@pytest.mark.usefixtures("shell")
def test_a_deadline_bounds_a_response_inside_the_tls_of_a_proxy(server: RecordingServer) -> None:
    with (
        HttpProxy(server.port, tls=server_context()) as proxy,
        make_client(f"https://{NAME}", proxy=proxy.url, **TRUSTED) as client,
    ):
        READ(client, _deadline=5)
        READ(client)
        proxy.tunnel_pace = PACE
        with time_of(0.3), pytest.raises(ReadTimeoutError, match="the deadline has passed"):
            READ(client, _deadline=0.3)
        # A call without a deadline has time, also over a connection that began with one.
        proxy.tunnel_pace = None
        READ(client, _deadline=5)
        proxy.tunnel_pace = 0.0005
        READ(client)
    assert len(server.requests) == 5
    assert server.connections == 2


@pytest.mark.usefixtures("shell")
def test_the_handshake_behind_a_slow_proxy_gets_the_rest_of_the_deadline(
    server: RecordingServer,
) -> None:
    server.greet(SILENCE)
    with (
        HttpProxy(server.port, delay=0.35) as proxy,
        make_client(f"https://{NAME}", proxy=proxy.url, **TRUSTED) as client,
        time_of(0.4),
        pytest.raises(ConnectTimeoutError, match="the deadline has passed"),
    ):
        CREATE(client, _deadline=0.4)
    assert server.requests == []
