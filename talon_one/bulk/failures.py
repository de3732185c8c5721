"""The file of rows that bulk work could not send, one JSON object a line, to be fed in again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from stat import S_ISREG
from typing import IO, Any

from talon_one._core.hooks import logger
from talon_one._schema import json_codec
from talon_one._utils.quoting import message_of, quoted
from talon_one.exceptions import ApiTypeError, ApiValueError, OpenApiException

FAILED = "failed"
"""The row was not carried out, or may be sent again without harm."""
UNKNOWN = "unknown"
"""The row may have been carried out, and once more would be once too often."""

_LONGEST_SHOWN = 10_000
# How each line begins.
_BEGINNING = b'{"index":'


@dataclass(frozen=True)
class Failure:
    """A row that was not sent, or of which nobody knows what became of it."""

    index: int
    """Number of the row, counted from 0, in the rows that were given."""
    outcome: str
    """``"failed"``, or ``"unknown"`` if it may have been carried out."""
    reason: str
    status: int | None = None
    """HTTP status of the answer, if there was one."""
    row: Any = None
    """The row as JSON data; ``None`` if it cannot be written as JSON, see `shown`."""
    shown: str | None = None
    """What a row looks like that cannot be written as JSON."""


Target = str | os.PathLike[str] | Callable[[Failure], object] | None
"""Where failures go."""


class FailuresFile:
    """Writes failures to a file, or hands them to a function; to nobody before `open`."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._tell: Callable[[Failure], object] | None = None

    def open(self, target: Target, resuming: bool) -> None:
        """Say where failures go.

        Args:
            target: Path of the file, a function that is called with each `Failure`, or ``None``.
            resuming: Append to what is there. Otherwise a file that holds anything is refused: it
                may be the only place where its rows are.

        Raises:
            ApiTypeError: It is no path and no function.
            ApiValueError: The file holds something, and the work is not resumed.
            OSError: The file cannot be written.
        """
        if callable(target):
            self._tell = target
        elif isinstance(target, (str, os.PathLike)):
            self._file = _opened(os.fspath(target), resuming)
        elif target is not None:
            raise ApiTypeError(f"failures is a path or a function, not {quoted(target)}")

    def write(self, index: int, outcome: str, reason: str, status: int | None, row: Any) -> None:
        """Take a failure down; the file has it for certain after `flush`."""
        if self._file is None and self._tell is None:
            return
        plain, shown = _written(row)
        failure = Failure(index, outcome, reason, status, plain, shown)
        if self._tell is not None:
            self._tell(failure)
        if self._file is not None:
            record = asdict(failure)
            if shown is None:
                del record["shown"]
            self._file.write(json_codec.encode(record) + b"\n")

    def flush(self) -> None:
        """Hand what was written to the operating system, so that it outlives this process."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def _opened(path: str, resuming: bool) -> IO[bytes]:
    file = open(path, "ab+")  # noqa: SIM115  because it stays open as long as the work lasts
    try:
        if file.tell() and not resuming:
            raise ApiValueError(
                f"{path} holds failures already: feed them in, or move it away, or resume the work"
                " that wrote it"
            )
        file.seek(0)
        begins = file.read(len(_BEGINNING)) if S_ISREG(os.fstat(file.fileno()).st_mode) else b""
        if not _BEGINNING.startswith(begins):
            raise ApiValueError(f"{path} holds something else than failures of bulk work")
        file.seek(0, os.SEEK_END)
        _drop_torn_line(file)
    except BaseException:
        file.close()
        raise
    return file


def _drop_torn_line(file: IO[bytes]) -> None:
    """Remove a last line that has no end, because a process died while it wrote it.

    No resume token says of its row that it was dealt with.
    """
    end = file.tell()
    kept = end
    while kept:
        begin = max(0, kept - 65536)
        file.seek(begin)
        newline = file.read(kept - begin).rfind(b"\n")
        kept = begin + newline + 1 if newline >= 0 else begin
        if newline >= 0:
            break
    if kept < end:
        file.truncate(kept)
    file.seek(0, os.SEEK_END)


def _written(row: Any) -> tuple[Any, str | None]:
    """Return a row as JSON data, or ``None`` and what it looks like."""
    # Whatever an object of the caller does, it must not stop the other rows.
    with suppress(Exception):
        return json_codec.decode(json_codec.encode(row)), None
    try:
        return None, repr(row)[:_LONGEST_SHOWN]
    except Exception:  # For the same reason.
        return None, object.__repr__(row)


def read_failures(path: str | os.PathLike[str], *, include_unknown: bool = False) -> Iterator[Any]:
    """Yield the rows of a failures file, ready to be fed in again.

    Rows that cannot be written as JSON are left out; the log (``talon_one``) says how many.

    Args:
        path: The file.
        include_unknown: Also those that may have been carried out. They were never repeated,
            because that would create coupons twice, for example; find out first.

    Raises:
        ApiValueError: A line is no failure.
        OSError: The file cannot be read.
    """
    unwritten = 0
    for failure in failures_in(path):
        if failure.outcome != FAILED and not include_unknown:
            continue
        if failure.shown is None:
            yield failure.row
        else:
            unwritten += 1
    if unwritten:
        logger.warning("%d rows of %s could not be written and were left out", unwritten, path)


def failures_in(path: str | os.PathLike[str]) -> Iterator[Failure]:
    """Yield everything that a failures file says of each row.

    What is appended meanwhile, such as rows that have failed again, is left for the next time.

    Raises:
        ApiValueError: A line is no failure.
        OSError: The file cannot be read.
    """
    with open(path, "rb") as file:
        left = os.fstat(file.fileno()).st_size
        for number, line in enumerate(file, 1):
            left -= len(line)
            if left < 0 or not line.endswith(b"\n"):
                return  # A process died while it wrote it; see `_drop_torn_line`.
            if line.strip():
                yield _failure(line, f"{os.fspath(path)}, line {number}")


def _failure(line: bytes, place: str) -> Failure:
    try:
        record = json_codec.decode(line)
        return Failure(**record)
    except (TypeError, ValueError) as cause:
        raise ApiValueError(f"{place}: this is no failure of bulk work") from cause


def described(problem: BaseException) -> str:
    """Return the reason of a failure in one line of a sensible length."""
    name = type(problem).__name__
    text = message_of(problem)
    # Our own exceptions say in full what they are about; others are told apart by their class.
    return text if text and isinstance(problem, OpenApiException) else f"{name}({text})"
