"""Guides: pages whose blocks of Python are one program, from the first block to the last."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any

from docs.pages import Block, Page

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
        if prepare is not None:
            prepare(block, names)
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(compile(block.padded, str(block), "exec"), names)
        said = _OUTPUT.findall(block.code)
        if printed.getvalue().splitlines() != said:
            wrong.append(f"{block} prints {printed.getvalue()!r}")
    return wrong
