"""Programs in which calls take turns in one thread: run by tests as processes of their own.

The first argument names the program, the second is the address of a server that never responds.
Each call creates coupons, which must not happen twice, and has to end in a `ReadTimeoutError`.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import urllib3

ROOT = Path(__file__).parents[2]
CALLS = 4


def run(program: str, *arguments: str) -> None:
    """Run one of the programs, and fail unless it is content."""
    done = subprocess.run(
        [sys.executable, __file__, program, *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def environment() -> dict[str, str]:
    """Return the environment in which processes find this project."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "test")])}


def create(host: str, **settings: Any) -> str:
    """Create coupons, and return the name of the exception."""
    from support.calls import KEYS
    from talon_one import ApiClient, Configuration, ManagementApi

    configuration = Configuration(host=host, api_key=KEYS, **settings)
    with ApiClient(configuration) as client:
        return create_with(ManagementApi(client))


def create_with(api: Any) -> str:
    """Create coupons with a client that others may use, too; return the name of the exception."""
    coupons = {"usageLimit": 1, "numberOfCoupons": 1}
    try:
        api.create_coupons(1, 2, coupons, _request_timeout=(2, 0.5))
    except Exception as failure:
        return type(failure).__name__
    return "no exception"


def _shared(host: str) -> Callable[[], str]:
    from support.calls import KEYS
    from talon_one import ApiClient, Configuration, ManagementApi

    api = ManagementApi(ApiClient(Configuration(host=host, api_key=KEYS)))
    return lambda: create_with(api)


def _gevent_calls(host: str) -> None:
    import gevent

    call = _shared(host)
    jobs = [gevent.spawn(call) for _ in range(CALLS)]
    gevent.joinall(jobs)
    assert [job.value for job in jobs] == ["ReadTimeoutError"] * CALLS, [job.value for job in jobs]


def gevent_first(host: str) -> None:
    """Patched before anything is imported, as gevent would have it."""
    from gevent import monkey

    monkey.patch_all()
    _gevent_calls(host)


def gevent_afterwards(host: str) -> None:
    """Patched when the transport has been imported."""
    importlib.import_module("talon_one.rest")
    from gevent import monkey

    monkey.patch_all()
    _gevent_calls(host)


def gevent_without_threads(host: str) -> None:
    """Patched, but for threads."""
    from gevent import monkey

    monkey.patch_all(thread=False)
    _gevent_calls(host)


def gevent_queue(host: str) -> None:
    """More greenlets than connections, without patched threads: waiting ones block no others."""
    from gevent import monkey

    monkey.patch_all(thread=False)
    import gevent

    from support.calls import KEYS
    from talon_one import ApiClient, Configuration, ManagementApi

    configuration = Configuration(host=host, api_key=KEYS)
    configuration.connection_pool_maxsize = 2
    api = ManagementApi(ApiClient(configuration))
    jobs = [gevent.spawn(create_with, api) for _ in range(CALLS)]
    gevent.joinall(jobs)
    assert [job.value for job in jobs] == ["ReadTimeoutError"] * CALLS, [job.value for job in jobs]


def eventlet(host: str) -> None:
    """The same with eventlet, patched when the transport has been imported."""
    importlib.import_module("talon_one.rest")
    # It recommends other libraries.
    warnings.simplefilter("ignore")
    import eventlet

    eventlet.monkey_patch()
    call = _shared(host)
    pool = eventlet.GreenPool(CALLS)
    found = [job.wait() for job in [pool.spawn(call) for _ in range(CALLS)]]
    assert found == ["ReadTimeoutError"] * CALLS, found


def handler(host: str, other: str, authority: str) -> None:
    """While TLS is being set up, the handler of a signal makes a call of its own."""
    from support.network import closed_port

    # What is imported is imported now.
    assert create(f"http://127.0.0.1:{closed_port()}") == "NotSentError"
    found = []
    signal.signal(signal.SIGALRM, lambda *_: found.append(create(other)))
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    found.append(create(host, ssl_ca_cert=authority))
    assert found == ["ReadTimeoutError"] * 2, found


def gunicorn(host: str, port: str) -> None:
    """A server that was loaded before it forks, with workers that are made of greenlets."""
    command = [sys.executable, "-m", "gunicorn", "-k", "gevent", "--preload", "--workers", "1"]
    server = subprocess.Popen(
        [*command, "--bind", f"127.0.0.1:{port}", "support.greenlets:application"],
        env={**environment(), "TALON_ONE_TEST_HOST": host},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stderr is not None
    try:
        while "Booting worker" not in (line := server.stderr.readline()):
            assert line, "gunicorn has not started"
        with ThreadPoolExecutor(CALLS) as executor:
            jobs = [
                executor.submit(
                    urllib3.request, "GET", f"http://127.0.0.1:{port}/", retries=False, timeout=20
                )
                for _ in range(CALLS)
            ]
            found = [job.result().data for job in jobs]
    finally:
        server.terminate()
        server.communicate()
    assert found == [b"ReadTimeoutError"] * CALLS, found


_application: list[Callable[[], str]] = []
if "TALON_ONE_TEST_HOST" in os.environ:
    importlib.import_module("talon_one.rest")
    _application.append(_shared(os.environ["TALON_ONE_TEST_HOST"]))


def application(_: dict[str, Any], respond: Callable[..., Any]) -> list[bytes]:
    """Be the application that gunicorn serves."""
    respond("200 OK", [("Content-Type", "text/plain")])
    return [_application[0]().encode()]


PROGRAMS: dict[str, Callable[..., None]] = {
    each.__name__: each
    for each in (
        *(gevent_first, gevent_afterwards, gevent_without_threads, gevent_queue, eventlet),
        *(handler, gunicorn),
    )
}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]](*sys.argv[2:])
