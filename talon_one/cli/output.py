"""What is written: the options for it, the choice of columns, and JMESPath."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from talon_one._utils.quoting import message_of, quoted
from talon_one._utils.suggest import did_you_mean
from talon_one.cli.failures import CommandFailed, ExitCode

if TYPE_CHECKING:
    from talon_one.cli.sinks import Sink

F = TypeVar("F", bound=Callable[..., Any])

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


_OPTIONS: dict[tuple[str, ...], dict[str, Any]] = {
    ("-o", "--output"): {
        "type": click.Choice(FORMATS),
        "help": "Format; by default a table in a terminal, and JSON elsewhere.",
    },
    ("--columns",): {
        "metavar": "A,B,C.D",
        "help": "Properties to show, in this order; C.D is property D of property C.",
    },
    ("--query",): {"metavar": "JMESPATH", "help": "Part of the data to show, as JMESPath."},
    ("--output-file",): {
        "metavar": "FILE",
        "help": "File to write to; it appears when it is complete.",
    },
}


def output_options() -> list[click.Option]:
    """Return the options that decide how data is written."""
    return [click.Option(list(names), **settings) for names, settings in _OPTIONS.items()]


def with_output(command: F) -> F:
    """Decorate the function of a command that writes data; see `layout_of`."""
    for names, settings in reversed(_OPTIONS.items()):
        command = click.option(*names, **settings)(command)
    return command


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
    # Help needs none of this, and most commands one of the writers.
    from talon_one.cli.writers import WRITERS

    if layout.query is not None:
        data = _searched(layout.query, list(data) if isinstance(data, Iterator) else data)
    form = layout.format or ("table" if sink.is_terminal else "json")
    if layout.columns:
        if isinstance(data, (list, Iterator)):
            data = (_chosen(each, layout.columns) for each in data)
        else:
            data = _chosen(data, layout.columns)
    WRITERS[form](data, layout.columns, sink)


def _chosen(item: Any, columns: Sequence[str]) -> dict[str, Any]:
    return {column: _found(item, column) for column in columns}


def _found(item: Any, column: str) -> Any:
    # A property may have a dot in its name, as attributes do.
    if isinstance(item, dict) and column in item:
        return item[column]
    for step in column.split("."):
        item = item.get(step) if isinstance(item, dict) else None
    return item


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
