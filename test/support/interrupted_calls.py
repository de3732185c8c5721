"""Programs in which exceptions come at bad moments: run by tests as processes of their own.

The first argument names the program, the second says how many exceptions come. The process ends
with status 0 if each of them surfaced as what it is, and nothing was lost by it.
"""

from __future__ import annotations

import ctypes
import gc
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest

from support import forked_program
from support.calls import make_client
from support.echo import Echo
from support.server import RecordingServer
from talon_one import ApiClient, IntegrationApi, TransportError

ROOT = Path(__file__).parents[2]
POOL = 3


class Interrupt(BaseException):
    """Stands for Ctrl-C."""


class TimeLimit(TimeoutError):
    """The time limit of a job, as a task queue raises it in the handler of a signal."""


def run(program: str, count: int) -> None:
    """Run one of the programs, and fail unless it is content."""
    # Python 3.13 reports what is interrupted in the middle of being made, and then collected.
    forked_program.run(__name__, program, str(count), timeout=300, quiet=False)


def main(program: str, count: str) -> None:
    """Be one of the programs."""
    # A connection that is dropped in the middle of being closed says so, which is all right here.
    warnings.filterwarnings("ignore", category=ResourceWarning)
    with (
        RecordingServer(default=Echo()) as server,
        make_client(server.url, connection_pool_maxsize=POOL) as client,
    ):
        # What is imported at the first call is not interrupted: Python may keep a lock then.
        ask(client)
        with suppress(TransportError):
            _hold(client, _deadline=1e-9)
        PROGRAMS[program](client, int(count))
        check_that_nothing_is_lost(client)


def check_that_nothing_is_lost(client: ApiClient) -> None:
    """Hold all connections of the pool at the same time, and see that there are no more."""
    gc.collect()
    with ExitStack() as stack:
        for _ in range(POOL):
            stack.callback(_hold(client).close)
        with pytest.raises(TransportError, match="all are in use"):
            _hold(client)
    ask(client)


def _hold(client: ApiClient, **settings: Any) -> Any:
    """Return a response whose body is left unread, so that it keeps its connection."""
    settings |= {"_preload_content": False, "_request_timeout": (0.2, 5), "_retries": 0}
    return IntegrationApi(client).get_customer_session("1", **settings)


def ask(client: ApiClient) -> None:
    """Make a call, and check that the response is its own."""
    number = str(random.randrange(10**6))
    found = IntegrationApi(client).get_customer_session(number, _deadline=30)
    assert found.customer_session is not None
    assert found.customer_session.integration_id == number


@contextmanager
def others_at_work(client: ApiClient) -> Iterator[None]:
    """Have as many threads make calls as the pool has connections, so that there is a queue."""
    over = threading.Event()
    failures: list[BaseException] = []

    def work() -> None:
        while not over.is_set():
            try:
                ask(client)
            except BaseException as failure:
                failures.append(failure)
                raise

    threads = [threading.Thread(target=work) for _ in range(POOL)]
    for each in threads:
        each.start()
    try:
        yield
    finally:
        over.set()
        for each in threads:
            each.join()
        assert not failures, failures


def until_interrupted(
    client: ApiClient,
    kind: type[BaseException],
    arm: Callable[[], object] = bool,
    armed: Callable[[], bool] = lambda: True,
) -> None:
    """Make calls until an exception comes, which is to be of this kind.

    Python swallows those that come in a finalizer; responses of urllib3 have one.
    """
    try:
        arm()
        while armed():
            ask(client)
    except kind:
        pass


def signals(client: ApiClient, count: int) -> None:
    """The handler of a signal raises, at random moments, while others make calls, too."""
    _signals(client, count, Interrupt)


def time_limits(client: ApiClient, count: int) -> None:
    """The same with an exception that looks like a failure of the network."""
    _signals(client, count, TimeLimit)


def _signals(client: ApiClient, count: int, kind: type[BaseException]) -> None:
    armed = False

    def handler(*_: object) -> None:
        nonlocal armed
        if armed:
            armed = False
            raise kind("now")

    def arm() -> None:
        nonlocal armed
        armed = True
        signal.setitimer(signal.ITIMER_REAL, random.uniform(0.0001, 0.003))

    signal.signal(signal.SIGALRM, handler)
    for number in range(count):
        with others_at_work(client) if number % 10 == 0 else nullcontext():
            until_interrupted(client, kind, arm, lambda: armed)


def asynchronous_exceptions(client: ApiClient, count: int) -> None:
    """Another thread has an exception raised in this one, at random moments."""
    for _ in range(count):
        over = threading.Event()
        failures: list[BaseException] = []

        def work(over: threading.Event = over, failures: list[BaseException] = failures) -> None:
            try:
                until_interrupted(client, Interrupt)
            except BaseException as failure:
                failures.append(failure)
            over.set()

        thread = threading.Thread(target=work)
        thread.start()
        over.wait(random.uniform(0.0005, 0.004))
        assert thread.ident is not None
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(Interrupt)
        )
        thread.join()
        assert not failures, failures


def bytecodes(client: ApiClient, count: int) -> None:
    """An exception comes before each bytecode of the transport, and every third of urllib3."""
    _bytecodes(client, count, ask)


def bytecodes_of_waiting(client: ApiClient, count: int) -> None:
    """The same while all connections are in use, and are given back a moment later."""

    stack: Any = next(iter(client.rest_client._pools.values())).pool

    def ask_in_a_queue(client: ApiClient) -> None:
        taken, over = threading.Event(), threading.Event()

        def take_all() -> None:
            leases = [stack.lease(10) for _ in range(POOL)]
            taken.set()
            while not stack._waiting and not over.wait(0.0001):
                pass
            for each in leases:
                each.release()

        thread = threading.Thread(target=take_all)
        thread.start()
        taken.wait()
        try:
            ask(client)
        finally:
            over.set()
            thread.join()

    _bytecodes(client, count, ask_in_a_queue, everywhere=False)


def _bytecodes(
    client: ApiClient, count: int, work: Callable[[ApiClient], None], everywhere: bool = True
) -> None:
    ours = {str(file) for file in (ROOT / "talon_one" / "_http").glob("*.py")}
    urllib3 = f"{os.sep}urllib3{os.sep}"
    seen = 0
    when = 0
    theirs = 0

    def trace(frame: Any, event: str, _: object) -> Any:
        nonlocal seen, theirs
        name = frame.f_code.co_filename
        if name not in ours and not (everywhere and urllib3 in name):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            if name not in ours:
                # Most are theirs, and a third of these stops at each of their statements.
                theirs += 1
                if theirs % 3:
                    return trace
            seen += 1
            if seen == when:
                raise Interrupt
        return trace

    gc.disable()  # What finalizers raise is lost.
    gc.freeze()  # Collections look at what the calls leave, and nothing else.
    for number in range(10**9):
        # Tracebacks and frames may hold each other, and with them a slot.
        gc.collect(1)
        seen, when, theirs = 0, number + 1, 0
        # Without this, Python 3.12 counts no bytecodes in the frames that are traced.
        sys._getframe().f_trace_opcodes = True
        sys.settrace(trace)
        try:
            work(client)
        except Interrupt:
            pass
        else:
            break
        finally:
            sys.settrace(None)
        if number >= count:
            break
    assert number >= min(count, 500), number


PROGRAMS: dict[str, Callable[[ApiClient, int], None]] = {
    each.__name__: each
    for each in (signals, time_limits, asynchronous_exceptions, bytecodes, bytecodes_of_waiting)
}
