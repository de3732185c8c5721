"""Rows of a file for bulk jobs: CSV or JSON Lines. Lines that are no rows do not end it."""

from __future__ import annotations

import json
import os
import sys
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from stat import S_ISREG
from typing import IO, TYPE_CHECKING, Any

import click

from talon_one._utils.quoting import quoted
from talon_one.bulk import UnreadableRow
from talon_one.cli.cells import Column, columns_of, refuse_constant, row_of
from talon_one.tables.checks import explained, format_fault
from talon_one.tables.records import RecordReader

if TYPE_CHECKING:
    from talon_one._schema.model import Model

_CHUNK = 2**16
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class RowFile:
    """The rows of a file, read as they are needed. Iterate once.

    Args:
        file: The file, at its beginning.
        name: What messages call it.
        row: Class of the rows.
        form: ``csv`` or ``jsonl``; by default the one that the file begins like.

    Raises:
        click.UsageError: The file is empty, has another format, or a column is unknown.
    """

    def __init__(
        self, file: IO[bytes], name: str, row: type[Model], form: str | None = None
    ) -> None:
        self._file = file
        self._name = name
        self._row = row
        # For each run of consecutive lines, the index of its first row and the distance of the two.
        self._indices = [0]
        self._distances = [1]
        self._count = 0
        start = self._read_start()
        fault = format_fault(start)
        if fault:
            raise click.UsageError(f"{name} {fault}")
        self.form = form or ("jsonl" if start[:1] in (b"{", b"[") else "csv")
        if self.form == "csv":
            self._records = self._read_records()
            self._columns = self._read_header()
        elif start[:1] == b"[":
            raise click.UsageError(
                f"{name} is a list of JSON; write one object per line, as jq -c '.[]' does"
            )

    def __iter__(self) -> Iterator[Any]:
        return self._csv_rows() if self.form == "csv" else self._json_rows()

    def line_of(self, index: int) -> int:
        """Return the line on which a row begins, counted from 1.

        Args:
            index: Number of the row, counted from 0.
        """
        position = bisect_right(self._indices, index) - 1
        return index + self._distances[position]

    def _noted(self, line: int) -> None:
        """Note the line of the next row."""
        distance = line - self._count
        if distance != self._distances[-1]:
            self._indices.append(self._count)
            self._distances.append(distance)
        self._count += 1

    def _read_start(self) -> bytes:
        """Read the first line that is not blank."""
        self._unread = b""
        while True:
            chunk = self._file.read(_CHUNK)
            self._unread += chunk
            start = self._unread.removeprefix(_BYTE_ORDER_MARK).lstrip()
            if start:
                return start
            if not chunk:
                raise click.UsageError(f"{self._name} is empty")

    def _chunks(self) -> Iterator[bytes]:
        chunk, self._unread = self._unread, b""
        while chunk:
            yield chunk
            chunk = self._file.read(_CHUNK)

    # -- CSV -----------------------------------------------------------------------------------

    def _read_records(self) -> Iterator[Any]:
        # Cells that are not UTF-8 are reported where they are.
        records = RecordReader(errors="surrogateescape", strict=True)
        for chunk in self._chunks():
            yield from records.feed(chunk)
        yield from records.close()

    def _read_header(self) -> list[Column]:
        record = next(self._records, None)
        if record is None or record.fault:
            fault = explained(record.fault) if record else "it is empty"
            raise click.UsageError(f"{self._name} is not valid CSV, line 1: {fault}")
        try:
            return columns_of([cell.strip() for cell in record.cells], self._row)
        except click.UsageError as cause:
            raise click.UsageError(f"{self._name}: {cause.message}") from None

    def _csv_rows(self) -> Iterator[Any]:
        for record in self._records:
            self._noted(record.line)
            try:
                if record.fault:
                    raise ValueError(f": is not valid CSV: {explained(record.fault)}")
                yield row_of(self._columns, record.cells)
            except ValueError as cause:
                text = ",".join(record.cells)
                yield UnreadableRow(_shown(text), f"line {record.line}{cause}")

    # -- JSON Lines ----------------------------------------------------------------------------

    def _json_rows(self) -> Iterator[Any]:
        for number, line in enumerate(self._lines(), 1):
            if line.isspace() or not line:
                continue
            self._noted(number)
            try:
                yield _json_row(line)
            except ValueError as cause:
                text = line.decode("utf-8", "backslashreplace").strip()
                yield UnreadableRow(_shown(text), f"line {number}, {cause}")

    def _lines(self) -> Iterator[bytes]:
        # Joining a long line again with each of its chunks would take quadratic time.
        unfinished: list[bytes] = []
        for chunk in self._chunks():
            first, *others = chunk.split(b"\n")
            unfinished.append(first)
            if others:
                yield b"".join(unfinished)
                yield from others[:-1]
                unfinished = others[-1:]
        yield b"".join(unfinished)


def _json_row(line: bytes) -> dict[str, Any]:
    """Return the object on a line.

    Raises:
        ValueError: There is none; with the column and the reason.
    """
    try:
        text = line.decode("utf-8-sig")
        row = json.loads(text, parse_constant=refuse_constant)
    except UnicodeDecodeError as cause:
        raise ValueError(f"column {cause.start + 1}: is not UTF-8 text") from None
    except json.JSONDecodeError as cause:
        near = text[cause.colno - 1 :].strip()
        found = f": {quoted(near, 30)}" if near else ""
        raise ValueError(f"column {cause.colno}: {cause.msg}{found}") from None
    except RecursionError:
        raise ValueError("column 1: is nested too deeply") from None
    except ValueError as cause:  # A constant, or a number with too many digits.
        raise ValueError(f"column 1: {cause}") from None
    if not isinstance(row, dict):
        raise ValueError(f"column 1: must be a JSON object, not {quoted(text.strip(), 30)}")
    return row


def _shown(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


@contextmanager
def opened(path: str) -> Iterator[IO[bytes]]:
    """Yield an input file; ``-`` is standard input.

    Raises:
        click.UsageError: It cannot be opened.
    """
    if path == "-":
        if sys.stdin is None:
            raise click.UsageError("there is no standard input")
        yield sys.stdin.buffer
        return
    try:
        file = open(path, "rb")  # noqa: SIM115  because errors of the block are none of opening
    except OSError as cause:
        raise click.UsageError(f"cannot read {path!r}: {cause.strerror}") from cause
    except ValueError as cause:  # A zero byte in the path.
        raise click.UsageError(f"{path!r} is no path of a file") from cause
    with file:
        if os.path.isdir(path):
            raise click.UsageError(f"{path} is a folder")
        yield file


def count_rows(path: str, form: str) -> int | None:
    """Return how many rows a file has, for progress; ``None`` if it can be read only once."""
    if path == "-":
        return None
    with open(path, "rb") as file:
        if not S_ISREG(os.fstat(file.fileno()).st_mode):
            return None
        if form == "jsonl":
            return sum(1 for line in file if not line.isspace())
        records = RecordReader(errors="surrogateescape", strict=True)
        chunks = iter(lambda: file.read(_CHUNK), b"")
        count = sum(1 for chunk in chunks for _ in records.feed(chunk))
        return count + sum(1 for _ in records.close()) - 1
