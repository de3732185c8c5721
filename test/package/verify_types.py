"""How much of the public interface type checkers know: ``python test/package/verify_types.py``.

It takes too long (10 to 30 seconds) to be among the tests; the check of the types runs it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LEAST = 0.98
"""Share of the public symbols whose type every checker has to know."""


def report() -> dict[str, Any]:
    """Return what ``pyright --verifytypes`` says of the package in this tree."""
    command = [sys.executable, "-m", "basedpyright", "--verifytypes", "talon_one"]
    # Elsewhere, because pyright looks for an installed package and skips one beside it.
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [*command, "--ignoreexternal", "--outputjson"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
    found: dict[str, Any] = json.loads(done.stdout)["typeCompleteness"]
    return found


def main() -> int:
    """Print what is known, and what is not; return 1 if that is too much."""
    found = report()
    for symbol in found["symbols"]:
        if symbol["isExported"] and not symbol["isTypeKnown"]:
            print(symbol["name"])
    score = found["completenessScore"]
    print(f"{score:.1%} of the public symbols have a known type; at least {LEAST:.0%} must")
    return 0 if score >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
