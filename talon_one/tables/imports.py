"""Whatever holds a table to a checked CSV file, ready to be uploaded, in constant memory."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import IO, TYPE_CHECKING, Any, Union

from talon_one._utils.quoting import message_of, quoted
from talon_one.exceptions import ApiTypeError, ApiValueError
from talon_one.tables.cells import written
from talon_one.tables.checks import DOUBLED, TableCheck
from talon_one.tables.frames import repeats_columns, rows_of_frame
from talon_one.tables.problems import Problem, TableError
from talon_one.tables.records import RecordReader

if TYPE_CHECKING:
    import pandas
    import polars

    from talon_one._core.operation import Csv, Operation

Source = Union[
    str,
    "os.PathLike[str]",
    bytes,
    IO[bytes],
    IO[str],
    tuple[str, Any],
    Iterable[Mapping[str, Any]],
    Iterable[bytes],
    "pandas.DataFrame",
    "polars.DataFrame",
]
"""A CSV file (a path, its bytes, an open file, chunks of bytes, or a pair of file name and any of
these), rows as dicts by column, or a data frame."""

_PIECE = 2**16
_NONE: Any = object()


class ImportFile:
    """A table that has been checked, as a CSV file.

    Args:
        operation: The import that it is meant for.
        source: What holds the table.
        limit: Problems after which nothing more is looked for; 0 to look for none.
        folder: Where a temporary file is made, if one is needed.

    Attributes:
        file: The file, at its beginning.
        name: What the server is told that the file is called.
        problems: What is wrong with the table.

    Raises:
        ApiTypeError: *source* holds no table.
        ApiValueError: The file cannot be read.
        TableError: Rows that cannot be written as CSV, with *limit* at 0.
    """

    file: IO[bytes]

    def __init__(
        self, operation: Operation, source: Source, limit: int, folder: str | None = None
    ) -> None:
        self.name = f"{operation.id}.csv"
        self._operation = operation
        self._folder = folder
        self._columns = {each.name: each for each in _csv_of(operation).columns}
        self._check = TableCheck(operation, limit) if limit else None
        self._given: Callable[[int], Mapping[str, Any] | None] | None = None
        self._begin = 0
        self._close = contextlib.ExitStack()
        with self._close:
            try:
                self._take(source)
                self.file.seek(self._begin)
            except (ApiTypeError, ApiValueError, TableError):
                raise
            except Exception as cause:  # Whatever the source does, it is no failure of the call.
                reason = message_of(cause)
                if not isinstance(cause, (OSError, UnicodeError)):
                    reason = f"{type(cause).__name__}: {reason}"
                raise ApiValueError(f"cannot read the table to upload: {reason}") from cause
            self._close = self._close.pop_all()

    def __enter__(self) -> ImportFile:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._close.close()

    @property
    def problems(self) -> list[Problem]:
        """What is wrong with the table."""
        return self._check.problems if self._check is not None else []

    @property
    def complete(self) -> bool:
        """Whether the whole table was looked at, rather than up to the limit of the problems."""
        return self._check is None or not self._check.stopped

    def located(self, errors: Iterable[Mapping[str, Any]]) -> list[Problem]:
        """Return the errors of the server's answer with the rows that they are about.

        Nothing is returned unless the server named at least one line.
        """
        found = [(_line(error), error) for error in errors]
        lines = {line for line, _ in found if line is not None}
        if not any("line" in _source(error) for _, error in found):
            return []
        rows = self._rows_at(lines)
        return [
            Problem(line, "", _said(error), *rows.get(line, (None, None))) for line, error in found
        ]

    # -- Sources -------------------------------------------------------------------------------

    def _take(self, source: Any) -> None:
        if isinstance(source, tuple) and len(source) == 2 and isinstance(source[0], str):
            self.name, source = source
        if repeats_columns(source):
            self._refuse_columns(source)
            return
        frame = rows_of_frame(source)
        if frame is not None:
            self._take_rows(frame)
        elif isinstance(source, str) and "\n" in source:
            raise ApiTypeError("text is the path of a file; give its content as text.encode()")
        elif isinstance(source, (str, os.PathLike)):
            file = open(source, "rb")  # noqa: SIM115  it is open for longer than this
            self._take_file(self._close.enter_context(file))
        elif isinstance(source, (bytes, bytearray, memoryview)):
            self._look_through(io.BytesIO(source))
        elif hasattr(source, "read"):
            self._take_file(source)
        elif isinstance(source, Iterable) and not isinstance(source, Mapping):
            self._take_items(source)
        else:
            raise ApiTypeError(_no_table(source))

    def _take_file(self, source: Any) -> None:
        if getattr(source, "closed", False):
            raise ApiValueError("cannot read the table to upload: the file is closed")
        path = getattr(source, "name", None)
        if isinstance(path, str):
            self.name = os.path.basename(path)
        first = source.read(_PIECE)
        if isinstance(first, bytes) and _can_seek(source):
            self._begin = source.tell() - len(first)
            source.seek(self._begin)
            self._look_through(source)
            return
        # What cannot be read twice, or is text, is copied on the way.
        self._copy(chain([first], iter(lambda: source.read(_PIECE), first[:0])))

    def _take_items(self, source: Iterable[Any]) -> None:
        items = iter(source)
        first = next(items, _NONE)
        if isinstance(first, bytes):
            self._copy(chain([first], items))
        elif first is _NONE or isinstance(first, Mapping):
            if isinstance(source, (list, tuple)):
                self._given = lambda index: source[index] if index < len(source) else None
            self._take_rows(chain(() if first is _NONE else [first], items))
        elif first is None:
            raise ApiTypeError(_NO_ROW.format("NoneType"))
        else:
            raise ApiTypeError(_no_table(source))

    def _look_through(self, file: IO[bytes]) -> None:
        self.file = file
        check = self._check
        if check is None:
            return
        while not check.full:
            piece = file.read(_PIECE)
            if not piece:
                check.close()
                break
            check.feed(piece)

    def _copy(self, pieces: Iterable[bytes | str]) -> None:
        file = self._temporary()
        for piece in pieces:
            # Bytes that were no UTF-8 become what they were, and are reported with their line.
            whole = piece.encode(errors="surrogateescape") if isinstance(piece, str) else piece
            file.write(whole)
        file.seek(0)
        self._look_through(file)

    def _temporary(self) -> IO[bytes]:
        return self._close.enter_context(tempfile.TemporaryFile(dir=self._folder))

    # -- Rows ----------------------------------------------------------------------------------

    def _take_rows(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write rows to a file whose columns are those that any row has, in order of appearance."""
        self.file = self._temporary()
        rows = iter(rows)
        first = next(rows, None)
        if first is None:
            if self._check is not None:
                self._check.header(list(self._columns), file=False)
                self._check.end()
            return
        if not isinstance(first, Mapping):
            raise ApiTypeError(_NO_ROW.format(type(first).__name__))
        names = [_named(name) for name in first]
        text = _text(self.file)
        try:
            self._write_rows(csv.writer(text), names, chain([first], rows))
        finally:
            text.detach()
        if len(names) > len(first):
            self._widen(names)

    def _refuse_columns(self, frame: Any) -> None:
        """Report columns of a frame that share a name: its rows would have one of their values."""
        names = [_named(name) for name in frame.columns]
        self.file = self._temporary()
        if self._check is not None:
            self._check.header(names, file=False)
        else:
            doubled = [name for name in dict.fromkeys(names) if names.count(name) > 1]
            problems = [Problem(1, name, DOUBLED) for name in doubled]
            raise TableError(f"the table for {self._operation.id}", problems)

    def _write_rows(self, writer: Any, names: list[str], rows: Iterable[Mapping[str, Any]]) -> None:
        check = self._check
        if check is not None:
            check.name(names)
        writer.writerow(names)
        line = 2 + sum(map(_line_breaks, names))
        for index, row in enumerate(rows):
            if not isinstance(row, Mapping):
                raise ApiTypeError(_NO_ROW.format(type(row).__name__))
            new = [_named(name) for name in row if name not in names]
            names += new
            cells, faults = self._cells(names, row)
            if check is not None:
                if new:
                    check.name(names)
                    if index:
                        check.late(new, index)
                check.row(cells, line, faults, row)
                if check.full:
                    break
            elif faults:
                problems = [Problem(line, name, faults[name], index, row) for name in faults]
                raise TableError(f"the table for {self._operation.id}", problems)
            writer.writerow(cells)
            line += 1 + sum(map(_line_breaks, cells))
        if check is not None:
            check.header(names, file=False)
            check.problems.sort(key=lambda each: each.line or 0)

    def _cells(self, names: list[str], row: Mapping[str, Any]) -> tuple[list[str], dict[str, str]]:
        cells: list[str] = []
        faults: dict[str, str] = {} if row else {"": "has no cells; leave it out"}
        for name in names:
            cell = ""
            try:
                cell = written(self._columns.get(name), row.get(name))
            except ApiValueError as cause:
                faults[name] = str(cause)
            except Exception as cause:  # Foreign code: the value's, or the row's.
                faults[name] = f"cannot be read: {type(cause).__name__}: {message_of(cause)}"
            cells.append(cell)
        return cells, faults

    def _widen(self, names: list[str]) -> None:
        """Write the file anew, because later rows have columns that the first did not have."""
        narrow, self.file = self.file, self._temporary()
        narrow.seek(0)
        records = RecordReader(errors="strict")
        text = _text(self.file)
        writer = csv.writer(text)
        try:
            writer.writerow(names)
            for piece in chain(iter(lambda: narrow.read(_PIECE), b""), [None]):
                for record in records.close() if piece is None else records.feed(piece):
                    if record.line > 1:
                        missing = len(names) - len(record.cells)
                        writer.writerow([*record.cells, *[""] * missing])
        finally:
            text.detach()

    # -- Rows again ----------------------------------------------------------------------------

    def _rows_at(self, lines: set[int]) -> dict[int | None, tuple[int | None, Any]]:
        """Return the rows that stand at lines of the file, each with its index."""
        found: dict[int | None, tuple[int | None, Any]] = {}
        names: list[str] = []
        index = -1
        for record in self._read_again() if lines else ():
            if names:
                index += 1
                row: Any = dict(zip(names, record.cells, strict=False))
                for line in lines.intersection(range(record.line, record.last + 1)):
                    given = self._given(index) if self._given is not None else None
                    found[line] = (index, row if given is None else given)
            names = names or record.cells
            if record.last >= max(lines):
                break
        return found

    def _read_again(self) -> Iterator[Any]:
        self.file.seek(self._begin)
        records = RecordReader()
        for piece in iter(lambda: self.file.read(_PIECE), b""):
            yield from records.feed(piece)
        yield from records.close()


def _csv_of(operation: Operation) -> Csv:
    if operation.csv is None or operation.upload is None:
        raise ApiTypeError(f"{operation.id} imports no table")
    return operation.csv


def _can_seek(file: Any) -> bool:
    try:
        return bool(file.seekable())
    except AttributeError:
        return hasattr(file, "seek") and hasattr(file, "tell")


def _text(file: IO[bytes]) -> io.TextIOWrapper:
    return io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)


def _line_breaks(cell: str) -> int:
    return cell.count("\n") + cell.count("\r") - cell.count("\r\n")


def _named(name: object) -> str:
    if isinstance(name, str):
        if any("\ud800" <= letter <= "\udfff" for letter in name):
            raise ApiValueError(f"{quoted(name)} has half of a character, and cannot name a column")
        return name
    raise ApiTypeError(
        f"the columns of a table have names, such as 'value'; {quoted(name)} is none"
    )


_NO_ROW = "the rows of a table are dicts, not {}"


def _no_table(source: object) -> str:
    return (
        "a table is a path, a file, bytes, a list of dicts or a data frame,"
        f" not {type(source).__name__}"
    )


def _source(error: Mapping[str, Any]) -> Mapping[str, Any]:
    found = error.get("source")
    return found if isinstance(found, Mapping) else {}


def _line(error: Mapping[str, Any]) -> int | None:
    written_line = str(_source(error).get("line", ""))
    return int(written_line) if written_line.isascii() and written_line.isdigit() else None


def _said(error: Mapping[str, Any]) -> str:
    texts = [error.get("title"), error.get("details")]
    return ": ".join(text for text in texts if text and isinstance(text, str))
