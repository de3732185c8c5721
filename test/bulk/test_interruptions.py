"""Ctrl-C, killed processes, and cancelled tasks."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

import talon_one.aio.bulk
from bulk.runs import OK, memberships, profiles, sent_ids, span
from docs.pages import ROOT
from support.calls import KEYS, make_client
from support.platforms import needs_posix_signals
from support.server import HANG_UP, Received, RecordingServer, Response
from talon_one import Configuration, IntegrationApi, bulk
from talon_one.bulk.interrupts import Interrupts


@pytest.fixture(autouse=True)
def default_ctrl_c() -> Iterator[None]:
    """Install the handler of Python: shells start background jobs with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class HeldResponses:
    """A handler that holds each response until it is released."""

    def __init__(self) -> None:
        self.arrived = threading.Event()
        self.released = threading.Event()

    def __call__(self, received: Received) -> Response:
        self.arrived.set()
        self.released.wait(10)
        return OK


def test_ctrl_c_waits_for_requests_in_flight_and_starts_no_new_ones(
    server: RecordingServer,
) -> None:
    server.default = held = HeldResponses()

    def rows() -> Iterator[dict[str, Any]]:
        yield from profiles(7)
        # In this thread, while the first request is in flight.
        held.arrived.wait(10)
        held.released.set()
        signal.raise_signal(signal.SIGINT)
        yield from profiles(10, begin=7)

    states: list[bulk.Progress] = []
    with make_client(server.url) as client, pytest.raises(KeyboardInterrupt) as caught:
        bulk.upsert_profiles(
            IntegrationApi(client), rows(), chunk_size=5, concurrency=1, progress=states.append
        )
    summary: bulk.Summary = caught.value.summary  # type: ignore[attr-defined]  # put there by us
    assert [span(ids) for ids in sent_ids(server)] == ["0-4"]
    assert summary[:3] == (5, 0, 0)
    assert not summary.complete
    # The summary is in the last progress report as well.
    assert states[-1].finished
    assert states[-1].token == summary.token
    server.clear()
    with make_client(server.url) as client:
        bulk.upsert_profiles(IntegrationApi(client), profiles(20), resume=summary.token)
    assert [span(ids) for ids in sent_ids(server)] == ["5-19"]


@needs_posix_signals
def test_ctrl_c_at_any_moment_loses_no_row(server: RecordingServer) -> None:
    def respond(received: Received) -> Response:
        if len(server.requests) == 4:
            os.kill(os.getpid(), signal.SIGINT)
        return OK

    server.default = respond
    with make_client(server.url) as client:
        with pytest.raises(KeyboardInterrupt) as caught:
            bulk.change_audiences(IntegrationApi(client), memberships(5000), chunk_size=5)
        summary: bulk.Summary = caught.value.summary  # type: ignore[attr-defined]  # put there by us
        received = [id for ids in sent_ids(server) for id in ids]
        assert summary.sent == len(received)
        assert summary.unknown == 0
        server.default = OK
        bulk.change_audiences(IntegrationApi(client), memberships(5000), resume=summary.token)
    received_ids = Counter(id for ids in sent_ids(server) for id in ids)
    assert received_ids == Counter(f"p{number}" for number in range(5000))


@pytest.mark.parametrize("invalid", [False, True], ids=["rejected by the server", "invalid"])
def test_ctrl_c_waits_until_a_failure_is_recorded(server: RecordingServer, invalid: bool) -> None:
    server.default = Response(429)
    written: list[int] = []

    def write(failure: bulk.Failure) -> None:
        if not written:
            signal.raise_signal(signal.SIGINT)
        written.append(failure.index)

    rows = [{}] if invalid else memberships(3)
    with make_client(server.url, retries=0) as client, pytest.raises(KeyboardInterrupt) as caught:
        bulk.change_audiences(IntegrationApi(client), rows, failures=write)
    summary: bulk.Summary = caught.value.summary  # type: ignore[attr-defined]  # put there by us
    assert summary[:3] == (0, len(written), 0)
    assert written == list(range(1 if invalid else 3))


_PROGRAM_TO_KILL = """
import os, sys
from pathlib import Path
from talon_one import IntegrationApi, bulk
from bulk.runs import memberships

host, token, failures = sys.argv[1:]

def keep(progress):
    Path(token + ".new").write_text(progress.token)
    os.replace(token + ".new", token)

api = IntegrationApi(host=host, api_key="k")
bulk.change_audiences(
    api, memberships(50), chunk_size=5, concurrency=3, failures=failures, progress=keep,
    _headers={"X-Process": str(os.getpid())},
)
"""


@needs_posix_signals
def test_a_killed_process_sends_nothing_twice_and_loses_nothing(
    server: RecordingServer, tmp_path: Path
) -> None:
    def kill(received: Received) -> Response:
        os.kill(int(received.headers["X-Process"]), signal.SIGKILL)
        return OK

    server.script(OK, HANG_UP, OK, OK, kill)
    token, failures = tmp_path / "token", tmp_path / "failed.jsonl"
    command = [sys.executable, "-c", _PROGRAM_TO_KILL, server.url, str(token), str(failures)]
    path = os.pathsep.join([str(ROOT), str(ROOT / "test")])
    died = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, check=False)
    assert died.returncode == -signal.SIGKILL
    with make_client(server.url) as client:
        summary = bulk.change_audiences(
            IntegrationApi(client),
            memberships(50),
            chunk_size=5,
            failures=failures,
            resume=token.read_text(),
        )
    assert summary.complete
    received = Counter(id for ids in sent_ids(server) for id in ids)
    # No row is sent twice, and those that were not sent are known to be unknown.
    assert max(received.values()) == 1
    unknown = {each.row["profileIntegrationId"] for each in bulk.failures_in(failures)}
    assert set(received) | unknown == {f"p{number}" for number in range(50)}
    assert summary.sent + summary.unknown == 50
    assert len(unknown) == summary.unknown >= 10


def test_no_thread_is_left_behind(server: RecordingServer) -> None:
    def rows() -> Iterator[dict[str, Any]]:
        yield from profiles(10)
        raise KeyboardInterrupt

    with make_client(server.url) as client, pytest.raises(KeyboardInterrupt):
        bulk.upsert_profiles(IntegrationApi(client), rows(), chunk_size=2)
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith("talon-one-bulk")]


async def _cancelled(
    server: RecordingServer, name: str, rows: Any, held: HeldResponses, failures: list[bulk.Failure]
) -> bulk.Summary:
    """Cancel a bulk job once a request is in flight, and return its summary."""
    configuration = Configuration(host=server.url, api_key=KEYS)
    states: list[bulk.Progress] = []
    async with talon_one.aio.ApiClient(configuration) as client:
        task = asyncio.ensure_future(
            getattr(talon_one.aio.bulk, name)(
                talon_one.aio.IntegrationApi(client),
                rows,
                chunk_size=3,
                concurrency=1,
                failures=failures.append,
                progress=states.append,
            )
        )
        await asyncio.to_thread(held.arrived.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        held.released.set()
    last = states[-1]
    assert last.finished
    return bulk.Summary(last.sent, last.failed, last.unknown, 0, 0, False, {}, last.token)


@pytest.mark.parametrize("name", ["change_audiences", "upsert_profiles"])
def test_rows_in_flight_of_a_cancelled_task_are_unknown_unless_idempotent(
    server: RecordingServer, name: str
) -> None:
    server.default = held = HeldResponses()
    failures: list[bulk.Failure] = []
    idempotent = name == "upsert_profiles"
    rows = profiles(9) if idempotent else memberships(9)
    summary = asyncio.run(_cancelled(server, name, rows, held, failures))
    assert summary[:3] == (0, 0, 0 if idempotent else 3)
    assert [each.index for each in failures] == ([] if idempotent else [0, 1, 2])
    server.clear()
    server.default = OK
    with make_client(server.url) as client:
        api = IntegrationApi(client)
        if idempotent:
            again = bulk.upsert_profiles(api, profiles(9), resume=summary.token)
        else:
            again = bulk.change_audiences(api, memberships(9), resume=summary.token)
    assert [span(ids) for ids in sent_ids(server)] == ["0-8" if idempotent else "3-8"]
    assert again.complete


def test_a_job_that_waits_for_rows_can_be_cancelled(server: RecordingServer) -> None:
    waiting = asyncio.Event()

    async def rows() -> AsyncIterator[dict[str, Any]]:
        for row in profiles(3):
            yield row
        waiting.set()
        await asyncio.Event().wait()

    async def main() -> None:
        configuration = Configuration(host=server.url, api_key=KEYS)
        async with talon_one.aio.ApiClient(configuration) as client:
            api = talon_one.aio.IntegrationApi(client)
            task = asyncio.ensure_future(talon_one.aio.bulk.upsert_profiles(api, rows()))
            await waiting.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
    assert server.requests == []


def test_other_tasks_run_while_rows_are_read(server: RecordingServer) -> None:
    other_steps = 0

    async def main() -> None:
        nonlocal other_steps

        async def count() -> None:
            nonlocal other_steps
            while True:
                other_steps += 1
                await asyncio.sleep(0)

        counting = asyncio.ensure_future(count())
        configuration = Configuration(host=server.url, api_key=KEYS)
        async with talon_one.aio.ApiClient(configuration) as client:
            api = talon_one.aio.IntegrationApi(client)
            rows: list[Any] = [{}] * 5000
            assert (await talon_one.aio.bulk.upsert_profiles(api, rows)).failed == 5000
        counting.cancel()

    asyncio.run(main())
    # Once for each thousand rows, and not for each row.
    assert 5 <= other_steps < 100


def test_ctrl_c_waits_for_the_end_of_held_blocks() -> None:
    done = []

    def work() -> None:
        with Interrupts() as interrupts:
            with interrupts.held:
                with interrupts.held:
                    signal.raise_signal(signal.SIGINT)
                    done.append("inner")
                done.append("outer")
            done.append("behind")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["inner", "outer"]


def test_a_second_ctrl_c_is_not_deferred() -> None:
    done = []

    def work() -> None:
        with Interrupts() as interrupts, interrupts.held:
            for number in range(2):
                signal.raise_signal(signal.SIGINT)
                done.append(number)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == [0]


def test_a_signal_handler_of_the_application_is_kept() -> None:
    def handle(number: int, frame: object) -> None:
        raise AssertionError("no signal was sent")

    def other(number: int, frame: object) -> None:
        raise AssertionError("no signal was sent")

    before = signal.getsignal(signal.SIGINT)
    try:
        signal.signal(signal.SIGINT, handle)
        with Interrupts():
            assert signal.getsignal(signal.SIGINT) is handle
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with Interrupts():
            assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        with Interrupts():
            signal.signal(signal.SIGINT, other)
        assert signal.getsignal(signal.SIGINT) is other
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_bulk_job_may_run_in_any_thread(server: RecordingServer) -> None:
    summaries: list[bulk.Summary] = []

    def work() -> None:
        with make_client(server.url) as client:
            summaries.append(bulk.upsert_profiles(IntegrationApi(client), profiles(5)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert summaries[0].sent == 5
