"""The map of the house shows the house as it is."""

from __future__ import annotations

import re

import pytest

from docs.pages import DOCS, ROOT, Page

PACKAGE = ROOT / "talon_one"


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(DOCS / "contributing" / "architecture.md")


def test_every_room_is_on_the_map(page: Page) -> None:
    named = {row[0].strip("`").rstrip("/") for row in page.sections["The rooms"].tables[0]}
    rooms = {
        path.relative_to(ROOT).as_posix()
        for path in PACKAGE.iterdir()
        if (path.is_dir() and (path / "__init__.py").exists()) or path.suffix == ".py"
    }
    assert rooms <= named


def test_every_file_that_is_named_exists(page: Page) -> None:
    named = re.findall(r"`([\w/.]+(?:/|\.py))`", page.text)
    missing = [each for each in named if not any((at / each).exists() for at in (ROOT, PACKAGE))]
    assert len(named) > 50
    assert missing == []
