"""The commands of `talon-one` that are written by hand, as facts for their page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from codegen import ir
from talon_one.cli.naming import argument_name, command_name, option_name

if TYPE_CHECKING:
    import click


@dataclass(frozen=True)
class Command:
    """A command.

    Attributes:
        path: How it is called, such as ``talon-one config set``.
        arguments: Its arguments, as they stand behind the path.
        paragraphs: What its help says.
        options: Its options with their help.
    """

    path: str
    arguments: str
    paragraphs: tuple[str, ...]
    options: tuple[tuple[str, str], ...]


def commands() -> list[Command]:
    """Return all commands but those of operations, in the order of the help."""
    from talon_one.cli.commands import SECTIONS

    return [
        found
        for section in SECTIONS.values()
        for name, entry in section.items()
        for found in _commands(entry.load(), f"talon-one {name}")
    ]


def common_options() -> list[tuple[str, str]]:
    """Return the options that all operations have."""
    from talon_one.cli import operations

    return list(_options(operations.common_options()))


def exit_codes() -> list[tuple[int, str]]:
    """Return the exit codes with their meanings."""
    from talon_one.cli.commands import EXIT_CODES

    return [(int(code), text) for code, text in EXIT_CODES.items()]


def usage(operation: ir.Operation) -> str:
    """Return the command of an operation with its arguments and required options."""
    words = [command_name(operation.name)]
    words += [argument_name(each.name) for each in operation.parameters if each.location == "path"]
    if operation.upload:
        words.append("FILE")
    words += ["-d BODY"] if operation.body else []
    words += [
        f"{option_name(each.name)} {argument_name(each.name)}"
        for each in operation.required_parameters
        if each.location != "path"
    ]
    return " ".join(words)


def _commands(command: click.Command, path: str) -> Iterator[Command]:
    import click

    from talon_one.cli.operations import ApiGroup

    if isinstance(command, ApiGroup):
        return
    arguments = [each for each in command.params if isinstance(each, click.Argument)]
    options = [each for each in command.params if isinstance(each, click.Option)]
    yield Command(
        path,
        " ".join(_argument(each) for each in arguments),
        tuple(" ".join(each.split()) for each in (command.help or "").split("\n\n")),
        tuple(_options(options)),
    )
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            own = command.get_command(context, name)
            if own is not None:
                yield from _commands(own, f"{path} {name}")


def _argument(argument: click.Argument) -> str:
    name = argument.metavar or str(argument.name).upper()
    return name if argument.required else f"[{name}]"


def _options(options: list[click.Option]) -> Iterator[tuple[str, str]]:
    for each in options:
        names = ", ".join([*each.opts, *each.secondary_opts])
        yield f"{names} {each.metavar}" if each.metavar else names, each.help or ""
