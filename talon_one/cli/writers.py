"""Data as tables, JSON, JSON lines, CSV and YAML."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from talon_one._schema import json_codec
from talon_one.cli.escapes import printable_json
from talon_one.cli.failures import CommandFailed, ExitCode
from talon_one.exceptions import ApiValueError

if TYPE_CHECKING:
    from talon_one.cli.sinks import Sink


def _write_json(data: Any, columns: Sequence[str], sink: Sink) -> None:
    if not isinstance(data, Iterator):
        sink.write(_json(data, 2) + "\n")
        return
    opening = "["
    for item in data:
        indented = _json(item, 2).replace("\n", "\n  ")
        sink.write(f"{opening}\n  {indented}")
        opening = ","
    sink.write("[]\n" if opening == "[" else "\n]\n")


def _write_json_lines(data: Any, columns: Sequence[str], sink: Sink) -> None:
    for item in _items(data):
        sink.write(_json(item) + "\n")


def _json(value: Any, indent: int | None = None) -> str:
    return printable_json(_json_text(value, indent))


def _json_text(value: Any, indent: int | None) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False)
    except (ValueError, RecursionError):
        # A number beyond floats, or data nested more deeply than Python writes. The codec of the
        # package writes both, and never indents.
        with suppress(ApiValueError):
            return json_codec.encode(value).decode("utf-8", "surrogatepass")
    # Only NaN is left: JSON does not have it, but a server may send it.
    return json.dumps(value, ensure_ascii=False)


def _write_yaml(data: Any, columns: Sequence[str], sink: Sink) -> None:
    import yaml

    data = list(data) if isinstance(data, Iterator) else data
    try:
        # YAML knows plain types only, and a number beyond floats has a type of its own.
        text = yaml.safe_dump(
            json.loads(_json_text(data, None)), sort_keys=False, allow_unicode=True
        )
    except (RecursionError, ValueError) as cause:
        reason = "it is nested too deeply, or has a number with too many digits"
        raise CommandFailed(
            f"YAML cannot hold this data: {reason}; use -o json", ExitCode.UNKNOWN
        ) from cause
    sink.write(text)


# -- Rows ------------------------------------------------------------------------------------------


def _items(data: Any) -> Iterator[Any]:
    return iter(data) if isinstance(data, (list, Iterator)) else iter((data,))


def _rows(data: Any) -> Iterator[dict[str, Any]]:
    return (each if isinstance(each, dict) else {"value": each} for each in _items(data))


def _write_csv(data: Any, columns: Sequence[str], sink: Sink) -> None:
    rows: Iterable[dict[str, Any]] = _rows(data)
    if not columns:
        rows = list(rows)
        columns = _columns_of(rows)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    if columns:
        writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
        if buffer.tell() > _BUFFERED:
            _move(buffer, sink)
    _move(buffer, sink)


_BUFFERED = 2**16


def _move(buffer: io.StringIO, sink: Sink) -> None:
    sink.write(buffer.getvalue())
    buffer.seek(0)
    buffer.truncate()


def _write_table(data: Any, columns: Sequence[str], sink: Sink) -> None:
    from talon_one.cli.screen import write_table

    if isinstance(data, (list, Iterator)):
        rows = list(_rows(data))
        chosen = columns or _columns_of(rows)
        cells = [[_cell(row.get(column)) for column in chosen] for row in rows]
        write_table(chosen, cells, sink, all_columns=bool(columns))
    elif isinstance(data, dict):
        pairs = [[name, _cell(value)] for name, value in data.items()]
        write_table(("Property", "Value"), pairs, sink, all_columns=True)
    else:
        sink.write(_cell(data) + "\n")


def _columns_of(rows: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    """Return all properties of rows, in the order of their first appearance."""
    return tuple(dict.fromkeys(name for row in rows for name in row))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else _json_text(value, None)


WRITERS: dict[str, Callable[[Any, Sequence[str], Sink], None]] = {
    "table": _write_table,
    "json": _write_json,
    "jsonl": _write_json_lines,
    "csv": _write_csv,
    "yaml": _write_yaml,
}
"""A function for each format; it takes the data, the columns, and where to write."""
