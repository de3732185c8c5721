"""Servers without a valid certificate receive no request and no credentials."""

from __future__ import annotations

import re
import ssl
from typing import Any

import pytest

from support.calls import CREATE, READ, make_client
from support.certificates import certificate_of, server_context
from support.server import HANG_UP, RESET, SILENCE, RecordingServer
from talon_one import ConnectTimeoutError, NotSentError, TlsError

OURS: Any = {"ca_cert_data": certificate_of("ours")}


def test_a_server_with_a_good_certificate_is_served_over_one_connection() -> None:
    with RecordingServer(server_context()) as server, make_client(server.url, **OURS) as client:
        for _ in range(3):
            CREATE(client)
    assert len(server.requests) == 3
    assert server.connections == 1


@pytest.mark.parametrize(
    ("certificate", "settings", "said"),
    [
        ({"by": "somebody"}, OURS, "unable to get local issuer|self-signed"),
        ({}, {}, "unable to get local issuer|self-signed"),
        ({"expired": True}, OURS, "certificate has expired"),
    ],
)
def test_a_certificate_that_proves_nothing_ends_the_call_before_it_is_sent(
    certificate: dict[str, Any], settings: dict[str, Any], said: str
) -> None:
    with (
        RecordingServer(server_context(**certificate)) as server,
        make_client(server.url, **settings) as client,
    ):
        with pytest.raises(TlsError, match=said) as caught:
            CREATE(client)
        assert server.requests == []
    assert caught.value.attempts == server.connections == 3
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize("name", ["other.talon.one", "127.0.0.2", "*.0.0.1"])
def test_a_certificate_of_another_host_ends_the_call_before_it_is_sent(name: str) -> None:
    with (
        RecordingServer(server_context(name)) as server,
        make_client(server.url, **OURS) as client,
    ):
        with pytest.raises(TlsError, match=r"certificate is not valid for '127\.0\.0\.1'"):
            CREATE(client)
        assert server.requests == []


def test_an_old_version_of_tls_is_refused() -> None:
    old = server_context()
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with RecordingServer(old) as server, make_client(server.url, **OURS) as client:
        with pytest.raises(TlsError, match=r"version|alert"):
            CREATE(client)
        assert server.requests == []


def test_a_server_without_tls_is_recognized() -> None:
    with RecordingServer() as server:
        host = re.sub("^http:", "https:", server.url)
        # It takes the greeting of TLS for a request line, and hangs up.
        server.greet(*[HANG_UP] * 3)
        with make_client(host, **OURS) as client, pytest.raises(NotSentError):
            CREATE(client)
        assert server.requests == []


@pytest.mark.parametrize("greeting", [HANG_UP, RESET])
def test_a_broken_handshake_is_retried_because_nothing_was_sent(greeting: Any) -> None:
    with RecordingServer(server_context()) as server, make_client(server.url, **OURS) as client:
        server.greet(greeting, greeting)
        CREATE(client)
        assert len(server.requests) == 1
        assert server.connections == 3
        server.greet(greeting, greeting, greeting)
        client.close()
    with RecordingServer(server_context()) as server, make_client(server.url, **OURS) as client:
        server.greet(greeting, greeting, greeting)
        with pytest.raises(NotSentError):
            READ(client)


def test_a_handshake_that_never_ends_is_a_timeout_of_connecting() -> None:
    with RecordingServer(server_context()) as server, make_client(server.url, **OURS) as client:
        server.greet(SILENCE, SILENCE, SILENCE)
        with pytest.raises(ConnectTimeoutError, match="timed out"):
            CREATE(client, _request_timeout=(0.05, 5))
        assert server.requests == []
