"""BatchReader: the rows of an export as batches of columns, whose types are fixed in advance."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

from talon_one._core.operation import Column, Operation
from talon_one._schema.scalars import whole
from talon_one._utils.guard import guarded
from talon_one._utils.quoting import quoted
from talon_one._utils.suggest import did_you_mean
from talon_one.exceptions import ApiTypeError, ApiValueError
from talon_one.pagination.time_filter import CallArguments
from talon_one.tables.frames import Series, kind_of, series_of
from talon_one.tables.records import Record
from talon_one.tables.rows import TableReader, logger, unused_name

# A batch is complete after that many bytes of the file even if it has fewer rows, because the cart
# of a large order takes as much memory as thousands of coupons.
_MAX_BYTES = 32 * 1024 * 1024

_NOUNS = {
    "int": "a whole number of at most 64 bits",
    "float": "a number that a float does not round",
    "bool": "true or false",
    "datetime": "a timestamp with a time zone",
    "naive": "a timestamp without a time zone",
    "str": "Unicode text",
}

Text = bool | str | Iterable[str]
"""Names of columns to keep as text, or ``True`` for all."""


class CellError(ApiValueError):
    """A cell of an export that does not fit into a batch, where each column has a fixed type.

    Attributes:
        operation_id: Operation that exported the table.
        line: Line of the file, counted from 1.
        column: Name of the column; empty if the row has more cells than there are columns.
        value: The cell, as it is in the file.
        reason: What is wrong, and what to do.
    """

    def __init__(self, operation_id: str, line: int, column: str, value: str, reason: str) -> None:
        self.operation_id = operation_id
        self.line = line
        self.column = column
        self.value = value
        self.reason = reason
        super().__init__(f"line {line} of {operation_id}{', ' * bool(column)}{column} {reason}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.operation_id, self.line, self.column, self.value, self.reason)


class Field(NamedTuple):
    """One column of each batch."""

    name: str
    kind: str
    """Kind of its `Series`."""
    place: int | None = None
    """Index of its cells in a record; ``None`` if the file does not have it."""


FieldsOf = Callable[[Sequence[str]], Sequence[Field]]
"""Returns the columns of the batches, from the names of the columns in the file."""


class BatchReader:
    """Reads batches of columns from the chunks of a file. It does no I/O.

    Args:
        fields: The columns of each batch. A batch has a `Series` of this kind for each.
        batch_size: Maximum number of rows in a batch.
        encoding: Encoding of the file.
        operation_id: Operation that exports the table, for messages.
    """

    def __init__(
        self, fields: Sequence[Field], batch_size: int, encoding: str, operation_id: str
    ) -> None:
        self._fields = fields
        self._size = batch_size
        self._operation_id = operation_id
        self._table = TableReader(encoding)
        self._records: list[Record] = []
        self._columns: list[list[str]] = []
        self._lines: list[int] = []
        self._bytes = 0

    def feed(self, chunk: bytes) -> Iterator[list[Series]]:
        """Yield the batches that *chunk* completes. Exhaust the iterator before the next call.

        Raises:
            CellError: A cell does not fit.
        """
        self._bytes += len(chunk)
        yield from self._batches(self._table.feed(chunk))
        self._take_records()
        if self._bytes >= _MAX_BYTES and self._lines:
            yield self._pop_batch()

    def close(self) -> Iterator[list[Series]]:
        """Yield the remaining batches at the end of the file; raises the errors of `feed`."""
        yield from self._batches(self._table.close())
        self._take_records()
        if self._lines:
            yield self._pop_batch()

    def _batches(self, records: Iterable[Record]) -> Iterator[list[Series]]:
        rest = self._size - len(self._lines)
        for record in records:
            self._records.append(record)
            if len(self._records) == rest:
                self._take_records()
                yield self._pop_batch()
                rest = self._size

    def _take_records(self) -> None:
        """Move the cells of the records into the columns.

        Many small lists, of a whole batch of records, would take more time and memory.
        """
        records, self._records = self._records, []
        names = self._table.columns
        for record in records:
            missing = len(names) - len(record.cells)
            if missing > 0:
                record.cells.extend([""] * missing)
            elif missing < 0 and any(record.cells[len(names) :]):
                raise self._excess_of(record)
        self._lines += [record.line for record in records]
        self._columns = self._columns or [[] for _ in names]
        cells = zip(*(record.cells for record in records), strict=False)
        for column, part in zip(self._columns, cells, strict=False):
            column += part

    def _pop_batch(self) -> list[Series]:
        columns, self._columns = self._columns, []
        lines, self._lines = self._lines, []
        self._bytes = 0
        return [
            self._series(field, columns[field.place], lines)
            if field.place is not None
            else Series(field.kind, [None] * len(lines))
            for field in self._fields
        ]

    def _series(self, field: Field, cells: Sequence[str], lines: Sequence[int]) -> Series:
        series = fitted(cells, field.kind)
        if series is not None:
            return series
        index = next(index for index, cell in enumerate(cells) if not fitted([cell], field.kind))
        raise self._misfit(field, lines[index], cells[index])

    def _misfit(self, field: Field, line: int, cell: str) -> CellError:
        noun = _NOUNS[field.kind]
        return CellError(
            self._operation_id,
            line,
            field.name,
            cell,
            f"must be {noun}, not {quoted(cell)}, because a column has one type in all batches;"
            f" keep the column as text with text=({field.name!r},), or iterate the rows",
        )

    def _excess_of(self, record: Record) -> CellError:
        names = self._table.columns
        index = next(i for i, cell in enumerate(record.cells) if i >= len(names) and cell)
        cell = record.cells[index]
        return CellError(
            self._operation_id,
            record.line,
            "",
            cell,
            f"has {len(record.cells)} cells, and there are {len(names)} columns; iterate the rows,"
            f" which keep {quoted(cell)} as {unused_name(index + 1, names)!r}",
        )


def fitted(cells: Sequence[str], kind: str) -> Series | None:
    """Return cells as a series of exactly this kind; ``None`` if one does not fit."""
    if kind != "str" and not any(cells):
        return Series(kind, [None] * len(cells))
    series = series_of(cells, "datetime" if kind == "naive" else kind)
    return series if series is not None and series.kind == kind else None


class TextChoice:
    """Which columns stay text.

    Args:
        text: Names of columns, in any case, or ``True`` for all.

    Raises:
        ApiTypeError: It is something else.
    """

    def __init__(self, text: Text) -> None:
        self._all = text is True
        with guarded("text"):
            self._names = {name.lower(): name for name in _names_in(text)}

    def __bool__(self) -> bool:
        return self._all or bool(self._names)

    def kind(self, name: str, column: Column | None, naive: bool) -> str:
        """Return the kind of a column.

        Args:
            name: Its name.
            column: Its description; ``None`` for an unknown column.
            naive: Whether timestamps have no zone.
        """
        kind = "str" if self._all or name.lower() in self._names else kind_of(column)
        return "naive" if kind == "datetime" and naive else kind

    def check(self, valid: Collection[str]) -> None:
        """Check that the columns exist.

        Raises:
            ApiValueError: One does not.
        """
        known = {name.lower() for name in valid}
        for key, name in self._names.items():
            if key not in known:
                hint = did_you_mean(name, valid)
                raise ApiValueError(f"text names {quoted(name)}, which is not a column.{hint}")


def described_fields(call: CallArguments, text: TextChoice) -> list[Field]:
    """Return the columns in the description of an export, without making the call.

    Raises:
        ApiTypeError: The operation has no such parameter.
        ApiValueError: A column to keep as text does not exist.
    """
    _check_keywords(call.operation, call.kwargs)
    columns = call.operation.csv.columns if call.operation.csv is not None else ()
    text.check([each.name for each in columns])
    naive = asks_for_naive(call)
    return [Field(each.name, text.kind(each.name, each, naive)) for each in columns]


def file_fields(call: CallArguments, text: TextChoice, names: Sequence[str]) -> list[Field]:
    """Return the columns of a file in its order.

    Args:
        call: The export.
        text: Columns that stay text.
        names: Names of the columns in the file.

    Raises:
        ApiValueError: A column to keep as text does not exist.
    """
    columns = call.operation.csv.columns if call.operation.csv is not None else ()
    known = {each.name.lower(): each for each in columns}
    text.check([*names, *(each.name for each in columns)])
    naive = asks_for_naive(call)
    return [
        Field(name, text.kind(name, known.get(name.lower()), naive), index)
        for index, name in enumerate(names)
    ]


def conformed_fields(
    operation: Operation, fields: Sequence[Field], names: Sequence[str]
) -> list[Field]:
    """Return *fields* with the places of their cells in a file.

    Columns are matched regardless of case. A column that neither the fields nor the description
    have is left out of the batches, with a warning in the log.

    Args:
        operation: The export.
        fields: The columns of each batch.
        names: Names of the columns in the file.

    Raises:
        ApiValueError: The file has neither a column of the fields nor one of the description.
    """
    places = {name: index for index, name in enumerate(names)}
    exact = {field.name for field in fields} & places.keys()
    others = {name.lower(): index for name, index in reversed(places.items()) if name not in exact}
    found = [
        field._replace(place=places.get(field.name, others.get(field.name.lower())))
        for field in fields
    ]
    columns = operation.csv.columns if operation.csv is not None else ()
    expected = {each.name.lower() for each in columns} | {each.name.lower() for each in fields}
    used = {field.place for field in found}
    unknown = [name for name in names if name.lower() not in expected and places[name] not in used]
    if unknown and len(unknown) == len(names):
        # Otherwise each row would be null in all columns.
        raise ApiValueError(
            f"the response of {operation.id} has none of the columns but"
            f" {quoted(', '.join(names))}, so it is no such table"
        )
    if unknown:
        logger.warning(
            "%s has columns that are left out, because the schema does not have them: %s",
            operation.id,
            ", ".join(map(quoted, unknown)),
        )
    return found


def asks_for_naive(call: CallArguments) -> bool:
    """Return whether a call asks for timestamps without a zone, with ``date_format="excel"``."""
    value = call.by_name().get("date_format")
    if isinstance(value, Enum):
        value = value.value
    return isinstance(value, str) and str(value) == "excel"


def checked_size(batch_size: int) -> int:
    """Return the number of rows in a batch.

    Raises:
        ApiTypeError: It is not a whole number.
        ApiValueError: It is below 1.
    """
    with guarded("batch_size"):
        size = whole(batch_size)
    if size is None:
        raise ApiTypeError(
            f"batch_size must be a whole number, at least 1, not {quoted(batch_size)}"
        )
    if size < 1:
        raise ApiValueError(f"batch_size must be at least 1, not {quoted(batch_size)}")
    return size


def _names_in(text: Any) -> Iterator[str]:
    if isinstance(text, bool):
        return
    if isinstance(text, (Mapping, bytes)) or not isinstance(text, Iterable):
        raise ApiTypeError(f"text is the names of columns, or True for all, not {quoted(text)}")
    for name in [text] if isinstance(text, str) else text:
        if not isinstance(name, str):
            raise ApiTypeError(f"text holds the names of columns, not {quoted(name)}")
        yield name


def _check_keywords(operation: Operation, kwargs: Mapping[str, Any]) -> None:
    for keyword in kwargs:
        if keyword not in operation.keywords and keyword[:1] != "_":
            hint = did_you_mean(keyword, operation.keywords)
            raise ApiTypeError(f"{operation.id} has no parameter {keyword!r}.{hint}")
