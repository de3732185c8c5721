"""The map of the house shows the house as it is."""

from __future__ import annotations

import re

import pytest

from docs.pages import DOCS, ROOT, Page

PACKAGE = ROOT / "talon_one"
CONTRIBUTING = DOCS / "contributing"


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(CONTRIBUTING / "architecture.md")


def test_every_room_is_on_the_map(page: Page) -> None:
    named = {row[0].strip("`").rstrip("/") for row in page.sections["The rooms"].tables[0]}
    rooms = {
        path.relative_to(ROOT).as_posix()
        for path in PACKAGE.iterdir()
        if (path.is_dir() and (path / "__init__.py").exists()) or path.suffix == ".py"
    }
    assert rooms <= named


def test_every_file_that_pages_for_contributors_name_exists(pages: list[Page]) -> None:
    tree = [ROOT, PACKAGE, *(path for path in PACKAGE.iterdir() if path.is_dir()), ROOT / "test"]
    named = {
        (page.path.relative_to(ROOT).as_posix(), name)
        for page in pages
        if CONTRIBUTING in page.path.parents
        for name in re.findall(r"`([\w/.-]+(?:/|\.py))`", page.text)
    }
    missing = {(page, name) for page, name in named if not any((at / name).exists() for at in tree)}
    assert len(named) > 100
    assert missing == set()
