"""ImportFile: a table from any source, as a checked CSV file, in constant memory."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import IO, TYPE_CHECKING, Any, Union

from talon_one._utils.quoting import message_of
from talon_one.exceptions import ApiTypeError, ApiValueError
from talon_one.tables.checks import DUPLICATE_COLUMN, TableCheck
from talon_one.tables.frames import has_duplicate_columns, rows_of_frame
from talon_one.tables.problems import Problem, TableError, problems_in_errors
from talon_one.tables.records import Record, RecordReader
from talon_one.tables.row_writer import RowWriter, column_name

if TYPE_CHECKING:
    import pandas
    import polars

    from talon_one._core.operation import Operation

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
"""A table: a CSV file (a path, bytes, an open file, chunks of bytes, or a pair of a file name and
any of these), rows as dicts by column, or a data frame."""

_CHUNK_SIZE = 2**16
_NO_ITEM: Any = object()


class ImportFile:
    """A table as a CSV file that has been checked.

    Args:
        operation: The import that the file is for.
        source: The table.
        limit: Number of problems after which the check stops; 0 for no check.
        folder: Folder for a temporary file.

    Attributes:
        file: The file, at its beginning.
        name: File name for the server.

    Raises:
        ApiTypeError: *source* is not a table.
        ApiValueError: The file cannot be read.
        TableError: A row cannot be written as CSV, and *limit* is 0.
    """

    file: IO[bytes]

    def __init__(
        self, operation: Operation, source: Source, limit: int, folder: str | None = None
    ) -> None:
        self.name = f"{operation.id}.csv"
        self._operation = operation
        self._folder = folder
        self._check = TableCheck(operation, limit) if limit else None
        self._given_row: Callable[[int], Mapping[str, Any] | None] | None = None
        self._start = 0
        self._cleanup = contextlib.ExitStack()
        with self._cleanup:
            try:
                self._take(source)
                self.file.seek(self._start)
            except (ApiTypeError, ApiValueError, TableError):
                raise
            except Exception as cause:  # An error of the source is not a failure of the call.
                reason = message_of(cause)
                if not isinstance(cause, (OSError, UnicodeError)):
                    reason = f"{type(cause).__name__}: {reason}"
                raise ApiValueError(f"cannot read the table to upload: {reason}") from cause
            self._cleanup = self._cleanup.pop_all()

    def __enter__(self) -> ImportFile:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._cleanup.close()

    @property
    def problems(self) -> list[Problem]:
        """What is wrong with the table."""
        return self._check.problems if self._check is not None else []

    @property
    def complete(self) -> bool:
        """Whether the whole table was checked, rather than up to the limit of problems."""
        return self._check is None or not self._check.limit_reached

    def problems_in(self, errors: Iterable[Mapping[str, Any]]) -> list[Problem]:
        """Return the errors in a response as problems with their rows.

        Empty unless the server named at least one line.
        """
        return problems_in_errors(errors, self._rows_at)

    # -- Sources -------------------------------------------------------------------------------

    def _take(self, source: Any) -> None:
        if isinstance(source, tuple) and len(source) == 2 and isinstance(source[0], str):
            self.name, source = source
        if has_duplicate_columns(source):
            self._refuse_columns(source)
            return
        frame = rows_of_frame(source)
        if frame is not None:
            self._take_rows(frame)
        elif isinstance(source, str) and "\n" in source:
            raise ApiTypeError("a string is the path of a file; pass its content as text.encode()")
        elif isinstance(source, (str, os.PathLike)):
            file = open(source, "rb")  # noqa: SIM115  `_cleanup` closes it
            self._take_file(self._cleanup.enter_context(file))
        elif isinstance(source, (bytes, bytearray, memoryview)):
            self._check_file(io.BytesIO(source))
        elif hasattr(source, "read"):
            self._take_file(source)
        elif isinstance(source, Iterable) and not isinstance(source, Mapping):
            self._take_items(source)
        else:
            # This includes a model: it is a mapping, and one row at best.
            raise _not_a_table(source)

    def _take_file(self, source: Any) -> None:
        if getattr(source, "closed", False):
            raise ApiValueError("cannot read the table to upload: the file is closed")
        path = getattr(source, "name", None)
        if isinstance(path, str):
            self.name = os.path.basename(path)
        first = source.read(_CHUNK_SIZE)
        if isinstance(first, bytes) and _can_seek(source):
            self._start = source.tell() - len(first)
            source.seek(self._start)
            self._check_file(source)
            return
        # A file that cannot be read twice, or contains text, is copied.
        self._copy(chain([first], iter(lambda: source.read(_CHUNK_SIZE), first[:0])))

    def _take_items(self, source: Iterable[Any]) -> None:
        items = iter(source)
        first = next(items, _NO_ITEM)
        if isinstance(first, bytes):
            self._copy(chain([first], items))
        elif first is _NO_ITEM or isinstance(first, Mapping):
            if isinstance(source, (list, tuple)):
                self._given_row = lambda index: source[index] if index < len(source) else None
            self._take_rows(chain(() if first is _NO_ITEM else [first], items))
        elif first is None:
            raise ApiTypeError("the rows of a table are dicts, not NoneType")
        else:
            raise _not_a_table(source)

    def _take_rows(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self.file = RowWriter(self._operation, self._check, self._temporary_file).write(rows)

    def _refuse_columns(self, frame: Any) -> None:
        """Report columns of a frame that share a name: a row could have only one of the values."""
        names = [column_name(name) for name in frame.columns]
        self.file = self._temporary_file()
        if self._check is not None:
            self._check.check_header(names, is_file=False)
        else:
            duplicates = [name for name in dict.fromkeys(names) if names.count(name) > 1]
            problems = [Problem(1, name, DUPLICATE_COLUMN) for name in duplicates]
            raise TableError(f"the table for {self._operation.id}", problems)

    def _check_file(self, file: IO[bytes]) -> None:
        self.file = file
        check = self._check
        if check is None:
            return
        while not check.should_stop:
            chunk = file.read(_CHUNK_SIZE)
            if not chunk:
                check.close()
                break
            check.feed(chunk)

    def _copy(self, chunks: Iterable[bytes | str]) -> None:
        file = self._temporary_file()
        for chunk in chunks:
            # This restores bytes that were not UTF-8, so that the check reports their line.
            file.write(chunk.encode(errors="surrogateescape") if isinstance(chunk, str) else chunk)
        file.seek(0)
        self._check_file(file)

    def _temporary_file(self) -> IO[bytes]:
        return self._cleanup.enter_context(tempfile.TemporaryFile(dir=self._folder))

    # -- Rows by line --------------------------------------------------------------------------

    def _rows_at(self, lines: set[int]) -> dict[int, tuple[int, Mapping[str, Any]]]:
        """Return the rows at lines of the file, each with its index."""
        found: dict[int, tuple[int, Mapping[str, Any]]] = {}
        names: list[str] = []
        index = -1
        for record in self._records() if lines else ():
            if names:
                index += 1
                for line in lines.intersection(range(record.line, record.last + 1)):
                    given = self._given_row(index) if self._given_row is not None else None
                    cells = dict(zip(names, record.cells, strict=False))
                    found[line] = (index, cells if given is None else given)
            names = names or record.cells
            if record.last >= max(lines):
                break
        return found

    def _records(self) -> Iterator[Record]:
        self.file.seek(self._start)
        records = RecordReader()
        for chunk in iter(lambda: self.file.read(_CHUNK_SIZE), b""):
            yield from records.feed(chunk)
        yield from records.close()


def _can_seek(file: Any) -> bool:
    try:
        return bool(file.seekable())
    except AttributeError:
        return hasattr(file, "seek") and hasattr(file, "tell")


def _not_a_table(source: object) -> ApiTypeError:
    return ApiTypeError(
        "a table is a path, a file, bytes, a list of dicts or a data frame,"
        f" not {type(source).__name__}"
    )
