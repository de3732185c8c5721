"""The pages, read once."""

from __future__ import annotations

import pytest

from docs.pages import REFERENCE, Page, all_pages, folder_of
from support.spec import OPERATIONS


@pytest.fixture(scope="session")
def pages() -> list[Page]:
    """All pages: those of docs/, and README, CONTRIBUTING and the like."""
    return list(all_pages())


@pytest.fixture(scope="session")
def method_sections(pages: list[Page]) -> dict[str, Page]:
    """The section of each method on the page of its domain, by the ID of the operation."""
    sections = {
        (page.path.parent.name, heading): section
        for page in pages
        if REFERENCE in page.path.parents
        for heading, section in page.sections.items()
    }
    return {each.id: sections[folder_of(each), each.name] for each in OPERATIONS}
