"""Addresses on loopback without a server, or with one that never accepts."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache


@cache
def closed_port() -> int:
    """Return a port that refuses connections as long as this process lives.

    Nothing listens, but the port is taken: otherwise a server of another process could get it, and
    with it the calls of this one.
    """
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    port: int = holder.getsockname()[1]
    holder.detach()  # It stays open.
    return port


def free_port() -> int:
    """Return a port for a server that is about to start."""
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
