"""The first page of the site is true."""

from __future__ import annotations

import pytest

from docs.pages import DOCS, Page
from examples import guide


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(DOCS / "index.md")


@pytest.mark.usefixtures("shop")
def test_its_code_runs_and_prints_what_it_says(page: Page) -> None:
    assert guide.run(page) == []
