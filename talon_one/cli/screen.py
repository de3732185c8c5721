"""Steps, facts and tables for people, with rich."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from talon_one._schema.model import Model
from talon_one.cli.consoles import redraws
from talon_one.cli.escapes import printable, printable_line

if TYPE_CHECKING:
    from talon_one import Effect
    from talon_one.cli.sinks import Sink


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Let the command end as others do whose reader is gone; rich would end with 1."""
        raise BrokenPipeError


class Screen:
    """Standard output; without colors and with a fixed width if it is not a terminal."""

    def __init__(self) -> None:
        # Texts come from servers and callers, so they are never read as markup.
        self._console = _Console(highlight=False, markup=False, emoji=False)

    def step(self, text: str) -> None:
        """Start a new step."""
        self._console.print()
        self._console.print(text, style="bold")

    def fact(self, text: str) -> None:
        """Show a sentence."""
        self._console.print(printable_line(text))

    def line(self, text: str) -> None:
        """Show a line for copying, which is never wrapped."""
        self._console.print(text, soft_wrap=True)

    def entry(self, text: str, depth: int = 1) -> None:
        """Show a sentence indented; in a narrow terminal its further lines are, too."""
        words = Text(printable_line(text), overflow="fold")
        margin = 2 * depth
        for line in words.wrap(self._console, max(1, self._console.width - margin)):
            self._console.print(" " * margin + line.plain.rstrip(), soft_wrap=True)

    def rows(
        self, titles: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[int] = ()
    ) -> None:
        """Show a table.

        Args:
            titles: Titles of the columns.
            rows: Cells of each row.
            right: Indexes of columns with numbers, which are never folded.
        """
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for index, title in enumerate(titles):
            table.add_column(title, overflow="fold", justify="right" if index in right else "left")
        for row in rows:
            # A text object, because texts are never read as markup.
            table.add_row(*(Text(printable_line(cell)) for cell in row))
        self._console.print(table)

    def effects(self, effects: Iterable[Effect]) -> None:
        """Show effects as a table, one row each."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        # In a narrow terminal folding keeps the whole text; an ellipsis would not.
        for title in ("Effect", "Rule", "Properties"):
            table.add_column(title, overflow="fold")
        for effect in effects:
            table.add_row(effect.effect_type, effect.rule_name or "-", _properties(effect.props))
        if table.row_count:
            self._console.print(table)
        else:
            self._console.print("No effects.")


def _properties(props: Any) -> str:
    if not isinstance(props, (Mapping, Model)):
        return str(props)
    return "\n".join(f"{name}: {value}" for name, value in dict(props).items())


@contextmanager
def working(text: str) -> Iterator[None]:
    """Show on standard error, if it is a terminal, that a command is at work."""
    if not redraws(sys.stderr):
        yield
        return
    with Console(stderr=True, highlight=False, markup=False, emoji=False).status(text):
        yield


def write_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], sink: Sink, *, all_columns: bool
) -> None:
    """Write rows as a table.

    Args:
        columns: Titles.
        rows: Cells of each row.
        sink: Where to. A terminal gets as many columns as fit, anything else all of them.
        all_columns: Whether to write all columns in any case, with folded cells.
    """
    if not rows:
        sink.write("Nothing found.\n")
        return
    rows = [[printable(cell) for cell in row] for row in rows]
    buffer = io.StringIO()
    # Elsewhere nothing is wide enough to fold for, unless COLUMNS says so.
    width = None if sink.is_terminal or "COLUMNS" in os.environ else _UNLIMITED
    console = Console(
        file=buffer,
        width=width,
        highlight=False,
        markup=False,
        emoji=False,
        force_terminal=sink.is_terminal,
    )
    shown = range(len(columns)) if all_columns else _fitting(columns, rows, console.width)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index in shown:
        table.add_column(columns[index], overflow="fold")
    for row in rows:
        table.add_row(*(row[index] for index in shown))
    console.print(table)
    lines = [line.rstrip() for line in buffer.getvalue().split("\n")]
    # The box leaves a line above and below.
    text = "\n".join(lines).strip("\n") + "\n"
    sink.write(text if _shows_lines() else text.replace(_LINE, "-"))
    left_out = len(columns) - len(shown)
    if left_out:
        plural = "s" * (left_out != 1)
        print(
            f"{left_out} more column{plural}: choose with --columns, or see all with -o json",
            file=sys.stderr,
        )


def _shows_lines() -> bool:
    try:
        _LINE.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _fitting(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Return the indexes of the columns that fit side by side, at least one."""
    shown: list[int] = []
    left = width
    for index, title in enumerate(columns):
        needed = max(cell_len(title), *(_widest_line(row[index]) for row in rows)) + _GAP
        # A column of long JSON would leave no room for the others.
        if needed > _WIDEST and shown:
            continue
        if needed > left and shown:
            break
        shown.append(index)
        left -= needed
    return shown


def _widest_line(cell: str) -> int:
    return max(map(cell_len, cell.split("\n")))


_LINE = "─"
_GAP = 3
_WIDEST = 43
_UNLIMITED = 10_000
