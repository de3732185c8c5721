"""Recorded sessions: blocks of a page that show commands with what a terminal shows of them.

::

    ```console
    $ talon-one config get host
    http://127.0.0.1:8080
    ```

A line that begins with ``$`` is a command, and the lines below it are its output. The commands are
run in this process, one after another; beside `talon-one` there are `cat` and ``echo $?``.
"""

from __future__ import annotations

import io
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click.termui
import pytest

from docs.pages import Page
from talon_one.cli import main

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_STYLES = re.compile(r"\x1b\[[\d;]*m")
# What is typed at a question stands behind it.
_TYPED = re.compile(r"\[y/N\]: (\w+)$", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """One command of a session, and the output that the page shows."""

    line: int
    command: str
    output: str


class _Screen(io.TextIOWrapper):
    """A stream that says that it is a terminal."""

    def __init__(self, content: bytes = b"") -> None:
        super().__init__(io.BytesIO(content), "utf-8", write_through=True)

    def isatty(self) -> bool:
        return True

    def text(self) -> str:
        self.flush()
        return _STYLES.sub("", self.buffer.getvalue().decode())  # type: ignore[attr-defined]


def steps(page: Page) -> Iterator[Step]:
    """Yield the commands of a page in their order."""
    for block in _BLOCK.finditer(page.text):
        line = page.text.count("\n", 0, block.start()) + 2
        for part in re.split(r"^(?=\$ )", block[1], flags=re.MULTILINE):
            command, _, output = part.partition("\n")
            # A command may go on after a backslash.
            while command.endswith("\\"):
                further, _, output = output.partition("\n")
                command = f"{command[:-1]}{further.strip()}"
            if command.startswith("$ "):
                yield Step(line, command[2:], output.strip("\n"))
            line += part.count("\n")


def differences(
    page: Page, monkeypatch: pytest.MonkeyPatch, names: Mapping[str, str], keys: list[str]
) -> list[str]:
    """Run the commands of a page; return those whose output is another than the page shows.

    Args:
        page: The page.
        monkeypatch: For the streams.
        names: Text of the page to what stands in its place, such as the address of the server.
        keys: What is typed where a command asks for a key, in this order.
    """
    typed = iter(keys)

    def hidden(prompt: str) -> str:
        print(prompt)
        return next(typed)

    monkeypatch.setattr(click.termui, "hidden_prompt_func", hidden)
    wrong = []
    code = 0
    for step in steps(page):
        command = _replaced(step.command, names)
        code, shown = _run(shlex.split(command), step.output, code, monkeypatch)
        shown = _replaced(shown, {real: name for name, real in names.items()})
        shown = "\n".join(line.rstrip() for line in shown.strip("\n").split("\n"))
        if shown != step.output:
            wrong.append(f"{page.path.name}:{step.line}: $ {step.command}\n{shown}")
    return wrong


def _run(
    words: list[str], wanted: str, before: int, monkeypatch: pytest.MonkeyPatch
) -> tuple[int, str]:
    """Run a command. Return its exit code and what it showed."""
    program, *rest = words
    if program == "cat":
        return 0, "".join(Path(name).read_text("utf-8") for name in rest)
    if words == ["echo", "$?"]:
        return 0, str(before)
    assert program == "talon-one", f"sessions do not know {program}"
    typed = _TYPED.search(wanted)
    screen = _Screen()
    streams: dict[str, Any] = {
        "stdin": _Screen(f"{typed[1]}\n".encode() if typed else b""),
        "stdout": screen,
        "stderr": screen,
    }
    with monkeypatch.context() as patch:
        for name, stream in streams.items():
            patch.setattr(sys, name, stream)
        code = main(rest)
    shown = screen.text()
    return code, shown.replace("[y/N]: ", f"[y/N]: {typed[1]}\n") if typed else shown


def _replaced(text: str, names: Mapping[str, str]) -> str:
    for name, real in names.items():
        text = text.replace(name, real)
    return text
