"""RowWriter: writes rows, which are dicts by column, to a CSV file, and checks them on the way."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import IO, TYPE_CHECKING, Any

from talon_one._utils.quoting import message_of, quoted
from talon_one.exceptions import ApiTypeError, ApiValueError
from talon_one.tables.cells import to_cell
from talon_one.tables.problems import Problem, TableError
from talon_one.tables.records import RecordReader

if TYPE_CHECKING:
    from talon_one._core.operation import Operation
    from talon_one.tables.checks import TableCheck

_CHUNK_SIZE = 2**16


class RowWriter:
    """Writes rows to a CSV file in constant memory.

    The columns are those of all rows, in order of appearance. If later rows add columns, the writer
    copies the file once more.

    Args:
        operation: The import that the file is for.
        check: Checks the rows. Without it, only rows that cannot be written are refused.
        new_file: Opens a temporary file.
    """

    def __init__(
        self, operation: Operation, check: TableCheck | None, new_file: Callable[[], IO[bytes]]
    ) -> None:
        assert operation.csv is not None  # noqa: S101  the caller knows that it imports a table
        self._subject = f"the table for {operation.id}"
        self._columns = {each.name: each for each in operation.csv.columns}
        self._check = check
        self._new_file = new_file

    def write(self, rows: Iterable[Mapping[str, Any]]) -> IO[bytes]:
        """Write all rows, and return the file.

        Raises:
            ApiTypeError: A row is not a dict, or the name of a column is not a string.
            ApiValueError: The name of a column cannot be written.
            TableError: A row cannot be written, and there is no check to report that.
        """
        file = self._new_file()
        rows = iter(rows)
        first = next(rows, None)
        if first is None:
            if self._check is not None:
                self._check.check_header(list(self._columns), is_file=False)
                self._check.finish()
            return file
        names = [column_name(name) for name in first]
        text = _text_file(file)
        try:
            self._write(csv.writer(text), names, chain([first], rows))
        finally:
            text.detach()
        return self._widened(file, names) if len(names) > len(first) else file

    def _write(self, writer: Any, names: list[str], rows: Iterable[Mapping[str, Any]]) -> None:
        check = self._check
        if check is not None:
            check.set_columns(names)
        writer.writerow(names)
        line = 2 + sum(map(_line_breaks, names))
        for index, row in enumerate(rows):
            _require_row(row)
            new = [column_name(name) for name in row if name not in names]
            names += new
            cells, faults = self._cells(names, row)
            if check is not None:
                if new:
                    check.set_columns(names)
                    if index:
                        check.report_late_columns(new, index)
                check.check_row(cells, line, faults, row)
                if check.should_stop:
                    break
            elif faults:
                problems = [Problem(line, name, faults[name], index, row) for name in faults]
                raise TableError(self._subject, problems)
            writer.writerow(cells)
            line += 1 + sum(map(_line_breaks, cells))
        if check is not None:
            check.check_header(names, is_file=False)
            check.problems.sort(key=lambda each: each.line or 0)

    def _cells(self, names: list[str], row: Mapping[str, Any]) -> tuple[list[str], dict[str, str]]:
        """Return the cells of a row, and by column why a cell cannot be written."""
        cells: list[str] = []
        faults: dict[str, str] = {} if row else {"": "has no cells; remove it"}
        for name in names:
            cell = ""
            try:
                cell = to_cell(self._columns.get(name), row.get(name))
            except ApiValueError as cause:
                faults[name] = str(cause)
            except Exception as cause:  # Foreign code, of the value or of the row.
                faults[name] = f"cannot be read: {type(cause).__name__}: {message_of(cause)}"
            cells.append(cell)
        return cells, faults

    def _widened(self, narrow: IO[bytes], names: list[str]) -> IO[bytes]:
        """Return a copy of the file with empty cells for the columns that later rows added."""
        wide = self._new_file()
        narrow.seek(0)
        records = RecordReader(errors="strict")
        text = _text_file(wide)
        writer = csv.writer(text)
        try:
            writer.writerow(names)
            for chunk in chain(iter(lambda: narrow.read(_CHUNK_SIZE), b""), [None]):
                for record in records.close() if chunk is None else records.feed(chunk):
                    if record.line > 1:
                        missing = len(names) - len(record.cells)
                        writer.writerow([*record.cells, *[""] * missing])
        finally:
            text.detach()
        return wide


def column_name(name: object) -> str:
    """Return the name of a column if a file can contain it.

    Raises:
        ApiTypeError: It is not a string.
        ApiValueError: It is not valid UTF-8.
    """
    if not isinstance(name, str):
        raise ApiTypeError(
            f"the columns of a table have names such as 'value'; {quoted(name)} is not a string"
        )
    if any("\ud800" <= letter <= "\udfff" for letter in name):
        raise ApiValueError(f"{quoted(name)} has half of a character, and cannot name a column")
    return name


def _require_row(row: object) -> None:
    if not isinstance(row, Mapping):
        raise ApiTypeError(f"the rows of a table are dicts, not {type(row).__name__}")


def _text_file(file: IO[bytes]) -> io.TextIOWrapper:
    return io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)


def _line_breaks(cell: str) -> int:
    return cell.count("\n") + cell.count("\r") - cell.count("\r\n")
