"""The sessions of the guide to the command line show what a terminal shows."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import talon_one
from docs.pages import DOCS, Page
from examples.console import differences, steps
from talon_one.sandbox import Sandbox
from talon_one.sandbox.world import Clock


def test_its_sessions_show_what_a_terminal_shows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in os.environ:
        if name.startswith("TALON_ONE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TALON_ONE_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("COLUMNS", "88")
    monkeypatch.setitem(sys.modules, "keyring", None)
    page = Page(DOCS / "guides" / "command-line.md")
    clock = Clock("2026-11-01T09:00:00Z")
    with Sandbox(seed="fashion", clock=clock, random_seed=1) as sandbox:
        names = {
            "http://127.0.0.1:8080": sandbox.url,
            "talon_one-python/...": f"talon_one-python/{talon_one.__version__}",
            "~/.config/talon_one/config.toml": str(tmp_path / "config.toml"),
        }
        keys = [sandbox.management_key, sandbox.api_key]
        assert differences(page, monkeypatch, names, keys) == []
    assert len(list(steps(page))) > 15
