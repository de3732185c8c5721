"""Completion in shells, and the manual page."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from cli.conftest import Command
from cli.program import TALON_ONE, run, variables
from support.spec import OPERATIONS

_BASH = """
eval "$({program} completion bash)"
COMP_WORDS=({words}); COMP_CWORD={last}
_talon_one_completion {program}
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def in_powershell(line: str, word: str) -> list[list[str]]:
    """Return what the script for PowerShell is given for a line: values with their help."""
    more = {
        "_TALON_ONE_COMPLETE": "powershell_complete",
        "COMP_WORDS": line,
        "COMP_WORD": word,
    }
    ended = run(TALON_ONE, more=more)
    assert (ended.code, ended.err) == (0, "")
    return [each.split("\t") for each in ended.out.splitlines()]


@pytest.mark.parametrize(
    ("line", "word", "wanted"),
    [
        ("talon-one man", "man", ["management", "Call an operation of the Management API."]),
        (
            "talon-one management get-campai",
            "get-campai",
            ["get-campaign", "Fetch one campaign."],
        ),
        ("talon-one config ", "", ["use", "Make a profile the current one."]),
    ],
)
def test_names_are_completed_with_their_summaries(line: str, word: str, wanted: list[str]) -> None:
    assert wanted in in_powershell(line, word)


def test_options_and_their_words_are_completed() -> None:
    command = "talon-one management get-campaigns"
    assert "--columns" in [each[0] for each in in_powershell(f"{command} --co", "--co")]
    assert [each[0] for each in in_powershell(f"{command} -o j", "j")] == ["json", "jsonl"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_completes_with_the_script(shell: Command) -> None:
    script = _BASH.format(program=TALON_ONE, words="talon-one management get-campaign-a", last=2)
    done = subprocess.run(
        ["bash", "-c", script], env=variables(), capture_output=True, encoding="utf-8", check=True
    )
    assert done.stdout.split() == ["get-campaign-analytics"]


@pytest.mark.parametrize("name", ["bash", "zsh", "fish", "powershell"])
def test_each_shell_has_a_script(name: str, shell: Command) -> None:
    ended = shell("completion", name)
    assert (ended.code, ended.err) == (0, "")
    assert "_TALON_ONE_COMPLETE" in ended.out
    assert "talon-one" in ended.out


def test_the_manual_page_has_all_commands_and_is_roff(shell: Command) -> None:
    ended = shell("man")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0].startswith(".TH TALON-ONE 1 ")
    # A line that begins with a dot is a request; any other dot or quote would be taken for one.
    requests = {line.split()[0] for line in lines if line.startswith((".", "'"))}
    assert requests == {".TH", ".SH", ".SS", ".TP", ".B", ".I", ".PP", ".nf", ".fi"}
    titles = {line[3:].replace("\\-", "-") for line in lines if line.startswith(".B ")}
    wanted = {each.name.replace("_", "-") for each in OPERATIONS} | {"130", "TALON_ONE_PROFILE"}
    assert wanted - titles == set()
    # Every hyphen is one that can be copied.
    assert not re.search(r"(?<!\\)-", "\n".join(line for line in lines if line[0] != "."))
