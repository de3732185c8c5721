"""Throughput of a blocking client that threads share, in calls a second."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import perf_counter

from benchmarks import calls, server
from benchmarks.timing import Measurement, interleaved

_BATCHES = 8


def throughput(threads: int, rounds: int) -> Measurement:
    """Compare one client with one pool of urllib3, each with a connection for every thread.

    Args:
        threads: How many threads make calls.
        rounds: Calls of each side, all threads together; each thread makes at least one per batch.
    """
    each = max(1, rounds // (_BATCHES * threads))
    with (
        server.running() as host,
        calls.ours(host, connections=threads) as ours,
        calls.by_hand(host, connections=threads) as by_hand,
        ThreadPoolExecutor(threads) as executor,
    ):

        def measured(call: calls.Call) -> float:
            return rate(executor, threads, call, each)

        # The first calls open the connections.
        for call in (ours, by_hand):
            measured(call)
        return interleaved(lambda: measured(ours), lambda: measured(by_hand), min(_BATCHES, rounds))


def rate(executor: ThreadPoolExecutor, threads: int, call: calls.Call, each: int) -> float:
    """Return the calls a second of threads that make *each* sequential calls."""
    began: list[float] = []
    # All threads start together, and each runs the function once.
    together = Barrier(threads, action=lambda: began.append(perf_counter()))

    def work() -> None:
        together.wait()
        for _ in range(each):
            call()

    for future in [executor.submit(work) for _ in range(threads)]:
        future.result()
    return threads * each / (perf_counter() - began[0])
