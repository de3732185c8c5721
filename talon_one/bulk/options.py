"""Options of bulk jobs, and their checks."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from contextlib import suppress
from inspect import iscoroutinefunction
from typing import Any, NamedTuple
from warnings import warn

from talon_one._core.headers import check_header
from talon_one._core.options import take_options
from talon_one._core.request import has_idempotency_key
from talon_one._core.settings import checked_policy
from talon_one._schema.model import Model
from talon_one._utils.quoting import quoted
from talon_one._utils.suggest import did_you_mean
from talon_one.bulk.failures import FailuresTarget
from talon_one.bulk.operations import BulkOperation
from talon_one.bulk.reports import ChunkResult, Progress
from talon_one.endpoint import CallSettings
from talon_one.exceptions import ApiTypeError
from talon_one.limiter import Limiter, limiter_of

_CONCURRENCY = 4
_MAX_FAILED_CHUNKS = 10


class PoolSizeWarning(UserWarning):
    """A bulk job makes fewer concurrent requests than asked, to fit the connection pool."""


class Options(CallSettings, total=False):
    """Keyword arguments of all bulk functions, besides the settings of their calls."""

    concurrency: int
    """How many requests are in flight at the same time; 4 by default, and 1 for catalogs. It is
    limited to the size of the connection pool of the client, with a `PoolSizeWarning`."""
    chunk_size: int
    """How many rows a request holds at most; by default the limit of the platform."""
    failures: FailuresTarget
    """Where rows go that were not sent: the path of a JSON Lines file, or a function that is called
    with each `Failure`. A file that is not empty is appended to if the job is resumed, and rejected
    otherwise."""
    progress: Callable[[Progress], object] | None
    """Called at the start, after each request, and at the end; also before a request that is not
    idempotent. See `with_tqdm` and `with_rich`."""
    on_chunk: Callable[[ChunkResult], object] | None
    """Called with the result of each request, its response included."""
    resume: str | None
    """Resume token of an earlier run over the same rows: settled rows are not sent again. Rows in
    another order, with other content or from another source are rejected before anything is sent.
    Leave it out to start over."""
    max_failed_chunks: int | None
    """After how many chunks in a row without an accepted row the job stops; 10 by default, ``None``
    for never. Those of them that got no response, a 408 or a 5xx, are left to the next run."""
    total: int | None
    """How many rows there are, for the progress; by default their ``len``, if they have one."""
    limiter: Limiter | bool
    """Rate limit for requests: a `Limiter`, or ``False`` for none. By default the limit of the
    Management API."""


class CheckedOptions(NamedTuple):
    """Options with their defaults filled in."""

    concurrency: int
    chunk_size: int
    failures: FailuresTarget
    on_progress: Callable[[Progress], object] | None
    on_chunk: Callable[[ChunkResult], object] | None
    resume: str | None
    max_failed_chunks: int | None
    total: int | None
    limiter: Limiter | None
    keywords: dict[str, Any]
    """Keyword arguments of each call."""


def check_options(operation: BulkOperation, rows: Any, given: Mapping[str, Any]) -> CheckedOptions:
    """Check the options of a job, and fill in defaults.

    Args:
        operation: What is done with the rows.
        rows: The rows, for their number.
        given: See `Options`.

    Raises:
        ApiTypeError, ApiValueError: An option is wrong.
    """
    options = dict(given)
    for name in options:
        if name not in Options.__annotations__:
            hint = did_you_mean(name, Options.__annotations__)
            raise ApiTypeError(f"bulk jobs have no option {name!r}.{hint}")
    concurrency = _positive("concurrency", options.pop("concurrency", _CONCURRENCY))
    chunk_size = _positive("chunk_size", options.pop("chunk_size", operation.max_rows))
    max_failed_chunks = options.pop("max_failed_chunks", _MAX_FAILED_CHUNKS)
    if max_failed_chunks is not None:
        max_failed_chunks = _positive("max_failed_chunks", max_failed_chunks)
    limiter = options.pop("limiter", True)
    if not isinstance(limiter, (Limiter, bool)):
        raise ApiTypeError(f"limiter is a Limiter, True or False, not {quoted(limiter)}")
    if limiter is True:
        limiter = limiter_of(operation.client, operation.endpoint)
    total = options.pop("total", None)
    if total is None and operation.split is None:
        with suppress(Exception):  # A generator has no length, and a class may raise anything.
            total = len(rows)
    resume = options.pop("resume", None)
    failures = options.pop("failures", None)
    callbacks = {name: options.pop(name, None) for name in ("progress", "on_chunk")}
    for name, callback in {**callbacks, "failures": failures}.items():
        if iscoroutinefunction(callback):
            raise ApiTypeError(f"{name} must be a plain function, not a coroutine function")
    for name, callback in callbacks.items():
        if callback is not None and not callable(callback):
            raise ApiTypeError(f"{name} is a function, not {quoted(callback)}")
    headers = take_options(dict(options)).headers
    for header in headers.items():
        check_header(*header)
    if has_idempotency_key(headers):
        raise ApiTypeError("each request gets its own Idempotency-Key: leave the header out")
    checked_policy("_retries", options.get("_retries"))
    return CheckedOptions(
        concurrency=concurrency,
        chunk_size=min(chunk_size, operation.max_rows),
        failures=failures,
        on_progress=callbacks["progress"],
        on_chunk=callbacks["on_chunk"],
        resume=resume,
        max_failed_chunks=max_failed_chunks,
        total=total,
        limiter=None if limiter is False else limiter,
        keywords={**operation.keywords, **options},
    )


def check_rows(operation: BulkOperation, rows: Any, *, asynchronous: bool) -> None:
    """Check that rows and API are of the kind that a runner takes.

    Raises:
        ApiTypeError: They are not.
    """
    if operation.client.asynchronous is not asynchronous:
        raise ApiTypeError(
            "talon_one.bulk takes APIs of talon_one, talon_one.aio.bulk those of talon_one.aio"
        )
    iterable = isinstance(rows, Iterable) or (asynchronous and isinstance(rows, AsyncIterable))
    if not iterable or isinstance(rows, (str, bytes, Mapping, Model)):
        raise ApiTypeError(f"rows is a list or a generator of rows, not {type(rows).__name__}")
    if all(hasattr(type(rows), name) for name in ("columns", "dtypes")):
        raise ApiTypeError(
            f"rows is a list or a generator of rows, and iterating a {type(rows).__name__} yields"
            " its columns: pass frame.to_dict('records') of pandas, or frame.iter_rows(named=True)"
            " of polars"
        )


def fit_to_pool(operation: BulkOperation, concurrency: int, stacklevel: int) -> int:
    """Limit concurrency to the size of the connection pool: other requests would time out.

    Args:
        operation: What is done with the rows.
        concurrency: How many concurrent requests were asked for.
        stacklevel: Stack level of the warning, so that it points at the caller of the job.
    """
    size: int = operation.client._pool_size()
    if concurrency > size:
        warn(
            f"concurrency={concurrency} is more than the connection pool of the client holds;"
            f" the job makes {size} requests at a time. Raise"
            " configuration.connection_pool_maxsize before you make the client",
            PoolSizeWarning,
            stacklevel=stacklevel,
        )
        return size
    return concurrency


def _positive(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ApiTypeError(f"{name} is a whole number above 0, not {quoted(value)}")
    return value
