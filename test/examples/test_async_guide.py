"""The guide to asyncio is true: its code runs, and its quotations are quotations."""

from __future__ import annotations

import re
import textwrap

import pytest

from docs.pages import GUIDES, ROOT, Page
from examples import guide

_QUOTATION = re.compile(r"^```python part app\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_APP = ROOT / "examples" / "fastapi_checkout" / "app.py"


@pytest.fixture(scope="module")
def text() -> str:
    return (GUIDES / "async.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    """The guide without its quotations, which are run where they come from."""
    return Page(GUIDES / "async.md", text.replace("```python part app\n", "```text\n"))


@pytest.mark.usefixtures("shop")
def test_its_code_runs_and_prints_what_it_says(page: Page) -> None:
    assert guide.run(page) == []


def test_its_passages_of_the_checkout_are_in_the_source(text: str) -> None:
    passages = _QUOTATION.findall(text)
    source = _APP.read_text(encoding="utf-8")
    # Methods stand in a class.
    quoted = [
        passage in source or textwrap.indent(passage, " " * 4) in source for passage in passages
    ]
    assert quoted == [True] * 4
