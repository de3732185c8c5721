"""The `talon-one` command, which needs typer and rich: `pip install "talon_one[cli]"`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

_NEEDED = frozenset({"typer", "rich"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; typer itself may end the program earlier.

    Args:
        arguments: Words of the command line after the name; those of the program if not given.
    """
    try:
        from talon_one.cli.commands import run
    except ModuleNotFoundError as missing:
        # Only these are the caller's to install; any other missing module is a fault of ours.
        if (missing.name or "").partition(".")[0] not in _NEEDED:
            raise
        print('talon-one needs typer and rich: pip install "talon_one[cli]"', file=sys.stderr)
        return 1
    return run(arguments)
