"""Records of an export to rows: dicts by column, with values of the types of the columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from talon_one.operation import Column
from talon_one.tables.cells import Reader, reader_for
from talon_one.tables.records import Record, RecordReader

Row = dict[str, Any]
"""One row of a table: values by the names of the columns, in the order of the file."""


class RowReader:
    """Reads rows from the chunks of a file; the first record names the columns.

    A column that the description does not know is text. A row that is too short lacks the last
    columns; what a row has beyond them is kept as text under ``column N``.

    Args:
        known: The columns that the description knows.
        as_text: Leave all cells as they are, ``None`` if empty.
        encoding: Encoding of the file.

    Attributes:
        columns: Names of the columns; empty until the first record has been read.
    """

    def __init__(
        self, known: Sequence[Column] = (), *, as_text: bool = False, encoding: str = "utf-8"
    ) -> None:
        self.columns: tuple[str, ...] = ()
        self._known = {} if as_text else {each.name.lower(): each for each in known}
        self._records = RecordReader(encoding)
        self._readers: list[Reader] = []

    def feed(self, chunk: bytes) -> Iterator[Row]:
        """Yield the rows that *chunk* completes; they are read before the next call."""
        return self._rows(self._records.feed(chunk))

    def close(self) -> Iterator[Row]:
        """Yield what is left at the end of the file."""
        return self._rows(self._records.close())

    def _rows(self, records: Iterable[Record]) -> Iterator[Row]:
        for record in records:
            cells = record.cells
            if not self.columns:
                self._begin(cells)
                continue
            row = {
                name: read(cell) if cell else None
                for name, read, cell in zip(self.columns, self._readers, cells, strict=False)
            }
            for index in range(len(self.columns), len(cells)):
                row[f"column {index + 1}"] = cells[index] or None
            yield row

    def _begin(self, cells: list[str]) -> None:
        names: dict[str, None] = {}
        for number, name in enumerate(cells, 1):
            # A name that is missing, or there already, must not cost the cells below it.
            names[name if name and name not in names else f"column {number}"] = None
        self.columns = tuple(names)
        self._readers = [reader_for(self._known.get(name.lower())) for name in names]
