"""Tables for asyncio: the functions of `talon_one.tables`, awaited.

::

    async with management.table(management.export_coupons, application_id) as table:
        async for row in table:
            print(row["value"], row["expirydate"])

    await tables.upload(management.import_coupons, application_id, campaign_id, rows)
"""

from __future__ import annotations

import os
from asyncio import to_thread
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, TypeVar

from talon_one._http.download import SavedFile
from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiException, ApiTypeError
from talon_one.pagination.bookmarks import Bookmark
from talon_one.pagination.novelty import KeyFunction
from talon_one.tables.arrow import arrow_schema, record_batches, schema_of
from talon_one.tables.batches import CellError, Text, checked_size
from talon_one.tables.exports import BaseTable
from talon_one.tables.frames import Series, TextColumns, pandas_frame, polars_frame, require
from talon_one.tables.import_file import Source
from talon_one.tables.imports import ImportArguments, check
from talon_one.tables.new_rows import By, novelty_of
from talon_one.tables.problems import Problem, TableError, attach_problems, problems_of
from talon_one.tables.rows import Row

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow
    from typing_extensions import ParamSpec, Self

    from talon_one._http.download import Progress
    from talon_one.aio.download import Download

    P = ParamSpec("P")

__all__ = [
    "CellError",
    "NewRows",
    "Problem",
    "Row",
    "Source",
    "Table",
    "TableError",
    "arrow_schema",
    "check",
    "export",
    "new_rows",
    "problems_of",
    "upload",
]

T = TypeVar("T")


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


async def upload(method: Callable[..., Awaitable[T]], /, *args: Any, **kwargs: Any) -> T:
    """Check a table, write rows as CSV, and import it.

    Reading and checking run in a thread. Arguments, result and exceptions are those of
    `talon_one.tables.upload`.
    """
    arguments = ImportArguments(method, args, kwargs, asynchronous=True)
    with await to_thread(arguments.checked_file) as file:
        try:
            return await method(*arguments.args, **arguments.kwargs_with(file))
        except ApiException as failure:
            attach_problems(failure, await to_thread(file.problems_in, failure.errors))
            raise


class Table(BaseTable):
    """A CSV export as rows, for ``async with`` and ``async for``.

    For rows, arguments and exceptions see `talon_one.tables.Table`.
    """

    _asynchronous = True
    _download: Download

    def __init__(self, method: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
        super().__init__(method, *args, **kwargs)
        self._stack = AsyncExitStack()
        self._pieces: AsyncIterator[bytes]

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the response. Rows that were not read are lost."""
        self._closed = True
        await self._stack.aclose()

    def __aiter__(self) -> AsyncIterator[Row]:
        self._mark_used()
        return self._read()

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns in the file; empty until the table is entered or used."""
        return self._columns

    async def rows(self) -> list[Row]:
        """Return all rows as a list."""
        return [row async for row in self]

    async def save(self, path: str | os.PathLike[str], progress: Progress | None = None) -> int:
        """Save the file unchanged, in a thread; see `talon_one.tables.Table.save`."""
        self._mark_used()
        await self._open()
        async with self._stack:
            with SavedFile(path, self._download.total, progress) as file:
                async for piece in self._all_pieces():
                    await to_thread(file.write, piece)
        return file.size

    async def to_pandas(self) -> pandas.DataFrame:
        """Return all rows as a data frame; see `talon_one.tables.Table.to_pandas`."""
        require("pandas")
        return pandas_frame(await self._all_series(decode_json=True))

    async def to_polars(self) -> polars.DataFrame:
        """Return all rows as a data frame; see `talon_one.tables.Table.to_polars`."""
        require("polars")
        return polars_frame(await self._all_series(decode_json=False))

    async def record_batches(
        self,
        batch_size: int = 10_000,
        *,
        text: Text = (),
        schema: pyarrow.Schema | None = None,
    ) -> AsyncIterator[pyarrow.RecordBatch]:
        """Yield the export as Arrow record batches; see `talon_one.tables.Table.record_batches`.

        They are made in a thread. An export without rows yields one batch without rows, so that
        its schema is known.
        """
        require("pyarrow")
        chosen = self._fields_of(text, schema)
        size = checked_size(batch_size)
        self._mark_used()
        await self._open()
        is_empty = True
        async with self._stack:
            fields = chosen(self._columns)
            reader = self._new_batch_reader(fields, size)
            schema = schema_of(fields) if schema is None else schema
            async for chunk in self._all_pieces():
                for batch in await to_thread(record_batches, reader.feed(chunk), schema):
                    is_empty = False
                    yield batch
                    self._check_open()
        for batch in await to_thread(record_batches, reader.close(), schema):
            is_empty = False
            yield batch
        if is_empty:
            (batch,) = record_batches([[Series(field.kind, []) for field in fields]], schema)
            yield batch
        self._finished = True

    async def _all_series(self, decode_json: bool) -> dict[str, Series]:
        self._mark_used()
        texts = TextColumns()
        async for row in self._read(as_text=True):
            texts.add(row)
        return self._series(texts, decode_json)

    async def _open(self) -> None:
        self._check_open()
        if self._opened:
            return
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._download)
            self._pieces = self._download.chunks()
            header = self._header()
            async for piece in self._pieces:
                if header.feed(piece):
                    break
            else:
                header.close()
            self._take_header(header)
            self._stack = stack.pop_all()
        self._opened = True

    async def _all_pieces(self) -> AsyncIterator[bytes]:
        for piece in self._pop_header():
            yield piece
        async for piece in self._pieces:
            yield piece

    async def _read(self, as_text: bool = False) -> AsyncIterator[Row]:
        await self._open()
        reader = self._new_reader(as_text)
        async with self._stack:
            async for chunk in self._all_pieces():
                for row in reader.feed(chunk):
                    yield row
                    self._check_open()
        for row in reader.close():
            yield row
        self._finished = True


def new_rows(
    table: Table,
    bookmark: Bookmark | None = None,
    *,
    by: By = "created",
    key: KeyFunction | None = None,
) -> NewRows:
    """Return the rows of an export that are new since a bookmark.

    Arguments and exceptions are those of `talon_one.tables.new_rows`.
    """
    return NewRows(table, bookmark, by, key)


class NewRows:
    """Like `talon_one.tables.NewRows`, for ``async with`` and ``async for``."""

    def __init__(
        self,
        table: Table,
        bookmark: Bookmark | None = None,
        by: By = "created",
        key: KeyFunction | None = None,
    ) -> None:
        if not isinstance(table, Table):
            raise ApiTypeError(
                f"this takes what table of talon_one.aio returns, not {quoted(table)}"
            )
        self._table = table
        self._novelty = novelty_of(table, bookmark, by, key)
        self._rows: AsyncIterator[Row] | None = None

    async def __aenter__(self) -> Self:
        await self._table.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Row:
        if self._rows is None:
            self._rows = aiter(self._table)
        async for row in self._rows:
            if self._novelty.is_new(row):
                return row
        self._novelty.finish()
        raise StopAsyncIteration

    def __repr__(self) -> str:
        return f"<NewRows after {self.bookmark!r}>"

    async def aclose(self) -> None:
        """Close the response. Rows that were not read are read the next time."""
        await self._table.aclose()

    @property
    def bookmark(self) -> Bookmark:
        """Bookmark after the rows handed out so far; see `talon_one.pagination.NewItems`."""
        return self._novelty.bookmark
