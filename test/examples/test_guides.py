"""The guides are true: their code runs against the sandbox, prints what they say, and has types."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.pages import DOCS, Page
from examples import guide

_GUIDES = (
    "bulk",
    "calls",
    "carts",
    "configuration",
    "effects",
    "errors",
    "incremental",
    "orders",
    "outages",
    "rejections",
    "sandbox",
    "scale",
    "several-applications",
    "troubleshooting",
)


@pytest.fixture(scope="module", params=_GUIDES)
def page(request: pytest.FixtureRequest) -> Page:
    return Page(DOCS / "guides" / f"{request.param}.md")


@pytest.fixture
def _log_level_restored() -> Iterator[None]:
    logger = logging.getLogger("talon_one")
    level = logger.level
    yield
    logger.setLevel(level)


@pytest.mark.usefixtures("shop", "_log_level_restored")
def test_its_code_runs_and_prints_what_it_says(page: Page) -> None:
    assert guide.run(page) == []


@pytest.mark.parametrize("path", sorted((DOCS / "guides").glob("*.md")), ids=lambda path: path.stem)
@pytest.mark.usefixtures("shop", "_log_level_restored")
def test_every_guide_begins_with_a_short_example_that_runs(path: Path) -> None:
    page = Page(path)
    opening = next(line for line in page.text.splitlines() if line.startswith("```"))
    if opening == "```console":
        # A session of the command line, which the test of this guide runs.
        assert "\n## " not in page.text.partition(opening)[0]
        return
    first = page.blocks[0]
    before = "\n".join(page.text.splitlines()[: first.line])
    assert "\n## " not in before
    assert first.runs_alone
    assert len([each for each in first.code.splitlines() if each and "#>" not in each]) <= 12
    if first.is_program:
        done = guide.run_program(first, Path.cwd())
        assert (done.stdout.splitlines(), done.stderr) == (guide.said(first), "")
        return
    exec(compile(first.padded, str(first), "exec"), {"__name__": "__main__"})
