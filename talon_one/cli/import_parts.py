"""The lines of a CSV import that can be imported, and those that cannot."""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

from talon_one.cli.failures import report
from talon_one.tables.records import RecordReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from talon_one.tables import Problem

_CHUNK = 2**16
_SHOWN = 10


def lines_of(file: IO[bytes], firsts: Collection[int]) -> list[int]:
    """Return all lines of the records that begin on some lines; a cell may span several.

    Args:
        file: The file, which is read from its beginning.
        firsts: Numbers of the first lines, counted from 1.
    """
    file.seek(0)
    records = RecordReader(errors="surrogateescape", strict=True)
    found = []
    for chunk in iter(lambda: file.read(_CHUNK), b""):
        found += [record for record in records.feed(chunk) if record.line in firsts]
    found += [record for record in records.close() if record.line in firsts]
    return [line for each in found for line in range(each.line, each.last + 1)]


def split_lines(file: IO[bytes], lines: Collection[int], good: IO[bytes], bad: IO[bytes]) -> None:
    """Copy the lines of a file: some to one file, the others to another, the header to both.

    Args:
        file: The file, which is read from its beginning.
        lines: Numbers of the lines for *bad*, counted from 1.
        good: Gets the other lines, byte by byte.
        bad: Gets these lines, byte by byte.
    """
    file.seek(0)
    taken = frozenset(lines)
    # It splits lines as the csv module does, and keeps what is not UTF-8.
    text = io.TextIOWrapper(file, "utf-8", errors="surrogateescape", newline="")
    try:
        begun = False
        for number, line in enumerate(text, 1):
            piece = line.encode("utf-8", "surrogateescape")
            if not begun or number not in taken:
                good.write(piece)
            if not begun or number in taken:
                bad.write(piece)
            begun = begun or bool(line.strip())
        bad.flush()
    finally:
        text.detach()


def original_line(line: int, left_out: Sequence[int]) -> int:
    """Return the line in the file that a line without those left out was copied from.

    Args:
        line: Number of the line in the copy.
        left_out: Numbers of the lines that it does not have, in ascending order.
    """
    for each in left_out:
        if each <= line:
            line += 1
    return line


@contextmanager
def seekable(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """Yield a file that can be read twice: the file itself, or a copy of a pipe."""
    if file.seekable():
        yield file
        return
    with TemporaryFile() as copy:
        for chunk in iter(lambda: file.read(_CHUNK), b""):
            copy.write(chunk)
        copy.seek(0)
        yield copy


def report_problems(name: str, problems: Sequence[Any], more: str) -> None:
    """Report the first problems, each in a line.

    Args:
        name: What messages call the file.
        problems: The problems.
        more: How to see those that are left out.
    """
    for each in problems[:_SHOWN]:
        report(described(name, each))
    if len(problems) > _SHOWN:
        report(f"and {len(problems) - _SHOWN} more{more}")


def described(name: str, problem: Problem) -> str:
    """Return a problem as one line, beginning with its place."""
    place = f"{name}, line {problem.line}" if problem.line is not None else name
    return f"{place}: {problem.column} {problem.message}".replace(":  ", ": ")
