"""CSV files: reading the one in a multipart body, and writing exports."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from talon_one._core.operation import Csv
from talon_one.sandbox.contract.rows import check_row
from talon_one.sandbox.errors import Problem, invalid
from talon_one.sandbox.multipart import parts

CSV: Final = "application/csv"
FIELD: Final = "upFile"
# What the platform documents for most of its imports.
MAX_ROWS: Final = 500_000


@dataclass(frozen=True, slots=True)
class Row:
    """A row of an uploaded file: its first line, and its cells that are not empty."""

    line: int
    cells: Mapping[str, str]


def uploaded(content_type: str, body: bytes) -> str:
    """Return the text of the file in a multipart body.

    Args:
        content_type: `Content-Type` header, which has the boundary of the parts.
        body: The body.

    Raises:
        ApiError: 400 if the body is not multipart, is incomplete, or does not have exactly one text
            file.
    """
    try:
        files = [one.content for one in parts(content_type, body) if one.name == FIELD]
    except ValueError as cause:
        details = f"the body is not valid multipart/form-data: {cause}"
        raise invalid(Problem("Malformed", details)) from cause
    if len(files) != 1:
        raise invalid(Problem("required", f"the body must have one file, named {FIELD}"))
    try:
        return files[0].decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        raise invalid(Problem("Malformed", f"{FIELD} is not UTF-8")) from cause


def checked(
    row: Row, described: Csv, bounds: Mapping[str, Mapping[str, Any]] | None = None
) -> tuple[dict[str, Any], list[Problem]]:
    """Return the values of a row by column, and its problems, which name its line.

    Args:
        row: The row.
        described: Columns of the file, as the operation describes them.
        bounds: Constraints of columns that the description of the file leaves out.
    """
    values, found = check_row(described, row.cells, bounds or {})
    problems = [
        Problem(each.title, f"{each.pointer.removeprefix('/')}: {each.details}", line=row.line)
        for each in found
    ]
    return values, problems


def read(text: str, *, required: Sequence[str], optional: Sequence[str]) -> list[Row]:
    """Return the rows of a file, without blank lines.

    Raises:
        ApiError: 400 that names the line, if a column is missing or unknown, if a row has another
            number of cells than the header, or if the text is not CSV.
    """
    records = _records(text)
    top, columns = next(records, (1, []))
    for name in required:
        if name not in columns:
            raise invalid(Problem("required", f"the column {name} is missing", line=top))
    for name in columns:
        if name not in (*required, *optional) or columns.count(name) > 1:
            raise invalid(Problem("Column", f"the column {name!r} is unknown or twice", line=top))
    rows: list[Row] = []
    for line, cells in records:
        if len(rows) == MAX_ROWS:
            details = f"a file must have at most {MAX_ROWS} rows"
            raise invalid(Problem("maxItems", details, line=line))
        if len(cells) != len(columns):
            details = f"the row has {len(cells)} cells, and there are {len(columns)} columns"
            raise invalid(Problem("Malformed", details, line=line))
        pairs = zip(columns, cells, strict=True)
        rows.append(Row(line, {name: cell for name, cell in pairs if cell}))
    return rows


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the records that are not blank, each with the number of its first line."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            if cells:
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as cause:
        raise invalid(Problem("Malformed", f"the row is not CSV: {cause}", line=line)) from cause


def write(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return a file with these columns of the rows; a missing value or None is an empty cell."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
