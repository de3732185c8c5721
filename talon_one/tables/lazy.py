"""scan: an export as a lazy frame of polars, read while a query runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from talon_one.pagination.time_filter import CallArguments
from talon_one.tables.batches import FieldsOf, Text, TextChoice, conformed_fields, described_fields
from talon_one.tables.exports import Table
from talon_one.tables.frames import polars_frame, polars_types, require
from talon_one.tables.methods import api_of, export_operation

if TYPE_CHECKING:
    import polars

_BATCH_SIZE = 10_000


def scan(
    method: Callable[..., Any], /, *args: Any, text: Text = (), **kwargs: Any
) -> polars.LazyFrame:
    """Return an export as a lazy frame of polars.

    ::

        coupons = tables.scan(management.export_coupons, application_id)
        coupons.filter(polars.col("limitval") > 0).sink_parquet("coupons.parquet")

    This makes no call. Each query makes one, reads the response in batches, and converts only the
    columns that it uses. A query for the first rows does not read the rest. It raises the
    exceptions of `Table`, and `CellError`. polars 1.30 is needed; releases before 2 raise a
    `ComputeError` with the message of ours.

    The columns are those of the description. One that the file lacks is null, and one that the
    description lacks is left out, with a warning in the log. A file with none of them raises an
    `ApiValueError`. JSON and lists are text.

    Args:
        method: Method of an API, such as ``management.export_coupons``.
        args: Its arguments.
        text: Names of columns to keep as text, or ``True`` for all.
        kwargs: Its keyword arguments and the settings of the call. With ``date_format="excel"``,
            timestamps have no zone.

    Raises:
        ApiTypeError: *method* exports no table, or has no such parameter. Or polars is not
            installed.
        ApiValueError: A column to keep as text does not exist.
    """
    plugins = require("polars.io.plugins")
    call = CallArguments(export_operation(method), args, kwargs)
    api_of(method, asynchronous=False)
    fields = described_fields(call, TextChoice(text))
    types = polars_types()

    def source(
        wanted: list[str] | None, predicate: Any, n_rows: int | None, batch_size: int | None
    ) -> Iterator[polars.DataFrame]:
        names = None if wanted is None else {*wanted, *_names_in(predicate)}
        used = [field for field in fields if names is None or field.name in names]
        limit = n_rows if n_rows is not None else float("inf")
        table = Table(method, *args, **kwargs)
        chosen = partial(conformed_fields, call.operation, used)
        frames = _frames(table, chosen, batch_size or _BATCH_SIZE, limit)
        for frame in frames:
            # The limit is one of rows before they are filtered.
            found = frame if predicate is None else frame.filter(predicate)
            yield found if wanted is None else found.select(wanted)

    # By position, because older releases have another name for it.
    return plugins.register_io_source(
        source, schema={field.name: types[field.kind] for field in fields}
    )


def _frames(
    table: Table, fields_of: FieldsOf, batch_size: int, limit: float
) -> Iterator[polars.DataFrame]:
    if limit < 1:
        return
    with table:
        fields, batches = table.column_batches(fields_of, int(min(batch_size, limit)))
        for columns in batches:
            series = {field.name: each for field, each in zip(fields, columns, strict=True)}
            frame = polars_frame(series)
            yield frame if len(frame) <= limit else frame.head(int(limit))
            limit -= len(frame)
            if limit < 1:
                return


def _names_in(predicate: Any) -> list[str]:
    return [] if predicate is None else predicate.meta.root_names()
