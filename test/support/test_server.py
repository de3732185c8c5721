"""The server that other tests rely on does what its page says."""

from __future__ import annotations

import gc
import http.client
import socket
import threading
import warnings
from contextlib import suppress

import pytest

from support.server import HANG_UP, RESET, SILENCE, RecordingServer, Response


def test_the_server_receives_what_is_sent() -> None:
    with RecordingServer() as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("PUT", "/a%2Fb?q=1&q=%C3%A4", b'{"a": 1}', {"X-Name": "v"})
        response = connection.getresponse()
        assert (response.status, response.read()) == (200, b"{}")
        connection.close()
    received = server.last
    assert (received.method, received.path, received.query) == ("PUT", "/a%2Fb", "q=1&q=%C3%A4")
    assert received.pairs == [("q", "1"), ("q", "ä")]
    assert received.headers["x-name"] == "v"
    assert received.json() == {"a": 1}


def test_responses_follow_the_script_over_one_connection() -> None:
    with RecordingServer() as server:
        server.script({"a": 1}, Response(404, "gone", {"X-Why": "1"}), Response(204))
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        found = []
        for _ in range(4):
            connection.request("GET", "/")
            response = connection.getresponse()
            found.append((response.status, response.read(), response.headers["X-Why"]))
        connection.close()
    assert found == [
        (200, b'{"a": 1}', None),
        (404, b"gone", "1"),
        (204, b"", None),
        (200, b"{}", None),
    ]
    assert server.connections == 1


def test_it_hangs_up_or_stays_silent_on_command() -> None:
    with RecordingServer() as server:
        server.script(HANG_UP, SILENCE)
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("GET", "/")
        with pytest.raises(http.client.RemoteDisconnected):
            connection.getresponse()
        connection.close()
        quiet = socket.create_connection(("127.0.0.1", server.port), timeout=0.05)
        quiet.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(TimeoutError):
            quiet.recv(1)
    quiet.close()


def test_it_can_be_rude_before_and_after_a_request() -> None:
    with RecordingServer() as server:
        server.greet(RESET, HANG_UP, None)
        server.script(RESET)
        for received in (0, 0, 1):
            client = socket.create_connection(("127.0.0.1", server.port), timeout=10)
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
            with suppress(ConnectionResetError):
                assert client.recv(1) == b""
            client.close()
            assert len(server.requests) == received
    assert server.connections == 3
    assert server.most_at_once == 1


def test_an_response_can_be_announced_trickle_and_get_stuck() -> None:
    with RecordingServer() as server:
        server.script(Response(204, before=b"HTTP/1.1 100 Continue\r\n\r\n", pace=0))
        server.script(Response(raw=b"HTTP/1.1 2", silent=True))
        client = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        client.sendall(b"GET / HTTP/1.1\r\n\r\n" * 2)
        expected = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 2"
        found = b""
        while len(found) < len(expected):
            found += client.recv(1)
        assert found == expected
        client.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.close()
    assert [request.connection for request in server.requests] == [1, 1]


def test_nothing_is_left_when_it_has_stopped() -> None:
    before = threading.active_count()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with RecordingServer() as server:
            open_end = socket.create_connection(("127.0.0.1", server.port))
            open_end.sendall(b"GET / HTTP/1.1\r\nContent-Le")
        open_end.close()
        assert threading.active_count() == before
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port))
        del server
        gc.collect()
