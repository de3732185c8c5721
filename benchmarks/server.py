"""Server process that returns the same response to every request, as fast as it can."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import ROOT
from benchmarks.payloads import session_response


@contextmanager
def running(empty: bool = False) -> Iterator[str]:
    """Start the server and yield its URL; the end of the block stops it.

    Args:
        empty: Respond with status 204 instead of a session.
    """
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.server", *(["empty"] if empty else [])],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()


def serve(empty: bool) -> None:
    """Serve until standard input is closed; the first line of the output is the port."""
    body = json.dumps(session_response(), separators=(",", ":"), ensure_ascii=False).encode()
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    response = b"HTTP/1.1 204 No Content\r\n\r\n" if empty else head.encode() + body
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    threading.Thread(target=_accept, args=(listener, response), daemon=True).start()
    sys.stdin.read()


def _accept(listener: socket.socket, response: bytes) -> None:
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_serve_connection, args=(connection, response), daemon=True).start()


def _serve_connection(connection: socket.socket, response: bytes) -> None:
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
        head, blank_line, rest = received.partition(b"\r\n\r\n")
        if blank_line and len(rest) >= _content_length(head):
            connection.sendall(response)
            received = b""
    connection.close()


def _content_length(head: bytes) -> int:
    _, _, value = head.lower().partition(b"content-length:")
    return int(value.split(b"\r\n", 1)[0] or 0)


if __name__ == "__main__":
    serve("empty" in sys.argv)
