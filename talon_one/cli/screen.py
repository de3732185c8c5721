"""The output of the command: steps, facts, and effects as a table that fits any terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from talon_one._schema.model import Model

if TYPE_CHECKING:
    from talon_one import Effect


# Controls, line ends, what turns the direction of text around, and halves of characters.
_COMMANDS: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    """Return a text with its control characters spelled out: a terminal would obey them."""
    return _COMMANDS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class Screen:
    """Standard output; without colors and with a fixed width if it is not a terminal."""

    def __init__(self) -> None:
        # Texts come from servers and callers, so they are never read as markup.
        self._console = Console(highlight=False, markup=False, emoji=False)

    def step(self, text: str) -> None:
        """Start a new step."""
        self._console.print()
        self._console.print(text, style="bold")

    def fact(self, text: str) -> None:
        """Show a sentence."""
        self._console.print(printable(text))

    def line(self, text: str) -> None:
        """Show a line for copying, which is never wrapped."""
        self._console.print(text, soft_wrap=True)

    def entry(self, text: str, depth: int = 1) -> None:
        """Show a sentence indented; in a narrow terminal its further lines are, too."""
        words = Text(printable(text), overflow="fold")
        self._console.print(Padding(words, (0, 0, 0, 2 * depth), expand=False))

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
            table.add_row(*(Text(printable(cell)) for cell in row))
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
