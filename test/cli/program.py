"""Programs run the way their users run them: in a process of their own, by their files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# These would reach a real deployment, or decide about colors.
_KEPT_OUT = ("TALON_ONE_", "FORCE_COLOR", "NO_COLOR", "TTY_", "COLUMNS", "PYTHONWARNINGS")

TALON_ONE = shutil.which("talon-one", path=sysconfig.get_path("scripts")) or "talon-one"
"""The command as it was installed beside the interpreter of the tests."""


@dataclass(frozen=True)
class Ended:
    """A program that has ended."""

    code: int
    out: str
    err: str


def variables(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a program: that of the tests without what would leak in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_KEPT_OUT)}
    return {**kept, **(more or {})}


def run(
    *command: str | Path, more: Mapping[str, str] | None = None, folder: Path | None = None
) -> Ended:
    """Run a program to its end, with its output piped.

    Args:
        command: The program and its arguments.
        more: Environment variables to add.
        folder: Where it runs.
    """
    done = subprocess.run(
        command,
        env=variables(more),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)
