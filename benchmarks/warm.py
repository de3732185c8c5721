"""What a call costs once everything is loaded: decoding, reading, encoding, whole calls.

A program of its own, because whether orjson is used is settled when the package is loaded:
``python -m benchmarks.warm ROUNDS [without-orjson]`` prints the readings as JSON.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from typing import TYPE_CHECKING, Any

from benchmarks import bulk_rows, calls, server
from benchmarks.calls import read_everything, request_of_models
from benchmarks.concurrency import against_aiohttp, against_threads
from benchmarks.payloads import coupon_export, session_answer, session_request
from benchmarks.throughput import throughput
from benchmarks.timing import Reading, interleaved, timed

if TYPE_CHECKING:
    from talon_one import IntegrationRequest

_ROWS = 2_000
_CHUNK = 2**16


def readings(rounds: int) -> dict[str, Reading]:
    """Measure everything that happens in a program that is up and running."""
    return {
        "decode": decode(rounds),
        "read": read(rounds),
        "encode": encode(rounds),
        "table": table(max(rounds // 50, 2)),
        "call": call(rounds),
        "1 thread": throughput(1, rounds),
        "8 threads": throughput(8, rounds),
        "32 threads": throughput(32, rounds),
        "1 task": against_aiohttp(1, rounds),
        "20 tasks": against_aiohttp(20, rounds),
        "100 tasks": against_aiohttp(100, rounds),
        "tasks or threads": against_threads(20, rounds),
        "bulk": bulk_rows.against_urllib3(rounds),
    }


def settings(rounds: int) -> dict[str, Reading]:
    """Measure what settings of a client cost, which has nothing to do with JSON."""
    from talon_one import Hooks

    return {
        "hooks": call_with(rounds, hooks=[Hooks()]),
        "deadline": call_with(rounds, deadline=30),
    }


def decode(rounds: int) -> Reading:
    """Compare the way from bytes to a model with that to a dict."""
    from talon_one import IntegrationStateV2

    text = _compact(session_answer())
    return interleaved(
        timed(lambda: IntegrationStateV2.from_json(text)), timed(lambda: json.loads(text)), rounds
    )


def read(rounds: int) -> Reading:
    """Compare decoding and reading all there is in a model with decoding to a dict."""
    from talon_one import IntegrationStateV2

    text = _compact(session_answer())
    return interleaved(
        timed(lambda: read_everything(IntegrationStateV2.from_json(text))),
        timed(lambda: json.loads(text)),
        rounds,
    )


def encode(rounds: int) -> Reading:
    """Compare checking and encoding a model with encoding a dict."""
    plain = session_request()
    request = request_of_models()
    return interleaved(
        timed(lambda: ready_to_send(request)), timed(lambda: json.dumps(plain)), rounds
    )


def table(rounds: int) -> Reading:
    """Compare reading the typed rows of an export with `csv.DictReader`, which leaves all text."""
    from talon_one.api.management_operations import export_coupons
    from talon_one.tables.rows import RowReader

    assert export_coupons.csv is not None
    known = export_coupons.csv.columns
    file = coupon_export(_ROWS)
    chunks = [file[begin : begin + _CHUNK] for begin in range(0, len(file), _CHUNK)]

    def typed() -> None:
        reader = RowReader(known)
        for chunk in chunks:
            for _ in reader.feed(chunk):
                pass

    def text() -> None:
        with io.TextIOWrapper(io.BytesIO(file), encoding="utf-8", newline="") as opened:
            for _ in csv.DictReader(opened):
                pass

    return interleaved(timed(typed), timed(text), rounds)


def ready_to_send(request: IntegrationRequest) -> str:
    """Return a model as text, once it is sure that it may be sent."""
    request.validate()
    return request.to_json()


def call(rounds: int) -> Reading:
    """Compare a call with the same call written by hand."""
    with server.running() as host, calls.ours(host) as ours, calls.by_hand(host) as by_hand:
        return interleaved(timed(ours), timed(by_hand), rounds)


def call_with(rounds: int, **settings: Any) -> Reading:
    """Compare a call of a client with these settings with that of a client without them."""
    with (
        server.running() as host,
        calls.ours(host, **settings) as with_them,
        calls.ours(host) as without,
    ):
        return interleaved(timed(with_them), timed(without), rounds)


def _compact(data: Any) -> bytes:
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()


if __name__ == "__main__":
    count = int(sys.argv[1])
    if "without-orjson" in sys.argv:
        calls.forbid_orjson()
        print(json.dumps({**readings(count), **settings(count)}))
    else:
        print(json.dumps(readings(count)))
