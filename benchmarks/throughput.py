"""How many calls a second threads get out of one client that they share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import perf_counter

from benchmarks import calls, server
from benchmarks.timing import Reading, interleaved

_BATCHES = 8


def throughput(threads: int, rounds: int) -> Reading:
    """Compare one client with one pool of urllib3, each with a connection for every thread.

    Args:
        threads: How many call at once.
        rounds: Calls of each side, by all threads together; every thread makes a few at least.
    """
    each = max(1, rounds // (_BATCHES * threads))
    with (
        server.running() as host,
        calls.ours(host, connections=threads) as ours,
        calls.by_hand(host, connections=threads) as by_hand,
        ThreadPoolExecutor(threads) as executor,
    ):

        def of(call: calls.Call) -> float:
            return rate(executor, threads, call, each)

        # The first calls open the connections.
        for call in (ours, by_hand):
            of(call)
        return interleaved(lambda: of(ours), lambda: of(by_hand), _BATCHES)


def rate(executor: ThreadPoolExecutor, threads: int, call: calls.Call, each: int) -> float:
    """Return the calls a second of threads that make *each* calls one after the other."""
    began: list[float] = []
    # Nobody begins before all are there, and nobody does the work of two.
    together = Barrier(threads, action=lambda: began.append(perf_counter()))

    def work() -> None:
        together.wait()
        for _ in range(each):
            call()

    for future in [executor.submit(work) for _ in range(threads)]:
        future.result()
    return threads * each / (perf_counter() - began[0])
