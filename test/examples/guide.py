"""Guides: pages whose blocks of Python are one program, from the first block to the last.

Blocks that start processes, which import them, are programs of their own.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from docs.pages import ROOT, Block, Page

_OUTPUT = re.compile(r"^ *#> (.*)$", re.MULTILINE)


def run(page: Page, prepare: Callable[[Block, dict[str, Any]], None] | None = None) -> list[str]:
    """Run the blocks of a page one after another; return what they print otherwise than they say.

    A block says what it prints in comments that begin with ``#>``.

    Args:
        page: The page.
        prepare: Called before each block with the global names that it will see.
    """
    names: dict[str, Any] = {"__name__": "__main__"}
    wrong = []
    for block in page.blocks:
        if block.is_program:
            continue
        if prepare is not None:
            prepare(block, names)
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(compile(block.padded, str(block), "exec"), names)
        if printed.getvalue().splitlines() != said(block):
            wrong.append(f"{block} prints {printed.getvalue()!r}")
    return wrong


def said(block: Block) -> list[str]:
    """Return the lines that a block says it prints."""
    return _OUTPUT.findall(block.code)


def run_program(block: Block, folder: Path, before: str = "") -> subprocess.CompletedProcess[str]:
    """Run a block as a file, and return how it ended.

    Args:
        block: The block.
        folder: Where the file is written and runs.
        before: Statements to put in front of it, such as imports. Its child processes run them too.
    """
    file = folder / "program.py"
    # In one line, so that the lines of errors are those of the page.
    file.write_text(before + block.padded, encoding="utf-8")
    return subprocess.run(
        [sys.executable, file.name],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "test")])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
