"""Proxies on loopback: HTTP, SOCKS, and one that resets connections. Each leads to one server only.

They look up no names: whatever host is asked for, the connection goes to the port they are given.
"""

from __future__ import annotations

import base64
import http.client
import socket
import ssl
import struct
import threading
from contextlib import closing, suppress
from enum import Enum
from random import Random
from typing import TYPE_CHECKING, BinaryIO

from urllib3 import HTTPHeaderDict

from support.server import read_request

if TYPE_CHECKING:
    from typing_extensions import Self


class _Listener:
    """Accepts connections until it is left, each in a thread of its own.

    Attributes:
        tunnel_pace: Seconds between the bytes that are passed on from the server, if not ``None``.
    """

    def __init__(self, upstream: int, credentials: str | None = None) -> None:
        self.upstream = upstream
        self.credentials = credentials
        self.port = 0
        self.tunnel_pace: float | None = None
        self._over = threading.Event()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._begin(self._accept)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._over.set()
        for each in [self._listener, *self._sockets]:
            # Wakes the thread that waits for it; it may be closed already.
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for each in [self._listener, *self._sockets]:
            each.close()

    def _begin(self, work: object, *arguments: object) -> None:
        assert callable(work)
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):  # Closing the socket stops it.
            while True:
                connection, _ = self._listener.accept()
                self._sockets.append(connection)
                self._begin(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        # A client that hangs up, or dislikes the certificate, ends its visit.
        with suppress(OSError), connection:
            self.welcome(connection)

    def welcome(self, connection: socket.socket) -> None:
        """Find out what a visitor wants, and lead the way there."""
        raise NotImplementedError

    def lead_on(self, connection: socket.socket, first: bytes = b"") -> None:
        """Pass everything on, both ways, until one side has had enough."""
        with socket.create_connection(("127.0.0.1", self.upstream)) as server:
            self._sockets.append(server)
            server.sendall(first)
            self._begin(self._pass_on, server, connection, True)
            self._pass_on(connection, server)

    def send(self, target: socket.socket, data: bytes, pace: float | None) -> None:
        """Send bytes: all together, or one by one with so many seconds between them."""
        if pace is None:
            target.sendall(data)
            return
        for byte in data:
            target.sendall(bytes([byte]))
            self._over.wait(pace)

    def _pass_on(
        self, source: socket.socket, target: socket.socket, to_client: bool = False
    ) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self.send(target, data, self.tunnel_pace if to_client else None)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


class HttpProxy(_Listener):
    """A proxy that tunnels (``CONNECT``) and forwards.

    Args:
        upstream: Port of the server that everything goes to.
        credentials: ``user:password`` that clients have to give.
        tls: Context to be spoken to over TLS.
        pace: Seconds between the bytes of its response to ``CONNECT``.
        delay: Seconds before that response.

    Attributes:
        seen: First line and headers of what came, in order.
    """

    def __init__(
        self,
        upstream: int,
        credentials: str | None = None,
        tls: ssl.SSLContext | None = None,
        pace: float | None = None,
        delay: float = 0,
    ) -> None:
        super().__init__(upstream, credentials)
        self.seen: list[tuple[str, HTTPHeaderDict]] = []
        self._tls = tls
        self._pace = pace
        self._delay = delay

    @property
    def url(self) -> str:
        """Its address, with the credentials that it wants."""
        credentials = f"{self.credentials}@" if self.credentials else ""
        return f"{'https' if self._tls else 'http'}://{credentials}127.0.0.1:{self.port}"

    def welcome(self, connection: socket.socket) -> None:
        """Read the first request."""
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_side=True)
            self._sockets.append(connection)
        head = b""
        # Byte by byte, because what follows belongs to somebody else.
        while not head.endswith(b"\r\n\r\n"):
            piece = connection.recv(1)
            if not piece:
                return
            head += piece
        line, *rest = head.decode("latin-1").split("\r\n")
        headers = HTTPHeaderDict()
        for name, _, value in (each.partition(": ") for each in rest if each):
            headers.add(name, value)
        self.seen.append((line, headers))
        if self.credentials and headers.get("Proxy-Authorization") != self._wanted():
            connection.sendall(
                b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
            )
        elif line.startswith("CONNECT "):
            self._agree(connection)
            self.lead_on(connection)
        else:
            self.lead_on(connection, head)

    def _agree(self, connection: socket.socket) -> None:
        self._over.wait(self._delay)
        self.send(connection, b"HTTP/1.1 200 Connection established\r\n\r\n", self._pace)

    def _wanted(self) -> str:
        assert self.credentials is not None
        return f"Basic {base64.b64encode(self.credentials.encode()).decode()}"


class SocksProxy(_Listener):
    """A SOCKS5 proxy.

    Args:
        upstream: Port of the server that everything goes to.
        credentials: ``user:password`` that clients have to give.
        pace: Seconds between the bytes of its replies.

    Attributes:
        seen: Hosts and ports that were asked for; an address if the client had looked it up.
    """

    def __init__(
        self, upstream: int, credentials: str | None = None, pace: float | None = None
    ) -> None:
        super().__init__(upstream, credentials)
        self.seen: list[tuple[str, int]] = []
        self._pace = pace

    def url(self, scheme: str) -> str:
        """Return its address; the scheme decides which side looks up names."""
        credentials = f"{self.credentials}@" if self.credentials else ""
        return f"{scheme}://{credentials}127.0.0.1:{self.port}"

    def welcome(self, connection: socket.socket) -> None:
        """Negotiate, as RFC 1928 and RFC 1929 have it."""
        with connection.makefile("rb") as stream:
            stream.read(stream.read(2)[1])
            self.send(connection, b"\x05\x02" if self.credentials else b"\x05\x00", self._pace)
            if self.credentials:
                stream.read(1)
                given = f"{_text(stream)}:{_text(stream)}"
                connection.sendall(b"\x01\x00" if given == self.credentials else b"\x01\x01")
                if given != self.credentials:
                    return
            kind = stream.read(4)[3]
            host = _text(stream) if kind == 3 else socket.inet_ntoa(stream.read(4))
            self.seen.append((host, int.from_bytes(stream.read(2), "big")))
            # Where it has bound itself: a name, as long as names can be if there is time for it.
            name = b"p" * (255 if self._pace else 1)
            reply = b"\x05\x00\x00\x03" + bytes([len(name)]) + name + b"\x00\x00"
            self.send(connection, reply, self._pace)
            self.lead_on(connection)


class Reset(Enum):
    """When a `ResettingProxy` resets the connection of its client."""

    BEFORE_REQUEST = "before the request reaches the server"
    BEFORE_RESPONSE = "after the server has responded, before the client knows"
    INSIDE_RESPONSE = "in the middle of the response"
    AFTER_RESPONSE = "after the response, while the connection is idle"


class ResettingProxy(_Listener):
    """A reverse proxy, as a load balancer is, that resets some of the connections to its clients.

    Args:
        upstream: Port of the server that everything goes to.
        loss: Share of requests whose response gets lost; as many connections are reset while they
            are idle.
        seed: Of the random numbers that decide which.

    Attributes:
        resets: How many connections were reset, by the moment.
    """

    def __init__(self, upstream: int, loss: float, seed: int) -> None:
        super().__init__(upstream)
        self.resets = dict.fromkeys(Reset, 0)
        self._loss = loss
        self._random = Random(seed)
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """Its address, which stands for that of the server."""
        return f"http://127.0.0.1:{self.port}"

    def welcome(self, connection: socket.socket) -> None:
        """Forward requests one by one until the connection is reset, or the client leaves."""
        with (
            connection.makefile("rb") as stream,
            closing(http.client.HTTPConnection("127.0.0.1", self.upstream)) as server,
        ):
            while (received := read_request(stream, 0)) is not None:
                reset = self._draw()
                if reset is not Reset.BEFORE_REQUEST:
                    server.request(
                        received.method, received.target, received.body, dict(received.headers)
                    )
                    response = server.getresponse()
                    self._respond(connection, response, reset)
                if reset is not None:
                    connection.setsockopt(
                        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                    )
                    return

    def _respond(
        self, connection: socket.socket, response: http.client.HTTPResponse, reset: Reset | None
    ) -> None:
        head = f"HTTP/1.1 {response.status} {response.reason}\r\n{response.headers}".encode()
        whole = head.replace(b"\n", b"\r\n").replace(b"\r\r\n", b"\r\n") + response.read()
        if reset is Reset.INSIDE_RESPONSE:
            connection.sendall(whole[:-1])
        elif reset is not Reset.BEFORE_RESPONSE:
            connection.sendall(whole)

    def _draw(self) -> Reset | None:
        with self._lock:
            drawn = self._random.random()
            if drawn >= 2 * self._loss:
                return None
            reset = Reset.AFTER_RESPONSE
            if drawn < self._loss:
                reset = list(Reset)[int(drawn / self._loss * 3)]
            self.resets[reset] += 1
            return reset


def _text(stream: BinaryIO) -> str:
    return stream.read(stream.read(1)[0]).decode()
