"""Bytes of a CSV file to its records, as they come in: no chunk need end where a record does."""

from __future__ import annotations

import codecs
import csv
import io
import sys
from collections.abc import Generator, Iterator
from itertools import chain, islice
from typing import NamedTuple

# The csv module refuses cells beyond 128 KB, which the cart of a large order exceeds.
_LONGEST_CELL = 2**31 - 1


UNCLOSED = "unexpected end of data"
"""The fault of a record whose quote is never closed, in the words of the csv module."""


class Record(NamedTuple):
    """One record of a file; blank lines are none."""

    line: int
    """Number of its first line, counted from 1."""
    last: int
    """Number of its last line: cells may have line breaks in them."""
    cells: list[str]
    fault: str = ""
    """Why it could not be read, if it could not."""


class RecordReader:
    """Reads a file from chunks, holding no more of it than one chunk and one record.

    The csv module does the parsing. There is no I/O here, so that blocking and asyncio code can
    share it.

    Args:
        encoding: Encoding of the file; a byte order mark of UTF-8 is left out.
        errors: What is done with bytes that are not in that encoding, as in `codecs`.
        strict: Report what is not proper CSV as the fault of its record, rather than making the
            best of it.

    Attributes:
        unclosed: Line of the record that a quote which is never closed has made the last one; 0
            if there is none. Only known at the end, and if not *strict*, which reports a fault.
    """

    def __init__(
        self,
        encoding: str = "utf-8",
        errors: str = "backslashreplace",
        strict: bool = False,
    ) -> None:
        name = codecs.lookup(encoding).name
        decoder = codecs.getincrementaldecoder("utf-8-sig" if name == "utf-8" else name)
        self._decoder = decoder(errors)
        self._strict = strict
        self._unread: list[str] = []
        self._size = 0
        self._enough = 0
        self._line = 1
        self.unclosed = 0
        if csv.field_size_limit() < _LONGEST_CELL:
            csv.field_size_limit(_LONGEST_CELL)  # One for the whole process; it knows no other.

    def feed(self, chunk: bytes) -> Iterator[Record]:
        """Yield the records that *chunk* completes; they are read before the next call."""
        text = self._decoder.decode(chunk)
        self._unread.append(text)
        self._size += len(text)
        # A long record is not begun anew with each of its chunks, which would take for ever.
        if self._size >= self._enough and "\n" in text:
            whole = "".join(self._unread)
            # A carriage return at the end may be the first half of a line break.
            end = whole.rfind("\n") + 1
            incomplete = yield from self._records(whole[:end], final=False)
            self._unread = [incomplete, whole[end:]]
            self._size = len(incomplete) + len(whole) - end
            self._enough = 2 * len(incomplete)

    def close(self) -> Iterator[Record]:
        """Yield what is left at the end of the file."""
        self._unread.append(self._decoder.decode(b"", True))
        text = "".join(self._unread)
        last = 0
        for record in self._records(text, final=True):
            last = record.line
            yield record
        self._unread = []
        if '"' in text and not self._strict:
            strict = RecordReader(strict=True)
            for record in strict._records(text, final=True):
                if record.fault == UNCLOSED:
                    self.unclosed = last

    def _records(self, text: str, final: bool) -> Generator[Record, None, str]:
        """Yield the records of *text*, and return the beginning of one that goes on after it."""
        if sys.version_info < (3, 11):
            text = text.replace("\0", "\ufffd")  # The csv module of Python 3.10 refuses it.
        # It splits lines the way the csv module wants them, unlike `splitlines`.
        lines = io.StringIO(text, newline="")
        reader = csv.reader(chain(lines, () if final else _more()), strict=self._strict)
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
    """The csv module has asked for a line that is not there yet."""


def _more() -> Iterator[str]:
    # An iterator that merely ended would end the record as well.
    raise _Incomplete
    yield
