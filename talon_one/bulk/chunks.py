"""Bulk work in chunks: what is sent next, and what becomes of each row. No I/O but its file.

The shells in `talon_one.bulk` and `talon_one.aio.bulk` feed rows in, send the pieces that come
out, and hand back what the server said.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from talon_one._core.retry import may_have_acted
from talon_one.bulk.failures import FAILED, UNKNOWN, FailuresFile, described
from talon_one.bulk.fingerprint import Fingerprint, Mark
from talon_one.bulk.operations import BulkOperation
from talon_one.bulk.pieces import Chunk, Piece
from talon_one.bulk.reports import ChunkResult, Progress, Summary
from talon_one.bulk.resume_token import START_ANEW, Counts, IntRanges, Token, read_token, runs
from talon_one.exceptions import (
    ApiException,
    ApiValueError,
    ClientClosedError,
    ConfigurationError,
    InvalidResponseError,
    OpenApiException,
)

SENT = "sent"

# The key is wrong, or not for this: no request will fare better.
_HOPELESS_STATUSES = frozenset({401, 403})
# How many rows are compared with those of a token together.
_BATCH = 1000
# How many different reasons a summary lists; the rest are counted together.
_MOST_REASONS = 20
_OTHER = "other reasons"
_WITH_OTHERS = " (or another row of the same chunk)"
_CUT_OFF = "it was being sent when the work was cut off"


class NotBegun(OpenApiException):
    """A request was not made: the work was stopped meanwhile, or the limiter raised the cause."""


@contextmanager
def not_begun() -> Iterator[None]:
    """Raise what goes wrong before a request as a `NotBegun` that it is the cause of."""
    try:
        yield
    except Exception as cause:  # Foreign code: the limiter may be the caller's.
        raise NotBegun("the request was not made") from cause


class Run:
    """One run through the rows. It belongs to one thread, or to one event loop.

    Args:
        work: What is done.
        size: How many rows a chunk holds at most.
        failures: Where rows go that were not sent.
        tell: Called with the `Progress`, before rows are sent that may not be sent twice, and
            whenever some are settled.
        tell_chunk: Called with the `ChunkResult` of each request.
        resume: Token of an earlier run.
        give_up_after: After how many chunks in a row, none of whose rows was accepted, the work
            ends; never if ``None``.
        total: How many rows there are.
        held: Context in which nothing interrupts what must not be done by halves.
    """

    def __init__(
        self,
        work: BulkOperation,
        size: int,
        failures: FailuresFile,
        tell: Callable[[Progress], object] | None = None,
        tell_chunk: Callable[[ChunkResult], object] | None = None,
        resume: str | None = None,
        give_up_after: int | None = None,
        total: int | None = None,
        held: AbstractContextManager[None] | None = None,
    ) -> None:
        self.stopped: BaseException | None = None
        """What put an end to the work."""
        self._work = work
        self._size = size
        self._failures = failures
        self._tell = tell
        self._tell_chunk = tell_chunk
        self._give_up_after = give_up_after
        self._total = total
        self._held = held or nullcontext()
        self._validate: bool = work.client.configuration.client_side_validation
        self._idempotent = work.operation.idempotent
        self._settled, self._orphans, counts = IntRanges(), IntRanges(), Counts()
        self._known = Mark()
        """Rows that the run before knew; nothing is done before they have been recognized."""
        if resume is not None:
            token = read_token(resume, work.name)
            self._settled, self._orphans, counts = token.settled, token.under_way, token.counts
            self._known = token.mark
        self._fingerprint = Fingerprint(work.shared)
        self._mark = self._known
        """What the token says of the rows: at least of all that a request was begun for."""
        self._recognizing: list[Any] | None = [] if self._known.rows else None
        # Known rows that are not settled: no more than were in memory when the work was cut off.
        self._unsettled: list[tuple[int, Any]] = []
        # How many rows of the chunk that is filling the fingerprint has.
        self._hashed = 0
        self._counts = {SENT: counts.sent, FAILED: counts.failed, UNKNOWN: counts.unknown}
        self._reasons: dict[str, int] = {}
        self._skipped = 0
        self._requests = 0
        self._fruitless = 0
        self._read = 0
        self._exhausted = False
        self._complete = False
        self._filling: Piece | None = None
        self._ready: deque[Piece] = deque()
        self._under_way: set[Piece] = set()
        self._open: list[Chunk] = []

    # -- Rows come in --------------------------------------------------------------------------

    @property
    def hungry(self) -> bool:
        """Whether another row is wanted."""
        return not self._ready and not self._exhausted and self.stopped is None

    def add(self, row: Any) -> None:
        """Take the next row."""
        portions = self._work.portions
        if portions is None:
            self._add(row)
            return
        iterator = iter(portions(row))
        while True:
            try:
                portion = next(iterator)
            except StopIteration:
                return
            except Exception:  # Whatever an object of the caller does: its request will fail, too.
                self._add(row)
                return
            self._add(portion)

    def _add(self, row: Any) -> None:
        index = self._read
        self._read += 1
        if self._recognizing is None:
            self._take(index, row)
            return
        if index in self._settled:
            self._skipped += 1
        else:
            self._unsettled.append((index, row))
        self._recognizing.append(row)
        if self._read == self._known.rows:
            self._recognize(self._recognizing)
        elif len(self._recognizing) == _BATCH:
            self._fingerprint.update(self._recognizing)
            self._recognizing = []

    def _recognize(self, latest: list[Any]) -> None:
        """Go on with the rows that are not settled, if all are those that the token knows."""
        self._fingerprint.update(latest)
        if self._fingerprint.mark() != self._known:
            self.stop(
                ApiValueError(
                    f"the first {self._known.rows} rows are not those that the token knows, in"
                    f" their order; nothing was sent: {START_ANEW}"
                )
            )
            return
        self._recognizing = None
        unsettled, self._unsettled = self._unsettled, []
        for index, row in unsettled:
            if index in self._orphans:
                with self._held:
                    self._fail([index], [row], UNKNOWN, _CUT_OFF)
            else:
                self._take(index, row)

    def _take(self, index: int, row: Any) -> None:
        try:
            key, group, alone = self._work.place(row)
        except Exception as problem:  # Whatever an object of the caller does, the others go on.
            self._give_up(index, row, problem)
            return
        filling = self._filling
        if filling is None or filling.chunk.group != group or key in filling.chunk.keys:
            self._cut()
            self._filling = filling = Piece(Chunk(group, alone), [], [])
        if key is not None:
            filling.chunk.keys.add(key)
        filling.indices.append(index)
        filling.rows.append(row)
        if len(filling.rows) == self._size:
            self._cut()

    def _give_up(self, index: int, row: Any, problem: Exception) -> None:
        """Take note that a row cannot be sent."""
        self._update_fingerprint()
        if index >= self._known.rows:
            self._fingerprint.update([row])
        reason = self._work.problem(row, self._validate) or described(problem)
        with self._held:
            self._mark = self._fingerprint.mark()
            self._fail([index], [row], FAILED, reason)

    def exhaust(self) -> None:
        """Take note that there are no more rows."""
        if self._read < self._known.rows:
            self.stop(
                ApiValueError(
                    f"there are {self._read} rows, and the token knows {self._known.rows}; nothing"
                    f" was sent: {START_ANEW}"
                )
            )
        self._exhausted = True
        self._cut()

    def _cut(self) -> None:
        if self._filling is not None:
            self._update_fingerprint()
            self._filling.chunk.mark = self._fingerprint.mark()
            self._ready.append(self._filling)
            self._filling = None
            self._hashed = 0

    def _update_fingerprint(self) -> None:
        """Take the rows of the chunk that is filling into the fingerprint."""
        if self._filling is not None:
            indices, rows = self._filling.indices, self._filling.rows
            # Rows of the run before were taken when they were recognized.
            fresh = max(self._hashed, bisect_left(indices, self._known.rows))
            text = self._fingerprint.update(rows[fresh:] if fresh else rows)
            self._filling.text = None if fresh else text
            self._hashed = len(rows)

    # -- Requests go out -----------------------------------------------------------------------

    def next(self) -> Piece | None:
        """Return what may be sent now; ``None`` if there is nothing, or it has to wait."""
        if self.stopped is not None or not self._ready:
            return None
        piece = self._ready[0]
        chunk = piece.chunk
        if not chunk.requests and any(chunk.meets(each) for each in self._open):
            return None
        self._ready.popleft()
        if not chunk.requests:
            self._open.append(chunk)
            self._mark = max(self._mark, chunk.mark)
            chunk.pieces = 1
        chunk.requests += 1
        self._requests += 1
        self._under_way.add(piece)
        if not self._idempotent:
            try:
                self.tell()
            except BaseException:
                self._under_way.remove(piece)
                raise
        return piece

    @property
    def under_way(self) -> int:
        """How many requests have not come back."""
        return len(self._under_way)

    # -- Answers come back ---------------------------------------------------------------------

    def ended(self, piece: Piece, answer: Any, failure: BaseException | None) -> None:
        """Take note of how a request ended: with an answer, or with a failure."""
        if failure is None:
            self.succeeded(piece, answer)
        else:
            self.failed(piece, failure)

    def succeeded(self, piece: Piece, answer: Any) -> None:
        """Take note that a request was accepted."""
        self._settle(piece.indices, SENT)
        self._under_way.discard(piece)
        piece.chunk.accepted = True
        self._fruitless = 0
        self._close(piece)
        self._told(piece, SENT, answer, None)

    def failed(self, piece: Piece, failure: BaseException) -> None:
        """Take note of what a request ended with, and decide what becomes of its rows."""
        if isinstance(failure, InvalidResponseError):
            self.succeeded(piece, None)
            return
        if isinstance(failure, ApiException):
            outcome = self._judge(piece, failure)
        else:
            outcome = self._not_sent(piece, failure)
        self._told(piece, outcome, None, failure)

    def _judge(self, piece: Piece, failure: ApiException) -> str:
        """Decide what becomes of rows that the server did not accept, and return the outcome."""
        acted = any(map(may_have_acted, (failure, *failure.earlier)))
        outcome = UNKNOWN if acted and not self._idempotent else FAILED
        if failure.status in _HOPELESS_STATUSES:
            return self._leave(piece, failure) if outcome == FAILED else self._doubt(piece, failure)
        if failure.status in self._work.refusals and self._divide(piece, failure):
            return "refused"
        if outcome == FAILED:
            self._under_way.discard(piece)
        chunk = piece.chunk
        chunk.failure = failure
        hopeless = failure.status in self._work.refusals and chunk.requests >= chunk.most_requests
        reason = described(failure)
        shared = reason + _WITH_OTHERS if hopeless else reason
        own = reason if len(piece.rows) == 1 else shared
        self._fail(piece.indices, piece.rows, outcome, own, failure.status)
        self._under_way.discard(piece)
        for each in [each for each in self._ready if hopeless and each.chunk is chunk]:
            self._fail(each.indices, each.rows, FAILED, shared, failure.status)
            self._ready.remove(each)
            self._close(each)
        self._close(piece)
        return outcome

    def _divide(self, piece: Piece, failure: ApiException) -> bool:
        """Send a piece that was refused again in parts, so that only rows at fault fail.

        What the answer blames is sent apart from the rest, rather than given up at once: how it
        names rows is not documented.
        """
        chunk = piece.chunk
        count = len(piece.rows)
        named = self._work.named(failure, count)
        if count == 1 or len(named) == count or chunk.requests >= chunk.most_requests:
            return False
        rest = [at for at in range(count) if at not in named]
        parts = (sorted(named), rest) if named else (rest[: count // 2], rest[count // 2 :])
        self._under_way.discard(piece)
        self._ready.extendleft(piece.part(each) for each in reversed(parts))
        chunk.pieces += 1
        return True

    def _not_sent(self, piece: Piece, failure: BaseException) -> str:
        """Find the rows because of which a request could not be made, and go on without them."""
        self._requests -= 1
        if isinstance(failure, (ClientClosedError, ConfigurationError, NotBegun)):
            # What a limiter raised is told by itself: it may look like a failure of the request.
            own = failure.__cause__ if isinstance(failure, NotBegun) else None
            return self._leave(piece, own or failure)
        # What is not ours may have been raised when they were sent.
        certain = self._idempotent or isinstance(failure, OpenApiException)
        if certain:
            self._under_way.discard(piece)
        good = []
        for at, row in enumerate(piece.rows):
            problem = self._work.problem(row, self._validate)
            if problem is None:
                good.append(at)
            else:
                self._fail([piece.indices[at]], [row], FAILED, problem)
        if len(good) < len(piece.rows):
            self._under_way.discard(piece)
            if good:
                self._ready.appendleft(piece.part(good))
                return "refused"
            self._close(piece)
            return FAILED
        # It is not for the rows.
        return self._leave(piece, failure) if certain else self._doubt(piece, failure)

    def _doubt(self, piece: Piece, failure: BaseException) -> str:
        """Stop the work after a request that may have been carried out."""
        status = failure.status if isinstance(failure, ApiException) else None
        self._fail(piece.indices, piece.rows, UNKNOWN, described(failure), status)
        self._under_way.discard(piece)
        self._close(piece)
        self.stop(failure)
        return UNKNOWN

    def _close(self, piece: Piece) -> None:
        """Take note that a piece is settled, and with the last one its chunk."""
        chunk = piece.chunk
        chunk.pieces -= 1
        if chunk.pieces:
            return
        self._open.remove(chunk)
        if chunk.failure is not None and not chunk.accepted:
            self._fruitless += 1
            if self._fruitless == self._give_up_after:
                self.stop(chunk.failure)

    def _leave(self, piece: Piece, cause: BaseException) -> str:
        """Stop the work, and leave the rows of a piece, which was not sent, to the next run."""
        self._under_way.discard(piece)
        self.stop(cause)
        return "left"

    def _settle(self, indices: list[int], outcome: str) -> None:
        for begin, end in runs(indices):
            self._settled.add(begin, end)
        self._counts[outcome] += len(indices)

    def _fail(
        self,
        indices: list[int],
        rows: list[Any],
        outcome: str,
        reason: str,
        status: int | None = None,
    ) -> None:
        # Should the file fail, the token says of these rows what it said before: that they are not
        # dealt with, or, while their piece is under way, that they may have been carried out.
        self._write(indices, rows, outcome, reason, status)
        self._settle(indices, outcome)

    def _write(
        self, indices: list[int], rows: list[Any], outcome: str, reason: str, status: int | None
    ) -> None:
        for index, row in zip(indices, rows, strict=True):
            self._failures.write(index, outcome, reason, status, row)
        self._failures.flush()
        if reason not in self._reasons and len(self._reasons) >= _MOST_REASONS:
            reason = _OTHER
        self._reasons[reason] = self._reasons.get(reason, 0) + len(indices)

    # -- The end -------------------------------------------------------------------------------

    def stop(self, cause: BaseException) -> None:
        """Begin nothing more. What is not an error, such as Ctrl-C, comes before what is one."""
        if self.stopped is None or (
            isinstance(self.stopped, Exception) and not isinstance(cause, Exception)
        ):
            self.stopped = cause

    def close(self) -> None:
        """End the work. What has not come back by now will not.

        Rows of such requests are left to whoever resumes the work, unless they must not be
        repeated: those are unknown.
        """
        lost = [] if self._idempotent else sorted(self._under_way, key=lambda each: each.indices)
        # Not those that came back, and of which an interruption kept the rest from being done.
        lost = [each for each in lost if each.indices[0] not in self._settled]
        # Those that the file does not take stay under way, for the next run to tell of.
        self._under_way = set(lost)
        for piece in lost:
            self._fail(piece.indices, piece.rows, UNKNOWN, _CUT_OFF)
            self._under_way.discard(piece)
        self._complete = self._exhausted and self.stopped is None
        self.tell(finished=True)

    @property
    def summary(self) -> Summary:
        """What became of the rows so far."""
        return Summary(
            self._counts[SENT],
            self._counts[FAILED],
            self._counts[UNKNOWN],
            self._skipped,
            self._requests,
            self._complete,
            dict(self._reasons),
            self._token(),
        )

    def tell(self, finished: bool = False) -> None:
        """Tell how far the work has come."""
        # Whoever has the token does without what was written before it.
        self._failures.flush()
        if self._tell is not None:
            sent, failed, unknown = self._counts.values()
            self._tell(Progress(sent, failed, unknown, self._total, self._token(), finished))

    def _told(self, piece: Piece, outcome: str, answer: Any, failure: BaseException | None) -> None:
        if self._tell_chunk is not None:
            first, last = piece.indices[0], piece.indices[-1]
            rows = len(piece.rows)
            self._tell_chunk(ChunkResult(first, last, rows, outcome, answer, failure))
        self.tell()

    def _token(self) -> str:
        under_way = IntRanges(self._orphans)
        if not self._idempotent:
            for piece in self._under_way:
                for begin, end in runs(piece.indices):
                    under_way.add(begin, end)
        return Token(
            self._work.name,
            self._settled,
            under_way,
            Counts(*self._counts.values()),
            self._mark,
        ).written()
