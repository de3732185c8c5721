"""Links lead somewhere, on every file system."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from docs.pages import DOCS, ROOT, Page


def test_relative_links_lead_to_files_and_anchors_that_exist(pages: list[Page]) -> None:
    known = {page.path: page for page in pages}
    assert [link for page in pages for link in _broken(page, known)] == []


def test_pages_of_the_site_link_only_to_what_the_site_has(pages: list[Page]) -> None:
    outside = [link for page in pages if DOCS in page.path.parents for link in _off_site(page)]
    assert not outside, "name files of the repository as code: the site has no page for them"


@pytest.mark.parametrize("path", ["index.md", "guides/calls.md"])
def test_a_link_to_an_anchor_of_the_same_page_is_right_if_the_anchor_exists(path: str) -> None:
    page = Page(DOCS / path, "# Some heading\n\n[right](#some-heading)\n[wrong](#no-heading)\n")
    assert _off_site(page) == []
    assert _broken(page, {page.path: page}) == [f"docs/{path}:4: #no-heading"]


@pytest.mark.parametrize("path", ["index.md", "guides/calls.md"])
def test_a_link_that_leaves_the_site_is_found(path: str) -> None:
    up = "../" * (path.count("/") + 1)
    page = Page(DOCS / path, f"[outside]({up}README.md)\n[inside]({up}docs/index.md)\n")
    assert _off_site(page) == [f"docs/{path}:1: {up}README.md"]


def test_no_two_headings_of_a_page_are_the_same(pages: list[Page]) -> None:
    # GitHub and the site number the anchors of such headings in different ways.
    twins = [
        f"{page.path.relative_to(ROOT)}: {heading}"
        for page in pages
        if DOCS in page.path.parents
        for heading, number in Counter(page.headings).items()
        if number > 1
    ]
    assert not twins


def test_no_picture_needs_a_script_that_the_site_would_load_from_elsewhere(
    pages: list[Page],
) -> None:
    assert not [page.path for page in pages if "```mermaid" in page.text]


def test_no_two_pages_are_one_file_where_case_is_ignored() -> None:
    names = Counter(str(path).lower() for path in DOCS.rglob("*"))
    assert [name for name, count in names.items() if count > 1] == []


def _broken(page: Page, known: dict[Path, Page]) -> list[str]:
    """Return the relative links of a page that lead nowhere, with their places."""
    found = []
    for line, link in page.links:
        path = _target(page, link)
        if path is None:
            continue
        # A link that is right but for its case works on some machines only.
        exists = path in known or (path.exists() and path.name in _names(path.parent))
        inside = ROOT in (path, *path.parents)
        if not exists or not inside or (path in known and not _has(known[path], link)):
            found.append(f"{page.path.relative_to(ROOT)}:{line}: {link}")
    return found


def _off_site(page: Page) -> list[str]:
    """Return the relative links of a page to files that are not in docs/, with their places."""
    return [
        f"{page.path.relative_to(ROOT)}:{line}: {link}"
        for line, link in page.links
        if (path := _target(page, link)) is not None and DOCS not in path.parents
    ]


def _target(page: Page, link: str) -> Path | None:
    """Return the file that a link leads to; ``None`` if it leads to another site."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return None
    # Without a path, the link leads to an anchor of its own page.
    return (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path


def _has(page: Page, link: str) -> bool:
    fragment = urlsplit(link).fragment
    return not fragment or unquote(fragment) in page.anchors


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}
