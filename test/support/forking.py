"""Programs that fork: run by tests as processes of their own, because pytest may have threads.

The first argument names the program, the others are the address of a server and, for HTTPS, the
file of the authority to trust. The exit status is 0 if all went well, in every process.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from support import forked_program
from support.calls import KEYS
from support.certificates import authority, server_context
from support.echo import FAULTS, Echo
from support.server import RecordingServer
from talon_one import ApiClient, Configuration, IntegrationApi, RetryPolicy

PROCESSES = 4
THREADS = 8
CALLS = 15


class Place(NamedTuple):
    """A server, and the arguments that lead a program there."""

    server: RecordingServer
    arguments: list[str]

    @property
    def processes(self) -> list[set[str]]:
        """For each connection, the processes whose requests came over it."""
        found: dict[int, set[str]] = defaultdict(set)
        for request in self.server.requests:
            found[request.connection].add(request.headers.get("X-Process", ""))
        return [found[number] for number in sorted(found)]


@contextmanager
def a_place(folder: Path | None = None, one_in: int = 0) -> Iterator[Place]:
    """Give a server that echoes IDs.

    Args:
        folder: Where the file of the authority may be written; the server then speaks HTTPS.
        one_in: See `Echo`.
    """
    context = None if folder is None else server_context()
    with RecordingServer(context, default=Echo(one_in)) as server:
        arguments = [server.url]
        if folder is not None:
            arguments.append(str(folder / "authority.pem"))
            authority("ours").cert_pem.write_to_path(arguments[1])
        yield Place(server, arguments)


def run(program: str, place: Place, module: str = __name__) -> None:
    """Run one of the programs of a module, and fail unless it and its children are content."""
    forked_program.run(module, program, *place.arguments, options=("-X", "dev"))


def main(program: str, host: str, *trusted: str) -> None:
    """Be one of the programs."""
    # Forking with threads is what is tested here.
    warnings.filterwarnings("ignore", r".*multi-threaded, use of fork\(\)", DeprecationWarning)
    configuration = Configuration(
        host=host,
        api_key=KEYS,
        ssl_ca_cert=trusted[0] if trusted else None,
        retries=RetryPolicy(retries=5, backoff=0.001),
    )
    configuration.connection_pool_maxsize = 4
    with ApiClient(configuration) as client:
        PROGRAMS[program](client)


def call(client: ApiClient, number: int) -> None:
    """Make a call that says which process it comes from, and check its response."""
    session_id = f"{os.getpid()}-{number}"
    found = IntegrationApi(client).get_customer_session(
        session_id, _headers={"X-Process": str(os.getpid())}
    )
    assert found.customer_session is not None
    assert found.customer_session.integration_id == session_id


def child(work: Callable[[], object]) -> int:
    """Do work in a child process, let that come to an ordinary end, and return its ID."""
    process = os.fork()
    if process:
        return process
    try:
        work()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    # The ordinary end, on which everything is collected and what is left open is found.
    sys.exit(0)


def wait(process: int) -> None:
    """Wait for a child process that has to end well."""
    assert os.waitpid(process, 0)[1] == 0


def in_turn(client: ApiClient) -> None:
    """Parent and child make calls in turn."""
    call(client, 1)
    call(client, 2)

    def work() -> None:
        call(client, 1)
        call(client, 2)

    wait(child(work))
    call(client, 3)
    wait(child(work))
    call(client, 4)


def closing(client: ApiClient) -> None:
    """The child closes the client of the parent, and ends without a call."""
    call(client, 1)
    wait(child(client.close))
    wait(child(lambda: None))
    call(client, 2)


def locked(client: ApiClient) -> None:
    """At the time of the fork, threads that do not exist in the child hold every lock."""
    call(client, 1)
    locks = [client._threads._lock, client._budget._lock]
    # Below its limit a budget takes its lock when something is earned.
    client._budget.spend()
    for lock in locks:
        lock.acquire()
    process = child(lambda: call(client, 2))
    for lock in locks:
        lock.release()
    wait(process)
    call(client, 3)


def threads(client: ApiClient) -> None:
    """The threads of a client are its parent's; the child gets its own."""

    def work() -> None:
        session_id = f"{os.getpid()}-1"
        # A keyword of the vendor's packages, which type checkers do not know.
        settings: Any = {"async_req": True}
        handle: Any = IntegrationApi(client).get_customer_session(session_id, **settings)
        assert handle.get(timeout=10).customer_session.integration_id == session_id

    work()
    wait(child(work))
    call(client, 2)


def crowd(client: ApiClient) -> None:
    """Threads of the parent make calls all the time while children are born and do the same."""
    over = threading.Event()
    failures: list[BaseException] = []

    def calls_until_over() -> None:
        number = 1
        try:
            while not over.is_set():
                call(client, number)
                number += 1
        except BaseException as failure:
            failures.append(failure)
            raise

    def crowd_of_calls() -> None:
        def work() -> None:
            try:
                for number in range(CALLS):
                    call(client, number)
            except BaseException as failure:
                failures.append(failure)
                raise

        in_threads([threading.Thread(target=work) for _ in range(THREADS)])
        assert not failures

    def in_threads(workers: list[threading.Thread]) -> None:
        for each in workers:
            each.start()
        for each in workers:
            each.join()

    # Everything that calls and their failures import is loaded now: a thread that imports while
    # another one forks leaves the lock of the module behind in the child, for good, in Python.
    for number in range(0, 20 * len(FAULTS), 20):
        call(client, number)
    parents = [threading.Thread(target=calls_until_over) for _ in range(THREADS)]
    for each in parents:
        each.start()
    children = [child(crowd_of_calls) for _ in range(PROCESSES)]
    for process in children:
        wait(process)
    over.set()
    for each in parents:
        each.join()
    assert not failures


PROGRAMS: dict[str, Callable[[ApiClient], None]] = {
    each.__name__: each for each in (in_turn, closing, locked, threads, crowd)
}
