"""One command for each operation of both APIs, built from its `Operation` when it is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

import click

from talon_one._core.operation import Operation
from talon_one._utils.suggest import did_you_mean
from talon_one.cli.connecting import connection_options
from talon_one.cli.lazy import Suggesting
from talon_one.cli.naming import command_name
from talon_one.cli.output import output_options
from talon_one.cli.parameters import asks_first, deprecation, destination, parameters_of

FILE_ARGUMENT = "FILE"

_DRY_RUN = click.Option(
    ["--dry-run"],
    is_flag=True,
    help="Print the request, with its key masked, and send nothing.",
)


class ApiGroup(Suggesting):
    """The commands of an API, listed by group of the platform.

    Args:
        name: Name of the group of commands, and of the modules of the API.
        other: Name of the group of the other API.
    """

    def __init__(self, name: str, other: str) -> None:
        title = f"{name.capitalize()} API"
        help = (
            f"Call an operation of the {title}.\n\nThe commands are the methods of"
            f" {name.capitalize()}Api. See talon-one {name} COMMAND --help."
        )
        super().__init__(name, help=help, subcommand_metavar="COMMAND [ARGS]...")
        self._other = other

    @property
    def texts(self) -> ModuleType:
        """What the help says of the operations."""
        return texts_of(str(self.name))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, by group of the platform."""
        return [name for group in self.texts.SUMMARIES.values() for name in group]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of an operation, if there is one with this name."""
        operation = self._operation(cmd_name)
        if operation is None:
            return None
        return OperationCommand(operation, str(self.name), cmd_name, self.texts)

    def _operation(self, name: str) -> Operation | None:
        if name not in self.texts.DESCRIPTIONS:
            return None
        module = import_module(f"talon_one.api.{self.name}_operations")
        operation: Operation = getattr(module, name.replace("-", "_"))
        return operation

    def hint(self, ctx: click.Context, name: str) -> str:
        """Return what a misspelled name may mean, in this API or in the other one."""
        # `get_coupons` and `getCoupons` are what the operation is called elsewhere.
        bare = name.replace("-", "_")
        commands = {each.replace("-", "_"): each for each in self.list_commands(ctx)}
        found = did_you_mean(bare, commands)
        if bare not in commands:
            others = {each.replace("-", "_") for each in texts_of(self._other).DESCRIPTIONS}
            elsewhere = did_you_mean(bare, others)
            nearest = elsewhere.partition("'")[2].partition("'")[0]
            if nearest.replace("_", "").lower() == bare.replace("_", "").lower():
                command = command_name(nearest)
                return f" Did you mean 'talon-one {self._other} {command}'?"
        return found.replace("_", "-")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by group, without building them."""
        for title, group in self.texts.SUMMARIES.items():
            with formatter.section(title):
                formatter.write_dl(list(group.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Complete the name of a command, without building it."""
        from click.shell_completion import CompletionItem

        found = [
            CompletionItem(name, help=summary)
            for group in self.texts.SUMMARIES.values()
            for name, summary in group.items()
            if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]


def texts_of(api: str) -> ModuleType:
    """Return the module with the help texts of an API."""
    return import_module(f"talon_one.cli.texts.{api}")


integration = ApiGroup("integration", "management")
management = ApiGroup("management", "integration")


class OperationCommand(click.Command):
    """The command of an operation.

    Args:
        operation: The operation.
        api: Name of its API, such as `management`.
        name: Name of the command.
        texts: Module with its help texts.
    """

    def __init__(self, operation: Operation, api: str, name: str, texts: ModuleType) -> None:
        self.operation = operation
        self.api = api
        self.texts: Mapping[str, str] = texts.ARGUMENTS[name]
        summary = next(each[name] for each in texts.SUMMARIES.values() if name in each)
        self.own = parameters_of(operation, self.texts)
        self.request = _request_options(operation, self.texts)
        self.output = [*output_options(), *(_paging_options() if operation.paging else ())]
        self.connection = connection_options()
        super().__init__(
            name,
            params=[*self.own, *self.request, *self.output, *self.connection],
            help=f"{summary}\n\n{texts.DESCRIPTIONS[name]}",
            short_help=summary,
            epilog=_request_line(operation),
        )

    def invoke(self, ctx: click.Context) -> Any:
        """Make the call."""
        from talon_one.cli.calling import call

        return call(self.operation, self.api, str(self.name), ctx.params)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the arguments, and the options by what they are for."""
        arguments = [
            (str(each.metavar), text)
            for each in self.own + self.request
            if isinstance(each, click.Argument)
            for text in [self.texts.get(str(each.name).removeprefix(destination("")), "")]
        ]
        _write(formatter, "Arguments", arguments)
        own = [each for each in self.own if isinstance(each, click.Option)]
        _write(formatter, "Options", _records(own, ctx))
        _write(formatter, "Request", _records(self.request, ctx))
        _write(formatter, "Output", _records(self.output, ctx))
        help_option = self.get_help_option(ctx)
        settings = [*self.connection, *([help_option] if help_option else [])]
        _write(formatter, "Settings", _records(settings, ctx))


def _records(options: Sequence[click.Parameter], ctx: click.Context) -> list[tuple[str, str]]:
    return [record for each in options if (record := each.get_help_record(ctx))]


def _write(formatter: click.HelpFormatter, title: str, records: list[tuple[str, str]]) -> None:
    if records:
        with formatter.section(title):
            formatter.write_dl(records)


def _request_options(operation: Operation, texts: Mapping[str, str]) -> list[click.Parameter]:
    found: list[click.Parameter] = []
    if operation.upload is not None:
        found.append(
            click.Argument(
                [destination(operation.upload.name)],
                metavar=FILE_ARGUMENT,
                required=operation.upload.required,
                type=click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True),
            )
        )
    if operation.body is not None:
        # Whether it is missing is decided later, so that the message can say more.
        text = f"{texts['body']} JSON ({operation.body.type}), @FILE, or - for standard input."
        found.append(
            click.Option(["-d", "--data", destination("body")], metavar="JSON|@FILE|-", help=text)
        )
    if asks_first(operation):
        found.append(
            click.Option(["-y", "--yes"], is_flag=True, help="Delete without asking first.")
        )
    return [*found, _DRY_RUN]


def common_options() -> list[click.Option]:
    """Return the options that operations have beside their own."""
    return [_DRY_RUN, *output_options(), *_paging_options(), *connection_options()]


def _paging_options() -> list[click.Option]:
    return [
        click.Option(["--all", "everything"], is_flag=True, help="All items, page by page."),
        click.Option(
            ["--limit", "maximum"],
            type=click.IntRange(min=1),
            metavar="N",
            help="At most N items, page by page.",
        ),
    ]


def _request_line(operation: Operation) -> str:
    line = f"Sends {operation.method} {operation.path}"
    return f"{line}\n\nNote: {deprecation(operation)}." if operation.deprecated else line
