"""What became of each row: counts, failures, progress, and the resume token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from talon_one.bulk.chunks import Piece
from talon_one.bulk.failures import FAILED, UNKNOWN, FailureSink
from talon_one.bulk.fingerprint import Mark
from talon_one.bulk.reports import ChunkResult, Progress, Summary, add_reasons
from talon_one.bulk.resume_token import Counts, IntRanges, Token, to_ranges

SENT = "sent"

INTERRUPTED = "the job was interrupted while the row was being sent"
"""Reason of rows that may have been executed in a request without a known end."""


class Outcomes:
    """Record the outcome of each row, and report it.

    Args:
        token: Resume token of an earlier run, or an empty one.
        idempotent: Whether a request may be executed twice without harm.
        failures: Where rows go that were not sent.
        on_progress: Called with the `Progress`.
        on_chunk: Called with the `ChunkResult` of each request.
        total: How many rows there are.
    """

    def __init__(
        self,
        token: Token,
        idempotent: bool,
        failures: FailureSink,
        on_progress: Callable[[Progress], object] | None,
        on_chunk: Callable[[ChunkResult], object] | None,
        total: int | None,
    ) -> None:
        self.settled = token.settled
        """Rows whose outcome is known, or will stay unknown."""
        self.interrupted = token.in_flight
        """Rows that an earlier run was sending when it ended."""
        self.in_flight: set[Piece] = set()
        """Pieces whose requests have not ended."""
        self._operation = token.operation
        self._mark = token.mark
        self._idempotent = idempotent
        self._failures = failures
        self._on_progress = on_progress
        self._on_chunk = on_chunk
        self._total = total
        counts = token.counts
        self._counts = {SENT: counts.sent, FAILED: counts.failed, UNKNOWN: counts.unknown}
        self._reasons: dict[str, int] = {}

    def cover(self, mark: Mark) -> None:
        """Have the token recognize at least the rows up to *mark*."""
        self._mark = max(self._mark, mark)

    def settle(self, indices: list[int], outcome: str) -> None:
        """Record the outcome of rows."""
        for begin, end in to_ranges(indices):
            self.settled.add(begin, end)
        self._counts[outcome] += len(indices)

    def fail(
        self,
        indices: list[int],
        rows: list[Any],
        outcome: str,
        reason: str,
        status: int | None = None,
    ) -> None:
        """Write rows to the failures, then record their outcome.

        If writing fails, the token keeps the previous state of the rows: not sent or, while their
        piece is in flight, interrupted.
        """
        for index, row in zip(indices, rows, strict=True):
            self._failures.write(index, outcome, reason, status, row)
        self._failures.flush()
        self._reasons = add_reasons(self._reasons, {reason: len(indices)})
        self.settle(indices, outcome)

    def fail_lost(self) -> None:
        """Fail the rows of requests that will not end.

        An idempotent request leaves its rows to the next run. Those of any other are unknown.
        """
        # An interruption may have left pieces in flight that are settled already.
        lost = [
            piece
            for piece in sorted(self.in_flight, key=lambda piece: piece.indices)
            if not self._idempotent and piece.indices[0] not in self.settled
        ]
        # What cannot be written stays in flight, so that the next run marks it as unknown.
        self.in_flight = set(lost)
        for piece in lost:
            self.fail(piece.indices, piece.rows, UNKNOWN, INTERRUPTED)
            self.in_flight.discard(piece)

    # -- Reports -------------------------------------------------------------------------------

    def report_progress(self, finished: bool = False) -> None:
        """Call the progress callback."""
        # Flush first: a resumed run skips all rows that the token marks as settled.
        self._failures.flush()
        if self._on_progress is not None:
            sent, failed, unknown = self._counts.values()
            self._on_progress(Progress(sent, failed, unknown, self._total, self._token(), finished))

    def report_request(
        self, piece: Piece, outcome: str, response: Any, failure: BaseException | None
    ) -> None:
        """Call the callbacks after a request."""
        if self._on_chunk is not None:
            first, last = piece.indices[0], piece.indices[-1]
            self._on_chunk(ChunkResult(first, last, len(piece.rows), outcome, response, failure))
        self.report_progress()

    def summary(self, skipped: int, requests: int, complete: bool) -> Summary:
        """Return the outcome of all rows so far."""
        sent, failed, unknown = self._counts.values()
        reasons = dict(self._reasons)
        return Summary(sent, failed, unknown, skipped, requests, complete, reasons, self._token())

    def _token(self) -> str:
        in_flight = IntRanges(self.interrupted)
        if not self._idempotent:
            for piece in self.in_flight:
                for begin, end in to_ranges(piece.indices):
                    in_flight.add(begin, end)
        counts = Counts(*self._counts.values())
        return Token(self._operation, self.settled, in_flight, counts, self._mark).to_text()
