"""`talon-one man`: the manual page, made from the commands themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

import talon_one

_SETTINGS = """\
A setting comes from the command line, from the environment, or from a profile; what stands first
wins. A profile that --profile names is used alone, without the environment. The keys of a profile
with a host are used for that host only. See talon-one config --help.
"""
_ENVIRONMENT = {
    "TALON_ONE_HOST": "Address of the deployment.",
    "TALON_ONE_API_KEY": "Integration API key.",
    "TALON_ONE_MANAGEMENT_KEY": "Management API key.",
    "TALON_ONE_APPLICATION_ID": "ID of the Application that signs requests.",
    "TALON_ONE_APPLICATION_SECRET": "Its secret.",
    "TALON_ONE_PROFILE": "Profile in place of the current one.",
    "TALON_ONE_CONFIG": "File of the profiles in place of the usual one.",
    "NO_COLOR": "If set, tables have no colors.",
    "COLUMNS": "Width of tables.",
}


@click.command()
def man() -> None:
    """Print the manual page, such as for `talon-one man > talon-one.1`."""
    click.echo(page(), nl=False)


def page() -> str:
    """Return the manual page as roff."""
    # An empty line would be shown as one.
    return "\n".join(filter(None, _lines())) + "\n"


def _lines() -> Iterator[str]:
    from talon_one.cli.commands import EXIT_CODES, SECTIONS, app
    from talon_one.cli.operations import common_options

    context = click.Context(app, info_name="talon-one")
    yield f'.TH TALON-ONE 1 "" "talon_one {talon_one.__version__}" "User Commands"'
    yield ".SH NAME"
    summary = app.get_short_help_str(200).rstrip(".")
    yield f"talon\\-one \\- {_escaped(summary[0].lower() + summary[1:])}"
    yield ".SH SYNOPSIS"
    yield ".B talon\\-one"
    yield _escaped("COMMAND [OPTIONS] [ARGS]...")
    yield ".SH DESCRIPTION"
    yield _escaped("Data goes to standard output, everything else to standard error.")
    yield ".SH COMMANDS"
    for section in SECTIONS.values():
        for name, entry in section.items():
            yield from _command(entry.load(), context, f"talon-one {name}")
    yield ".SH OPTIONS OF OPERATIONS"
    for each in common_options():
        record = each.get_help_record(context)
        if record is not None:
            yield from _item(*record)
    yield ".SH CONFIGURATION"
    yield _escaped(_SETTINGS)
    yield ".SH ENVIRONMENT"
    for name, text in _ENVIRONMENT.items():
        yield from _item(name, text)
    yield ".SH EXIT STATUS"
    for code, text in EXIT_CODES.items():
        yield from _item(str(int(code)), text)


def _command(command: click.Command, parent: click.Context, path: str) -> Iterator[str]:
    """Yield a section for a command; groups of operations get their list of commands."""
    from talon_one.cli.operations import ApiGroup

    yield f".SS {_escaped(path)}"
    for paragraph in f"{command.help or ''}\n\n{command.epilog or ''}".strip().split("\n\n"):
        literal = paragraph.lstrip().startswith("\b")
        text = paragraph.replace("\b\n", "").strip("\n")
        yield from [".PP", ".nf", _escaped(text), ".fi"] if literal else [".PP", _escaped(text)]
    context = click.Context(command, info_name=path.split()[-1], parent=parent)
    for each in command.params:
        record = each.get_help_record(context)
        if record is not None:
            yield from _item(*record)
    if isinstance(command, ApiGroup):
        for group, commands in command.texts.SUMMARIES.items():
            yield from [".PP", f".I {_escaped(group)}"]
            for name, summary in commands.items():
                yield from _item(name, summary)
    elif isinstance(command, click.Group):
        for name in command.list_commands(context):
            own = command.get_command(context, name)
            if own is not None:
                yield from _command(own, context, f"{path} {name}")


def _item(title: str, text: str) -> list[str]:
    return [".TP", f".B {_escaped(title)}", _escaped(text)]


def _escaped(text: str) -> str:
    """Return text as roff shows it."""
    text = re.sub(r"\s*\n\s*", "\n", text.strip("\n")) if "  " not in text else text.strip("\n")
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"(?m)^([.'])", r"\\&\1", text)
