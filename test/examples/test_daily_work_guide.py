"""The sessions of the guide to daily work show what a terminal shows."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from docs.pages import DOCS, Page
from examples.console import differences, steps
from talon_one.sandbox import Sandbox
from talon_one.sandbox.world import Clock

_FILES = {
    "codes.csv": """\
value,limitval,expirydate
SPRING-1,1,2090-03-01T00:00:00Z
SP,1,2090-03-01T00:00:00Z
SPRING-3,once,2090-03-01T00:00:00Z
SPRING-4,1,2090-03-01
SPRING-5,1,2090-03-01T00:00:00Z
""",
    "people.csv": """\
integrationId,attributes.ShoeSize:number,attributes.Newsletter:boolean
ann,38,true
ben,large,
,41,false
""",
}


def test_its_sessions_show_what_a_terminal_shows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in os.environ:
        if name.startswith("TALON_ONE_"):
            monkeypatch.delenv(name)
    config = tmp_path / "config.toml"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TALON_ONE_CONFIG", str(config))
    monkeypatch.setenv("COLUMNS", "88")
    # No bar is drawn, whose pieces would depend on the time that they take.
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setitem(sys.modules, "keyring", None)
    for name, content in _FILES.items():
        Path(name).write_text(content)
    page = Page(DOCS / "guides" / "daily-work.md")
    clock = Clock("2026-11-01T09:00:00Z")
    with Sandbox(seed="fashion", clock=clock, random_seed=1) as sandbox:
        config.write_text(
            f'current = "default"\n[profiles.default]\nhost = "{sandbox.url}"\n'
            f'api_key = "{sandbox.api_key}"\nmanagement_key = "{sandbox.management_key}"\n'
        )
        config.chmod(0o600)
        names = {
            "http://127.0.0.1:8080": sandbox.url,
            "~/.config/talon_one/config.toml": str(config),
        }
        assert differences(page, monkeypatch, names, []) == []
    assert len(list(steps(page))) > 15
