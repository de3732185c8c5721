"""Groups of commands that load a command when it is run, and suggest one for a misspelled name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NamedTuple

import click

from talon_one._utils.suggest import did_you_mean


class Entry(NamedTuple):
    """A command that is not loaded yet."""

    place: str
    """Module and attribute, such as ``talon_one.cli.local:sandbox``."""
    summary: str
    """One line about it, for the list of commands."""

    def load(self) -> click.Command:
        """Import the command."""
        module, _, attribute = self.place.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command


class Suggesting(click.Group):
    """A group that says which command a misspelled name may mean."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the options of the group; without any argument, show its help."""
        if not args and not ctx.resilient_parsing:
            click.echo(ctx.get_help(), err=True)
            ctx.exit(2)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments begin with.

        Raises:
            click.UsageError: There is none with this name.
        """
        name, *rest = args
        command = self.get_command(ctx, name)
        if command is None and not ctx.resilient_parsing:
            ctx.fail(f"there is no command {name!r}.{self.hint(ctx, name)}")
        return name, command, rest

    def hint(self, ctx: click.Context, name: str) -> str:
        """Return what a misspelled name may mean, with a leading blank, or nothing."""
        return did_you_mean(name, self.list_commands(ctx))


class LazyGroup(Suggesting):
    """A group whose commands are loaded by name.

    Args:
        sections: Commands by the title under which the help lists them.
    """

    def __init__(self, *args: Any, sections: Mapping[str, Mapping[str, Entry]], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.sections = sections

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in the order of the sections."""
        return [name for section in self.sections.values() for name in section]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command, if there is one with this name."""
        for section in self.sections.values():
            if cmd_name in section:
                return section[cmd_name].load()
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by section, without loading them."""
        for title, section in self.sections.items():
            with formatter.section(title):
                formatter.write_dl([(name, entry.summary) for name, entry in section.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Complete the name of a command, without loading it."""
        from click.shell_completion import CompletionItem

        found = [
            CompletionItem(name, help=entry.summary)
            for section in self.sections.values()
            for name, entry in section.items()
            if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]


class ReaderGone(Exception):
    """The reader of the output went away; click would end the program with another exit code."""


class Root(LazyGroup):
    """The command itself."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read the command line, which may print the help.

        Raises:
            ReaderGone: Nobody reads it.
        """
        with _noticing_readers():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was given.

        Raises:
            ReaderGone: Nobody reads its output any more.
        """
        with _noticing_readers():
            return super().invoke(ctx)


@contextmanager
def _noticing_readers() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as cause:
        raise ReaderGone from cause
