"""The guide to iterations is true."""

from __future__ import annotations

import pytest

from docs.pages import GUIDES, Page
from examples import guide
from talon_one.limiter import Limiter


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(GUIDES / "pagination.md")


@pytest.mark.usefixtures("shop")
def test_its_code_runs_and_prints_what_it_says(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nobody wants to sit the pauses out.
    monkeypatch.setattr(Limiter, "reserve", lambda limiter, endpoint: 0.0)
    assert guide.run(page) == []
