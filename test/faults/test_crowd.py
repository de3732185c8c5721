"""Many threads share one client, with faults in between: each call gets its own response."""

from __future__ import annotations

import gc
import logging
import os
import random
import socket
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from support import forking
from support.calls import make_client
from support.echo import Echo
from support.forking import PROCESSES, a_place
from support.server import RecordingServer
from support.shells import Shell
from talon_one import ApiClient, ApiTimeoutError, IntegrationApi
from talon_one._http.connections import Tracked

THREADS = 32
CALLS = 100
POOL = 8


def ask(client: ApiClient, session_id: str) -> None:
    """Make a call, and check that the response is its own."""
    found = IntegrationApi(client).get_customer_session(session_id)
    assert found.customer_session is not None
    assert found.customer_session.integration_id == session_id


def in_threads(count: int, work: Callable[[int], None]) -> None:
    """Run work in threads that begin together, and raise what it raises."""
    barrier = threading.Barrier(count)

    def run(number: int) -> None:
        barrier.wait()
        work(number)

    with ThreadPoolExecutor(count) as executor:
        for done in [executor.submit(run, number) for number in range(count)]:
            done.result()


class Sockets:
    """What a blocking client has open; a server learns too late of what a client closes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._made: list[socket.socket] = []
        self.limit = 0
        connect_to = Tracked._connect_to

        def noted(connection: Tracked, address: str) -> socket.socket:
            made = connect_to(connection, address)
            self._made = [each for each in [*self._made, made] if each.fileno() >= 0]
            self.limit = max(self.limit, len(self._made))
            return made

        monkeypatch.setattr(Tracked, "_connect_to", noted)


def test_32_threads_share_a_client_and_every_caller_gets_its_own_response(
    caplog: pytest.LogCaptureFixture, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.WARNING)
    sockets = Sockets(monkeypatch)
    echo = Echo(20)
    # Tasks have a crowd of their own, without threads: test/aio.
    calls = CALLS // 10 if shell.awaits else CALLS

    with (
        RecordingServer(default=echo) as server,
        make_client(server.url, connection_pool_maxsize=POOL) as client,
    ):

        def work(number: int) -> None:
            for call in range(calls):
                # Each thread begins elsewhere, so that their faults do not coincide.
                ask(client, str(number * calls + (call + 7 * number) % calls))

        in_threads(THREADS, work)
        assert echo.failures == THREADS * calls // 20
        assert len(server.requests) == THREADS * calls + echo.failures
        # The server is late to notice those that the client closes because another one has failed.
        assert (server.most_at_once if shell.awaits else sockets.limit) <= (1 + shell.awaits) * POOL
        # Two thirds of the faults cost a connection, and those idle then; nothing else does.
        assert server.connections <= POOL * echo.failures
    assert caplog.records == []


@pytest.mark.one_shell("an event loop is not shared by processes; see test/aio")
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on Windows")
def test_processes_forked_from_a_busy_client_do_not_disturb_it_nor_each_other(
    secure: bool, tmp_path: Path
) -> None:
    with a_place(tmp_path if secure else None, one_in=20) as place:
        forking.run("crowd", place)
        assert all(len(processes) == 1 for processes in place.processes)
        assert len(set.union(*place.processes)) == 1 + PROCESSES
        assert len(place.server.requests) > PROCESSES * forking.THREADS * forking.CALLS


def test_a_deadline_never_cuts_the_call_of_another_thread() -> None:
    with (
        RecordingServer(default=Echo()) as server,
        make_client(server.url, connection_pool_maxsize=4, retries=0) as client,
    ):
        api = IntegrationApi(client)
        ask(client, "0")
        cut = []

        def work(number: int) -> None:
            for call in range(100):
                if number % 2:
                    # So short that it ends about when the response does.
                    try:
                        api.get_customer_session("1", _deadline=random.uniform(0.001, 0.01))
                    except ApiTimeoutError as failure:
                        cut.append(failure)
                else:
                    ask(client, str(number * 100 + call))

        in_threads(8, work)
    assert cut


def test_a_pool_that_is_too_small_makes_callers_wait_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    with (
        RecordingServer(default=Echo()) as server,
        make_client(server.url, connection_pool_maxsize=1, retries=0) as client,
    ):

        def work(number: int) -> None:
            for call in range(10):
                ask(client, str(number * 10 + call))

        in_threads(16, work)
        assert server.connections == 1
    assert caplog.records == []


def open_sockets() -> set[int]:
    return {each.fileno() for each in gc.get_objects() if isinstance(each, socket.socket)} - {-1}


def open_files() -> list[str]:
    folder = Path("/dev/fd")
    return sorted(os.listdir(folder)) if folder.is_dir() else []


@pytest.mark.one_shell("a client that is forgotten with its loop leaves both to their owner")
def test_nothing_is_left_behind() -> None:
    gc.collect()
    before = threading.enumerate(), open_sockets(), open_files()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with RecordingServer(default=Echo(5)) as server:
            closed = make_client(server.url)
            forgotten = make_client(server.url)
            for number in range(40):
                ask(closed, str(number))
                ask(forgotten, str(100 + number))
                IntegrationApi(closed).get_customer_session("1", _deadline=10)
            settings: Any = {"async_req": True}
            IntegrationApi(closed).get_customer_session("1", **settings)
            IntegrationApi(forgotten).get_customer_session_without_preload_content("1")
            closed.close()
            del forgotten
            gc.collect()
    assert (threading.enumerate(), open_sockets(), open_files()) == before
