"""The README is true: its code runs and prints what it says, and its quotations are quotations."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

import talon_one
from cli.program import TALON_ONE, run
from docs.pages import ROOT, Page
from examples import guide

_SOURCE = ROOT / "talon_one" / "cli" / "quickstart.py"


@pytest.fixture(scope="module")
def readme() -> Page:
    return Page(ROOT / "README.md")


@pytest.mark.usefixtures("shop")
def test_its_code_runs_and_prints_what_it_says(readme: Page) -> None:
    assert guide.run(readme) == []


def test_its_code_has_the_right_types(readme: Page, tmp_path: Path) -> None:
    assert guide.type_errors(readme.blocks, tmp_path) == ""


def test_its_passages_of_the_quickstart_are_in_the_source_in_this_order(readme: Page) -> None:
    passages = re.findall(r"^```python part quickstart\n(.*?)^```$", readme.text, re.M | re.S)
    # The statements stand in a function.
    quoted = [textwrap.indent(passage, " " * 4) for passage in passages]
    source = _SOURCE.read_text(encoding="utf-8")
    places = [source.find(f"\n{passage}") for passage in quoted]
    assert len(passages) == 5
    assert -1 not in places
    assert places == sorted(places)


def test_the_output_it_shows_is_that_of_the_quickstart(readme: Page) -> None:
    (shown,) = re.findall(r"^```text\n(.*?)^```$", readme.text, re.M | re.S)
    printed = run(TALON_ONE, "quickstart").out
    assert shown in "\n".join(line.rstrip() for line in printed.splitlines())


def test_its_two_commands_are_single_lines(readme: Page) -> None:
    commands = re.findall(r"^```sh\n(.*?)^```$", readme.text, re.M | re.S)
    assert commands == [
        'pip install ".[all]" && talon-one quickstart\n',
        "pip install -r test-requirements.txt && pytest\n",
    ]


def test_its_table_of_exceptions_is_the_tree(readme: Page) -> None:
    (table,) = (table for table in readme.tables if table[0][0] == "Exception")
    listed = set()
    for first, *_ in table[1:]:
        for name, base in re.findall(r"`(\w+)`(?: \(`(\w+)`\))?", first):
            listed.add(name)
            if base:
                assert base in {cls.__name__ for cls in getattr(talon_one, name).__mro__[1:]}
    exported = {name for name in talon_one.HOME if isinstance(getattr(talon_one, name), type)}
    raised = (name for name in exported if issubclass(getattr(talon_one, name), Exception))
    errors = {name for name in raised if not issubclass(getattr(talon_one, name), Warning)}
    # The root and the branch of both transport errors have no line of their own.
    assert listed == errors - {"OpenApiException", "TransportError"}


def test_its_table_of_exceptions_has_those_of_the_modules_around_calls(readme: Page) -> None:
    (table,) = (table for table in readme.tables if table[0][0] == "Exception")
    listed = {match for row in table[1:] for match in re.findall(r"`(\w+\.\w+)`", row[0])}
    found = set()
    for module in sorted(talon_one.SUBMODULES - {"exceptions"}):
        public = getattr(getattr(talon_one, module), "__all__", ())
        for name in public:
            each = getattr(getattr(talon_one, module), name, None)
            is_error = isinstance(each, type) and issubclass(each, talon_one.OpenApiException)
            if is_error and name not in talon_one.HOME:
                found.add(f"{module}.{name}")
    assert listed == found
    # Who looks for one at the front door is told where it is.
    for module, name in (each.split(".") for each in found):
        with pytest.raises(AttributeError, match=rf"It is in talon_one\.{module}\."):
            getattr(talon_one, name)
