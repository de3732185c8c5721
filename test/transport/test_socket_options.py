"""Options of sockets: those of the configuration, or else small packets without delay."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from support.calls import READ, make_client
from support.proxy import SocksProxy
from support.server import RecordingServer
from support.shells import Shell

KEEP_ALIVE = (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
NO_DELAY = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def socket_of(shell: Shell, client: Any) -> socket.socket:
    """Return the only socket of a client."""
    found: socket.socket
    if shell.awaits:
        (transport,) = client.client._transports.values()
        (found,) = transport._connector._sockets.values()
    else:
        (pool,) = client.rest_client._pools.values()
        (connection,) = pool.pool._idle
        found = connection.sock
    return found


OPTIONS = pytest.mark.parametrize(
    ("options", "keeps_alive", "without_delay"),
    [
        (None, False, True),
        ([], False, False),
        ([KEEP_ALIVE], True, False),
        ([KEEP_ALIVE, NO_DELAY], True, True),
    ],
)


@OPTIONS
def test_the_options_of_the_configuration_replace_the_usual_one(
    shell: Shell, options: Any, keeps_alive: bool, without_delay: bool
) -> None:
    with RecordingServer() as server, make_client(server.url, socket_options=options) as client:
        READ(client)
        sock = socket_of(shell, client)
        assert bool(sock.getsockopt(*KEEP_ALIVE[:2])) is keeps_alive
        # asyncio never delays small packets.
        assert bool(sock.getsockopt(*NO_DELAY[:2])) is (without_delay or shell.awaits)


@pytest.mark.one_shell("aiohttp speaks to no SOCKS proxy")
@OPTIONS
def test_a_socket_to_a_socks_proxy_has_the_same_options(
    shell: Shell, options: Any, keeps_alive: bool, without_delay: bool
) -> None:
    with RecordingServer() as server, SocksProxy(server.port) as proxy:
        settings = {"socket_options": options, "proxy": proxy.url("socks5")}
        with make_client("http://127.0.0.1:8080", **settings) as client:
            READ(client)
            sock = socket_of(shell, client)
            assert bool(sock.getsockopt(*KEEP_ALIVE[:2])) is keeps_alive
            assert bool(sock.getsockopt(*NO_DELAY[:2])) is without_delay
