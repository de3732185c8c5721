"""One run through the rows: what is sent next, and what a response means for its rows."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

from talon_one._core.failures import may_have_acted
from talon_one.bulk.backing_off import TOO_MANY_REQUESTS
from talon_one.bulk.chunker import Chunker
from talon_one.bulk.chunks import MAX_LIMITED, Chunk, Piece
from talon_one.bulk.failures import FAILED, UNKNOWN, FailureSink, describe
from talon_one.bulk.operations import BulkOperation
from talon_one.bulk.outcomes import SENT, Outcomes
from talon_one.bulk.reports import ChunkResult, Progress, Summary
from talon_one.bulk.resume_token import new_token, read_token
from talon_one.exceptions import (
    ApiException,
    ClientClosedError,
    ConfigurationError,
    InvalidResponseError,
    OpenApiException,
)

# Outcomes of a request that settles none of its rows, see `ChunkResult.outcome`.
_REFUSED = "refused"
_DEFERRED = "deferred"
# The API key is wrong or lacks a permission: no other request will succeed either.
_AUTH_STATUSES = frozenset({401, 403})
# The request took too long to arrive: it says nothing of its rows either.
_REQUEST_TIMEOUT = 408
# From here on, a status says that the server, or what stands before it, cannot respond.
_SERVER_ERROR = 500
_OR_ANOTHER_ROW = " (or another row of the same chunk)"


class RequestNotStarted(OpenApiException):
    """The job stopped before a request, or the limiter raised the chained cause."""


class _Undecided(NamedTuple):
    """A piece that failed as in an outage, before it is clear whether there is one."""

    piece: Piece
    failure: ApiException


class Run:
    """State of one run. It does no I/O except for failures, and is not thread-safe.

    A runner adds rows, sends the pieces that `next` returns, and passes the results to `finish`.

    Args:
        operation: What is done with the rows.
        chunk_size: How many rows a chunk holds at most.
        failures: Where rows go that were not sent.
        on_progress: Called with the `Progress` after each request, and before each one that is
            not idempotent.
        on_chunk: Called with the `ChunkResult` of each request.
        resume: Token of an earlier run.
        max_failed_chunks: After how many chunks in a row without an accepted row the run stops;
            never if ``None``. Those that failed as in an outage are left to the next run then.
        total: How many rows there are.
        held: Context that defers Ctrl-C, for changes that must not be interrupted.
        waits_for_limits: Whether requests wait after a 429, so that its rows may be sent again.
    """

    def __init__(
        self,
        operation: BulkOperation,
        chunk_size: int,
        failures: FailureSink,
        on_progress: Callable[[Progress], object] | None = None,
        on_chunk: Callable[[ChunkResult], object] | None = None,
        resume: str | None = None,
        max_failed_chunks: int | None = None,
        total: int | None = None,
        held: AbstractContextManager[None] | None = None,
        waits_for_limits: bool = False,
    ) -> None:
        self.stopped: BaseException | None = None
        """What stopped the run before the end of the rows."""
        self._operation = operation
        self._idempotent = operation.idempotent
        self._max_failed_chunks = max_failed_chunks
        self._waits_for_limits = waits_for_limits
        name = operation.name
        token = new_token(name) if resume is None else read_token(resume, name)
        self.sent_before = token.counts.sent
        """How many rows earlier runs have sent."""
        self._outcomes = Outcomes(token, self._idempotent, failures, on_progress, on_chunk, total)
        self._chunker = Chunker(
            operation, chunk_size, token.mark, self._outcomes, held or nullcontext()
        )
        self._ready = self._chunker.ready
        self._open: list[Chunk] = []
        """Chunks of which something was sent and something is not settled."""
        self._requests = 0
        self._failed_chunks = 0
        """How many chunks have failed since a row was accepted."""
        self._undecided: list[_Undecided] = []
        """Pieces that failed since the server has responded to any rows, no more than those of
        `max_failed_chunks` chunks and of the open ones. They are neither settled nor in flight."""
        self.leaves_undecided = False
        """Whether the run stops at the end of the rows rather than fail what is undecided."""
        self._complete = False
        # Called for each row, so without a method in between.
        self.add = self._chunker.add
        self.exhaust = self._chunker.exhaust

    @property
    def needs_rows(self) -> bool:
        """Whether the next row should be added."""
        return not self._ready and not self._chunker.exhausted and self.stopped is None

    # -- Requests ------------------------------------------------------------------------------

    @property
    def has_next(self) -> bool:
        """Whether there is a piece to send, and it need not wait for others."""
        if self.stopped is not None or not self._ready:
            return False
        chunk = self._ready[0].chunk
        return chunk.requests > 0 or not any(chunk.conflicts_with(other) for other in self._open)

    def next(self) -> Piece | None:
        """Return the piece to send now; ``None`` if there is none, or it has to wait."""
        if not self.has_next:
            return None
        piece = self._ready[0]
        chunk = piece.chunk
        if not chunk.requests and not self._idempotent:
            # A process that dies from here on must not leave the earlier row of a profile to the
            # next run, which would send it after the later one.
            self._fail_undecided(chunk)
        self._ready.popleft()
        if not chunk.requests:
            self._open.append(chunk)
            self._outcomes.cover(chunk.mark)
            chunk.pieces = 1
        chunk.requests += 1
        self._requests += 1
        self._outcomes.in_flight.add(piece)
        if not self._idempotent:
            # A process that dies from here on must have left a token that knows of the request.
            try:
                self.report_progress()
            except BaseException:
                self._outcomes.in_flight.remove(piece)
                raise
        return piece

    @property
    def in_flight(self) -> int:
        """How many requests have not ended."""
        return len(self._outcomes.in_flight)

    def finish(self, piece: Piece, response: Any, failure: BaseException | None) -> None:
        """Record how a request ended: with a response or with a failure."""
        # The server has accepted the rows although its response cannot be read.
        if failure is None or isinstance(failure, InvalidResponseError):
            self._accept(piece)
            self._outcomes.report_request(piece, SENT, response, None)
            return
        if isinstance(failure, ApiException):
            outcome = self._classify_failure(piece, failure)
        else:
            outcome = self._find_invalid_rows(piece, failure)
        self._outcomes.report_request(piece, outcome, None, failure)

    def _accept(self, piece: Piece) -> None:
        # First, and also after an outage has stopped the run: the next run must not send the
        # earlier row of a profile if the later one is settled.
        self._fail_undecided(piece.chunk)
        self._outcomes.settle(piece.indices, SENT)
        self._outcomes.in_flight.discard(piece)
        piece.chunk.accepted = True
        self._failed_chunks = 0
        self._close_piece(piece)
        self._settle_undecided()

    def _close_piece(self, piece: Piece) -> None:
        """Note that a piece is settled, and with its last piece the chunk."""
        chunk = piece.chunk
        chunk.pieces -= 1
        if chunk.pieces:
            return
        self._open.remove(chunk)
        if chunk.failure is not None and not chunk.accepted:
            self._failed_chunks += 1
            if self._failed_chunks == self._max_failed_chunks:
                self.stop(chunk.failure)

    # -- Failures: each method returns the outcome of the request ------------------------------

    def _classify_failure(self, piece: Piece, failure: ApiException) -> str:
        """Settle or split a piece that the server did not accept."""
        executed = any(map(may_have_acted, (failure, *failure.earlier)))
        outcome = UNKNOWN if executed and not self._idempotent else FAILED
        if failure.status in _AUTH_STATUSES:
            settle = self._defer if outcome == FAILED else self._mark_unknown
            return settle(piece, failure)
        if outcome == FAILED and self._send_later(piece, failure):
            return _REFUSED
        if outcome == FAILED:
            # Before the failures are written: if that fails, the next run sends the rows.
            self._outcomes.in_flight.discard(piece)
        chunk = piece.chunk
        status = failure.status
        outage = status is None or status == _REQUEST_TIMEOUT or status >= _SERVER_ERROR
        if outage and outcome == FAILED and self._max_failed_chunks is not None:
            chunk.failure = failure
            self._undecided.append(_Undecided(piece, failure))
            self._close_piece(piece)
            return FAILED
        if not outage and failure.status != TOO_MANY_REQUESTS:
            # The server is up: it has looked at the rows.
            self._settle_undecided()
        refused = failure.status in self._operation.refusal_statuses
        if refused and self._split(piece, failure):
            return _REFUSED
        chunk.failure = failure
        hopeless = refused and chunk.requests >= chunk.request_limit
        reason = describe(failure)
        shared_reason = reason + _OR_ANOTHER_ROW if hopeless else reason
        own_reason = reason if len(piece.rows) == 1 else shared_reason
        self._outcomes.fail(piece.indices, piece.rows, outcome, own_reason, failure.status)
        self._outcomes.in_flight.discard(piece)
        if hopeless:
            for rest in [rest for rest in self._ready if rest.chunk is chunk]:
                self._outcomes.fail(rest.indices, rest.rows, FAILED, shared_reason, failure.status)
                self._ready.remove(rest)
                self._close_piece(rest)
        self._close_piece(piece)
        return outcome

    def _settle_undecided(self) -> None:
        """Fail the undecided pieces, unless the run stops, so that the next one sends them."""
        if self.stopped is None:
            self._fail_undecided()

    def _fail_undecided(self, conflicting: Chunk | None = None) -> None:
        """Fail the undecided pieces, or those that conflict with a chunk."""
        for each in list(self._undecided):
            piece, failure = each
            if conflicting is None or conflicting.conflicts_with(piece.chunk):
                reason = describe(failure)
                self._outcomes.fail(piece.indices, piece.rows, FAILED, reason, failure.status)
                self._undecided.remove(each)

    def _send_later(self, piece: Piece, failure: ApiException) -> bool:
        """Send a piece again that came too early; return whether that is worth it."""
        limited = failure.status == TOO_MANY_REQUESTS and self._waits_for_limits
        if not limited or piece.limited == MAX_LIMITED:
            return False
        piece.limited += 1
        piece.chunk.limited += 1
        self._outcomes.in_flight.discard(piece)
        self._ready.appendleft(piece)
        return True

    def _split(self, piece: Piece, failure: ApiException) -> bool:
        """Send a refused piece again in two parts; return whether it can be split.

        Rows that the error blames go into a request of their own and do not fail yet: how the
        platform refers to rows is not documented.
        """
        chunk = piece.chunk
        count = len(piece.rows)
        blamed = self._operation.blamed_rows(failure, count)
        if count == 1 or len(blamed) == count or chunk.requests >= chunk.request_limit:
            return False
        if blamed:
            others = [position for position in range(count) if position not in blamed]
            parts = [piece.part(sorted(blamed)), piece.part(others)]
        else:
            parts = [piece.part(range(count // 2)), piece.part(range(count // 2, count))]
        self._outcomes.in_flight.discard(piece)
        self._ready.extendleft(reversed(parts))
        chunk.pieces += 1
        return True

    def _find_invalid_rows(self, piece: Piece, failure: BaseException) -> str:
        """Fail the rows because of which a request was not sent, and send the others again."""
        self._requests -= 1
        if isinstance(failure, RequestNotStarted):
            # Only the cause counts: it may be an exception that looks like one of a request.
            return self._defer(piece, failure.__cause__ or failure)
        if isinstance(failure, (ClientClosedError, ConfigurationError)):
            return self._defer(piece, failure)
        # An exception that is not ours may have been raised during sending.
        not_sent = self._idempotent or isinstance(failure, OpenApiException)
        if not_sent:
            self._outcomes.in_flight.discard(piece)
        valid = []
        for position, row in enumerate(piece.rows):
            problem = self._operation.problem(row)
            if problem is None:
                valid.append(position)
            else:
                self._outcomes.fail([piece.indices[position]], [row], FAILED, problem)
        if len(valid) < len(piece.rows):
            self._outcomes.in_flight.discard(piece)
            if valid:
                self._ready.appendleft(piece.part(valid))
                return _REFUSED
            self._close_piece(piece)
            return FAILED
        # No row is the reason.
        return self._defer(piece, failure) if not_sent else self._mark_unknown(piece, failure)

    def _mark_unknown(self, piece: Piece, failure: BaseException) -> str:
        """Fail the rows of a request that may have been executed, and stop."""
        status = failure.status if isinstance(failure, ApiException) else None
        self._outcomes.fail(piece.indices, piece.rows, UNKNOWN, describe(failure), status)
        self._outcomes.in_flight.discard(piece)
        self._close_piece(piece)
        self.stop(failure)
        return UNKNOWN

    def _defer(self, piece: Piece, cause: BaseException) -> str:
        """Leave the rows of a request that was not executed to the next run, and stop."""
        self._outcomes.in_flight.discard(piece)
        self.stop(cause)
        return _DEFERRED

    # -- The end -------------------------------------------------------------------------------

    def stop(self, cause: BaseException) -> None:
        """Send nothing more. Ctrl-C and cancellation replace an error as the cause."""
        if self.stopped is None or (
            isinstance(self.stopped, Exception) and not isinstance(cause, Exception)
        ):
            self.stopped = cause

    def close(self) -> None:
        """End the run. Requests that are still in flight count as lost."""
        self._outcomes.fail_lost()
        if self.leaves_undecided and self._undecided:
            self.stop(self._undecided[-1].failure)
        self._settle_undecided()
        self._complete = self._chunker.exhausted and self.stopped is None
        self._outcomes.report_progress(finished=True)

    def report_progress(self) -> None:
        """Call the progress callback."""
        self._outcomes.report_progress()

    @property
    def summary(self) -> Summary:
        """The outcome of the rows so far."""
        return self._outcomes.summary(self._chunker.skipped, self._requests, self._complete)
