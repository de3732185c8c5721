"""Is this answer a table? Told by the line that names its columns, before any row is taken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from talon_one._core.operation import Column
from talon_one.tables.records import Record, RecordReader
from talon_one.tables.rows import names_of

_SHOWN = 80
"""Characters of a first line that a message repeats, at most."""


class Header:
    """Reads the beginning of an answer, and keeps its bytes for who reads the rows.

    There is no I/O here, so that blocking and asyncio code can share it.

    Args:
        content_type: What the answer says it is.
        encoding: Encoding of the file.
        known: The columns that the description knows.

    Attributes:
        pieces: The bytes that were read.
        columns: Names of the columns; empty if there is no line.
        fault: Why the answer is no table; empty if it is one, or nothing.
    """

    def __init__(self, content_type: str, encoding: str, known: Sequence[Column]) -> None:
        self.pieces: list[bytes] = []
        self.columns: tuple[str, ...] = ()
        self.fault = ""
        self._type = content_type.partition(";")[0].strip().lower()
        self._described = content_type or "no content type"
        self._known = {each.name.lower() for each in known}
        self._records = RecordReader(encoding)

    def feed(self, piece: bytes) -> bool:
        """Take a piece, and say whether that is enough."""
        self.pieces.append(piece)
        if piece.strip() and self._type.endswith(("html", "/xhtml+xml", "/json", "+json")):
            self.fault = f"the answer is no CSV ({self._described})"
            return True
        return self._found(self._records.feed(piece))

    def close(self) -> None:
        """Take note that there is nothing after this."""
        self._found(self._records.close())

    def _found(self, records: Iterable[Record]) -> bool:
        record = next(iter(records), None)
        if record is None:
            return False
        self.columns = names_of(record.cells)
        # What the platform adds is welcome; but something has to show that this is it.
        if "csv" not in self._type and not self._known.intersection(map(str.lower, self.columns)):
            first = ",".join(record.cells)[:_SHOWN]
            self.fault = f"the answer ({self._described}) names none of the columns: {first!r}"
        return True
