"""Requests as bytes on a socket, for what HTTP clients cannot send."""

from __future__ import annotations

import json
import re
import select
import socket
from typing import Any

from talon_one.sandbox import Sandbox

KEY = b"Host: x\r\nAuthorization: ApiKey-v1 sandbox-integration-key\r\n"
UPDATE = b'{"customerSession":{}}'


def put(session_id: str, body: bytes = UPDATE, headers: bytes = b"") -> bytes:
    """Return the update of a session."""
    line = f"PUT /v2/customer_sessions/{session_id} HTTP/1.1\r\n".encode()
    return line + KEY + headers + b"Content-Length: %d\r\n\r\n" % len(body) + body


class Wire:
    """A connection to a sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._socket = socket.create_connection(("127.0.0.1", sandbox.port), timeout=20)
        self._file = self._socket.makefile("rb")

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def send(self, data: bytes) -> Wire:
        """Send bytes as they are."""
        self._socket.sendall(data)
        return self

    def head(self) -> tuple[int, dict[str, str]]:
        """Read a status line and headers."""
        match = re.fullmatch(rb"HTTP/1\.[01] (\d{3}) [^\r]*\r\n", self._file.readline())
        assert match, "no response"
        headers = {}
        while (line := self._file.readline().decode().strip()) != "":
            name, _, value = line.partition(": ")
            headers[name] = value
        return int(match[1]), headers

    def response(self) -> tuple[int, Any]:
        """Read a response with its JSON body."""
        status, headers = self.head()
        body = self._file.read(int(headers.get("Content-Length", 0)))
        if body:
            assert headers["Content-Type"] == "application/json"
        return status, json.loads(body) if body else None

    def has_received(self) -> bool:
        """Return whether a response has begun to arrive, without waiting for it."""
        return bool(select.select([self._socket], [], [], 0)[0])

    def ended(self) -> bool:
        """Return whether the server closes the connection, and sends nothing before."""
        return self._file.read(1) == b""
