"""RecordReader: reads the records of a CSV file from chunks of any size."""

from __future__ import annotations

import codecs
import csv
import io
import sys
from collections.abc import Generator, Iterator
from itertools import chain, islice
from typing import NamedTuple

from talon_one.tables.encodings import TableDecoder

# The csv module refuses cells above 128 KB by default. The cart of a large order may exceed that.
_MAX_CELL = 2**31 - 1


UNCLOSED = "unexpected end of data"
"""Fault of a record with a quote that is never closed; a message of the csv module."""


class Record(NamedTuple):
    """One record of a file. Blank lines are not records."""

    line: int
    """Number of its first line, counted from 1."""
    last: int
    """Number of its last line. Cells may contain line breaks."""
    cells: list[str]
    fault: str = ""
    """Why it could not be read; empty if it could."""


class RecordReader:
    """Reads a file from chunks. It holds at most one chunk and one record in memory.

    The csv module does the parsing. The reader does no I/O, so that blocking and asyncio code can
    share it.

    Args:
        encoding: Encoding of the file, unless it begins with a byte order mark. By default UTF-8
            in any case. The mark is skipped.
        errors: How to decode bytes that are invalid in that encoding, as in `codecs`.
        strict: Report malformed CSV as the fault of its record, rather than reading it leniently.

    Attributes:
        unclosed: Line of a record with a quote that is never closed; 0 if there is none. Known at
            the end of the file. With *strict*, the record has a fault instead.
    """

    def __init__(
        self,
        encoding: str | None = None,
        errors: str = "backslashreplace",
        strict: bool = False,
    ) -> None:
        self._decoder = (
            codecs.getincrementaldecoder("utf-8-sig")(errors)
            if encoding is None
            else TableDecoder(encoding, errors)
        )
        self._strict = strict
        self._unread: list[str] = []
        self._size = 0
        self._next_attempt = 0
        self._line = 1
        self.unclosed = 0
        # The limit applies to the whole process, which may have a higher one.
        csv.field_size_limit(max(csv.field_size_limit(), _MAX_CELL))

    def feed(self, chunk: bytes) -> Iterator[Record]:
        """Yield the records that *chunk* completes. Exhaust the iterator before the next call."""
        text = self._decoder.decode(chunk)
        self._unread.append(text)
        self._size += len(text)
        # Parsing a long record again with each of its chunks would take quadratic time.
        if self._size >= self._next_attempt and "\n" in text:
            buffered = "".join(self._unread)
            # A carriage return at the end may be the first half of a line break.
            end = buffered.rfind("\n") + 1
            incomplete = yield from self._records(buffered[:end], final=False)
            self._unread = [incomplete, buffered[end:]]
            self._size = len(incomplete) + len(buffered) - end
            self._next_attempt = 2 * len(incomplete)

    def close(self) -> Iterator[Record]:
        """Yield the remaining records at the end of the file."""
        self._unread.append(self._decoder.decode(b"", True))
        text = "".join(self._unread)
        last = 0
        for record in self._records(text, final=True):
            last = record.line
            yield record
        self._unread = []
        if not self._strict:
            strict = RecordReader(strict=True)
            for record in strict._records(text, final=True):
                if record.fault == UNCLOSED:
                    self.unclosed = last

    def _records(self, text: str, final: bool) -> Generator[Record, None, str]:
        """Yield the records of *text*, and return the beginning of an incomplete one."""
        if sys.version_info < (3, 11):
            text = text.replace("\0", "\ufffd")  # The csv module of Python 3.10 refuses it.
        # Unlike `splitlines`, this splits lines as the csv module expects.
        lines = io.StringIO(text, newline="")
        reader = csv.reader(chain(lines, () if final else _raise_incomplete()), strict=self._strict)
        done = 0
        while True:
            cells, fault = [], ""
            try:
                cells = next(reader)
            except (StopIteration, _Incomplete):
                break
            except csv.Error as cause:
                fault = str(cause)
            first, done = done, reader.line_num
            if cells or fault:
                yield Record(self._line + first, self._line + done - 1, cells, fault)
        self._line += done
        if final or reader.line_num == done:
            return ""
        return "".join(islice(io.StringIO(text, newline=""), done, None))


class _Incomplete(Exception):
    """The csv module needs a line that has not arrived."""


def _raise_incomplete() -> Iterator[str]:
    # If the iterator ended instead, the csv module would end the record.
    raise _Incomplete
    yield
