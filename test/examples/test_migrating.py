"""The guide for those who come from a vendor package is true."""

from __future__ import annotations

import pytest

from docs.pages import GUIDES, Page
from examples import guide


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(GUIDES / "migrating.md")


@pytest.mark.usefixtures("shop")
def test_its_code_runs_and_prints_what_it_says(page: Page) -> None:
    assert guide.run(page) == []
