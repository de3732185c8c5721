"""The `talon-one` command, which needs click and rich: `pip install "talon_one[cli]"`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

_NEEDED = frozenset({"click", "rich"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    Args:
        arguments: Arguments of the command line; by default those of the program.
    """
    try:
        from talon_one.cli.running import run

        return run(arguments)
    except ModuleNotFoundError as cause:
        # The caller can only install these; any other missing module is our fault.
        if (cause.name or "").partition(".")[0] not in _NEEDED:
            raise
        print('talon-one needs click and rich: pip install "talon_one[cli]"', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        # While modules are loaded; later, click takes care of it.
        return 130
