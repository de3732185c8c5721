"""Tools of the generator: Jinja for templates, ruff to format their output."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined


def templates() -> Environment:
    """Return the templates of this package; callers add filters and functions."""
    return Environment(
        loader=PackageLoader("codegen"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  the output is Python and Markdown, not HTML
    )


def ruff(
    *command: str, line_length: int, folder: Path | None = None, source: str | None = None
) -> str:
    """Run ruff on a folder or a source, without any configuration file.

    Returns:
        What ruff prints: for ``format -`` the formatted source.

    Raises:
        RuntimeError: ruff rejects its input.
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
        raise RuntimeError(f"ruff rejects the generated code: {done.stdout}{done.stderr}")
    return done.stdout
