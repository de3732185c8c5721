"""The command in a terminal, in pipelines, and when it is interrupted."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.program import TALON_ONE, run, variables
from cli.terminal import Terminal
from support.platforms import needs_linux, needs_posix_files, needs_posix_signals
from support.server import SILENCE, Received, RecordingServer, Response
from talon_one.cli.consoles import shell_around
from talon_one.sandbox import Sandbox

CAMPAIGNS = ["management", "get-campaigns", "1"]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed="fashion") as sandbox:
        yield sandbox


@pytest.fixture
def more(sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    """The environment of a program that uses the sandbox."""
    return {**sandbox.environment(), "TALON_ONE_CONFIG": str(tmp_path / "config.toml")}


@needs_posix_files
def test_a_terminal_shows_a_table_with_the_columns_that_fit(more: dict[str, str]) -> None:
    with Terminal(TALON_ONE, *CAMPAIGNS, columns=60, more=more) as terminal:
        assert terminal.end() == 0
    title, _, first, *_, hint = terminal.shown.splitlines()
    assert title.split()[:3] == ["id", "created", "applicationId"]
    assert first.split()[0] == "1"
    assert max(map(len, terminal.shown.splitlines()[:-1])) <= 60
    assert "more columns: choose with --columns" in hint
    assert "\x1b[1m" in terminal.raw


@needs_posix_files
def test_chosen_columns_are_shown_in_any_width_without_colors_if_so_wanted(
    more: dict[str, str],
) -> None:
    words = [*CAMPAIGNS, "--columns", "name,state,type"]
    with Terminal(TALON_ONE, *words, columns=24, more={**more, "NO_COLOR": "1"}) as terminal:
        assert terminal.end() == 0
    assert terminal.shown.splitlines()[0].split() == ["name", "state", "type"]
    assert max(map(len, terminal.shown.splitlines())) <= 24
    assert "\x1b[3" not in terminal.raw


@needs_posix_files
@pytest.mark.parametrize(("key", "code", "left"), [("n\n", 3, True), ("y\n", 0, False)])
def test_a_delete_asks_first(
    key: str, code: int, left: bool, more: dict[str, str], sandbox: Sandbox
) -> None:
    campaign = "9" if left else "8"
    with Terminal(
        TALON_ONE, "management", "delete-campaign", "1", campaign, columns=200, more=more
    ) as terminal:
        terminal.wait_for("Delete this? [y/N]: ")
        assert f"DELETE {sandbox.url}/v1/applications/1/campaigns/{campaign}" in terminal.shown
        terminal.type(key)
        assert terminal.end() == code
    found = run(TALON_ONE, "management", "get-campaign", "1", campaign, more=more)
    assert (found.code == 0) is left


@needs_posix_files
def test_a_key_is_asked_for_and_not_shown(more: dict[str, str], tmp_path: Path) -> None:
    with Terminal(TALON_ONE, "config", "set", "management-key", more=more) as terminal:
        terminal.wait_for("management-key: ")
        terminal.type("hush\n")
        assert terminal.end() == 0
    assert "hush" not in terminal.raw
    assert 'management_key = "hush"' in (tmp_path / "config.toml").read_text()


@needs_posix_signals
def test_ctrl_c_during_a_call_is_one_line(tmp_path: Path) -> None:
    arrived = threading.Event()

    def silent(request: Received) -> Response:
        arrived.set()
        return SILENCE

    with RecordingServer(default=silent) as server:
        more = {"TALON_ONE_HOST": server.url, "TALON_ONE_MANAGEMENT_KEY": "k"}
        with Terminal(TALON_ONE, *CAMPAIGNS, more=more) as terminal:
            assert arrived.wait(30)
            terminal.type("\x03")
            assert terminal.end() == 130
    assert terminal.shown.replace("^C", "").split() == ["talon-one:", "interrupted"]


@needs_posix_signals
def test_a_reader_that_goes_away_ends_the_command_quietly() -> None:
    rows = [{"id": number, "name": "x" * 1000} for number in range(1000)]
    with RecordingServer(default=Response(body={"totalResultSize": 1000, "data": rows})) as server:
        more = {"TALON_ONE_HOST": server.url, "TALON_ONE_MANAGEMENT_KEY": "k"}
        with subprocess.Popen(
            [TALON_ONE, *CAMPAIGNS, "-o", "jsonl"],
            env=variables(more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as running:
            assert running.stdout is not None
            assert running.stderr is not None
            assert running.stdout.readline().startswith(b'{"id": 0')
            running.stdout.close()
            assert running.stderr.read() == b""
        assert running.returncode == 141


@needs_linux
@pytest.mark.parametrize(
    ("words", "code"), [(CAMPAIGNS, 4), (["--help"], 1), (["config", "path"], 1)]
)
def test_a_full_disk_is_one_line(words: list[str], code: int, more: dict[str, str]) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [TALON_ONE, *words], env=variables(more), stdout=full, stderr=subprocess.PIPE
        )
    (line,) = done.stderr.decode().splitlines()
    assert "No space left on device" in line
    assert done.returncode == code


def test_closed_streams_are_no_crash(more: dict[str, str]) -> None:
    program = "import sys; sys.{0} = None; from talon_one.cli import main; sys.exit(main({1!r}))"
    for stream, words in [
        ("stdin", ["management", "delete-campaign", "1", "1"]),
        ("stdin", ["config", "set", "api-key", "--stdin"]),
        ("stdout", CAMPAIGNS),
    ]:
        ended = run(sys.executable, "-c", program.format(stream, words), more=more)
        assert ended.code == 2, ended
        assert len(ended.err.splitlines()) == 1, ended


def test_it_runs_as_a_module_of_the_package() -> None:
    ended = run(sys.executable, "-m", "talon_one", "--version")
    assert ended.code == 0
    assert ended.out.startswith("talon_one ")


@pytest.mark.parametrize(
    ("environ", "platform", "shell"),
    [
        ({}, "posix", "sh"),
        ({"PROMPT": "$P$G"}, "nt", "cmd"),
        ({}, "nt", "powershell"),
        ({"PROMPT": "$P$G", "MSYSTEM": "MINGW64"}, "nt", "sh"),
    ],
)
def test_the_sandbox_speaks_the_language_of_the_shell(
    environ: dict[str, str], platform: str, shell: str
) -> None:
    assert shell_around(environ, platform) == shell


@needs_posix_signals
@pytest.mark.parametrize(
    ("shell", "line"),
    [
        ("powershell", '$env:TALON_ONE_API_KEY = "sandbox-integration-key"'),
        ("cmd", "set TALON_ONE_API_KEY=sandbox-integration-key"),
        ("fish", "set -gx TALON_ONE_API_KEY sandbox-integration-key"),
    ],
)
def test_the_sandbox_prints_variables_for_the_shell_that_is_named(shell: str, line: str) -> None:
    with subprocess.Popen(
        [TALON_ONE, "sandbox", "--shell", shell],
        env=variables({"PYTHONUNBUFFERED": "1"}),
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as running:
        assert running.stdout is not None
        for each in running.stdout:
            if each.strip() == line:
                break
        running.send_signal(signal.SIGINT)
        # Without the line, this test would have read on until the end.
        assert "The sandbox has ended." in running.stdout.read()
