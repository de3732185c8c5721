"""What type checkers know of the package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.kept import kept_folder

from .fresh import ROOT

PROGRAM = Path(__file__).with_name("typed_program.py")
DEPRECATED = Path(__file__).with_name("deprecated_program.py")


@pytest.fixture(scope="module")
def findings(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> dict[str, list[str]]:
    """What mypy finds in the programs, by the name of the file."""
    # The cache of the project is for its own settings. With another error code, mypy would read
    # the whole package anew, and again in the next run without it.
    kept = kept_folder(pytestconfig, "mypy-of-programs", tmp_path_factory.mktemp("cache"))
    settings = ["--strict", "--enable-error-code=deprecated", f"--cache-dir={kept}"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *settings, PROGRAM, DEPRECATED],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    # Errors inside the package do not concern its users, and mypy does not show them.
    return {
        each.name: [line for line in done.stdout.splitlines() if each.name in line]
        for each in (PROGRAM, DEPRECATED)
    }


def test_mypy_accepts_what_is_right_and_reports_every_mistake(
    findings: dict[str, list[str]],
) -> None:
    assert findings[PROGRAM.name] == []


def test_mypy_reports_deprecated_methods_and_what_to_call_instead(
    findings: dict[str, list[str]],
) -> None:
    lines = DEPRECATED.read_text().splitlines()
    calls = [at for at, line in enumerate(lines, 1) if ".update_customer_session" in line]
    reported = findings[DEPRECATED.name]
    assert [int(line.split(":")[1]) for line in reported] == calls[:-1]
    said = "updateCustomerSession is deprecated; use update_customer_session_v2  [deprecated]"
    assert {line.partition(" is deprecated: ")[2] for line in reported} == {said}
