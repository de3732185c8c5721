"""TableCheck: finds the problems of a table before it is imported, each with its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from talon_one._core.operation import Operation
from talon_one._schema.dates import read_datetime
from talon_one._utils.suggest import did_you_mean
from talon_one.tables.cells import Checker, checker_for
from talon_one.tables.problems import Problem
from talon_one.tables.records import UNCLOSED, Record, RecordReader

DUPLICATE_COLUMN = "is there twice; remove one of them"
"""Message for a column with the name of another one."""
_START_COLUMNS = ("startdate",)
_END_COLUMNS = ("expirydate", "enddate")
OTHER_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
"""What some programs put between cells in place of commas."""


class TableCheck:
    """Collects the problems of a table. Feed it the bytes of a file, or row after row.

    Args:
        operation: The import.
        limit: Number of problems after which the check stops.

    Attributes:
        problems: Problems found so far, in the order of the file.
        rows: Number of rows checked so far.
    """

    def __init__(self, operation: Operation, limit: int) -> None:
        assert operation.csv is not None  # noqa: S101  the caller knows that it imports a table
        self.problems: list[Problem] = []
        self.rows = 0
        self._operation = operation
        self._csv = operation.csv
        self._by_name = {each.name: checker_for(each) for each in self._csv.columns}
        self._limit = limit
        # Cells that are not UTF-8 are reported where they are.
        self._records = RecordReader(errors="surrogateescape", strict=True)
        self._names: list[str] = []
        self._checkers: list[Checker | None] = []
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._unreadable = self._begun = False
        self._returns = self._newlines = False

    @property
    def should_stop(self) -> bool:
        """Whether to stop reading: the limit is reached, or this is not a table."""
        return self._unreadable or self.limit_reached

    @property
    def limit_reached(self) -> bool:
        """Whether there are so many problems that the rest is not checked."""
        return len(self.problems) >= self._limit

    def feed(self, chunk: bytes) -> None:
        """Check the next bytes of a file."""
        if not self._begun:
            self._begun = True
            fault = format_fault(chunk)
            if fault:
                self._unreadable = True
                self._add(1, fault)
        if self._unreadable:
            return
        self._returns = self._returns or b"\r" in chunk
        self._newlines = self._newlines or b"\n" in chunk
        for record in self._records.feed(chunk):
            self._check_record(record)

    def close(self) -> None:
        """Check the rest of a file, and the table as a whole."""
        if self._returns and not self._newlines:
            self._add(
                1, "separates lines with carriage returns only; save the file with line feeds"
            )
            return
        for record in self._records.close():
            self._check_record(record)
        self.finish()

    def finish(self) -> None:
        """Check the table as a whole, after its last row."""
        if self._unreadable or self.rows:
            return
        if not self._names:
            names = ", ".join(each.name for each in self._csv.columns if each.required)
            self._add(1, f"is empty; the first line names the columns, such as {names}")
        elif self._csv.replaces:
            call = "to do that, call the method itself with a file"
            self._add(
                1, f"has no rows; importing it would remove everything that is stored ({call})"
            )
        else:
            self._add(1, "has no rows below the names of the columns")

    def set_columns(self, names: Sequence[str]) -> None:
        """Set the names of the columns without checking them."""
        self._names = list(names)
        self._checkers = [self._by_name.get(name) for name in names]
        self._starts = [index for index, name in enumerate(names) if name in _START_COLUMNS]
        self._ends = [index for index, name in enumerate(names) if name in _END_COLUMNS]

    def check_header(self, names: Sequence[str], line: int = 1, *, is_file: bool = True) -> None:
        """Check the names of the columns, of a file or of rows that are dicts."""
        self.set_columns(names)
        if not any(self._checkers):
            self._unreadable = True
            self._add(line, self._header_fault(names, is_file))
            return
        for name in sorted({name for name in names if names.count(name) > 1}):
            self._add(line, DUPLICATE_COLUMN, name)
        for name, checker in zip(names, self._checkers, strict=True):
            if checker is None:
                hint = did_you_mean(name, self._by_name).strip() or "Remove it."
                self._add(line, f"is not a column of {self._operation.id}. {hint}", name)
        for each in self._csv.columns:
            if each.required and each.name not in names:
                self._add(line, "is missing, and every row needs it", each.name)
        wanted = self._csv.any_of
        if wanted and not set(wanted) & set(names):
            self._add(line, f"has neither of the columns {' and '.join(wanted)}; add one of them")

    def report_late_columns(self, names: Sequence[str], count: int) -> None:
        """Report required columns that only appear after *count* rows."""
        for each in self._csv.columns:
            if each.required and each.name in names:
                rows = "row 1 does" if count == 1 else f"rows 1 to {count} do"
                self._add(1, f"is required in every row, and {rows} not have it", each.name)

    def check_row(
        self,
        cells: Sequence[str],
        line: int,
        faults: Mapping[str, str] | None = None,
        given: Mapping[str, Any] | None = None,
    ) -> None:
        """Check one row.

        Args:
            cells: Its cells.
            line: Number of its first line in the file.
            faults: Known faults of its cells, by column.
            given: The row that the caller passed, if it was not text.
        """
        self.rows += 1
        row_faults: list[tuple[str, str]] = []
        if len(cells) != len(self._names):
            row_faults.append(("", self._width_fault(cells)))
        else:
            for name, checker, cell in zip(self._names, self._checkers, cells, strict=True):
                found = faults.get(name, "") if faults else ""
                if not found and checker is not None:
                    found = checker(cell)
                if found:
                    row_faults.append((name, found))
            if faults and "" in faults:
                row_faults.append(("", faults[""]))
            if self._csv.any_of or self._csv.not_both:
                row_faults += [("", found) for found in self._combination_faults(cells)]
            if not row_faults:
                row_faults += self._order_faults(cells)
        if row_faults:
            row = dict(zip(self._names, cells, strict=False)) if given is None else given
            for name, found in row_faults:
                self._add(line, found, name, row)

    def _combination_faults(self, cells: Sequence[str]) -> Iterator[str]:
        filled = {name for name, cell in zip(self._names, cells, strict=True) if cell}
        wanted, both = self._csv.any_of, self._csv.not_both
        if wanted and not filled & set(wanted) and set(self._names) & set(wanted):
            yield f"fills neither {' nor '.join(wanted)}; every row needs one"
        if len(filled & set(wanted)) > 1:
            yield f"fills both {' and '.join(wanted)}; leave one of them empty"
        if len(filled & set(both)) > 1:
            yield f"fills both {' and '.join(both)}; leave one of them empty"

    def _order_faults(self, cells: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield a fault if a row ends before it starts."""
        for start in self._starts:
            for end in self._ends:
                if cells[start] and cells[end] and _is_after(cells[start], cells[end]):
                    what = f"is after the {self._names[end]} of the row"
                    yield self._names[start], f"{what}: {cells[start]}, {cells[end]}"

    def _check_record(self, record: Record) -> None:
        if self.should_stop:
            return
        if record.fault:
            self.rows += 1
            self._add(record.line, f"is not valid CSV: {explained(record.fault)}", row={})
        elif not self._names:
            self.check_header(record.cells, record.line)
        else:
            self.check_row(record.cells, record.line)

    def _add(
        self, line: int, message: str, column: str = "", row: Mapping[str, Any] | None = None
    ) -> None:
        index = None if row is None else self.rows - 1
        if len(self.problems) < self._limit:
            self.problems.append(Problem(line, column, message, index, row))

    def _header_fault(self, names: Sequence[str], is_file: bool) -> str:
        known = ", ".join(self._by_name)
        hint = did_you_mean(names[0], self._by_name) if names else ""
        if not is_file:
            return f"has none of the columns; the keys of the rows must be some of {known}.{hint}"
        first = ",".join(names)
        for delimiter, noun in OTHER_DELIMITERS.items():
            if set(first.replace('"', "").split(delimiter)) & self._by_name.keys():
                return f"has {noun} between the cells; save the file with commas"
        return f"does not name the columns; the first line must contain some of {known}.{hint}"

    def _width_fault(self, cells: Sequence[str]) -> str:
        noun = f"{len(cells)} cell{'s' * (len(cells) != 1)}"
        columns = f"{len(self._names)} column{'s' * (len(self._names) != 1)}"
        text = f"has {noun}, and there are {columns}"
        if len(cells) == 1 and ";" in cells[0]:
            return f"{text}; put commas between the cells rather than semicolons"
        if len(cells) > len(self._names):
            quoted = 'as in "{""size"": ""L"", ""color"": ""red""}"'
            return f"{text}; put a cell with commas in quotes and double the quotes in it, {quoted}"
        return f"{text}; write a comma for each empty cell"


# First bytes of formats that are often mistaken for CSV. In UTF-16, every ASCII letter has a NUL.
_WORKBOOK = "is a spreadsheet workbook, not CSV; save its sheet as CSV UTF-8"
_COMPRESSED = "is compressed, not CSV; unpack it first"
_UTF_16 = "is UTF-16, not UTF-8; save the file as CSV UTF-8"
_SIGNATURES = {
    b"PK\x03\x04": _WORKBOOK,
    b"PK\x05\x06": _WORKBOOK,
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": _WORKBOOK,
    b"\x1f\x8b": _COMPRESSED,
    b"\xff\xfe": _UTF_16,
    b"\xfe\xff": _UTF_16,
}


def format_fault(start: bytes) -> str:
    """Return the fault of a file in another format, by its first bytes; empty if it may be CSV."""
    for signature, message in _SIGNATURES.items():
        if start.startswith(signature):
            return message
    return _UTF_16 if b"\0" in start[:2] else ""


# Rows of an import share most of their timestamps.
@lru_cache(maxsize=1024)
def _is_after(start: str, end: str) -> bool:
    first, last = read_datetime(start), read_datetime(end)
    # Words such as "unlimited" stay text.
    return not isinstance(first, str) and not isinstance(last, str) and first > last


def explained(reason: str) -> str:
    """Return the fault of a record in words that say what to do."""
    if reason == UNCLOSED:
        return "a quote that opens a cell is never closed"
    if "expected after" in reason:
        return "text follows a closing quote; double the quotes inside a cell"
    return reason
