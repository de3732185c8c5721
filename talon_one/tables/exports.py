"""Table: a CSV export as typed rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from talon_one._http.download import SavedFile
from talon_one.exceptions import ApiTypeError, ApiValueError
from talon_one.pagination.time_filter import CallArguments
from talon_one.tables.batches import (
    BatchReader,
    Field,
    FieldsOf,
    Text,
    TextChoice,
    checked_size,
    conformed_fields,
    file_fields,
)
from talon_one.tables.encodings import declared_encoding
from talon_one.tables.frames import Series, TextColumns, pandas_frame, polars_frame, require
from talon_one.tables.header import Header
from talon_one.tables.methods import api_of, export_operation
from talon_one.tables.rows import Row, RowReader

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow
    from typing_extensions import ParamSpec, Self

    from talon_one._http.download import Download, Progress

    P = ParamSpec("P")


def export(method: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> Table:
    """Return the table that an export returns. Same as ``management.table``.

    Args:
        method: Method of an API, such as ``management.export_coupons``.
        args: Its arguments.
        kwargs: Its keyword arguments and the settings of the call.

    Raises:
        ApiTypeError: *method* exports no table.
    """
    return Table(method, *args, **kwargs)


class BaseTable:
    """What blocking and asyncio tables share."""

    _asynchronous = False

    def __init__(self, method: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
        self._operation = operation = export_operation(method)
        self._known = operation.csv.columns if operation.csv is not None else ()
        api = api_of(method, asynchronous=self._asynchronous)
        self._client = api.api_client
        self._download: Any = api.stream(method, *args, **kwargs)
        self._columns: tuple[str, ...] = ()
        self._header_pieces: list[bytes] = []
        self._opened = self._closed = self._used = self._finished = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._operation.id}>"

    def arguments_to_filter(self) -> CallArguments:
        """Return the call, for a reading that starts after a bookmark.

        Raises:
            ApiValueError: The table was opened or closed.
        """
        if self._opened or self._used or self._closed:
            raise ApiValueError(
                f"a bookmark needs a table that is still unopened; make a new one of"
                f" {self._operation.id} each time"
            )
        return CallArguments(self._operation, *self._download.arguments)

    @property
    def monotonic(self) -> Callable[[], float]:
        """The clock by which durations are measured."""
        clock: Callable[[], float] = self._client.clock.monotonic
        return clock

    def use_arguments(self, call: CallArguments) -> None:
        """Replace the arguments of the call."""
        self._download.use_arguments(call.args, call.kwargs)

    def _mark_used(self) -> None:
        """Mark the rows as used. They are not kept, so this is allowed once."""
        if self._used:
            raise ApiValueError(
                f"this table of {self._operation.id} was used already; make a new one"
            )
        self._used = True

    def _check_open(self) -> None:
        if self._closed:
            raise ApiValueError(
                f"this table of {self._operation.id} was closed before it was read to the end"
            )

    def _new_reader(self, as_text: bool) -> RowReader:
        encoding = declared_encoding(self._download.headers)
        return RowReader(self._known, as_text=as_text, encoding=encoding)

    def _header(self) -> Header:
        headers = self._download.headers
        return Header(headers.get("Content-Type", ""), declared_encoding(headers), self._known)

    def _take_header(self, header: Header) -> None:
        """Keep the names of the columns, and the bytes that they were read from.

        Raises:
            InvalidResponseError: The response is not a table.
        """
        if header.fault:
            raise self._download.invalid_response(header.fault, b"".join(header.pieces))
        self._columns, self._header_pieces = header.columns, header.pieces

    def _pop_header(self) -> Iterator[bytes]:
        """Yield the bytes that were read for the names of the columns, and drop them."""
        while self._header_pieces:
            yield self._header_pieces.pop(0)

    def _new_batch_reader(self, fields: Sequence[Field], batch_size: int) -> BatchReader:
        encoding = declared_encoding(self._download.headers)
        return BatchReader(fields, batch_size, encoding, self._operation.id)

    def _fields_of(self, text: Text, schema: pyarrow.Schema | None) -> FieldsOf:
        """Check arguments before the call; return what chooses the columns of the batches."""
        choice = TextChoice(text)
        if schema is None:
            call = CallArguments(self._operation, *self._download.arguments)
            return partial(file_fields, call, choice)
        if choice:
            raise ApiTypeError("a schema has the types of all columns; give text to arrow_schema")
        from talon_one.tables.arrow import fields_of

        return partial(conformed_fields, self._operation, fields_of(schema))

    def _series(self, texts: TextColumns, decode_json: bool) -> dict[str, Series]:
        return texts.series(self._columns, self._known, decode_json)


class Table(BaseTable):
    """A CSV export as rows. They are read once, while the response arrives.

    A row is a dict by column. Numbers, timestamps, booleans and JSON are converted, and an empty
    cell is ``None``. Cells that cannot be converted, and unknown columns, are text.
    Entering or using the table makes the call. Its exceptions are raised there, and so is
    `InvalidResponseError` if the response is not a table, such as a login page. Close a table that
    you do not read to the end; ``with`` does.

    Args:
        method: Method of an API, such as ``management.export_coupons``.
        args: Its arguments.
        kwargs: Its keyword arguments and the settings of the call.

    Raises:
        ApiTypeError: *method* exports no table.
    """

    _download: Download

    def __init__(self, method: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
        super().__init__(method, *args, **kwargs)
        self._stack = ExitStack()
        self._rows: Iterator[Row] | None = None
        self._pieces: Iterator[bytes]

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the response. Rows that were not read are lost."""
        self._closed = True
        self._stack.close()

    def __iter__(self) -> Iterator[Row]:
        if self._rows is None or self._finished:
            self._mark_used()
            self._rows = self._read()
        return self._rows

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns in the file. Opens the table, but reads no row."""
        if not self._opened:
            self._open()
        return self._columns

    def rows(self) -> list[Row]:
        """Return all rows, or those not read yet, as a list."""
        return list(self)

    def save(self, path: str | os.PathLike[str], progress: Progress | None = None) -> int:
        """Save the file unchanged, and return its size in bytes.

        The file appears under its name, or replaces another one, when it is complete.

        Args:
            path: Path of the file.
            progress: Called after every chunk with the bytes so far and the total. The total is
                ``None`` if the server does not send it.
        """
        self._mark_used()
        self._open()
        with self._stack, SavedFile(path, self._download.total, progress) as file:
            for piece in chain(self._pop_header(), self._pieces):
                file.write(piece)
        return file.size

    def to_pandas(self) -> pandas.DataFrame:
        """Return all rows as a data frame of pandas.

        Integers and booleans have nullable types, timestamps are in UTC, JSON is decoded. A column
        that contains a value of another type is text.

        Raises:
            ApiTypeError: pandas is not installed.
        """
        require("pandas")
        return pandas_frame(self._all_series(decode_json=True))

    def to_polars(self) -> polars.DataFrame:
        """Return all rows as a data frame of polars.

        Timestamps are in UTC. JSON and lists stay text, because polars needs the same structure in
        all rows. A column that contains a value of another type is text.

        Raises:
            ApiTypeError: polars is not installed.
        """
        require("polars")
        return polars_frame(self._all_series(decode_json=False))

    def record_batches(
        self,
        batch_size: int = 10_000,
        *,
        text: Text = (),
        schema: pyarrow.Schema | None = None,
    ) -> pyarrow.RecordBatchReader:
        """Return the export as a stream of Arrow record batches, for pyarrow, DuckDB and others.

        Only one batch is in memory: the response is read while batches are taken. This makes the
        call and reads the names of the columns. All batches have one schema: the columns of the
        file, as ``int64``, ``float64``, ``bool``, ``timestamp[us, UTC]`` or ``string``. Columns
        that this release does not know are strings, and so are JSON and lists. With
        ``date_format="excel"``, timestamps have no zone.

        Close the table if you do not take all batches; ``with`` does. Closing the reader is not
        enough.

        Args:
            batch_size: Maximum number of rows in a batch. One with large cells has fewer.
            text: Names of columns to keep as text, or ``True`` for all.
            schema: Columns of the batches, such as those of `arrow_schema`, instead of the columns
                of the file. One that the file lacks is null. One that only the file has is left
                out, with a warning in the log if this release does not know it. Names are matched
                regardless of case.

        Raises:
            ApiTypeError: pyarrow is not installed, or a type of the schema is none of those above.
            ApiValueError: A column to keep as text does not exist. Or the file has no column of the
                schema, nor any that this release knows.
            CellError: While batches are taken: a cell does not fit the type of its column, or a row
                has more cells than there are columns.
        """
        from talon_one.tables.arrow import reader_of

        require("pyarrow")
        chosen = self._fields_of(text, schema)
        return reader_of(*self.column_batches(chosen, checked_size(batch_size)), schema)

    def column_batches(
        self, fields_of: FieldsOf, batch_size: int
    ) -> tuple[Sequence[Field], Iterator[list[Series]]]:
        """Open the table, and return the columns of its batches, and the batches.

        Args:
            fields_of: Returns the columns of each batch, from the names of those of the file.
            batch_size: Maximum number of rows in a batch.
        """
        self._mark_used()
        batches = self._read_batches(fields_of, batch_size)
        # Enters its `with` block, which closes the response even if no batch is ever taken.
        fields = next(batches)
        return fields, batches

    def _all_series(self, decode_json: bool) -> dict[str, Series]:
        self._mark_used()
        texts = TextColumns()
        for row in self._read(as_text=True):
            texts.add(row)
        return self._series(texts, decode_json)

    def _open(self) -> None:
        self._check_open()
        if self._opened:
            return
        with ExitStack() as stack:
            stack.enter_context(self._download)
            self._pieces = self._download.chunks()
            header = self._header()
            for piece in self._pieces:
                if header.feed(piece):
                    break
            else:
                header.close()
            self._take_header(header)
            self._stack = stack.pop_all()
        self._opened = True

    def _read(self, as_text: bool = False) -> Iterator[Row]:
        self._open()
        reader = self._new_reader(as_text)
        with self._stack:
            for chunk in chain(self._pop_header(), self._pieces):
                for row in reader.feed(chunk):
                    yield row
                    self._check_open()
        for row in reader.close():
            yield row
        self._finished = True

    def _read_batches(self, fields_of: FieldsOf, batch_size: int) -> Iterator[Any]:
        """Yield the columns of the batches, and then the batches."""
        self._open()
        with self._stack:
            fields = fields_of(self._columns)
            reader = self._new_batch_reader(fields, batch_size)
            yield fields
            self._check_open()
            for chunk in chain(self._pop_header(), self._pieces):
                for batch in reader.feed(chunk):
                    yield batch
                    self._check_open()
        yield from reader.close()
        self._finished = True
