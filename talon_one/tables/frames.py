"""Tables as data frames of pandas or polars, and back; neither is needed for anything else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from talon_one._core.operation import Column
from talon_one._schema.annotations import parse
from talon_one.exceptions import ApiTypeError
from talon_one.tables.cells import reader_for

if TYPE_CHECKING:
    import pandas
    import polars

_ROWS_AT_ONCE = 10_000
_LARGEST = 2**63 - 1
_TYPES = {"int": int, "float": float, "bool": bool, "datetime": datetime}


class Series(NamedTuple):
    """One column of a frame."""

    kind: str
    """``int``, ``float``, ``bool``, ``str``, ``datetime`` (in UTC), ``naive`` (timestamps without a
    zone) or ``json`` (values of any kind)."""
    values: Sequence[Any]


def require(package: str) -> Any:
    """Return a package that is needed now.

    Raises:
        ApiTypeError: It is not installed.
    """
    try:
        return import_module(package)
    except ImportError as cause:
        raise ApiTypeError(f"{package} is not installed: pip install {package}") from cause


class TextColumns:
    """Gathers rows of texts by columns."""

    def __init__(self) -> None:
        self._texts: dict[str, list[str | None]] = {}
        self._count = 0

    def add(self, row: Mapping[str, str | None]) -> None:
        """Add one row, whose cells are text, or ``None`` if empty."""
        for name, value in row.items():
            if name not in self._texts:
                self._texts[name] = [None] * self._count
            self._texts[name].append(value)
        self._count += 1
        if len(row) < len(self._texts):
            for column in self._texts.values():
                column += [None] * (self._count - len(column))

    def series(
        self, names: Iterable[str], known: Sequence[Column], decode_json: bool
    ) -> dict[str, Series]:
        """Return the columns, each of one type.

        A column with a value that is not of its type stays text, every value as it came: so a frame
        has types to rely on, and no value is lost.

        Args:
            names: Columns that there are even if no row has them.
            known: The columns that the description knows.
            decode_json: Decode JSON and part lists, rather than leave them as text.
        """
        nothing: list[str | None] = [None] * self._count
        texts = {name: self._texts.get(name, nothing) for name in names} | self._texts
        by_name = {each.name.lower(): each for each in known}
        return {
            name: _typed(values, by_name.get(name.lower()), decode_json)
            for name, values in texts.items()
        }


_PANDAS = {
    "str": "string",
    "int": "Int64",
    "float": "float64",
    "bool": "boolean",
    "datetime": "datetime64[us, UTC]",
    "naive": "datetime64[us]",
    "json": "object",
}


def pandas_frame(columns: Mapping[str, Series]) -> pandas.DataFrame:
    """Return a frame of pandas: nullable integers and booleans, timestamps in UTC."""
    package = require("pandas")
    return package.DataFrame(
        {
            name: package.Series(column.values, dtype=_PANDAS[column.kind])
            for name, column in columns.items()
        }
    )


def polars_frame(columns: Mapping[str, Series]) -> polars.DataFrame:
    """Return a frame of polars, of columns without decoded JSON."""
    package = require("polars")
    types = {
        "int": package.Int64,
        "float": package.Float64,
        "bool": package.Boolean,
        "datetime": package.Datetime("us", "UTC"),
        "naive": package.Datetime("us"),
        "str": package.String,
    }
    return package.DataFrame(
        {
            name: package.Series(name, column.values, dtype=types[column.kind])
            for name, column in columns.items()
        }
    )


def rows_of_frame(source: object) -> Iterator[Mapping[str, Any]] | None:
    """Return the rows of a frame of pandas or polars; ``None`` if *source* is none."""
    frame: Any = source
    # In this order, since other objects do not like to be asked for their columns.
    if hasattr(frame, "iter_rows") and hasattr(frame, "columns"):
        rows: Iterator[Mapping[str, Any]] = frame.iter_rows(named=True)
        return rows
    is_pandas = hasattr(frame, "iloc") and hasattr(frame, "columns")
    return _rows_of_pandas(frame) if is_pandas else None


def repeats_columns(source: object) -> bool:
    """Say whether this is a frame of pandas in which columns share a name, and rows one value."""
    frame: Any = source
    return hasattr(frame, "iloc") and hasattr(frame, "columns") and not frame.columns.is_unique


def _rows_of_pandas(frame: Any) -> Iterator[Mapping[str, Any]]:
    # A piece at a time, because a copy with Python objects takes far more memory than the frame.
    for begin in range(0, len(frame), _ROWS_AT_ONCE):
        piece = frame.iloc[begin : begin + _ROWS_AT_ONCE]
        yield from piece.to_dict("records")


def _typed(texts: list[str | None], column: Column | None, decode_json: bool) -> Series:
    kind = "str" if column is None else parse(column.type).kind
    has_json = kind in ("dict", "list", "Any")
    if kind in ("str", "Literal") or (has_json and not decode_json):
        return Series("str", texts)
    read = reader_for(column)
    values = [read(text) if text else None for text in texts]
    if has_json:
        return Series("json", values)
    found = {type(value) for value in values} - {type(None)}
    if found <= {_TYPES[kind]}:
        if kind == "datetime":
            return _moments(values) or Series("str", texts)
        if kind != "int" or all(abs(each or 0) <= _LARGEST for each in values):
            return Series(kind, values)
    return Series("str", texts)


def _moments(values: list[datetime | None]) -> Series | None:
    """Return timestamps as a series, if all of them have a zone, or none has."""
    zoned = {each.tzinfo is not None for each in values if each is not None}
    if zoned == {False}:
        return Series("naive", values)
    try:
        utc = [each and each.astimezone(timezone.utc) for each in values]
    except OverflowError:  # The last hours of the year 9999, west of Greenwich.
        return None
    return Series("datetime", utc) if zoned <= {True} else None
