"""The guide for those who come from a vendor package is true."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.pages import GUIDES, Block, Page
from examples import guide


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(GUIDES / "migrating.md")


@pytest.mark.usefixtures("shop")
def test_its_code_runs_and_prints_what_it_says(page: Page) -> None:
    assert guide.run(page) == []


def test_the_code_it_advises_has_the_right_types(page: Page, tmp_path: Path) -> None:
    lines = page.text.splitlines()

    def is_old_code(block: Block) -> bool:
        return lines[block.line - 2].endswith(" before")

    advised = [block for block in page.blocks if not is_old_code(block)]
    assert 0 < len(advised) < len(page.blocks)
    assert guide.type_errors(advised, tmp_path) == ""
