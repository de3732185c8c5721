"""Runner of blocking bulk jobs, which makes requests in a pool of threads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Semaphore
from typing import Any

from talon_one.bulk.chunks import Piece
from talon_one.bulk.operations import BulkOperation
from talon_one.bulk.reports import Summary
from talon_one.bulk.runner import Runner, Step


class ThreadRunner(Runner):
    """Execute a bulk job with threads; see `Runner`."""

    asynchronous = False

    def __init__(self, operation: BulkOperation, rows: Any, options: Mapping[str, Any]) -> None:
        super().__init__(operation, rows, options)
        self._rows = rows
        self._executor = ThreadPoolExecutor(self._concurrency, "talon-one-bulk")
        self._results: SimpleQueue[tuple[Piece, Any, BaseException | None]] = SimpleQueue()
        # Counts the results. The semaphore is what the runner waits for, because Ctrl-C may
        # interrupt that: a result must leave the queue only where Ctrl-C is deferred.
        self._arrived = Semaphore(0)

    def execute(self) -> Summary:
        """Execute the job; see `Runner._finish`."""
        with self._interrupts:
            try:
                self._work()
            except BaseException as cause:  # Also Ctrl-C: requests in flight may end.
                self._run.stop(cause)
            try:
                self._executor.shutdown()
            except BaseException as cause:  # Another Ctrl-C: requests in flight are abandoned.
                self._run.stop(cause)
            return self._finish()

    def _work(self) -> None:
        rows = iter(self._rows)
        for step in self._steps():
            if step is Step.READ_ROWS:
                self._read(rows)
            elif step is Step.PAUSE:
                for pause in self._own_pauses():
                    self._client.clock.sleep(pause)
                    self._settle_arrived()
            else:
                self._arrived.acquire()
                self._settle()

    def _settle_arrived(self) -> None:
        """Settle all requests that have ended."""
        while not self._results.empty():
            self._arrived.acquire()
            self._settle()

    def _read(self, rows: Iterator[Any]) -> None:
        for row in rows:
            # Rows may come slowly, and results must not wait for them.
            self._settle_arrived()
            self._run.add(row)
            if not self._run.needs_rows:
                return
        self._run.exhaust()

    def _start(self, piece: Piece) -> None:
        self._executor.submit(self._send, piece)

    def _send(self, piece: Piece) -> None:
        """Make a request, in a thread of the pool."""
        try:
            with self._admission() as pauses:
                for pause in pauses:
                    self._client.clock.sleep(pause)
            self._results.put((piece, self._request(piece), None))
        except BaseException as failure:  # `Run.finish` classifies it.
            self._results.put((piece, None, failure))
        self._arrived.release()

    def _has_ended(self) -> bool:
        return not self._results.empty()

    def _settle(self) -> None:
        with self._interrupts.held:
            self._run.finish(*self._results.get_nowait())
