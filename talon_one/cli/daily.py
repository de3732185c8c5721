"""What the commands for daily work share: the Application, their calls, and how to run again."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from talon_one._utils.quoting import quoted
from talon_one.cli.connecting import Connection, connected
from talon_one.cli.failures import CommandFailed, ExitCode
from talon_one.cli.naming import command_name
from talon_one.cli.output import Layout, check_columns, layout_of
from talon_one.cli.parameters import Integer, destination
from talon_one.cli.sinks import check_writable
from talon_one.exceptions import UnauthorizedException

if TYPE_CHECKING:
    from talon_one._core.operation import Operation

F = TypeVar("F", bound=Callable[..., Any])

_OUTPUT = {"output": None, "columns": None, "query": None, "output_file": None}
_UNUSED = {**_OUTPUT, "dry_run": False, "yes": True, "everything": False, "maximum": None}


def with_application(command: F) -> F:
    """Decorate the function of a command that is about an Application; see `application_of`."""
    return click.option(
        "--application",
        type=Integer(),
        metavar="ID",
        help="ID of the Application; by default that of the profile.",
    )(command)


def application_of(given: Mapping[str, Any]) -> int:
    """Return the ID of the Application that a command is about.

    Args:
        given: Values of the options of the command.

    Raises:
        CommandFailed: None is given, and none is set.
    """
    if given["application"] is not None:
        return int(given["application"])
    from talon_one._profiles.settings import resolve

    found = resolve(given["profile"], given["host"]).value("application_id")
    text = str(found or "")
    if not text.isdecimal():
        wrong = f"TALON_ONE_APPLICATION_ID is no ID: {text!r}" if text else "no Application is set"
        raise CommandFailed(
            f"{wrong}: talon-one config set application-id ID, or TALON_ONE_APPLICATION_ID, or"
            " --application",
            ExitCode.USAGE,
        )
    return int(text)


def operation_of(api: str, method: str) -> Operation:
    """Return an operation.

    Args:
        api: Name of its API, such as `management`.
        method: Name of its method.
    """
    found: Operation = getattr(import_module(f"talon_one.api.{api}_operations"), method)
    return found


def run_operation(api: str, method: str, given: Mapping[str, Any], **arguments: Any) -> int:
    """Do what the command of an operation does, and return the exit code.

    Args:
        api: Name of its API.
        method: Name of its method.
        given: Values of the options for output and connection.
        arguments: Arguments by Python name; the body as JSON text.
    """
    from talon_one.cli.calling import call

    named = {destination(name): value for name, value in arguments.items()}
    operation = operation_of(api, method)
    return call(operation, api, command_name(method), {**_UNUSED, **given, **named})


def with_table_columns(given: Mapping[str, Any], columns: str) -> dict[str, Any]:
    """Return the options for output, with columns that a table has if none are chosen."""
    form = given["output"]
    if form is None and given["output_file"] is None and sys.stdout is not None:
        form = "table" if sys.stdout.isatty() else None
    chosen = given["columns"] is not None or given["query"] is not None or form != "table"
    return dict(given) if chosen else {**given, "columns": columns}


def checked_layout(given: Mapping[str, Any], item: str) -> Layout:
    """Return how to write data, checked before anything is sent.

    Args:
        given: Values of the options for output.
        item: Name of the class of the data.

    Raises:
        click.UsageError: A column is no property of it, or the file cannot be written.
    """
    from talon_one import models
    from talon_one._schema.access import fields_by_wire_name

    layout = layout_of(given["output"], given["columns"], given["query"])
    if layout.columns and layout.query is None:
        check_columns(layout, fields_by_wire_name(getattr(models, item)))
    check_writable(given["output_file"])
    return layout


@contextmanager
def calls(given: Mapping[str, Any], *operations: Operation) -> Iterator[Connection]:
    """Yield the client of a command that makes several calls.

    Args:
        given: Values of the options for the connection.
        operations: Those that are called, which take the same keys.

    Raises:
        CommandFailed: The settings do not suffice, or the server refuses the key.
    """
    with connected(
        given["profile"],
        given["host"],
        given["timeout"],
        given["retries"],
        operations[0].security,
    ) as connection:
        try:
            yield connection
        except UnauthorizedException as cause:
            from talon_one.cli.calling import refused_key

            raise refused_key(cause, connection, operations[0]) from cause


def plain(value: Any) -> Any:
    """Return what a response, or a part of one, holds as JSON data."""
    # Help loads this module, and needs no models.
    from talon_one.cli import calling

    return calling.plain(value)


def plain_object(value: Any) -> dict[str, Any]:
    """Return an object of a response as JSON data.

    Raises:
        CommandFailed: It is none.
    """
    found = plain(value)
    if not isinstance(found, dict):
        raise CommandFailed(
            f"the response has {quoted(found)} where an object is expected", ExitCode.UNKNOWN
        )
    return found


def plain_items(response: Any) -> list[Any]:
    """Return the list `data` of a response as JSON data.

    Raises:
        CommandFailed: There is none.
    """
    found = plain_object(response).get("data")
    if not isinstance(found, list):
        raise CommandFailed(
            f"the response has {quoted(found)} where a list is expected", ExitCode.UNKNOWN
        )
    return found


def same_command(without: Collection[str] = (), **more: str) -> str:
    """Return the command line that is running, to be entered again.

    Args:
        without: Names of parameters to leave out.
        more: Options to add or replace, by name, with their values; empty for a flag.
    """
    context = click.get_current_context()
    words: list[str] = []
    operands: list[str] = []
    for parameter in context.command.params:
        name = str(parameter.name)
        value = context.params.get(name)
        if name in without or name in more or value is None:
            continue
        if isinstance(parameter, click.Argument):
            operands += [str(each) for each in (value if isinstance(value, tuple) else (value,))]
        elif context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            words += _option(parameter, value)
    for name, value in more.items():
        words += [f"--{name.replace('_', '-')}", *([value] if value else [])]
    if any(each.startswith("-") and each != "-" for each in operands):
        # Behind `--` nothing is an option.
        words, operands = [], [*words, "--", *operands]
    return " ".join([context.command_path, *map(shlex.quote, [*operands, *words])])


def _option(parameter: click.Parameter, value: Any) -> list[str]:
    name = max(parameter.opts, key=len)
    if isinstance(parameter, click.Option) and parameter.is_flag:
        return [name if value else max(parameter.secondary_opts, key=len)]
    values = value if isinstance(value, tuple) else (value,)
    return [word for each in values for word in (name, str(each))]
