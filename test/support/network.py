"""Addresses on loopback without a server, or with one that never accepts."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


def closed_port() -> int:
    """Return a port that refuses connections."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@contextmanager
def deaf_port(host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """Give a port at which connections are neither accepted nor refused."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((host, port), backlog=0))
        address = listener.getsockname()
        # The queue of connections to accept is full when one more has to wait.
        while True:
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0.02)
            try:
                waiting.connect(address)
            except TimeoutError:
                break
        yield address[1]
