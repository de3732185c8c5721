"""Sockets that set the time left before each step, and only where it matters."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from support.timing import MockClock
from talon_one import Timeout
from talon_one._http.deadlines import BoundedSocket, ProxyTlsSocket
from talon_one._http.exchange import Exchange


class Noting:
    """A socket that notes the timeouts that are set, and sends one byte at a time."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._io_refs = 0
        self.timeouts: list[float | None] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def settimeout(self, seconds: float | None) -> None:
        self.timeouts.append(seconds)
        self._sock.settimeout(seconds)

    def send(self, data: memoryview) -> int:
        return self._sock.send(data[:1])


class Connection:
    """What a socket knows of its connection."""

    def __init__(self, deadline: float | None) -> None:
        self.exchange = exchange_of(deadline)


def exchange_of(deadline: float | None) -> Exchange:
    return Exchange(Timeout(deadline=deadline))


@pytest.fixture
def pair() -> Iterator[tuple[Noting, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Noting(ours), theirs


def test_a_response_is_read_within_the_time_left(
    pair: tuple[Noting, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = pair
    clock = MockClock()
    monkeypatch.setattr(time, "monotonic", clock)
    exchange = exchange_of(30)
    with BoundedSocket(ours, exchange, 60).makefile("rb") as file:
        theirs.sendall(b"abc")
        assert file.read1(1) == b"a"
        assert ours.timeouts == [30]
        assert file.readable()
        # The time left hardly changed, so that nothing was set anew.
        clock.now += 0.001
        theirs.sendall(b"d")
        assert file.read(3) == b"bcd"
        assert ours.timeouts == [30]
        clock.now += 5
        theirs.sendall(b"e")
        assert file.read(1) == b"e"
        assert ours.timeouts[1:] == [pytest.approx(24.999)]
        # A later deadline counts as well.
        assert exchange.deadline is not None
        exchange.deadline += 50
        theirs.sendall(b"f")
        assert file.read(1) == b"f"
        assert ours.timeouts[2:] == [60]
        # Without one, each step has the timeout.
        exchange.deadline = None
        theirs.sendall(b"g")
        assert file.read(1) == b"g"
        exchange.deadline = 0
        theirs.sendall(b"h")
        with pytest.raises(TimeoutError, match="the deadline has passed"):
            file.read(1)


def test_without_any_limit_a_response_is_waited_for(pair: tuple[Noting, socket.socket]) -> None:
    ours, theirs = pair
    with BoundedSocket(ours, exchange_of(None), None).makefile("rb") as file:
        for data in (b"a", b"b"):
            theirs.sendall(data)
            assert file.read(1) == data
    assert set(ours.timeouts) == {None}


def test_tls_to_a_proxy_sends_and_receives_within_the_time_left(
    pair: tuple[Noting, socket.socket],
) -> None:
    ours, theirs = pair
    ours._sock.settimeout(60)
    connection = Connection(30)
    secure = ProxyTlsSocket(ours, connection)
    secure.sendall(b"abc")
    assert theirs.recv(9) == b"abc"
    # One step for each byte.
    assert len(ours.timeouts) == 3
    assert all(29 < (each or 0) <= 30 for each in ours.timeouts)
    secure.settimeout(10)
    theirs.sendall(b"def")
    assert secure.recv(2) == b"de"
    assert ours.timeouts[3:] == [10, 10]
    connection.exchange = exchange_of(None)
    assert secure.recv(2) == b"f"
    assert ours.timeouts[5:] == [10]


def test_tls_to_a_proxy_outlives_its_connection(pair: tuple[Noting, socket.socket]) -> None:
    ours, theirs = pair
    secure = ProxyTlsSocket(ours, Connection(30))
    theirs.sendall(b"a")
    assert secure.recv(1) == b"a"
    secure.sendall(b"b")
    assert theirs.recv(1) == b"b"
    secure._io_refs += 1
    assert (secure._io_refs, ours._io_refs) == (1, 1)
    assert secure.fileno() == ours.fileno()
