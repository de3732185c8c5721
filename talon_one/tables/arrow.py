"""Exports as record batches of Apache Arrow, with one schema that is known before the first row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiTypeError
from talon_one.pagination.time_filter import CallArguments
from talon_one.tables.batches import Field, Text, TextChoice, described_fields
from talon_one.tables.frames import Series, require
from talon_one.tables.methods import export_operation

if TYPE_CHECKING:
    import pyarrow


def arrow_schema(
    method: Callable[..., Any], /, *args: Any, text: Text = (), **kwargs: Any
) -> pyarrow.Schema:
    """Return the columns that the description of an export has, as a schema; makes no call.

    A server may leave columns out or add others, so the batches of `Table.record_batches` have the
    columns of their file instead.

    Args:
        method: Method of an API, such as ``management.export_coupons``.
        args: Arguments of the call; none is needed.
        text: Names of columns to keep as text, or ``True`` for all.
        kwargs: Its keyword arguments. With ``date_format="excel"``, timestamps have no zone.

    Raises:
        ApiTypeError: *method* exports no table, or has no such parameter. Or pyarrow is not
            installed.
        ApiValueError: A column to keep as text does not exist.
    """
    call = CallArguments(export_operation(method), args, kwargs)
    return schema_of(described_fields(call, TextChoice(text)))


def reader_of(
    fields: Sequence[Field], batches: Iterator[list[Series]], schema: pyarrow.Schema | None
) -> pyarrow.RecordBatchReader:
    """Return batches of columns as a reader of record batches.

    Args:
        fields: The columns of each batch.
        batches: The batches.
        schema: Their schema, if it is known.
    """
    schema = schema_of(fields) if schema is None else schema
    converted = (_record_batch(columns, schema) for columns in batches)
    return require("pyarrow").RecordBatchReader.from_batches(schema, converted)


def schema_of(fields: Sequence[Field]) -> pyarrow.Schema:
    """Return the schema of batches with these columns."""
    types = _types()
    return require("pyarrow").schema([(field.name, types[field.kind]) for field in fields])


def record_batches(
    batches: Iterable[list[Series]], schema: pyarrow.Schema
) -> list[pyarrow.RecordBatch]:
    """Return batches of columns as record batches."""
    return [_record_batch(columns, schema) for columns in batches]


def _record_batch(columns: Sequence[Series], schema: pyarrow.Schema) -> pyarrow.RecordBatch:
    package = require("pyarrow")
    arrays = [
        package.array(column.values, type=field.type)
        for column, field in zip(columns, schema, strict=True)
    ]
    return package.record_batch(arrays, schema=schema)


def fields_of(schema: pyarrow.Schema) -> list[Field]:
    """Return the columns of batches that have this schema.

    Raises:
        ApiTypeError: It has no column, or one of a type that no column of a table has.
    """
    if not isinstance(schema, require("pyarrow").Schema):
        raise ApiTypeError(f"schema is a pyarrow.Schema, not {quoted(schema)}")
    kinds = {type: kind for kind, type in _types().items()}
    for each in schema:
        if each.type not in kinds or not each.nullable:
            types = ", ".join(map(str, kinds))
            raise ApiTypeError(
                f"columns of a table are nullable, and one of {types};"
                f" the schema has {quoted(str(each))}"
            )
    if not len(schema):
        raise ApiTypeError("the schema has no columns")
    return [Field(each.name, kinds[each.type]) for each in schema]


def _types() -> dict[str, Any]:
    """Return the type of Arrow for each kind of series."""
    package = require("pyarrow")
    return {
        "str": package.string(),
        "int": package.int64(),
        "float": package.float64(),
        "bool": package.bool_(),
        "datetime": package.timestamp("us", tz="UTC"),
        "naive": package.timestamp("us"),
    }
