"""RowReader: turns the records of an export into rows with typed values."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from talon_one._core.operation import Column
from talon_one.tables.cells import Reader, reader_for
from talon_one.tables.records import Record, RecordReader

logger = logging.getLogger("talon_one.tables")

# No cell of an export has that many lines. A cell with a quote that is never closed may.
_MAX_LINES = 1000

Row = dict[str, Any]
"""One row of a table: values by name of the column, in the order of the file."""


class TableReader:
    """Reads the records below the names of the columns, from the chunks of a file.

    It logs what looks like a broken file.

    Args:
        encoding: Encoding of the file.

    Attributes:
        columns: Names of the columns; empty until the first record was read.
    """

    def __init__(self, encoding: str = "utf-8") -> None:
        self.columns: tuple[str, ...] = ()
        self._records = RecordReader(encoding)
        self._warned = False

    def feed(self, chunk: bytes) -> Iterator[Record]:
        """Yield the records that *chunk* completes. Exhaust the iterator before the next call."""
        return self._below_names(self._records.feed(chunk))

    def close(self) -> Iterator[Record]:
        """Yield the remaining records at the end of the file."""
        yield from self._below_names(self._records.close())
        if self._records.unclosed:
            line = self._records.unclosed
            logger.warning("line %d opens a quote that is never closed: rows may be lost", line)

    def _below_names(self, records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            if record.last - record.line >= _MAX_LINES and not self._warned:
                self._warned = True
                logger.warning(
                    "one row spans lines %d to %d: an unclosed quote may have swallowed others",
                    record.line,
                    record.last,
                )
            if self.columns:
                yield record
            else:
                self.columns = names_of(record.cells)


class RowReader:
    """Reads rows from the chunks of a file. The first record names the columns.

    A column that the description does not contain is text. A short row lacks the last columns.
    Extra cells of a long row are text under ``column N``, with an apostrophe if a column has that
    name.

    Args:
        known: Columns in the description.
        as_text: Do not convert cells; empty ones are ``None``.
        encoding: Encoding of the file.
    """

    def __init__(
        self, known: Sequence[Column] = (), *, as_text: bool = False, encoding: str = "utf-8"
    ) -> None:
        self._known = {} if as_text else {each.name.lower(): each for each in known}
        self._table = TableReader(encoding)
        self._readers: list[Reader] = []

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns; empty until the first record was read."""
        return self._table.columns

    def feed(self, chunk: bytes) -> Iterator[Row]:
        """Yield the rows that *chunk* completes. Exhaust the iterator before the next call."""
        return self._rows(self._table.feed(chunk))

    def close(self) -> Iterator[Row]:
        """Yield the remaining rows at the end of the file."""
        return self._rows(self._table.close())

    def _rows(self, records: Iterable[Record]) -> Iterator[Row]:
        for record in records:
            cells, columns = record.cells, self._table.columns
            if not self._readers:
                self._readers = [reader_for(self._known.get(name.lower())) for name in columns]
            row = {
                name: read(cell) if cell else None
                for name, read, cell in zip(columns, self._readers, cells, strict=False)
            }
            for index in range(len(columns), len(cells)):
                row[unused_name(index + 1, columns)] = cells[index] or None
            yield row


def names_of(cells: Sequence[str]) -> tuple[str, ...]:
    """Return names for the columns, from the cells of the first record."""
    names: dict[str, None] = {}
    for number, name in enumerate(cells, 1):
        # Cells under a missing or duplicate name must not be lost.
        is_usable = name and name not in names
        names[name if is_usable else unused_name(number, (*names, *cells))] = None
    return tuple(names)


def unused_name(number: int, taken: Collection[str]) -> str:
    """Return a name for a column without one that no other column has."""
    name = f"column {number}"
    while name in taken:
        name += "'"
    return name
