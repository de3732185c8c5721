"""The `talon-one` command itself: its version, its help, and what it needs."""

from __future__ import annotations

import sys

import pytest

import talon_one
from cli.program import TALON_ONE, run

# A module that is None in sys.modules cannot be imported, as if it were not installed.
_WITHOUT = """
import sys
sys.modules[sys.argv[1]] = None
from talon_one.cli import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize(
    "command", [[TALON_ONE], [sys.executable, "-m", "talon_one.cli"]], ids=["script", "module"]
)
def test_it_prints_the_version_of_the_package(command: list[str]) -> None:
    ended = run(*command, "--version")
    assert (ended.code, ended.out, ended.err) == (0, f"talon_one {talon_one.__version__}\n", "")


def test_its_help_names_the_commands_and_what_they_are_for() -> None:
    ended = run(TALON_ONE, "--help")
    assert ended.code == 0
    assert "quickstart  Take a customer through a checkout" in ended.out
    assert "sandbox     Run a local Talon.One until Ctrl-C" in ended.out


def test_a_command_that_does_not_exist_is_a_usage_error() -> None:
    ended = run(TALON_ONE, "quickstrat")
    assert (ended.code, ended.out) == (2, "")
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_without_click_or_rich_it_says_what_to_install(missing: str) -> None:
    ended = run(sys.executable, "-c", _WITHOUT, missing, "quickstart")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == 'talon-one needs click and rich: pip install "talon_one[cli]"\n'


@pytest.mark.parametrize("command", ["quickstart", "sandbox"])
@pytest.mark.parametrize(("module", "name"), [("aiohttp", "aiohttp"), ("yaml", "PyYAML")])
def test_without_an_extra_it_says_what_the_sandbox_needs(
    command: str, module: str, name: str
) -> None:
    ended = run(sys.executable, "-c", _WITHOUT, module, command)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == f'talon-one: The sandbox needs {name}: pip install "talon_one[sandbox]"\n'
