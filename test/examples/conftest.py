"""What the guides and the examples run against."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from talon_one.sandbox import Sandbox


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox that the environment names, and an empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    with Sandbox() as sandbox:
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        yield sandbox
