"""What the command shows: steps, facts, and effects as a table that fits any terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table

from talon_one._schema.model import Model

if TYPE_CHECKING:
    from talon_one import Effect


class Screen:
    """Standard output; without colours and in a plain width where it is no terminal."""

    def __init__(self) -> None:
        # Texts come from servers and callers: they are shown as they are, never as markup.
        self._console = Console(highlight=False, markup=False, emoji=False)

    def step(self, text: str) -> None:
        """Begin a new part."""
        self._console.print()
        self._console.print(text, style="bold")

    def fact(self, text: str) -> None:
        """Show a sentence."""
        self._console.print(text)

    def line(self, text: str) -> None:
        """Show a line that is meant to be copied, so it is never broken in two."""
        self._console.print(text, soft_wrap=True)

    def effects(self, effects: Iterable[Effect]) -> None:
        """Show effects as a table, one row each."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        # Folding loses nothing in a narrow terminal, where an ellipsis would.
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
