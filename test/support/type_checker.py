"""Runs of mypy, which share what they know of the package and of other libraries.

Reading these takes most of the time of a run. What is known is kept from run to run, for all that
have the same settings for them; so what a test asks for concerns its own modules alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.once import alone

ROOT = Path(__file__).parents[2]

_SETTINGS = """
[mypy]
strict = True
python_version = 3.10
warn_unused_configs = False
# The package itself is checked by its own run.
[mypy-talon_one.*]
follow_imports = silent
# All are optional; two have no types, and reading those of polars takes longer than all else.
[mypy-pandas.*,polars.*,pyarrow.*]
ignore_missing_imports = True
follow_imports = skip
"""


def mypy(
    pytestconfig: pytest.Config,
    folder: Path,
    *what: str | Path,
    settings: str = "",
    path: tuple[Path, ...] = (),
) -> list[str]:
    """Return the lines in which mypy says what it has found.

    Args:
        pytestconfig: What the fixture has.
        folder: Where mypy runs, and finds modules that are given by name.
        what: Files, folders and options.
        settings: Sections for the modules that are checked, beside those for all tests.
        path: Further folders with modules.
    """
    file = folder / "mypy.ini"
    file.write_text(_SETTINGS + settings, encoding="utf-8")
    cache: pytest.Cache | None = getattr(pytestconfig, "cache", None)
    kept = cache.mkdir("mypy") if cache else folder
    options = ["--no-error-summary", f"--config-file={file}", f"--cache-dir={kept / 'cache'}"]
    with alone(kept / "lock"):
        done = subprocess.run(
            [sys.executable, "-m", "mypy", *options, *what],
            cwd=folder,
            env={**os.environ, "MYPYPATH": os.pathsep.join(map(str, (*path, ROOT)))},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
    assert done.stderr == ""
    return done.stdout.splitlines()
