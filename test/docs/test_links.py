"""Links lead somewhere, on every file system."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from urllib.parse import unquote, urlsplit

from docs.pages import DOCS, ROOT, Page


def test_relative_links_lead_to_files_and_anchors_that_exist(pages: list[Page]) -> None:
    known = {page.path: page for page in pages}
    broken = []
    for page in pages:
        for line, target in page.links:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            path = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
            # A link that is right but for its case works on some machines only.
            exists = path in known or (path.exists() and path.name in _names(path.parent))
            inside = ROOT in (path, *path.parents)
            if (
                not exists
                or not inside
                or (path in known and not _has(known[path], parts.fragment))
            ):
                broken.append(f"{page.path.relative_to(ROOT)}:{line}: {target}")
    assert not broken


def test_pages_of_the_site_link_only_to_what_the_site_has(pages: list[Page]) -> None:
    outside = [
        f"{page.path.relative_to(ROOT)}:{line}: {target}"
        for page in pages
        if DOCS in page.path.parents
        for line, target in page.links
        if not urlsplit(target).scheme
        and DOCS not in (page.path.parent / urlsplit(target).path).resolve().parents
    ]
    assert not outside, "name files of the repository as code: the site has no page for them"


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


def _has(page: Page, fragment: str) -> bool:
    return not fragment or unquote(fragment) in page.anchors


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}
