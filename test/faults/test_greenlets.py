"""Calls in greenlets, which share a thread: each is sent once and reports its own outcome."""

from __future__ import annotations

import ssl
import time
from pathlib import Path
from typing import Any

import pytest

from support import greenlets
from support.certificates import authority, server_context
from support.network import free_port
from support.platforms import needs_posix_signals
from support.server import SILENCE, RecordingServer

pytestmark = pytest.mark.one_shell("they are what asyncio does without")


def posts(server: RecordingServer) -> int:
    return sum(each.method == "POST" for each in server.requests)


@pytest.mark.parametrize(
    "program",
    ["gevent_first", "gevent_afterwards", "gevent_without_threads", "gevent_queue", "eventlet"],
)
def test_calls_of_greenlets_are_sent_once_each(program: str) -> None:
    with RecordingServer(default=SILENCE) as server:
        greenlets.run(program, server.url)
        assert posts(server) == greenlets.CALLS


@needs_posix_signals
def test_calls_of_gunicorn_with_gevent_are_sent_once_each() -> None:
    with RecordingServer(default=SILENCE) as server:
        greenlets.run("gunicorn", server.url, str(free_port()))
        assert posts(server) == greenlets.CALLS


class SlowTls:
    """A server that takes its time before it begins with TLS."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context

    def wrap_socket(self, *args: Any, **settings: Any) -> ssl.SSLSocket:
        time.sleep(1)
        return self._context.wrap_socket(*args, **settings)


@needs_posix_signals
def test_a_call_of_a_signal_handler_leaves_the_one_that_it_interrupts_alone(tmp_path: Path) -> None:
    file = tmp_path / "authority.pem"
    authority("ours").cert_pem.write_to_path(str(file))
    slow: Any = SlowTls(server_context())
    with (
        RecordingServer(slow, default=SILENCE) as server,
        RecordingServer(default=SILENCE) as other,
    ):
        greenlets.run("handler", server.url, other.url, str(file))
        assert (posts(server), posts(other)) == (1, 1)
