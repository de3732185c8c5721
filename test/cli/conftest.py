"""Commands in this process, with streams and settings of their own."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.program import Ended
from support.server import RecordingServer
from talon_one.cli import main
from talon_one.sandbox import Sandbox
from talon_one.sandbox.world import Clock

Command = Callable[..., Ended]


@pytest.fixture(scope="module")
def _server() -> Iterator[RecordingServer]:
    with RecordingServer() as server:
        yield server


@pytest.fixture
def server(_server: RecordingServer) -> RecordingServer:
    """A server, without memories of other tests."""
    _server.clear()
    return _server


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings at all: neither in the environment nor in a file."""
    for name in os.environ:
        if name.startswith("TALON_ONE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TALON_ONE_CONFIG", str(tmp_path / "config.toml"))


@pytest.fixture
def shell(unset: None, monkeypatch: pytest.MonkeyPatch) -> Command:
    """A function that runs a command line in this process, with its streams piped."""

    def run(*arguments: str, input: str | bytes = b"") -> Ended:
        given = input.encode() if isinstance(input, str) else input
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="") for _ in range(2))
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given), "utf-8"))
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            code = main(arguments)
            out.flush()
            err.flush()
        return Ended(code, out.buffer.getvalue().decode(), err.buffer.getvalue().decode())

    return run


@pytest.fixture
def talk(shell: Command, server: RecordingServer, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The same, with the host of `server` and a key of each API in the environment."""
    monkeypatch.setenv("TALON_ONE_HOST", server.url)
    monkeypatch.setenv("TALON_ONE_API_KEY", "integration-key")
    monkeypatch.setenv("TALON_ONE_MANAGEMENT_KEY", "management-key")
    return shell


@pytest.fixture(scope="module")
def shop() -> Iterator[Sandbox]:
    """A sandbox for all tests of a module, whose clock stands."""
    with Sandbox(seed="fashion", clock=Clock("2026-11-01T09:00:00Z"), random_seed=1) as sandbox:
        yield sandbox


@pytest.fixture
def daily(
    shell: Command, shop: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Command:
    """The same as `shell`, with the settings of `shop` in the environment, in an empty folder."""
    for name, value in shop.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return shell
