"""RecordingServer: an HTTP server on loopback that writes down requests and responses by script.

::

    from support.server import HANG_UP, Response, RecordingServer

    with RecordingServer() as server:
        server.script({"name": "a"}, Response(404, {"message": "no"}), HANG_UP)
        client = ApiClient(Configuration(host=server.url))
        ...
        assert server.last.method == "PUT"
        assert server.last.json() == {"name": "b"}

Responses are given in the order of the script, one for each request, whatever connection it comes
over. Once the script is used up, every request gets `RecordingServer.default`, which is ``{}``
with status 200. A connection stays open until the client or `RecordingServer.stop` closes it.
After `stop` no thread and no socket is left.

A server can be hostile, too: a response may break off, trickle or never come, and what `greet` is
given is done to connections before a request is read.
"""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, BinaryIO
from urllib.parse import parse_qsl

from urllib3 import HTTPHeaderDict


@dataclass(frozen=True)
class Received:
    """One request as it arrived."""

    method: str
    target: str
    """Path and query, still percent-encoded."""
    headers: HTTPHeaderDict
    """Names in any case; those that occur several times are joined with ``", "``."""
    body: bytes
    connection: int = field(default=0, compare=False)
    """Number of the connection that it came over, counted from 1."""

    @property
    def path(self) -> str:
        """The path, still percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """What follows the question mark, still percent-encoded."""
        return self.target.partition("?")[2]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Names and values of the query, decoded, in the order in which they arrived."""
        return parse_qsl(self.query, keep_blank_values=True, strict_parsing=bool(self.query))

    def json(self) -> Any:
        """Return the body as JSON data."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Response:
    """What the server sends back for one request."""

    status: int = 200
    body: Any = b""
    """Bytes and text are sent as they are; anything else as JSON."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Beside these, only ``Content-Length``, and ``Content-Type`` for JSON, are sent."""
    reason: str = ""
    """Reason phrase; the usual one of the status if empty."""
    raw: bytes | None = None
    """These bytes are sent instead of a proper response, and the connection is closed."""
    silent: bool = False
    """The connection stays open, and nothing (more) is sent until the server stops."""
    reset: bool = False
    """The connection is closed the rude way: what is still on its way is thrown away."""
    before: bytes = b""
    """These bytes are sent ahead of the response."""
    pace: float | None = None
    """The response is sent byte by byte, with so many seconds between them."""
    then: Callable[[socket.socket], object] | None = None
    """Called with the connection once the response is out, for what no request asked for."""

    def encoded(self, method: str) -> bytes:
        """Return all bytes of the response to a request with this method."""
        headers = HTTPHeaderDict()
        if isinstance(self.body, (bytes, str)):
            body = self.body.encode() if isinstance(self.body, str) else self.body
        else:
            body = json.dumps(self.body).encode()
            headers["Content-Type"] = "application/json"
        headers.update(self.headers)
        if "Content-Length" not in headers and self.status != HTTPStatus.NO_CONTENT:
            headers["Content-Length"] = str(len(body))
        try:
            reason = self.reason or HTTPStatus(self.status).phrase
        except ValueError:
            reason = "Unknown"
        lines = [f"HTTP/1.1 {self.status} {reason}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        return head if method == "HEAD" else head + body


HANG_UP = Response(raw=b"")
"""The server has read the request and closes the connection without a response."""
RESET = Response(raw=b"", reset=True)
"""The same, and the client learns of it by a reset."""
SILENCE = Response(raw=b"", silent=True)
"""The server has read the request and says nothing until it stops."""

Scripted = Response | Callable[[Received], Response]
"""A response, or a function that makes it from the request."""


class RecordingServer:
    """An HTTP server on loopback, and a context manager that starts and stops it.

    Args:
        tls: Context with the certificate of the server; the server then speaks HTTPS.
        default: Response to every request that the script does not cover.

    Attributes:
        requests: Every request so far, in the order in which they were complete.
        connections: How many connections have been accepted.
        most_at_once: How many of them were open at the same time, at most.
        port: Port that the server listens on; known once it has started.
        url: Address to give to a client as its host.
    """

    def __init__(self, tls: ssl.SSLContext | None = None, default: Scripted | None = None) -> None:
        self.requests: list[Received] = []
        self.connections = 0
        self.most_at_once = 0
        self.port = 0
        self.default: Scripted = default or Response(body={})
        self._tls = tls
        self._script: deque[Scripted] = deque()
        self._greetings: deque[Response | None] = deque()
        self._visitors: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> RecordingServer:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Address of the server, without a slash at the end."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def last(self) -> Received:
        """The latest request."""
        return self.requests[-1]

    def script(self, *responses: Any) -> None:
        """Append to the script: `Response`, functions, or JSON data to send with status 200.

        Args:
            responses: One for each coming request.
        """
        with self._lock:
            self._script.extend(
                each if isinstance(each, Response) or callable(each) else Response(body=each)
                for each in responses
            )

    def greet(self, *responses: Response | None) -> None:
        """Say what is done to the coming connections, one after another, without reading a byte.

        Args:
            responses: What is sent as soon as anything has arrived, such as `RESET`; ``None`` to
                read and response requests, as usual.
        """
        with self._lock:
            self._greetings.extend(responses)

    def clear(self) -> None:
        """Forget the requests so far and the rest of the script."""
        with self._lock:
            self.requests.clear()
            self._script.clear()
            self._greetings.clear()

    def start(self) -> None:
        """Listen on a free port, or on the same one as before."""
        self._stopping.clear()
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self._spawn(self._accept, self._listener)

    def stop(self) -> None:
        """Close all sockets and wait for all threads."""
        if self._listener is None:
            return
        self._stopping.set()
        # A last visitor wakes the thread that waits for one.
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._threads[0].join()
        self._listener.close()
        self._listener = None
        with self._lock:
            for each in self._sockets:
                _shut_down(each)
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def _spawn(self, target: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            connection, _ = listener.accept()
            if self._stopping.is_set():
                connection.close()
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            with self._lock:
                self._sockets.add(connection)
                self._visitors.add(connection)
                self.most_at_once = max(self.most_at_once, len(self._visitors))
            self._spawn(self._serve, connection, self.connections)

    def _serve(self, connection: socket.socket, number: int) -> None:
        plain = connection

        def leave() -> None:
            with self._lock:
                self._visitors.discard(plain)

        with self._lock:
            greeting = self._greetings.popleft() if self._greetings else None
        try:
            if greeting is not None:
                with connection:
                    connection.recv(1, socket.MSG_PEEK)
                    self._send(connection, greeting, "", leave)
                return
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
                with self._lock:
                    self._sockets.remove(plain)
                    self._sockets.add(connection)
            with connection, connection.makefile("rb") as stream:
                while self._response_one(connection, stream, number, leave):
                    pass
        except OSError:
            pass  # The client is gone, or did not like the certificate: its test will say so.
        finally:
            leave()
            plain.close()
            with self._lock:
                self._sockets -= {plain, connection}

    def _response_one(
        self, connection: socket.socket, stream: BinaryIO, number: int, leave: Callable[[], None]
    ) -> bool:
        """Read a request and response it; return whether another one may follow."""
        received = read_request(stream, number)
        if received is None:
            return False
        with self._lock:
            self.requests.append(received)
            scripted = self._script.popleft() if self._script else self.default
        response = scripted if isinstance(scripted, Response) else scripted(received)
        if received.headers.get("Connection") == "close":
            leave()
        self._send(connection, response, received.method, leave)
        closing = (received.headers.get("Connection"), response.headers.get("Connection"))
        return "close" not in closing and response.raw is None

    def _send(
        self, connection: socket.socket, response: Response, method: str, leave: Callable[[], None]
    ) -> None:
        if response.raw is not None and not response.silent:
            # Before the client can know, so that its next connection does not count with this one.
            leave()
        content = response.encoded(method) if response.raw is None else response.raw
        if response.pace is None:
            connection.sendall(response.before + content)
        else:
            for each in response.before + content:
                connection.sendall(bytes([each]))
                self._stopping.wait(response.pace)
        if response.then is not None:
            response.then(connection)
        if response.silent:
            self._stopping.wait()
        if response.reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def read_request(stream: BinaryIO, connection: int) -> Received | None:
    """Return the next request; ``None`` if the client closed the connection before its end."""
    line = stream.readline()
    if not line.endswith(b"\r\n"):
        return None
    method, target, _ = line.decode("latin-1").split(" ")
    headers = HTTPHeaderDict()
    while (line := stream.readline()) not in (b"\r\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        headers.add(name, value.strip())
    if headers.get("Transfer-Encoding") == "chunked":
        chunks = _read_chunks(stream)
        return None if chunks is None else Received(method, target, headers, chunks, connection)
    length = int(headers.get("Content-Length", "0"))
    body = stream.read(length)
    return None if len(body) < length else Received(method, target, headers, body, connection)


def _read_chunks(stream: BinaryIO) -> bytes | None:
    chunks = []
    while size := int(stream.readline() or b"-1", 16):
        if size < 0:
            return None
        chunks.append(stream.read(size))
        stream.readline()
    stream.readline()
    return b"".join(chunks)


def _shut_down(connection: socket.socket) -> None:
    # The other side may have been faster.
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
