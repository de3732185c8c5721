"""Markdown pages as tests read them: sections, Python blocks, tables, links, anchors."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

from support.spec import Operation

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
GUIDES = DOCS / "guides"
REFERENCE = DOCS / "reference"
MODEL_PAGES = REFERENCE / "models"

_FENCE = re.compile(r" *(`{3,}|~{3,})(.*)")
_HEADING = re.compile(r"#{1,6} +(.*?)[ #]*$")
_CODE_SPAN = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")
_TARGETS = (
    re.compile(r"\]\(<?([^)>\s]+)"),
    re.compile(r"^ *\[[^\]]+\]: +<?([^>\s]+)"),
    re.compile(r"""\b(?:href|src)=["']([^"']+)"""),
)


@dataclass(frozen=True)
class Block:
    """One fenced block of Python."""

    page: Path
    line: int
    """Line of the page that its first line stands on."""
    section: str
    """Text of the heading above it."""
    code: str
    runs_alone: bool
    """Whether it is a whole program, rather than a part of one (``part``)."""
    is_program: bool = False
    """Whether it runs as a file of its own (``program``), such as in child processes."""

    @property
    def padded(self) -> str:
        """The code, with its lines numbered as in the page."""
        return "\n" * (self.line - 1) + self.code

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


class Page:
    """One Markdown file, or a part of one if its text is given."""

    def __init__(self, path: Path, text: str | None = None) -> None:
        self.path = path
        self.text = path.read_text(encoding="utf-8") if text is None else text

    @cached_property
    def blocks(self) -> list[Block]:
        """The blocks of Python."""
        found = []
        section = opening = info = ""
        inside: list[str] = []
        for number, line in enumerate(self.text.splitlines(), 1):
            fence = _FENCE.match(line)
            if opening:
                if fence and fence[1].startswith(opening) and not fence[2].strip():
                    language, *words = info.split() or [""]
                    if language == "python":
                        code = textwrap.dedent("\n".join([*inside, ""]))
                        first = number - len(inside)
                        alone, program = "part" not in words, "program" in words
                        found.append(Block(self.path, first, section, code, alone, program))
                    opening = ""
                inside.append(line)
            elif fence:
                opening, info = fence[1], fence[2]
                inside = []
            elif heading := _HEADING.match(line):
                section = heading[1]
        return found

    @cached_property
    def prose(self) -> list[str]:
        """The lines outside of fenced blocks; those inside are empty."""
        lines = []
        opening = ""
        for line in self.text.splitlines():
            fence = _FENCE.match(line)
            lines.append("" if opening or fence else line)
            if opening:
                closes = fence and fence[1].startswith(opening) and not fence[2].strip()
                opening = "" if closes else opening
            elif fence:
                opening = fence[1]
        return lines

    @cached_property
    def headings(self) -> list[str]:
        """The headings as they are shown, without the targets of links."""
        return [
            re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1])
            for line in self.prose
            if (heading := _HEADING.match(line))
        ]

    @cached_property
    def anchors(self) -> set[str]:
        """What a link may have behind ``#``, made from the headings the way GitHub does."""
        found: set[str] = set(re.findall(r"""\b(?:id|name)=["']([^"']+)""", self.text))
        for heading in self.headings:
            slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            twins = [f"{slug}-{number}" for number in range(1, len(self.prose))]
            found.add(next(each for each in (slug, *twins) if each not in found))
        return found

    @cached_property
    def links(self) -> list[tuple[int, str]]:
        """Targets of links and pictures, with their lines."""
        return [
            (number, target)
            for number, line in enumerate(self.prose, 1)
            for pattern in _TARGETS
            for target in pattern.findall(_CODE_SPAN.sub("code", line))
        ]

    @cached_property
    def tables(self) -> list[list[list[str]]]:
        """Tables, each a list of rows, each a list of cells; the line of dashes is left out."""
        found: list[list[list[str]]] = []
        open_table = False
        for line in self.prose:
            if line.startswith("|"):
                if not open_table:
                    found.append([])
                found[-1].append(cells(line))
            open_table = line.startswith("|")
        return [[rows[0], *rows[2:]] for rows in found]

    @cached_property
    def sections(self) -> dict[str, Page]:
        """The parts of the page under headings of the second level, by heading."""
        _, *parts = re.split(r"^## (.*)$", self.text, flags=re.MULTILINE)
        return {
            heading: Page(self.path, text)
            for heading, text in zip(parts[::2], parts[1::2], strict=True)
        }


def cells(row: str) -> list[str]:
    """Return the cells of a table row; a pipe behind a backslash is text."""
    inside = row.strip().removeprefix("|").removesuffix("|")
    return [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", inside)]


def folder_of(operation: Operation) -> str:
    """Return the name of the folder that has the page of an operation."""
    return operation.api.removesuffix("Api").lower()


def all_pages() -> Iterator[Page]:
    """Yield all pages of docs/, and the pages that stand beside what they describe."""
    beside = ROOT.glob("*.md"), (ROOT / "spec").glob("*.md"), (ROOT / "examples").rglob("*.md")
    for path in sorted(chain(*beside, DOCS.rglob("*.md"))):
        yield Page(path)
