"""Failures of bulk jobs: the rows that were not sent, as a JSON Lines file or a callback."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from io import BytesIO
from stat import S_ISREG
from typing import IO, Any

from talon_one._core.hooks import logger
from talon_one._schema import json_codec
from talon_one._utils.quoting import message_of, quoted
from talon_one.bulk.folders import is_url, open_folder, path_text, without_password
from talon_one.exceptions import ApiTypeError, ApiValueError, OpenApiException

FAILED = "failed"
"""The row was not executed, or may be sent again without harm."""
UNKNOWN = "unknown"
"""The row may have been executed, and must not be executed twice."""

_MAX_REPR_LENGTH = 10_000
# The first bytes of each line.
_LINE_START = b'{"index":'


@dataclass(frozen=True)
class Failure:
    """A row that was not sent, or whose outcome is unknown."""

    index: int
    """Number of the row, counted from 0, in the rows that were given."""
    outcome: str
    """``"failed"``, or ``"unknown"`` if the row may have been executed."""
    reason: str
    status: int | None = None
    """HTTP status of the response, if there was one."""
    row: Any = None
    """The row as JSON data; ``None`` if it cannot be encoded, see `row_repr`."""
    row_repr: str | None = None
    """``repr`` of a row that cannot be encoded."""
    part: int | None = None
    """Number of the part that the row belongs to, see `talon_one.bulk.partition`."""

    def to_line(self) -> bytes:
        """Return the failure as a line of a failures file."""
        record = asdict(self)
        for name in ("row_repr", "part"):
            if record[name] is None:
                del record[name]
        return json_codec.encode(record) + b"\n"


FailuresTarget = str | os.PathLike[str] | Callable[[Failure], object] | None
"""Path of the failures file, a callback, or ``None``."""


class FailureSink:
    """Write failures to a file or pass them to a callback. Before `open`, drop them."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._on_failure: Callable[[Failure], object] | None = None

    def open(self, target: FailuresTarget, resuming: bool) -> None:
        """Set the target.

        Args:
            target: Path of the file, a function that is called with each `Failure`, or ``None``.
            resuming: Append to the file. Otherwise a file that is not empty is rejected, because it
                may hold the only copy of its rows.

        Raises:
            ApiTypeError: The target is not a path and not a function.
            ApiValueError: The file is not empty, and the job is not resumed.
            OSError: The file cannot be written.
        """
        if callable(target):
            self._on_failure = target
        elif isinstance(target, (str, os.PathLike)):
            self._file = _open_file(os.fspath(target), resuming)
        elif target is not None:
            raise ApiTypeError(f"failures is a path or a function, not {quoted(target)}")

    def write(self, index: int, outcome: str, reason: str, status: int | None, row: Any) -> None:
        """Write a failure. Call `flush` to have it survive this process."""
        if self._file is None and self._on_failure is None:
            return
        data, row_repr = _encodable(row)
        failure = Failure(index, outcome, reason, status, data, row_repr)
        if self._on_failure is not None:
            self._on_failure(failure)
        if self._file is not None:
            self._file.write(failure.to_line())

    def flush(self) -> None:
        """Pass what was written to the operating system."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def _open_file(path: str, resuming: bool) -> IO[bytes]:
    file = open(path, "ab+")  # noqa: SIM115  because it stays open as long as the job runs
    try:
        if file.tell() and not resuming:
            raise ApiValueError(
                f"{path} is not empty: feed its failures in, move it away, or resume the job that"
                " wrote it"
            )
        file.seek(0)
        is_regular = S_ISREG(os.fstat(file.fileno()).st_mode)
        start = file.read(len(_LINE_START)) if is_regular else b""
        if not _LINE_START.startswith(start):
            raise ApiValueError(f"{path} is not a failures file of a bulk job")
        file.seek(0, os.SEEK_END)
        _drop_partial_line(file)
    except BaseException:
        file.close()
        raise
    return file


def _drop_partial_line(file: IO[bytes]) -> None:
    """Remove a last line without a line break, which a process did not write completely.

    No resume token counts the row of such a line as settled.
    """
    size = file.tell()
    end = size
    while end:
        begin = max(0, end - 65536)
        file.seek(begin)
        newline = file.read(end - begin).rfind(b"\n")
        if newline >= 0:
            end = begin + newline + 1
            break
        end = begin
    if end < size:
        file.truncate(end)
    file.seek(0, os.SEEK_END)


def _encodable(row: Any) -> tuple[Any, str | None]:
    """Return a row as JSON data, or ``None`` and its ``repr``."""
    with suppress(Exception):  # An object of the caller may raise anything.
        return json_codec.decode(json_codec.encode(row)), None
    try:
        return None, repr(row)[:_MAX_REPR_LENGTH]
    except Exception:  # For the same reason.
        return None, object.__repr__(row)


def read_failures(path: str | os.PathLike[str], *, include_unknown: bool = False) -> Iterator[Any]:
    """Yield the rows of a failures file, ready to be sent again.

    Rows that could not be encoded are left out; the log (``talon_one``) reports their number.

    Args:
        path: The file, as for `failures_in`.
        include_unknown: Include rows that may have been executed. They were not retried,
            because a retry could create coupons twice, for example. Find out first.

    Raises:
        ApiTypeError, ApiValueError, OSError: As for `failures_in`.
    """
    return _rows(failures_in(path), path, include_unknown)


def _rows(failures: Iterator[Failure], path: object, include_unknown: bool) -> Iterator[Any]:
    left_out = 0
    for failure in failures:
        if failure.outcome != FAILED and not include_unknown:
            continue
        if failure.row_repr is None:
            yield failure.row
        else:
            left_out += 1
    if left_out:
        logger.warning("%d rows of %s could not be encoded and were left out", left_out, path)


def failures_in(path: str | os.PathLike[str]) -> Iterator[Failure]:
    """Yield each failure of a failures file.

    Lines that are appended during the iteration, such as those of rows that fail again, are left
    out.

    Args:
        path: The file, or its URL for fsspec, as in `Part.failures`.

    Raises:
        ApiTypeError: *path* is no path or URL, or it is a URL, and fsspec is not installed.
        ApiValueError: A line is not a failure, or no path can have these characters.
        OSError: The file cannot be read.
    """
    return _failures(path_text(path, "file", "failures are in a file, given as its path or URL"))


def _failures(path: str) -> Iterator[Failure]:
    with _open_to_read(path) as file:
        remaining = file.seek(0, os.SEEK_END)
        file.seek(0)
        for number, line in enumerate(file, 1):
            remaining -= len(line)
            if remaining < 0 or not line.endswith(b"\n"):
                return  # A process did not write it completely, see `_drop_partial_line`.
            if line.strip():
                yield _parse_line(line, f"{without_password(path)}, line {number}")


def _open_to_read(path: str) -> IO[bytes]:
    if not is_url(path):
        return open(path, "rb")
    begin = path.rindex("/") + 1
    # One in a store has a limited size.
    return BytesIO(open_folder(path[:begin]).read(path[begin:]))


def _parse_line(line: bytes, location: str) -> Failure:
    try:
        failure = Failure(**json_codec.decode(line))
        if failure.outcome not in (FAILED, UNKNOWN):
            raise ValueError("unknown outcome")
    except (TypeError, ValueError) as cause:
        raise ApiValueError(f"{location}: not a failure of a bulk job") from cause
    return failure


def describe(error: BaseException) -> str:
    """Return an error as the reason of a failure: one line of limited length."""
    name = type(error).__name__
    text = message_of(error)
    # Messages of our own exceptions need no class to be understood.
    return text if text and isinstance(error, OpenApiException) else f"{name}({text})"
