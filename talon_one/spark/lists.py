"""Items of a list as record batches: scalar properties as columns, everything else as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timezone
from itertools import islice
from typing import Any

import pyarrow as arrow

from talon_one._core.operation import Operation
from talon_one._schema import json_codec
from talon_one._schema.access import data_of, fields_by_wire_name
from talon_one._schema.annotations import parse
from talon_one._schema.conversion import model_class
from talon_one._schema.dates import read_datetime
from talon_one._schema.fields import NestedField
from talon_one._utils.quoting import quoted
from talon_one._utils.suggest import did_you_mean
from talon_one.exceptions import ApiTypeError, ApiValueError

VALUE = "value"
"""Column of a list whose items are text."""


def schema_of_list(operation: Operation, text: tuple[str, ...] | bool) -> arrow.Schema:
    """Return the columns of a list, from the description of its items.

    Args:
        operation: Operation that returns the list.
        text: Columns to keep as text; all if ``True``.

    Raises:
        ApiTypeError: It returns no list.
        ApiValueError: A column to keep as text does not exist.
    """
    paging, returned = operation.paging, operation.result_type(200)
    response = model_class(returned, operation.models) if returned is not None else None
    if paging is None or response is None:
        raise ApiTypeError(f"{operation.id} returns no list")
    declared = fields_by_wire_name(response)[paging.items]
    if not isinstance(declared, NestedField):
        return arrow.schema([(VALUE, arrow.string())])
    kinds = {
        name: parse(each.annotation).kind
        for name, each in fields_by_wire_name(declared.target).items()
    }
    for name in () if isinstance(text, bool) else text:
        if name not in kinds:
            raise ApiValueError(f"{operation.id} has no column {quoted(name)}")

    def type_of(name: str, kind: str) -> arrow.DataType:
        as_text = text is True or (text and name in text)
        return arrow.string() if as_text else _TYPES.get(kind, arrow.string())

    return arrow.schema([(name, type_of(name, kind)) for name, kind in kinds.items()])


def check_list_schema(schema: arrow.Schema, described: arrow.Schema) -> None:
    """Check the columns that are to be read of a list.

    Raises:
        ApiTypeError: One does not exist, or has another type than text or that of its description.
    """
    for field in schema:
        if field.name not in described.names:
            hint = did_you_mean(field.name, described.names)
            raise ApiTypeError(f"the list has no column {quoted(field.name)}.{hint}")
        known = described.field(field.name).type
        if field.type not in (known, arrow.string()):
            raise ApiTypeError(f"the column {field.name} of the list is a {known}, or text")


def rows_of_list(
    items: Iterable[Any], schema: arrow.Schema, batch_size: int, *, of_text: bool
) -> Iterator[arrow.RecordBatch]:
    """Yield the items of a list as record batches with a schema.

    Args:
        items: The items.
        schema: Columns to read.
        batch_size: How many items a batch has at most.
        of_text: Whether the items are text rather than objects.

    Raises:
        ApiValueError: A value does not fit its column.
    """
    rows = iter(items)
    while batch := [_object(item, of_text) for item in islice(rows, batch_size)]:
        columns = [
            arrow.array([_value(row, field, row.get(field.name)) for row in batch], field.type)
            for field in schema
        ]
        yield arrow.record_batch(columns, schema=schema)


def _object(item: Any, of_text: bool) -> dict[str, Any]:
    data = data_of(item)
    if of_text:
        return {VALUE: data}
    if isinstance(data, dict):
        return data
    raise ApiValueError(f"an item of the list is {quoted(data)}, not an object")


def _value(row: dict[str, Any], field: arrow.Field, value: Any) -> Any:
    if value is None:
        return None
    if field.type == arrow.string():
        text = value if isinstance(value, str) else json_codec.encode(value).decode()
        if not text.isascii() and _SURROGATE.search(text):
            raise ApiValueError(
                f"{field.name} of the item {quoted(row.get('id'))} is {quoted(value)}, which no"
                " column can hold: read the other columns with a schema"
            )
        return text
    if field.type == arrow.float64() and type(value) is int and abs(value) <= _MAX_EXACT_INTEGER:
        return float(value)
    fits = type(value) is _PYTHON[field.type]
    if field.type == _MOMENT and isinstance(value, str):
        value = read_datetime(value)
        with suppress(OverflowError):  # Its year in UTC is 0 or 10000.
            if isinstance(value, datetime) and value.tzinfo is not None:
                value = value.astimezone(timezone.utc)
                fits = True
    if not fits or (type(value) is int and not -(2**63) <= value < 2**63):
        raise ApiValueError(
            f"{field.name} of the item {quoted(row.get('id'))} is {quoted(value)}, not of the type"
            f' {field.type}: .option("text", "{field.name}") reads the column as text'
        )
    return value


_MAX_EXACT_INTEGER = 2**53
_SURROGATE = re.compile("[\\ud800-\\udfff]")
_MOMENT = arrow.timestamp("us", "UTC")
_TYPES = {
    "int": arrow.int64(),
    "float": arrow.float64(),
    "bool": arrow.bool_(),
    "datetime": _MOMENT,
}
_PYTHON = {arrow.int64(): int, arrow.float64(): float, arrow.bool_(): bool, _MOMENT: datetime}
