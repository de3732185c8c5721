"""What type checkers know of the package."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.type_checker import mypy

PROGRAM = Path(__file__).with_name("typed_program.py")
DEPRECATED = Path(__file__).with_name("deprecated_program.py")
_SETTINGS = """
[mypy-package.typed_program,package.deprecated_program]
enable_error_code = deprecated
"""


@pytest.fixture(scope="module")
def findings(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> dict[str, list[str]]:
    """What mypy finds in the programs, by the name of the file."""
    folder = tmp_path_factory.mktemp("typed")
    found = mypy(pytestconfig, folder, PROGRAM, DEPRECATED, settings=_SETTINGS)
    return {
        each.name: [line for line in found if each.name in line] for each in (PROGRAM, DEPRECATED)
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
