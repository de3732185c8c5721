"""How a bulk job is executed: the rules that the blocking and the asyncio runner share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum, auto
from typing import Any, ClassVar

from talon_one._utils.callers import frames_of_package
from talon_one.bulk.backing_off import BackOff
from talon_one.bulk.chunks import Piece
from talon_one.bulk.failures import FailureSink
from talon_one.bulk.interrupts import Interrupts
from talon_one.bulk.operations import BulkOperation
from talon_one.bulk.options import check_options, check_rows, fit_to_pool
from talon_one.bulk.reports import BulkStopped, Summary
from talon_one.bulk.run import RequestNotStarted, Run

# Seconds after which a request that waits looks whether the job was stopped.
_MAX_PAUSE = 2.0
# Seconds that the result of a request waits, at most, while the runner waits for the limiter.
_MAX_UNSETTLED = 0.1


class Step(Enum):
    """What a runner does next; each may block, or is awaited."""

    READ_ROWS = auto()
    """Add rows until `Run.needs_rows` is false."""
    AWAIT_REQUEST = auto()
    """Wait until a request has ended, and settle it."""
    PAUSE = auto()
    """Sleep for each of `Runner._own_pauses`, and settle what has ended after each of them."""


class Runner(ABC):
    """Execute a bulk job.

    Requests are made concurrently. Everything else happens in the thread, or task, that executes
    the runner: rows are read, callbacks called, and results settled only there.

    Args:
        operation: What is done with the rows.
        rows: The rows.
        options: See `Options`.

    Raises:
        ApiTypeError, ApiValueError: An option is wrong.
        OSError: The failures file cannot be written.
    """

    asynchronous: ClassVar[bool]

    def __init__(self, operation: BulkOperation, rows: Any, options: Mapping[str, Any]) -> None:
        check_rows(operation, rows, asynchronous=self.asynchronous)
        checked = check_options(operation, rows, options)
        self._client = operation.client
        self._concurrency = fit_to_pool(operation, checked.concurrency, frames_of_package() + 2)
        self._interrupts = Interrupts()
        self._operation = operation
        self._limiter = checked.limiter
        # Rows that must not be sent twice are in the token from `Run.next` on. They would become
        # unknown if the process died, although their request only waits for the limiter.
        self._pauses_first = checked.limiter is not None and not operation.idempotent
        self._keywords = checked.keywords
        if checked.limiter is not None:
            retries = self._keywords.get("_retries")
            policy = BackOff.of(self._client, retries, checked.limiter, operation.endpoint.id)
            self._keywords["_retries"] = policy
        self._failures = FailureSink()
        self._run = Run(
            operation,
            checked.chunk_size,
            self._failures,
            checked.on_progress,
            checked.on_chunk,
            checked.resume,
            checked.max_failed_chunks,
            checked.total,
            self._interrupts.held,
            waits_for_limits=checked.limiter is not None,
        )
        # Last, so that a wrong option leaves no file open.
        self._failures.open(checked.failures, resuming=checked.resume is not None)

    def leave_outages(self) -> None:
        """Stop at the end of the rows if the last ones failed as in an outage.

        A part of a job may be so small that no number of chunks shows an outage. An engine tries it
        again.
        """
        self._run.leaves_undecided = True

    # -- What a subclass does ------------------------------------------------------------------

    @abstractmethod
    def _start(self, piece: Piece) -> None:
        """Start the request for a piece."""

    @abstractmethod
    def _has_ended(self) -> bool:
        """Return whether a request has ended that is not settled."""

    @abstractmethod
    def _settle(self) -> None:
        """Pass the results of one or more ended requests to `Run.finish`."""

    # -- Rules ---------------------------------------------------------------------------------

    def _steps(self) -> Iterator[Step]:
        """Start requests, and yield each step that comes before the next one."""
        self._run.report_progress()
        while self._run.stopped is None:
            if self._run.needs_rows:
                yield Step.READ_ROWS
            # While all requests are in flight, the rows of the next one are ready.
            elif self._run.in_flight < self._concurrency and self._run.has_next:
                if self._pauses_first:
                    yield Step.PAUSE
                self._start_next()
            elif self._run.in_flight:
                yield Step.AWAIT_REQUEST
            else:
                return

    def _start_next(self) -> None:
        """Start the next request, if there still is one."""
        with self._interrupts.held:
            piece = self._run.next()
            if piece is not None:
                self._start(piece)

    @contextmanager
    def _admission(self) -> Iterator[Iterator[float]]:
        """Yield the pauses of a request that is in flight; the block sleeps for each of them.

        Raises:
            RequestNotStarted: The limiter or the sleep raised the cause, or the run has stopped.
        """
        try:
            yield iter(()) if self._pauses_first else self._pauses()
        except RequestNotStarted:
            raise
        except Exception as cause:  # The limiter may be code of the caller.
            raise RequestNotStarted("the request was not made") from cause

    def _own_pauses(self) -> Iterator[float]:
        """Yield the pauses of the runner itself before a request. Any exception stops the job.

        Raises:
            RequestNotStarted: The job has stopped already.
        """
        return self._pauses(_MAX_UNSETTLED)

    def _pauses(self, longest: float = _MAX_PAUSE) -> Iterator[float]:
        limiter, endpoint = self._limiter, self._operation.endpoint.id
        while limiter is not None:
            held_until = limiter.held_until(endpoint)
            pause = limiter.reserve(endpoint)
            if not pause > 0:
                return
            # Short ones, because a job that is stopped waits for its requests.
            while pause > 0 and self._run.stopped is None:
                yield min(pause, longest)
                pause -= longest
            if self._run.stopped is not None:
                raise RequestNotStarted("the job was stopped")
            # Another request may have been refused meanwhile.
            if limiter.held_until(endpoint) == held_until:
                return

    def _request(self, piece: Piece) -> Any:
        """Call the method of the API with the rows of a piece."""
        body = self._operation.body(piece.rows, piece.text)
        return self._operation.method(*self._operation.args, body, **self._keywords)

    def _finish(self) -> Summary:
        """Settle all requests that have ended, then return the summary.

        Raises:
            BulkStopped: An error has stopped the run.
            BaseException: Ctrl-C or a cancellation has stopped the run; its attribute ``summary``
                has the summary.
        """
        with self._interrupts.held:
            while self._has_ended():
                self._try(self._settle)
            self._try(self._run.close)
            self._try(self._failures.close)
            if self._interrupts.take_pending():
                self._run.stop(KeyboardInterrupt())
            return self._result()

    def _try(self, step: Callable[[], object]) -> None:
        """Call a function; an error that it raises stops the run."""
        try:
            step()
        except Exception as cause:
            self._run.stop(cause)

    def _result(self) -> Summary:
        summary, cause = self._run.summary, self._run.stopped
        if cause is None:
            return summary
        if isinstance(cause, Exception):
            raise BulkStopped.by(cause, summary, self._run.sent_before) from cause
        # Callers recognize Ctrl-C and cancellation by the class.
        cause.summary = summary  # type: ignore[attr-defined]  # there is no other place for it
        raise cause
