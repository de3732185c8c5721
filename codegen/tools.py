"""The tools of the generator: Jinja for its templates, ruff for what comes out of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined


def templates() -> Environment:
    """Return the templates of this package, without filters and functions of their own."""
    return Environment(
        loader=PackageLoader("codegen"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  what is written is Python and Markdown, not HTML
    )


def ruff(
    *command: str, line_length: int, folder: Path | None = None, source: str | None = None
) -> str:
    """Run ruff on a folder or on a source, whatever settings there are around it.

    Returns:
        What ruff prints: for ``format -`` the formatted source.

    Raises:
        RuntimeError: ruff refuses its input.
    """
    settings = ["--isolated", "--quiet", "--no-cache", f"--line-length={line_length}"]
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command, *settings],
        cwd=folder,
        input=source,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"ruff refuses what was generated: {done.stdout}{done.stderr}")
    return done.stdout
