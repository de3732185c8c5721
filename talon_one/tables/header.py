"""Header: reads the names of the columns, and decides whether a response is a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from talon_one._core.operation import Column
from talon_one.tables.records import Record, RecordReader
from talon_one.tables.rows import names_of

# Characters of the first line that a message quotes.
_MAX_QUOTED = 80


class Header:
    """Reads the beginning of a response, and keeps its bytes for reading the rows.

    It does no I/O, so that blocking and asyncio code can share it.

    Args:
        content_type: Content type of the response.
        encoding: Encoding of the file.
        known: Columns in the description.

    Attributes:
        pieces: The bytes that were read.
        columns: Names of the columns; empty for an empty file.
        fault: Why the response is not a table; empty if it is one, or is empty.
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
        """Read a piece. Return whether the header is complete."""
        self.pieces.append(piece)
        if piece.strip() and self._type.endswith(("html", "/xhtml+xml", "/json", "+json")):
            self.fault = f"the response is not CSV ({self._described})"
            return True
        return self._read_header(self._records.feed(piece))

    def close(self) -> None:
        """Read the header of a file that has no complete line."""
        self._read_header(self._records.close())

    def _read_header(self, records: Iterable[Record]) -> bool:
        record = next(iter(records), None)
        if record is None:
            return False
        self.columns = names_of(record.cells)
        # New columns are accepted, but something must show that this is the export.
        is_known = self._known.intersection(map(str.lower, self.columns))
        if not is_known and not ("csv" in self._type and _may_be_names(record.cells)):
            first = ",".join(record.cells)[:_MAX_QUOTED]
            self.fault = f"the response ({self._described}) names none of the columns: {first!r}"
        return True


def _may_be_names(cells: Sequence[str]) -> bool:
    """Return whether a first line may name columns, rather than begin a page, JSON, or an archive.

    What stands before a server may pass an error page on as CSV.
    """
    return cells[0].lstrip()[:1] not in ("<", "{", "[") and all(map(str.isprintable, cells))
