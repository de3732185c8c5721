"""Costs after startup: decoding, reading, encoding, whole calls, and throughput.

It is a separate program, because the package looks for orjson only once, when it is imported:
``python -m benchmarks.warm ROUNDS [without-orjson]`` prints the measurements as JSON.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator
from time import process_time
from typing import TYPE_CHECKING, Any

from benchmarks import bulk_rows, calls, server
from benchmarks.async_throughput import against_aiohttp, against_threads
from benchmarks.calls import read_all_properties, request_of_models
from benchmarks.payloads import coupon_export, session_request, session_response
from benchmarks.throughput import throughput
from benchmarks.timing import Measurement, interleaved, timed

if TYPE_CHECKING:
    from talon_one import IntegrationRequest
    from talon_one.tables.frames import Series

_ROWS = 2_000
_ROWS_OF_A_BATCH = 10_000
_CHUNK = 2**16


def measure(rounds: int) -> dict[str, Measurement]:
    """Measure everything that depends on the JSON library."""
    return {
        "decode": decode(rounds),
        "read": read(rounds),
        "encode": encode(rounds),
        "table": table(max(rounds // 50, 2)),
        "batches": record_batches(max(rounds // 50, 2)),
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


def measure_settings(rounds: int) -> dict[str, Measurement]:
    """Measure the cost of client settings, which do not depend on the JSON library."""
    from talon_one import Hooks

    return {
        "hooks": call_with(rounds, hooks=[Hooks()]),
        "deadline": call_with(rounds, deadline=30),
    }


def decode(rounds: int) -> Measurement:
    """Compare decoding to a model with decoding to a dict."""
    from talon_one import IntegrationStateV2

    text = _compact(session_response())
    return interleaved(
        timed(lambda: IntegrationStateV2.from_json(text)), timed(lambda: json.loads(text)), rounds
    )


def read(rounds: int) -> Measurement:
    """Compare decoding to a model and reading all its properties with decoding to a dict."""
    from talon_one import IntegrationStateV2

    text = _compact(session_response())
    return interleaved(
        timed(lambda: read_all_properties(IntegrationStateV2.from_json(text))),
        timed(lambda: json.loads(text)),
        rounds,
    )


def encode(rounds: int) -> Measurement:
    """Compare validating and encoding a model with encoding a dict."""
    plain = session_request()
    request = request_of_models()
    return interleaved(
        timed(lambda: validate_and_encode(request)), timed(lambda: json.dumps(plain)), rounds
    )


def table(rounds: int) -> Measurement:
    """Compare reading typed rows of an export with `csv.DictReader`, which returns text."""
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


def record_batches(rounds: int) -> Measurement:
    """Compare an export as Arrow record batches with its typed rows, in rows a CPU second."""
    from talon_one.api.management_operations import export_coupons
    from talon_one.pagination.time_filter import CallArguments
    from talon_one.tables.arrow import reader_of
    from talon_one.tables.batches import BatchReader, TextChoice, file_fields
    from talon_one.tables.rows import RowReader

    assert export_coupons.csv is not None
    known = export_coupons.csv.columns
    file = coupon_export(_ROWS_OF_A_BATCH)
    chunks = [file[begin : begin + _CHUNK] for begin in range(0, len(file), _CHUNK)]
    names = file[: file.index(b"\r")].decode().split(",")
    fields = file_fields(CallArguments(export_coupons, (), {}), TextChoice(()), names)

    def batches() -> Iterator[list[Series]]:
        reader = BatchReader(fields, _ROWS_OF_A_BATCH, "utf-8", export_coupons.id)
        for chunk in chunks:
            yield from reader.feed(chunk)
        yield from reader.close()

    def in_batches() -> int:
        return sum(len(batch) for batch in reader_of(fields, batches(), None))

    def by_row() -> int:
        reader = RowReader(known)
        return sum(1 for chunk in chunks for _ in reader.feed(chunk))

    def a_second(read: Callable[[], int]) -> Callable[[], float]:
        def measure() -> float:
            began = process_time()
            if read() != _ROWS_OF_A_BATCH:
                raise RuntimeError(read)
            return _ROWS_OF_A_BATCH / (process_time() - began)

        return measure

    in_batches()  # Imports pyarrow.
    return interleaved(a_second(in_batches), a_second(by_row), rounds)


def validate_and_encode(request: IntegrationRequest) -> str:
    """Validate a model and return it as JSON."""
    request.validate()
    return request.to_json()


def call(rounds: int) -> Measurement:
    """Compare a call with the same call written by hand."""
    with server.running() as host, calls.ours(host) as ours, calls.by_hand(host) as by_hand:
        return interleaved(timed(ours), timed(by_hand), rounds)


def call_with(rounds: int, **settings: Any) -> Measurement:
    """Compare a call of a client with these settings with one of a client without them."""
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
        calls.disable_orjson()
        print(json.dumps({**measure(count), **measure_settings(count)}))
    else:
        print(json.dumps(measure(count)))
