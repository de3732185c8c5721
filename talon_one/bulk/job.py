"""A piece of bulk work, as both shells do it: its options, its requests, and its end."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sized
from contextlib import suppress
from inspect import iscoroutinefunction
from typing import Any
from warnings import warn

from talon_one._core.request import has_idempotency_key
from talon_one._schema.model import Model
from talon_one._utils.quoting import message_of, quoted
from talon_one._utils.suggest import did_you_mean
from talon_one.bulk.chunks import Run
from talon_one.bulk.failures import FailuresFile, Target
from talon_one.bulk.interrupts import Interrupts
from talon_one.bulk.operations import BulkOperation
from talon_one.bulk.pieces import Piece
from talon_one.bulk.reports import BulkStopped, ChunkResult, Progress, Summary
from talon_one.endpoint import CallSettings
from talon_one.exceptions import ApiTypeError
from talon_one.limiter import Limiter, limiter_of

_AT_ONCE = 4
_GIVE_UP_AFTER = 10


class PoolSizeWarning(UserWarning):
    """Bulk work was to make more requests at a time than its client has connections."""


class Options(CallSettings, total=False):
    """Keywords that all bulk work takes, beside the settings of its calls."""

    at_once: int
    """How many requests are under way at once; 4, and 1 for catalogs, if not given. No more than
    the connection pool of the client holds, with a `PoolSizeWarning` where that is less."""
    chunk_size: int
    """How many rows a request holds at most; by default as many as the platform admits."""
    failures: Target
    """Where rows go that were not sent: the path of a file, one JSON object a line, or a function.
    A file that holds something is refused, unless the work is resumed: then it is appended to."""
    progress: Callable[[Progress], object] | None
    """Called at the beginning, after every request, and at the end; also before a request that may
    not be made twice. See `with_tqdm` and `with_rich`."""
    on_chunk: Callable[[ChunkResult], object] | None
    """Called with what became of each request, with its answer."""
    resume: str | None
    """Token of an earlier run over the same rows: what is settled is not sent again. Rows of
    another order, content or source are refused before anything is sent; leave it out to start
    anew."""
    give_up_after: int | None
    """The work stops after so many chunks in a row none of whose rows was accepted, 10 if not
    given; ``None`` to go on to the end."""
    total: int | None
    """How many rows there are, for the progress; their ``len`` if they have one."""
    limiter: Limiter | bool
    """How often requests are begun: a `Limiter` of your own, or ``False`` for no limit. By default
    the Management API is called as often as it admits."""


class Job:
    """What both shells need: the run, and how its requests are made.

    Args:
        work: What is done.
        rows: The rows, to see whether they are some, and how many.
        options: See `Options`.
        asynchronous: Which shell it is.

    Raises:
        ApiTypeError, ApiValueError: An option is wrong.
        OSError: The failures file cannot be written.
    """

    def __init__(
        self, work: BulkOperation, rows: Any, options: Mapping[str, Any], asynchronous: bool
    ) -> None:
        settings = dict(options)
        for name in settings:
            if name not in Options.__annotations__:
                hint = did_you_mean(name, Options.__annotations__)
                raise ApiTypeError(f"bulk work has no option {name!r}.{hint}")
        if work.client.asynchronous is not asynchronous:
            raise ApiTypeError(
                "talon_one.bulk takes APIs of talon_one, talon_one.aio.bulk those of talon_one.aio"
            )
        iterable = isinstance(rows, Iterable) or (asynchronous and isinstance(rows, AsyncIterable))
        if not iterable or isinstance(rows, (str, bytes, Mapping, Model)):
            raise ApiTypeError(f"rows is a list or a generator of rows, not {type(rows).__name__}")
        self._work = work
        self.at_once = _count(settings, "at_once", _AT_ONCE)
        self._keep_to_pool()
        size = min(_count(settings, "chunk_size", work.most), work.most)
        give_up_after = settings.pop("give_up_after", _GIVE_UP_AFTER)
        if give_up_after is not None:
            give_up_after = _count({"give_up_after": give_up_after}, "give_up_after", 1)
        limiter = settings.pop("limiter", True)
        if not isinstance(limiter, (Limiter, bool)):
            raise ApiTypeError(f"limiter is a Limiter, True or False, not {quoted(limiter)}")
        if limiter is True:
            limiter = limiter_of(work.client, work.operation) or False
        total = settings.pop("total", None)
        if total is None and isinstance(rows, Sized) and work.portions is None:
            with suppress(Exception):  # Foreign code, for the sake of the progress alone.
                total = len(rows)
        resume = settings.pop("resume", None)
        target = settings.pop("failures", None)
        tell, tell_chunk = settings.pop("progress", None), settings.pop("on_chunk", None)
        for name, function in (("progress", tell), ("on_chunk", tell_chunk), ("failures", target)):
            if iscoroutinefunction(function):
                raise ApiTypeError(f"{name} is called, not awaited: it takes a plain function")
        for name, function in (("progress", tell), ("on_chunk", tell_chunk)):
            if function is not None and not callable(function):
                raise ApiTypeError(f"{name} is a function, not {quoted(function)}")
        if has_idempotency_key(settings.get("_headers") or {}):
            raise ApiTypeError("each request gets an Idempotency-Key of its own: leave it out")
        self._limiter = limiter if isinstance(limiter, Limiter) else None
        self._keywords = {**work.keywords, **settings}
        self._failures = FailuresFile()
        self.interrupts = Interrupts()
        self.run = Run(
            work,
            size,
            self._failures,
            tell,
            tell_chunk,
            resume,
            give_up_after,
            total,
            self.interrupts.held,
        )
        # Last, so that nothing is left open if an option is wrong.
        self._failures.open(target, resuming=resume is not None)

    def _keep_to_pool(self) -> None:
        """Make no more requests at a time than there are connections: the others would time out."""
        size = self._work.client._pool_size()
        if self.at_once > size:
            warn(
                f"at_once={self.at_once} is more than the connection pool of the client holds:"
                f" {size} requests are made at a time; raise"
                " configuration.connection_pool_maxsize before the client is made",
                PoolSizeWarning,
                stacklevel=5,
            )
            self.at_once = size

    def pause(self) -> float:
        """Return the seconds to wait before the next request is made."""
        return self._limiter.reserve(self._work.operation.id) if self._limiter else 0.0

    def request(self, piece: Piece) -> Any:
        """Make the request for a piece, and return what its method returns."""
        body = self._work.body(piece.rows, piece.text)
        return self._work.method(*self._work.args, body, **self._keywords)

    def end(self) -> Summary:
        """Return the summary, or raise what put an end to the work before its end."""
        run = self.run
        for step in (run.close, self._failures.close):
            try:
                step()
            except Exception as failure:  # Whatever file and functions do, the summary is not lost.
                run.stop(failure)
        if self.interrupts.take():
            run.stop(KeyboardInterrupt())
        summary, cause = run.summary, run.stopped
        if cause is None:
            return summary
        message = message_of(cause)
        text = f"{type(cause).__name__}: {message}" if message else type(cause).__name__
        if isinstance(cause, Exception):
            raise BulkStopped(f"{text} ({summary.sent} rows sent)", summary) from cause
        # Ctrl-C, or a task that was cancelled: those who wait for it know it by its class.
        cause.summary = summary  # type: ignore[attr-defined]  # there is no other place for it
        raise cause


def _count(settings: dict[str, Any], name: str, default: int) -> int:
    value = settings.pop(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ApiTypeError(f"{name} is a whole number above 0, not {quoted(value)}")
    return value
