"""Rows to chunks: recognize the rows of an earlier run, and group the others."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from contextlib import AbstractContextManager
from typing import Any

from talon_one.bulk.chunks import Chunk, Piece
from talon_one.bulk.failures import FAILED, UNKNOWN, describe
from talon_one.bulk.fingerprint import Fingerprint, Mark
from talon_one.bulk.operations import BulkOperation
from talon_one.bulk.outcomes import INTERRUPTED, Outcomes
from talon_one.bulk.resume_token import HOW_TO_RESUME
from talon_one.exceptions import ApiValueError

# How many rows are hashed together while they are compared with those of a token.
_BATCH_SIZE = 1000


class Chunker:
    """Group rows into chunks.

    Args:
        operation: What is done with the rows.
        chunk_size: How many rows a chunk holds at most.
        known: Mark of a resume token. No row is grouped before the rows up to there have been
            recognized.
        outcomes: Where rows are recorded that cannot be sent.
        held: Context that defers Ctrl-C.
    """

    def __init__(
        self,
        operation: BulkOperation,
        chunk_size: int,
        known: Mark,
        outcomes: Outcomes,
        held: AbstractContextManager[None],
    ) -> None:
        self.ready: deque[Piece] = deque()
        """Chunks to be sent, in their order."""
        self.exhausted = False
        """Whether there are no more rows."""
        self.skipped = 0
        """How many rows an earlier run has settled."""
        self._operation = operation
        self._chunk_size = chunk_size
        self._known = known
        self._outcomes = outcomes
        self._held = held
        self._fingerprint = Fingerprint(operation.shared)
        self._rows_read = 0
        # Rows of the current batch; ``None`` once all known rows have been recognized.
        self._unrecognized: list[Any] | None = [] if known.rows else None
        # Known rows that are not settled: no more than the earlier run had in memory.
        self._unsettled: list[tuple[int, Any]] = []
        self._partial: Piece | None = None
        """Chunk that is not full."""
        self._hashed = 0
        """How many rows of the partial chunk the fingerprint includes."""

    def add(self, row: Any) -> None:
        """Take the next row.

        Raises:
            ApiValueError: The rows are not those of the resume token, or they are one object that
                changes.
        """
        split = self._operation.split
        if split is None:
            self._add(row)
            return
        parts = iter(split(row))
        while True:
            try:
                part = next(parts)
            except StopIteration:
                return
            except Exception:  # An object of the caller may raise anything; its request will, too.
                self._add(row)
                return
            self._add(part)

    def exhaust(self) -> None:
        """Take the end of the rows.

        Raises:
            ApiValueError: There are fewer rows than the resume token knows.
        """
        if self._rows_read < self._known.rows:
            raise ApiValueError(
                f"there are {self._rows_read} rows, and the token knows {self._known.rows}; nothing"
                f" was sent: {HOW_TO_RESUME}"
            )
        self.exhausted = True
        self._flush_chunk()

    # -- Rows of an earlier run ----------------------------------------------------------------

    def _add(self, row: Any) -> None:
        index = self._rows_read
        self._rows_read += 1
        if self._unrecognized is None:
            self._group(index, row)
            return
        if index in self._outcomes.settled:
            self.skipped += 1
        else:
            self._unsettled.append((index, row))
        self._unrecognized.append(row)
        if self._rows_read == self._known.rows:
            self._recognize(self._unrecognized)
        elif len(self._unrecognized) == _BATCH_SIZE:
            self._fingerprint.update(self._unrecognized)
            self._unrecognized = []

    def _recognize(self, last_batch: list[Any]) -> None:
        """Group the unsettled rows if all rows so far are those that the token knows."""
        self._fingerprint.update(last_batch)
        if self._fingerprint.mark() != self._known:
            raise ApiValueError(
                f"the first {self._known.rows} rows are not those that the token knows, in"
                f" their order; nothing was sent: {HOW_TO_RESUME}"
            )
        self._unrecognized = None
        unsettled, self._unsettled = self._unsettled, []
        for index, row in unsettled:
            if index in self._outcomes.interrupted:
                with self._held:
                    self._outcomes.fail([index], [row], UNKNOWN, INTERRUPTED)
            else:
                self._group(index, row)

    # -- Chunks --------------------------------------------------------------------------------

    def _group(self, index: int, row: Any) -> None:
        """Add a row to the partial chunk, or to a new one where it does not fit."""
        try:
            key, group, exclusive = self._operation.place(row)
        except Exception as error:  # An object of the caller may raise anything.
            self._reject(index, row, error)
            return
        partial = self._partial
        if partial is None or partial.chunk.group != group or key in partial.chunk.keys:
            self._flush_chunk()
            self._partial = partial = Piece(Chunk(group, exclusive), [], [])
        if key is not None:
            if partial.rows and partial.rows[-1] is row:
                # Otherwise all rows of the chunk would be the last one.
                raise ApiValueError(
                    f"row {index} is the object of row {partial.indices[-1]}, changed meanwhile:"
                    " make a new one for each row"
                )
            partial.chunk.keys.add(key)
        partial.indices.append(index)
        partial.rows.append(row)
        if len(partial.rows) == self._chunk_size:
            self._flush_chunk()

    def _reject(self, index: int, row: Any, error: Exception) -> None:
        """Fail a row that cannot be sent."""
        self._hash_partial()
        if index >= self._known.rows:
            self._fingerprint.update([row])
        reason = self._operation.problem(row) or describe(error)
        with self._held:
            self._outcomes.cover(self._fingerprint.mark())
            self._outcomes.fail([index], [row], FAILED, reason)

    def _flush_chunk(self) -> None:
        """Make the partial chunk ready to be sent."""
        if self._partial is not None:
            self._hash_partial()
            self._partial.chunk.mark = self._fingerprint.mark()
            self.ready.append(self._partial)
            self._partial = None
            self._hashed = 0

    def _hash_partial(self) -> None:
        """Add the rows of the partial chunk to the fingerprint."""
        if self._partial is not None:
            indices, rows = self._partial.indices, self._partial.rows
            # Rows of the earlier run were hashed when they were recognized.
            first = max(self._hashed, bisect_left(indices, self._known.rows))
            text = self._fingerprint.update(rows[first:] if first else rows)
            self._partial.text = None if first else text
            self._hashed = len(rows)
