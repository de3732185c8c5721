"""May this table be imported? Every problem at once, each with its line."""

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

DOUBLED = "stands there twice; leave one of them out"
"""What is wrong with a column whose name another one has."""
_BEGINS = ("startdate",)
_ENDS = ("expirydate", "enddate")
_OTHER_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}


class TableCheck:
    """Collects what is wrong with a table, whose rows may come from a file or one by one.

    Args:
        operation: The import.
        limit: Problems after which nothing more is looked for.

    Attributes:
        problems: What was found so far, in the order of the file.
        rows: How many rows were seen so far.
    """

    def __init__(self, operation: Operation, limit: int) -> None:
        assert operation.csv is not None  # noqa: S101  # who calls has looked
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
        self._begins: list[int] = []
        self._ends: list[int] = []
        self._hopeless = self._fed = False
        self._returns = self._newlines = False

    @property
    def full(self) -> bool:
        """Whether there is no use in going on."""
        return self._hopeless or self.stopped

    @property
    def stopped(self) -> bool:
        """Whether there are so many problems that the rest is not looked at."""
        return len(self.problems) >= self._limit

    def feed(self, chunk: bytes) -> None:
        """Look at the next bytes of a file."""
        if not self._fed:
            self._fed = True
            other = _other_format(chunk)
            if other:
                self._hopeless = True
                self._add(1, other)
        if self._hopeless:
            return
        self._returns = self._returns or b"\r" in chunk
        self._newlines = self._newlines or b"\n" in chunk
        for record in self._records.feed(chunk):
            self._record(record)

    def close(self) -> None:
        """Look at the rest of a file, and at the table as a whole."""
        if self._returns and not self._newlines:
            self._add(1, "ends with a carriage return alone, as all lines do; save it with LF")
            return
        for record in self._records.close():
            self._record(record)
        self.end()

    def end(self) -> None:
        """Look at the table as a whole, once all rows were seen."""
        if self._hopeless or self.rows:
            return
        if not self._names:
            names = ", ".join(each.name for each in self._csv.columns if each.required)
            self._add(1, f"is empty; the first line names the columns, such as {names}")
        elif self._csv.replaces:
            call = "call the method itself, with a file, to do that"
            self._add(1, f"has no rows; it would remove everything that is stored now ({call})")
        else:
            self._add(1, "has no rows below the names of the columns")

    def name(self, names: Sequence[str]) -> None:
        """Take note of the names of the columns, without a look at them."""
        self._names = list(names)
        self._checkers = [self._by_name.get(name) for name in names]
        self._begins = [index for index, name in enumerate(names) if name in _BEGINS]
        self._ends = [index for index, name in enumerate(names) if name in _ENDS]

    def header(self, names: Sequence[str], line: int = 1, *, file: bool = True) -> None:
        """Look at the names of the columns, of a *file* or of rows that are dicts."""
        self.name(names)
        if not any(self._checkers):
            self._hopeless = True
            self._add(line, self._no_header(names, file))
            return
        for name in sorted({name for name in names if names.count(name) > 1}):
            self._add(line, DOUBLED, name)
        for name, checker in zip(names, self._checkers, strict=True):
            if checker is None:
                hint = did_you_mean(name, self._by_name).strip() or "Leave it out."
                self._add(line, f"is no column of {self._operation.id}. {hint}", name)
        for each in self._csv.columns:
            if each.required and each.name not in names:
                self._add(line, "is missing, and every row needs it", each.name)
        wanted = self._csv.any_of
        if wanted and not set(wanted) & set(names):
            self._add(line, f"has neither of the columns {' and '.join(wanted)}; add one of them")

    def late(self, names: Sequence[str], count: int) -> None:
        """Take note that columns appear in a row which *count* rows before it did not have."""
        for each in self._csv.columns:
            if each.required and each.name in names:
                rows = "row 1 does" if count == 1 else f"rows 1 to {count} do"
                self._add(1, f"is needed by every row, and {rows} not have it", each.name)

    def row(
        self,
        cells: Sequence[str],
        line: int,
        faults: Mapping[str, str] | None = None,
        given: Mapping[str, Any] | None = None,
    ) -> None:
        """Look at one row.

        Args:
            cells: Its cells.
            line: Number of its first line in the file.
            faults: What is known to be wrong with some of its cells, by column.
            given: The row as its owner knows it, if that is not by text.
        """
        self.rows += 1
        wrong: list[tuple[str, str]] = []
        if len(cells) != len(self._names):
            wrong.append(("", self._wrong_width(cells)))
        else:
            for name, checker, cell in zip(self._names, self._checkers, cells, strict=True):
                found = faults.get(name, "") if faults else ""
                if not found and checker is not None:
                    found = checker(cell)
                if found:
                    wrong.append((name, found))
            if faults and "" in faults:
                wrong.append(("", faults[""]))
            if self._csv.any_of or self._csv.not_both:
                wrong += [("", found) for found in self._wrong_filling(cells)]
            if not wrong:
                wrong += self._wrong_order(cells)
        if wrong:
            row = dict(zip(self._names, cells, strict=False)) if given is None else given
            for name, found in wrong:
                self._add(line, found, name, row)

    def _wrong_filling(self, cells: Sequence[str]) -> Iterator[str]:
        filled = {name for name, cell in zip(self._names, cells, strict=True) if cell}
        wanted, both = self._csv.any_of, self._csv.not_both
        if wanted and not filled & set(wanted) and set(self._names) & set(wanted):
            yield f"fills neither {' nor '.join(wanted)}; every row needs one"
        if len(filled & set(wanted)) > 1:
            yield f"fills both {' and '.join(wanted)}; leave one of them empty"
        if len(filled & set(both)) > 1:
            yield f"fills both {' and '.join(both)}; leave one of them empty"

    def _wrong_order(self, cells: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with the beginning and the end of what a row is about."""
        for begin in self._begins:
            for end in self._ends:
                if cells[begin] and cells[end] and _is_after(cells[begin], cells[end]):
                    what = f"is after the {self._names[end]} of the row"
                    yield self._names[begin], f"{what}: {cells[begin]}, {cells[end]}"

    def _record(self, record: Record) -> None:
        if self.full:
            return
        if record.fault:
            self.rows += 1
            self._add(record.line, f"is no proper CSV: {_explained(record.fault)}", row={})
        elif not self._names:
            self.header(record.cells, record.line)
        else:
            self.row(record.cells, record.line)

    def _add(
        self, line: int, message: str, column: str = "", row: Mapping[str, Any] | None = None
    ) -> None:
        index = None if row is None else self.rows - 1
        if len(self.problems) < self._limit:
            self.problems.append(Problem(line, column, message, index, row))

    def _no_header(self, names: Sequence[str], file: bool) -> str:
        known = ", ".join(self._by_name)
        hint = did_you_mean(names[0], self._by_name) if names else ""
        if not file:
            return f"has none of the columns; the keys of the rows are to be some of {known}.{hint}"
        first = ",".join(names)
        for delimiter, noun in _OTHER_DELIMITERS.items():
            if set(first.replace('"', "").split(delimiter)) & self._by_name.keys():
                return f"has {noun} between the cells; save the file with commas"
        return f"does not name the columns; the first line is to have some of {known}.{hint}"

    def _wrong_width(self, cells: Sequence[str]) -> str:
        noun = f"{len(cells)} cell{'s' * (len(cells) != 1)}"
        columns = f"{len(self._names)} column{'s' * (len(self._names) != 1)}"
        text = f"has {noun}, and there are {columns}"
        if len(cells) == 1 and ";" in cells[0]:
            return f"{text}; put commas between the cells rather than semicolons"
        if len(cells) > len(self._names):
            quoted = 'as in "{""size"": ""L"", ""color"": ""red""}"'
            return f"{text}; put a cell with commas in quotes and double the quotes in it, {quoted}"
        return f"{text}; write a comma for each empty cell"


# What files begin with that are often taken for CSV. UTF-16 has a NUL beside each letter of ASCII.
_WORKBOOK = "is a workbook of a spreadsheet, not CSV; save its sheet as CSV UTF-8"
_COMPRESSED = "is compressed, not CSV; unpack it first"
_UTF_16 = "is UTF-16, not UTF-8; save the file as CSV UTF-8"
_BEGINNINGS = {
    b"PK\x03\x04": _WORKBOOK,
    b"PK\x05\x06": _WORKBOOK,
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": _WORKBOOK,
    b"\x1f\x8b": _COMPRESSED,
    b"\xff\xfe": _UTF_16,
    b"\xfe\xff": _UTF_16,
}


def _other_format(beginning: bytes) -> str:
    """Return what a file is that is no CSV, by its first bytes; nothing if it may be CSV."""
    for magic, message in _BEGINNINGS.items():
        if beginning.startswith(magic):
            return message
    return _UTF_16 if b"\0" in beginning[:2] else ""


# The rows of an import share most of their timestamps.
@lru_cache(maxsize=1024)
def _is_after(begin: str, end: str) -> bool:
    first, last = read_datetime(begin.upper()), read_datetime(end.upper())
    # Words such as unlimited stay text.
    return not isinstance(first, str) and not isinstance(last, str) and first > last


def _explained(reason: str) -> str:
    if reason == UNCLOSED:
        return "a quote that opens a cell is never closed"
    if "expected after" in reason:
        return "something follows a closing quote; double the quotes inside of a cell"
    return reason
