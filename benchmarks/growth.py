"""Whether memory grows with the number of calls that one client has made, or of rows it has sent.

A program of its own, in which nothing else fills or leaves gaps in the memory:
``python -m benchmarks.growth CALLS`` prints the reading as JSON.

It looks at the resident memory of the process, because that is what a server runs out of, and
because it also shows what code in C holds on to; `tracemalloc` sees Python objects alone, and
makes the calls several times as slow.
"""

from __future__ import annotations

import gc
import json
import resource
import sys

from benchmarks import bulk_rows, calls, server
from benchmarks.timing import Reading


def growth(count: int) -> Reading:
    """Compare the memory after *count* more calls with that when all caches have been filled."""
    with server.running() as host, calls.ours(host) as call:
        before = _memory_after(call, count // 5)
        return Reading(_memory_after(call, count), before)


def _memory_after(call: calls.Call, count: int) -> float:
    for _ in range(count):
        call()
    return _memory()


def bulk_growth(count: int) -> Reading:
    """Compare the peak of memory in bulk work of *count* rows with that in a fifth of them."""
    with server.running(empty=True) as host:
        bulk_rows.send(host, count // 5)
        before = _peak()
        bulk_rows.send(host, count)
        return Reading(_peak(), before)


def _peak() -> float:
    return 1024.0 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _memory() -> float:
    gc.collect()
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[1])
    return float(pages * resource.getpagesize())


if __name__ == "__main__":
    calls.forbid_orjson()
    count = int(sys.argv[1])
    print(json.dumps({"growth": growth(count), "bulk growth": bulk_growth(100 * count)}))
