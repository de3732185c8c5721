"""Columns of a data frame as rows of a bulk job: which types fit, and how batches are converted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import pyarrow as arrow
import pyarrow.compute as compute

from talon_one._schema.access import fields_by_wire_name
from talon_one._schema.annotations import parse
from talon_one._schema.model import Model
from talon_one._utils.quoting import quoted
from talon_one._utils.suggest import did_you_mean
from talon_one.exceptions import ApiTypeError, ApiValueError

Json = Any

_UNFIT = {
    "timestamp_ntz": 'has no time zone: .cast("timestamp") takes it in the time zone of the'
    " session",
    "date": 'is a date without a time: .cast("timestamp") makes it midnight in the time zone of the'
    ' session, and .cast("string") text',
    "binary": "is binary, and JSON has no such type: F.base64 makes it text",
}
# Types of columns by the kind of a property; others depend on the value.
_EXPECTED = {
    "str": ("string",),
    "Literal": ("string",),
    "bool": ("boolean",),
    "dict": ("struct", "map"),
    "Any": (),
}
_SIMPLE = frozenset(
    {"string", "boolean", "byte", "short", "integer", "long", "float", "double", "timestamp"}
    | {"void", "null"}
)
# The keys of an empty map without a type are void.
_KEYS = frozenset({"string", "void", "null"})
# RFC 3339 has the years 1 to 9999, in microseconds since 1970, and columns have more.
_FIRST_MOMENT = -62_135_596_800_000_000
_LAST_MOMENT = 253_402_300_799_999_999


def check_columns(schema: Mapping[str, Any], row: type[Model], purpose: str) -> None:
    """Check the columns of a data frame before anything is sent.

    Args:
        schema: Schema of the data frame, as ``StructType.jsonValue`` returns it.
        row: Model of a row.
        purpose: Name of the operation, for messages.

    Raises:
        ApiTypeError: A column is missing or unknown, or has a type that JSON does not have.
    """
    known = fields_by_wire_name(row)
    names = [field["name"] for field in schema["fields"]]
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            raise ApiTypeError(
                f"{purpose} has no column {name!r}.{hint} Put columns of your own into the struct"
                ' attributes: F.struct("tier", "city").alias("attributes")'
                if "attributes" in known
                else f"{purpose} has no column {name!r}.{hint}"
            )
    _check_unique(names, "columns of the data frame")
    missing = [name for name, each in known.items() if each.required and name not in names]
    if missing:
        raise ApiTypeError(f"{purpose} needs the column {', '.join(missing)}")
    for field in schema["fields"]:
        _check_type(field["type"], field["name"])
        given = field["type"] if isinstance(field["type"], str) else field["type"]["type"]
        expected = _EXPECTED.get(parse(known[field["name"]].annotation).kind)
        if expected and given not in expected and given not in ("void", "null"):
            raise ApiTypeError(
                f"the column {field['name']} of {purpose} is a {expected[0]}, not a {given}"
            )


def _check_type(kind: Any, path: str) -> None:
    if isinstance(kind, str):
        if kind in _SIMPLE or kind.startswith("decimal"):
            return
        reason = _UNFIT.get(kind, f"has the type {kind}, which JSON does not have")
        raise ApiTypeError(f"the column {path} {reason}")
    if kind["type"] == "struct":
        _check_unique([field["name"] for field in kind["fields"]], f"fields of the column {path}")
        for field in kind["fields"]:
            _check_type(field["type"], f"{path}.{field['name']}")
    elif kind["type"] == "array":
        _check_type(kind["elementType"], f"{path}[]")
    elif kind["type"] == "map":
        if kind["keyType"] not in _KEYS:
            raise ApiTypeError(
                f"the column {path} is a map with keys of the type {kind['keyType']}: the keys of"
                " JSON are text"
            )
        _check_type(kind["valueType"], f"{path}.*")
    else:
        raise ApiTypeError(f"the column {path} has a type of the application: cast it")


def _check_unique(names: list[str], what: str) -> None:
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ApiTypeError(f"two {what} have the same name, {quoted(twice)}")


def rows_of(batch: arrow.RecordBatch, *, send_nulls: bool) -> list[dict[str, Json]]:
    """Return the rows of a batch as JSON objects.

    Args:
        batch: Batch of the types that `check_columns` lets pass.
        send_nulls: Whether nulls of columns, fields and maps become JSON null rather than being
            left out. Those of lists always do, because the positions of a list matter.
    """
    names = batch.schema.names
    return _objects(names, list(batch.columns), len(batch), send_nulls)


def _objects(
    names: list[str], columns: list[arrow.Array], count: int, send_nulls: bool
) -> list[dict[str, Json]]:
    if not names:
        return [{} for _ in range(count)]
    values = [_values(column, send_nulls) for column in columns]
    # Nearly all columns either have no nulls or nothing else, and need no look at each value.
    if not send_nulls:
        full = [at for at, column in enumerate(columns) if len(column) > column.null_count]
        if len(full) < len(names):
            names, values = [names[at] for at in full], [values[at] for at in full]
            columns = [columns[at] for at in full]
            if not names:
                return [{} for _ in range(count)]
        if any(column.null_count for column in columns):
            return [
                {name: value for name, value in zip(names, row, strict=True) if value is not None}
                for row in zip(*values, strict=True)
            ]
    return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]


def _values(column: arrow.Array, send_nulls: bool) -> list[Json]:
    """Return the values of a column as JSON data; decimals stay as they are."""
    convert = _CONVERTERS.get(column.type.id)
    if convert is None:
        values: list[Json] = column.to_pylist()
        return values
    values = convert(column, send_nulls)
    if column.null_count and convert is not _timestamps:
        valid = column.is_valid().to_pylist()
        return [value if here else None for value, here in zip(values, valid, strict=True)]
    return values


def _structs(column: Any, send_nulls: bool) -> list[Json]:
    names = [column.type.field(at).name for at in range(column.type.num_fields)]
    fields = [column.field(at) for at in range(column.type.num_fields)]
    return _objects(names, fields, len(column), send_nulls)


def _lists(column: Any, send_nulls: bool) -> list[Json]:
    items = _values(column.values, send_nulls)
    ends = column.offsets.to_pylist()
    return [items[begin:end] for begin, end in pairwise(ends)]


def _maps(column: Any, send_nulls: bool) -> list[Json]:
    keys = column.keys.to_pylist()
    items = _values(column.items, send_nulls)
    ends = column.offsets.to_pylist()
    rows = (zip(keys[begin:end], items[begin:end], strict=True) for begin, end in pairwise(ends))
    if send_nulls:
        return [dict(row) for row in rows]
    return [{key: value for key, value in row if value is not None} for row in rows]


def _timestamps(column: Any, send_nulls: bool) -> list[Json]:
    # The same moments, without the zone that Spark gives all columns of a session.
    instants = column.cast(arrow.timestamp("us", "UTC")).view(arrow.int64())
    odd = compute.or_(
        compute.less(instants, _FIRST_MOMENT), compute.greater(instants, _LAST_MOMENT)
    )
    moments = compute.if_else(odd, None, instants).cast(arrow.timestamp("us"))
    texts = compute.strftime(moments, format="%Y-%m-%dT%H:%M:%SZ")
    values: list[Json] = compute.replace_substring(texts, ".000000Z", "Z").to_pylist()
    for index in compute.indices_nonzero(odd).to_pylist():
        values[index] = _OddMoment(instants[index].as_py())
    return values


class _OddMoment:
    """A timestamp that JSON does not have. It fails its row, and no other, once that is encoded.

    Args:
        instant: Microseconds since 1970.
    """

    def __init__(self, instant: int) -> None:
        self._instant = instant

    def __repr__(self) -> str:
        return f"{self._instant} microseconds since 1970"

    def __wire__(self) -> Json:
        raise ApiValueError(f"a timestamp has a year from 1 to 9999, which {self!r} has not")


def _floats(column: Any, send_nulls: bool) -> list[Json]:
    # The shortest digits that stand for the number, as Spark prints it: 0.1, and not
    # 0.10000000149011612, which is the same number in 64 bits.
    values: list[Json] = column.cast(arrow.string()).cast(arrow.float64()).to_pylist()
    return values


_CONVERTERS: Mapping[int, Callable[[Any, bool], list[Json]]] = {
    arrow.struct([]).id: _structs,
    arrow.list_(arrow.null()).id: _lists,
    arrow.large_list(arrow.null()).id: _lists,
    arrow.map_(arrow.string(), arrow.null()).id: _maps,
    arrow.timestamp("us").id: _timestamps,
    arrow.float32().id: _floats,
}


# -- Reading ---------------------------------------------------------------------------------------

_DDL: Mapping[arrow.DataType, str] = {
    arrow.string(): "string",
    arrow.int64(): "bigint",
    arrow.float64(): "double",
    arrow.bool_(): "boolean",
    arrow.timestamp("us", "UTC"): "timestamp",
    arrow.timestamp("us"): "timestamp_ntz",
}
_ARROW = {name: kind for kind, name in _DDL.items()} | {"long": arrow.int64()}


def ddl_of(schema: arrow.Schema) -> str:
    """Return the columns of a schema in the language of Spark."""
    return ", ".join(f"`{field.name}` {_DDL[field.type]}" for field in schema)


def arrow_schema_of(schema: Mapping[str, Any]) -> arrow.Schema:
    """Return the schema of record batches for one of Spark.

    Args:
        schema: Columns to read, as ``StructType.jsonValue`` returns them.

    Raises:
        ApiTypeError: A column has a type that is not read.
    """
    # Spark finds columns in any case.
    _check_unique([field["name"].lower() for field in schema["fields"]], "columns to read")
    for field in schema["fields"]:
        if not isinstance(field["type"], str) or field["type"] not in _ARROW:
            known = ", ".join(_DDL.values())
            raise ApiTypeError(
                f"the column {field['name']} is read as one of {known}: cast it afterwards"
            )
    return arrow.schema([(field["name"], _ARROW[field["type"]]) for field in schema["fields"]])


def check_nulls(batch: arrow.RecordBatch, schema: Mapping[str, Any]) -> None:
    """Check that no column has nulls that the schema excludes: Spark would not say which one.

    Raises:
        ApiValueError: One has.
    """
    for field, column in zip(schema["fields"], batch.columns, strict=True):
        if column.null_count and not field["nullable"]:
            raise ApiValueError(
                f"the column {field['name']} is NOT NULL in the schema, and some rows have no value"
            )
