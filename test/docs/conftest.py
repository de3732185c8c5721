"""The pages, read once."""

from __future__ import annotations

import pytest

from docs.pages import DOCS, Page, all_pages


@pytest.fixture(scope="session")
def pages() -> list[Page]:
    """The README and all pages of docs/."""
    return list(all_pages())


@pytest.fixture(scope="session")
def api_pages() -> dict[str, Page]:
    """The pages of the two APIs, by the names of their classes."""
    return {name: Page(DOCS / f"{name}.md") for name in ("IntegrationApi", "ManagementApi")}
