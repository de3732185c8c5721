"""Data frames of pandas or polars: from and to tables. Both packages are optional."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from talon_one._core.operation import Column
from talon_one._schema.annotations import parse
from talon_one.exceptions import ApiTypeError
from talon_one.tables.cells import READERS, is_json, reader_for

if TYPE_CHECKING:
    import pandas
    import polars

_SLICE_SIZE = 10_000
_MAX_INTEGER = 2**63 - 1
_TYPES = {"int": int, "float": float, "bool": bool, "datetime": datetime}


class Series(NamedTuple):
    """One column of a frame."""

    kind: str
    """``int``, ``float``, ``bool``, ``str``, ``datetime`` (in UTC), ``naive`` (timestamps without a
    zone) or ``json`` (values of any kind)."""
    values: Sequence[Any]


def require(package: str) -> Any:
    """Import and return a package or one of its modules.

    Raises:
        ApiTypeError: It is not installed.
    """
    try:
        return import_module(package)
    except ImportError as cause:
        name = package.partition(".")[0]
        raise ApiTypeError(f"{name} is not installed: pip install {name}") from cause


class TextColumns:
    """Collects rows of text by column."""

    def __init__(self) -> None:
        self._texts: dict[str, list[str | None]] = {}
        self._count = 0

    def add(self, row: Mapping[str, str | None]) -> None:
        """Add a row of cells, which are text, or ``None`` if empty."""
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
        """Return the columns, each with a single type.

        A column that contains a value of another type stays text as a whole. The types of a frame
        are reliable this way, and no value is lost.

        Args:
            names: Columns to return even if no row has them.
            known: Columns in the description.
            decode_json: Decode JSON and split lists, rather than leave them as text.
        """
        empty: list[str | None] = [None] * self._count
        texts = {name: self._texts.get(name, empty) for name in names} | self._texts
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
    """Return a frame of pandas with nullable integers and booleans, and timestamps in UTC."""
    package = require("pandas")
    return package.DataFrame(
        {
            name: package.Series(column.values, dtype=_PANDAS[column.kind])
            for name, column in columns.items()
        }
    )


def polars_types() -> dict[str, Any]:
    """Return the type of polars for each kind of series, except JSON."""
    package = require("polars")
    return {
        "int": package.Int64,
        "float": package.Float64,
        "bool": package.Boolean,
        "datetime": package.Datetime("us", "UTC"),
        "naive": package.Datetime("us"),
        "str": package.String,
    }


def polars_frame(columns: Mapping[str, Series]) -> polars.DataFrame:
    """Return a frame of polars. Its columns must not contain decoded JSON."""
    package = require("polars")
    types = polars_types()
    return package.DataFrame(
        {
            name: package.Series(name, column.values, dtype=types[column.kind])
            for name, column in columns.items()
        }
    )


def rows_of_frame(source: object) -> Iterator[Mapping[str, Any]] | None:
    """Return the rows of a frame of pandas or polars; ``None`` if *source* is not a frame."""
    frame: Any = source
    # Check `columns` last: reading it may raise or warn on other objects.
    if hasattr(frame, "iter_rows") and hasattr(frame, "columns"):
        rows: Iterator[Mapping[str, Any]] = frame.iter_rows(named=True)
        return rows
    is_pandas = hasattr(frame, "iloc") and hasattr(frame, "columns")
    return _rows_of_pandas(frame) if is_pandas else None


def has_duplicate_columns(source: object) -> bool:
    """Return whether *source* is a frame of pandas in which columns share a name."""
    frame: Any = source
    return hasattr(frame, "iloc") and hasattr(frame, "columns") and not frame.columns.is_unique


def _rows_of_pandas(frame: Any) -> Iterator[Mapping[str, Any]]:
    # Python objects take far more memory than the frame, so convert a slice at a time.
    for begin in range(0, len(frame), _SLICE_SIZE):
        rows = frame.iloc[begin : begin + _SLICE_SIZE]
        yield from rows.to_dict("records")


def kind_of(column: Column | None) -> str:
    """Return the kind of the series of a column whose cells all fit; JSON and lists are text."""
    kind = "str" if column is None else parse(column.type).kind
    return kind if kind in _TYPES else "str"


def series_of(texts: Sequence[str | None], kind: str) -> Series | None:
    """Return cells as values of a kind; ``None`` if one of them is not of this kind.

    Args:
        texts: The cells; empty ones may be ``None`` or empty.
        kind: ``str``, ``int``, ``float``, ``bool`` or ``datetime``. The series of timestamps is
            ``naive`` if none of them has a zone.
    """
    if kind == "str":
        return Series("str", [text or None for text in texts])
    # Most columns have few different cells.
    distinct = list(set(texts))
    if 2 * len(distinct) > len(texts):
        return _converted(texts, kind)
    series = _converted(distinct, kind)
    if series is None:
        return None
    values = dict(zip(distinct, series.values, strict=True))
    return Series(series.kind, [values[text] for text in texts])


def _converted(texts: Sequence[str | None], kind: str) -> Series | None:
    read = READERS[kind]
    values = [read(text) if text else None for text in texts]
    found = {type(value) for value in values} - {type(None)}
    if found <= {_TYPES[kind]}:
        if kind == "datetime":
            return _timestamps(values)
        if kind != "int" or all(abs(each or 0) <= _MAX_INTEGER for each in values):
            return Series(kind, values)
    return None


def _typed(texts: list[str | None], column: Column | None, decode_json: bool) -> Series:
    if decode_json and column is not None and (column.separator or is_json(column)):
        read = reader_for(column)
        return Series("json", [read(text) if text else None for text in texts])
    return series_of(texts, kind_of(column)) or Series("str", texts)


def _timestamps(values: list[datetime | None]) -> Series | None:
    """Return timestamps as a series; ``None`` if only some of them have a zone."""
    zoned = {each.tzinfo is not None for each in values if each is not None}
    if zoned == {False}:
        return Series("naive", values)
    try:
        utc = [each and each.astimezone(timezone.utc) for each in values]
    except OverflowError:  # The last hours of the year 9999 in a zone west of Greenwich.
        return None
    return Series("datetime", utc) if zoned <= {True} else None
