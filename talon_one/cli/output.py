"""Data as tables, JSON, JSON lines, CSV and YAML; and the choice of columns."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from talon_one._schema import json_codec
from talon_one._utils.quoting import message_of, quoted
from talon_one._utils.suggest import did_you_mean
from talon_one.cli.escapes import printable_json
from talon_one.cli.failures import CommandFailed, ExitCode
from talon_one.exceptions import ApiValueError

if TYPE_CHECKING:
    from talon_one.cli.sinks import Sink

FORMATS = ("table", "json", "jsonl", "csv", "yaml")


class Layout(NamedTuple):
    """How data is written.

    Attributes:
        format: One of `FORMATS`; ``None`` for a table in a terminal, and JSON elsewhere.
        columns: Columns of tables and CSV; properties of objects in the other formats.
        query: Compiled JMESPath expression, or ``None``.
    """

    format: str | None
    columns: tuple[str, ...]
    query: Any


def output_options() -> list[click.Option]:
    """Return the options that decide how data is written."""
    return [
        click.Option(
            ["-o", "--output"],
            type=click.Choice(FORMATS),
            help="Format; by default a table in a terminal, and JSON elsewhere.",
        ),
        click.Option(
            ["--columns"],
            metavar="A,B,C.D",
            help="Properties to show, in this order; C.D is property D of property C.",
        ),
        click.Option(
            ["--query"], metavar="JMESPATH", help="Part of the data to show, as JMESPath."
        ),
        click.Option(
            ["--output-file"],
            metavar="FILE",
            help="File to write to; it appears when it is complete.",
        ),
    ]


def layout_of(output: str | None, columns: str | None, query: str | None) -> Layout:
    """Return the layout that options ask for.

    Raises:
        click.UsageError: The expression is not JMESPath, or a column has no name.
        ModuleNotFoundError: A package for this format is not installed.
    """
    names = tuple(each.strip() for each in columns.split(",")) if columns is not None else ()
    if not all(all(each.split(".")) for each in names):
        raise click.UsageError(f"--columns takes names with commas in between, not {columns!r}")
    if output == "yaml":
        _required("yaml", "PyYAML")
    return Layout(output, names, None if query is None else _compiled(query))


def check_columns(layout: Layout, known: Iterable[str]) -> None:
    """Check the columns against the properties that there are.

    Raises:
        click.UsageError: One of them is none.
    """
    names = list(dict.fromkeys(known))
    for column in layout.columns:
        first = column.partition(".")[0]
        if first not in names:
            hint = did_you_mean(first, names)
            known_ones = "" if hint else f" The columns are {', '.join(sorted(names))}."
            raise click.UsageError(f"--columns: there is no column {first!r}.{hint}{known_ones}")


def write(data: Any, layout: Layout, sink: Sink) -> None:
    """Write JSON data.

    Args:
        data: Data as `json` reads it, or an iterator over the items of a list.
        layout: How to write it.
        sink: Where to.

    Raises:
        CommandFailed: A function of the expression does not fit the data.
    """
    if layout.query is not None:
        data = _searched(layout.query, list(data) if isinstance(data, Iterator) else data)
    form = layout.format or ("table" if sink.is_terminal else "json")
    if layout.columns:
        if isinstance(data, (list, Iterator)):
            data = (_chosen(each, layout.columns) for each in data)
        else:
            data = _chosen(data, layout.columns)
    _WRITERS[form](data, layout.columns, sink)


def _chosen(item: Any, columns: Sequence[str]) -> dict[str, Any]:
    return {column: _found(item, column) for column in columns}


def _found(item: Any, column: str) -> Any:
    # A property may have a dot in its name, as attributes do.
    if isinstance(item, dict) and column in item:
        return item[column]
    for step in column.split("."):
        item = item.get(step) if isinstance(item, dict) else None
    return item


# -- JSON ------------------------------------------------------------------------------------------


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


_WRITERS: dict[str, Callable[[Any, Sequence[str], Sink], None]] = {
    "table": _write_table,
    "json": _write_json,
    "jsonl": _write_json_lines,
    "csv": _write_csv,
    "yaml": _write_yaml,
}


# -- JMESPath --------------------------------------------------------------------------------------


def _compiled(query: str) -> Any:
    jmespath = _required("jmespath", "jmespath")
    try:
        return jmespath.compile(query)
    except jmespath.exceptions.JMESPathError as cause:
        reason = message_of(cause)
        raise click.UsageError(f"--query {quoted(query)} is not JMESPath: {reason}") from cause


def _searched(query: Any, data: Any) -> Any:
    try:
        return query.search(data)
    except _required("jmespath", "jmespath").exceptions.JMESPathError as cause:
        # Too late for a usage error, because the request has been made.
        reason = f"--query does not fit the data: {message_of(cause)}"
        raise CommandFailed(reason, ExitCode.UNKNOWN) from cause


def _required(module: str, package: str) -> Any:
    from importlib import import_module

    try:
        return import_module(module)
    except ModuleNotFoundError as cause:
        if cause.name != module:
            raise
        message = f"this needs {package}: pip install {package}"
        raise ModuleNotFoundError(message, name=module) from cause
