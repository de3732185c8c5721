"""The README is true: its code runs and prints what it says, and its quotations are quotations."""

from __future__ import annotations

import re

import pytest

from cli.program import TALON_ONE, run
from docs.pages import ROOT, Page
from examples import guide


@pytest.fixture(scope="module")
def readme() -> Page:
    return Page(ROOT / "README.md")


@pytest.mark.usefixtures("shop")
def test_its_code_runs_and_prints_what_it_says(readme: Page) -> None:
    assert guide.run(readme) == []


def test_the_output_it_shows_is_that_of_the_quickstart(readme: Page) -> None:
    shown, *_ = re.findall(r"^```text\n(.*?)^```$", readme.text, re.M | re.S)
    printed = run(TALON_ONE, "quickstart").out
    assert shown in "\n".join(line.rstrip() for line in printed.splitlines())


def test_its_two_commands_are_single_lines(readme: Page) -> None:
    commands = re.findall(r"^```sh\n(.*?)^```$", readme.text, re.M | re.S)
    assert commands == [
        'pip install ".[all]" && talon-one quickstart\n',
        "pip install -r test-requirements.txt && pytest\n",
    ]


def test_it_is_short_and_begins_with_a_checkout_and_what_it_is(readme: Page) -> None:
    assert len(readme.text.splitlines()) <= 250
    assert "unofficial" in readme.text.partition("```")[0]
    _, _, after_imports = readme.blocks[0].code.partition("\n\n")
    assert len(after_imports.splitlines()) <= 6


def test_it_leads_to_every_guide(readme: Page) -> None:
    guides = {f"docs/guides/{path.name}" for path in (ROOT / "docs" / "guides").glob("*.md")}
    assert guides <= {target.partition("#")[0] for _, target in readme.links}
