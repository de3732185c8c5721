"""What type checkers know of the package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .fresh import ROOT

PROGRAM = Path(__file__).with_name("typed_program.py")


def test_mypy_accepts_what_is_right_and_reports_every_mistake() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", PROGRAM],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    assert done.stdout == "Success: no issues found in 1 source file\n"
