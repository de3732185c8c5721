"""A program in a pseudo-terminal, as a person sees it and types into it."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cli.program import variables

if TYPE_CHECKING:
    from typing_extensions import Self

# The first terminal that the leader of a session opens is the one that it asks for passwords.
_IN_TERMINAL = """
import os, sys
terminal = os.open(sys.argv[1], os.O_RDWR)
for number in range(3):
    os.dup2(terminal, number)
os.execv(sys.argv[2], sys.argv[2:])
"""


class Terminal:
    """A program and its terminal; a context manager that ends both.

    Args:
        command: Path of the program, and its arguments.
        columns: Width of the terminal.
        more: Environment variables to add.
    """

    def __init__(
        self, *command: str | Path, columns: int = 80, more: Mapping[str, str] | None = None
    ) -> None:
        # Windows does not have these modules.
        import fcntl
        import pty
        import termios

        self._here, there = pty.openpty()
        fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-c", _IN_TERMINAL, os.ttyname(there), *command],
            env=variables({"TERM": "xterm-256color", **(more or {})}),
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        self.raw = ""
        # Held open until the program has the terminal: without anyone it would be at its end.
        self._there: int | None = there

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._there is not None:
            os.close(self._there)
        self.process.kill()
        self.process.communicate()
        os.close(self._here)

    @property
    def shown(self) -> str:
        """What the program has written so far, without colors, as lines."""
        return re.sub(r"\x1b\[[\d;]*m", "", self.raw).replace("\r\n", "\n")

    def wait_for(self, text: str) -> None:
        """Read until a text is there."""
        while text not in self.shown:
            if not self._read():
                raise AssertionError(f"the program ended without {text!r}: {self.raw!r}")

    def type(self, keys: str) -> None:
        """Type something."""
        os.write(self._here, keys.encode())

    def end(self) -> int:
        """Read to the end of the program, and return its exit code."""
        if not self.raw:
            self._read()
        if self._there is not None:
            os.close(self._there)
            self._there = None
        while self._read():
            pass
        return self.process.wait()

    def _read(self) -> bool:
        try:
            piece = os.read(self._here, 4096)
        except OSError:  # Linux raises this when the other side is closed.
            return False
        self.raw += piece.decode()
        return bool(piece)
