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


def test_no_two_pages_are_one_file_where_case_is_ignored() -> None:
    names = Counter(str(path).lower() for path in DOCS.rglob("*"))
    assert [name for name, count in names.items() if count > 1] == []


def _has(page: Page, fragment: str) -> bool:
    return not fragment or unquote(fragment) in page.anchors


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}
