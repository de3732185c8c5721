"""Mistakes of a seed, each with its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class SeedMistake(NamedTuple):
    """Something that is wrong in a seed.

    Attributes:
        pointer: JSON pointer to the place.
        message: What is wrong, in one sentence.
        line: Line in the file from 1, 0 if the seed is no file.
        column: Column in that line from 1.
    """

    pointer: str
    message: str
    line: int = 0
    column: int = 0


class SeedError(ValueError):
    """A seed cannot be used.

    Attributes:
        file: Name of the file, empty for a seed from Python.
        mistakes: Every mistake that was found, in the order of the file.
    """

    def __init__(self, mistakes: Sequence[SeedMistake], file: str = "") -> None:
        self.file = file
        self.mistakes: tuple[SeedMistake, ...] = tuple(
            sorted(mistakes, key=lambda each: (each.line, each.column))
        )
        super().__init__("\n".join(self.lines))

    @property
    def lines(self) -> tuple[str, ...]:
        """One line for each mistake: its place, and what is wrong."""
        return tuple(self._line(each) for each in self.mistakes)

    def __reduce__(self) -> tuple[type[SeedError], tuple[Sequence[SeedMistake], str]]:
        return type(self), (self.mistakes, self.file)

    def _line(self, mistake: SeedMistake) -> str:
        message = " ".join(mistake.message.split())
        if mistake.line:
            return f"{self.file}:{mistake.line}:{mistake.column}: {message}"
        place = mistake.pointer or "the seed"
        return f"{self.file}: {place}: {message}" if self.file else f"{place}: {message}"
