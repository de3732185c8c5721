"""What a core does with bulk work, and what a task costs: ``python -m benchmarks.per_core``.

Numbers count the CPU time of the client, so other load on the machine hardly changes them. Making
the rows is included. The server is a process of its own. These are the inputs of the guide
``docs/guides/scale.md``.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from time import process_time, sleep
from typing import Any

from benchmarks import ROOT, bulk_rows, calls, server
from benchmarks.payloads import coupon_export

_CHUNK = 2**16
_RUNS = 3
# Of a measurement that takes the median.
_ROUNDS = 15
# Seconds of a response, so long that rows are read faster than sent.
_LATENCY = 0.2
_ROW = "{:<62}  {:>13}  {:>13}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure everything, each in a new process, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.per_core", description=__doc__)
    parser.add_argument("--rows", type=int, default=300_000, help="rows of each measurement")
    parser.add_argument("--measure", choices=list(MEASURES), help=argparse.SUPPRESS)
    parser.add_argument("--without-orjson", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.rows < 1:
        parser.error(f"--rows is a number above 0, not {given.rows}")
    if given.measure is not None:
        if given.without_orjson:
            calls.disable_orjson()
        print(json.dumps(MEASURES[given.measure](given.rows)))
        return
    has_orjson = importlib.util.find_spec("orjson") is not None
    print(_ROW.format("", "json", "orjson"))
    for name in MEASURES:
        standard = _in_new_process(name, given.rows, "--without-orjson")
        fast = _in_new_process(name, given.rows) if has_orjson else {}
        for measure, value in standard.items():
            with_it = f"{fast[measure]:,.0f}" if measure in fast else ""
            print(_ROW.format(measure, f"{value:,.0f}", with_it), flush=True)


def _in_new_process(name: str, rows: int, *options: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.per_core", "--measure", name]
    done = subprocess.run(
        [*command, "--rows", str(rows), *options], cwd=ROOT, check=True, stdout=subprocess.PIPE
    )
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


# -- What is sent ----------------------------------------------------------------------------------


def _profiles(rows: int) -> dict[str, float]:
    with server.running(empty=True) as host:
        bulk_rows.send(host, rows // 10 + 1)  # Imports and connections are not counted.
        seconds = _cpu(lambda: bulk_rows.send(host, rows))
    return {"profiles of 5 attributes sent, a CPU second": rows / seconds}


def _memberships(rows: int) -> dict[str, float]:
    from talon_one import bulk

    def send(host: str, count: int) -> None:
        with _client(host) as client:
            bulk.change_audiences(_api(client), _changes(count))

    with server.running(empty=True) as host:
        send(host, rows // 10 + 1)
        seconds = _cpu(lambda: send(host, rows))
    return {"changes of audiences sent, a CPU second": rows / seconds}


def _changes(count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {"action": "add", "profileIntegrationId": f"customer-{number}", "audienceId": 7}


def _part(rows: int) -> dict[str, float]:
    """Send a part with a state in a folder, as a task does."""
    from talon_one import bulk

    with server.running(empty=True) as host, tempfile.TemporaryDirectory() as state:

        def send(part: int, number: int) -> None:
            with _client(host) as client:
                api = _api(client)
                done = bulk.partition(
                    "upsert_profiles", api, bulk_rows.profiles(number), part=part, state=state
                )
            if done.sent != number:
                raise RuntimeError(done)

        send(0, rows // 10 + 1)
        fresh = count(1)
        seconds = _cpu(lambda: send(next(fresh), rows))
        again = _cpu(lambda: send(1, rows))
    return {
        "the same profiles as a part with a state": rows / seconds,
        "rows of a settled part recognized, a CPU second": rows / again,
    }


def _wire(rows: int) -> dict[str, float]:
    """Count what a request has besides the connection."""
    from talon_one import ApiClient, Configuration, RawResponse, Transport, bulk

    bodies: list[int] = []
    headers: list[int] = []

    class Counting(Transport):
        def send(self, request: Any, timeout: Any) -> RawResponse:
            bodies.append(len(request.body))
            lines = (f"{name}: {value}\r\n" for name, value in request.plain_headers().items())
            headers.append(sum(map(len, lines)) + len(request.target))
            return RawResponse(204, "No Content", {}, b"")

    configuration = Configuration("https://example.com", {"api_key_v1": calls.API_KEY})
    with ApiClient(configuration, transport=Counting()) as client:
        bulk.upsert_profiles(_api(client), bulk_rows.profiles(rows))
        profile = sum(bodies) / rows
        bodies.clear()
        bulk.change_audiences(_api(client), _changes(rows))
    return {
        "bytes of such a profile": profile,
        "bytes of a change of an audience": sum(bodies) / rows,
        "bytes of the headers of a request, about": sum(headers) / len(headers),
    }


# -- What is read ----------------------------------------------------------------------------------


def _export(rows: int) -> dict[str, float]:
    from talon_one.api.management_operations import export_coupons
    from talon_one.tables.rows import RowReader

    assert export_coupons.csv is not None
    known = export_coupons.csv.columns
    number = min(rows, 50_000)
    file = coupon_export(number)

    def read() -> None:
        reader = RowReader(known)
        found = 0
        for begin in range(0, len(file), _CHUNK):
            found += sum(1 for _ in reader.feed(file[begin : begin + _CHUNK]))
        if found + sum(1 for _ in reader.close()) != number:
            raise RuntimeError(found)

    return {
        "typed rows of a coupon export read, a CPU second": number / _cpu(read),
        "bytes of such a row": len(file) / number,
    }


def _batches(rows: int) -> dict[str, float]:
    if importlib.util.find_spec("pyarrow") is None:
        return {}
    from benchmarks.warm import record_batches

    return {"rows of it as Arrow record batches, a CPU second": record_batches(_ROUNDS).ours}


# -- What a task costs -----------------------------------------------------------------------------


def _memory(concurrency: int) -> Callable[[int], dict[str, float]]:
    def measure(rows: int) -> dict[str, float]:
        from talon_one import RawResponse, Transport, bulk

        class Slow(Transport):
            """Keeps as many requests in flight as there may be."""

            def send(self, request: Any, timeout: Any) -> RawResponse:
                sleep(_LATENCY)
                return RawResponse(204, "No Content", {}, b"")

        some = bulk_rows.profiles(min(rows, 1000 * (20 + 4 * concurrency)))
        with server.running(empty=True) as host, tempfile.TemporaryDirectory() as state:
            options: dict[str, Any] = {"concurrency": concurrency, "state": state}
            with _client(host, concurrency) as client:  # Loads what sends requests.
                bulk.partition("upsert_profiles", _api(client), bulk_rows.profiles(1), **options)
            before = _peak()
            with _client(host, concurrency, Slow()) as client:
                bulk.partition("upsert_profiles", _api(client), some, part=1, **options)
        return {
            f"peak MB of a process that sends a part, concurrency {concurrency}": _peak() / 1e6,
            f"of these, MB for the rows, concurrency {concurrency}": (_peak() - before) / 1e6,
        }

    return measure


def _peak() -> float:
    """Return the peak of the resident memory in bytes."""
    with open("/proc/self/status") as file:
        line = next(line for line in file if line.startswith("VmHWM"))
    return 1024.0 * int(line.split()[1])


def _cpu(action: Callable[[], object]) -> float:
    """Return the least CPU time of several runs, because other load costs caches."""
    seconds = []
    for _ in range(_RUNS):
        began = process_time()
        action()
        seconds.append(process_time() - began)
    return min(seconds)


def _client(host: str, concurrency: int = 4, transport: Any = None) -> Any:
    from talon_one import ApiClient, Configuration

    configuration = Configuration(host, {"api_key_v1": calls.API_KEY})
    configuration.connection_pool_maxsize = concurrency
    return ApiClient(configuration, transport=transport)


def _api(client: Any) -> Any:
    from talon_one import IntegrationApi

    return IntegrationApi(client)


MEASURES: dict[str, Callable[[int], dict[str, float]]] = {
    "profiles": _profiles,
    "memberships": _memberships,
    "part": _part,
    "wire": _wire,
    "export": _export,
    "batches": _batches,
    "memory-1": _memory(1),
    "memory-4": _memory(4),
    "memory-16": _memory(16),
}


if __name__ == "__main__":
    main()
