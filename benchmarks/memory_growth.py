"""Memory growth of a client over many calls, and of a bulk job over many rows.

It is a separate program, so that nothing else allocates memory:
``python -m benchmarks.memory_growth CALLS`` prints the measurements as JSON.

It measures the resident memory of the process. `tracemalloc` would miss the memory of C code and
make the calls several times slower.
"""

from __future__ import annotations

import gc
import json
import mmap
import sys

from benchmarks import bulk_rows, calls, server
from benchmarks.timing import Measurement


def call_growth(count: int) -> Measurement:
    """Compare memory after *count* more calls with memory after all caches have been filled."""
    with server.running() as host, calls.ours(host) as call:
        before = _memory_after(call, count // 5)
        return Measurement(_memory_after(call, count), before)


def _memory_after(call: calls.Call, count: int) -> float:
    for _ in range(count):
        call()
    return _memory()


def bulk_growth(count: int) -> Measurement:
    """Compare the peak memory of a bulk job of *count* rows with that of a fifth of the rows."""
    with server.running(empty=True) as host:
        bulk_rows.send(host, count // 5)
        before = _peak()
        bulk_rows.send(host, count)
        return Measurement(_peak(), before)


def _peak() -> float:
    import resource  # Windows does not have it, and the tests import this module there too.

    return 1024.0 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _memory() -> float:
    gc.collect()
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[1])
    return float(pages * mmap.PAGESIZE)


if __name__ == "__main__":
    calls.disable_orjson()
    count = int(sys.argv[1])
    print(json.dumps({"growth": call_growth(count), "bulk growth": bulk_growth(100 * count)}))
