"""Programs that fork while an event loop runs; see support/forking.py, whose arguments they take.

A child of a running loop must end without running that loop on, which is its parent's: it shares
what the loop watches. So it makes a loop of its own for its calls, and leaves by `os._exit`.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Callable

from support.calls import KEYS
from support.forking import wait
from talon_one import Configuration, aio


def main(program: str, host: str, *trusted: str) -> None:
    """Be one of the programs."""
    # Python warns of threads, and where the loop looks up names there are some.
    warnings.filterwarnings("ignore", r".*multi-threaded, use of fork\(\)", DeprecationWarning)
    # In the development mode of Python it reports each slow step, such as one with a fork.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    configuration = Configuration(
        host=host, api_key=KEYS, ssl_ca_cert=trusted[0] if trusted else None, retries=0
    )
    PROGRAMS[program](aio.ApiClient(configuration))


async def call(client: aio.ApiClient, number: int) -> None:
    """Make a call that says which process it comes from, and check its response."""
    session_id = f"{os.getpid()}-{number}"
    found = await aio.IntegrationApi(client).get_customer_session(
        session_id, _headers={"X-Process": str(os.getpid())}
    )
    assert found.customer_session is not None
    assert found.customer_session.integration_id == session_id


def child(work: Callable[[], object]) -> int:
    """Do work in a child process and return its ID."""
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        work()
        gc.collect()
        status = 0
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def in_turn(client: aio.ApiClient) -> None:
    """Parent and child make calls in turn."""

    async def calls(*numbers: int) -> None:
        for number in numbers:
            await call(client, number)

    async def run() -> None:
        await calls(1, 2)
        for number in (3, 4):
            wait(child(lambda: asyncio.run(calls(1, 2))))
            await calls(number)
        await client.aclose()

    asyncio.run(run())


def busy(client: aio.ApiClient) -> None:
    """The fork comes while calls of the parent are in progress."""

    async def calls() -> None:
        await asyncio.gather(*(call(client, number) for number in range(10)))

    async def run() -> None:
        await calls()
        under_way = asyncio.ensure_future(calls())
        for _ in range(3):
            await asyncio.sleep(0)
        processes = [child(lambda: asyncio.run(calls())) for _ in range(2)]
        await under_way
        for process in processes:
            wait(process)
        await calls()
        await client.aclose()

    asyncio.run(run())


def closing(client: aio.ApiClient) -> None:
    """The child closes the client of the parent, or lets go of it, and ends without a call."""

    sockets: list[int] = []

    async def run() -> None:
        await call(client, 1)
        (transport,) = client._transports.values()
        sockets.extend(each.fileno() for each in transport._connector._sockets.values())
        wait(child(lambda: assert_closed(sockets)))
        wait(child(lambda: asyncio.run(client.aclose())))
        wait(child(lambda: None))
        await call(client, 2)
        await client.aclose()

    asyncio.run(run())


def assert_closed(files: list[int]) -> None:
    """Check that the child does not keep connections open which the parent may close."""
    assert files
    for each in files:
        try:
            os.fstat(each)
        except OSError:
            continue
        raise AssertionError(f"{each} is open")


def between(client: aio.ApiClient) -> None:
    """The fork comes between two loops."""
    asyncio.run(call(client, 1))
    wait(child(lambda: asyncio.run(call(client, 1))))
    asyncio.run(call(client, 2))


PROGRAMS: dict[str, Callable[[aio.ApiClient], None]] = {
    each.__name__: each for each in (in_turn, busy, closing, between)
}
