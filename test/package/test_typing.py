"""What type checkers know of the package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .fresh import ROOT

PROGRAM = Path(__file__).with_name("typed_program.py")
DEPRECATED = Path(__file__).with_name("deprecated_program.py")


def test_mypy_accepts_what_is_right_and_reports_every_mistake() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", PROGRAM],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    assert done.stdout == "Success: no issues found in 1 source file\n"


def test_mypy_reports_deprecated_methods_and_what_to_call_instead() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--enable-error-code=deprecated", DEPRECATED],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    lines = DEPRECATED.read_text().splitlines()
    calls = [at for at, line in enumerate(lines, 1) if ".update_customer_session" in line]
    # Errors inside the package do not concern its users, and mypy does not show them.
    reported = [line for line in done.stdout.splitlines() if DEPRECATED.name in line]
    assert [int(line.split(":")[1]) for line in reported] == calls[:-1]
    said = "updateCustomerSession is deprecated; use update_customer_session_v2  [deprecated]"
    assert {line.partition(" is deprecated: ")[2] for line in reported} == {said}
