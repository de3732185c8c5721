"""The guide to frameworks is true: its code runs, and its quotations are quotations."""

from __future__ import annotations

import ast
import io
import re
import textwrap
import tokenize
from pathlib import Path

import pytest

from docs.pages import GUIDES, ROOT, Page
from examples import guide

_QUOTATION = re.compile(r"^```python part app\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_EXAMPLES = ROOT / "examples"
_RECIPES = ("django_checkout", "flask_checkout", "celery_closing")
_NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


@pytest.mark.usefixtures("shop")
def test_its_code_runs_and_prints_what_it_says() -> None:
    path = GUIDES / "frameworks.md"
    text = path.read_text(encoding="utf-8")
    assert guide.run(Page(path, text.replace("```python part app\n", "```text\n"))) == []


def test_its_passages_are_in_the_recipes() -> None:
    passages = _QUOTATION.findall((GUIDES / "frameworks.md").read_text(encoding="utf-8"))
    sources = [path.read_text(encoding="utf-8") for name in _RECIPES for path in _programs(name)]
    # Some stand in a function.
    missing = [
        passage
        for passage in passages
        if not any(
            textwrap.indent(passage, indent) in source
            for source in sources
            for indent in ("", "    ")
        )
    ]
    assert (missing, len(passages)) == ([], 8)


@pytest.mark.parametrize("name", _RECIPES)
def test_a_recipe_is_short(name: str) -> None:
    sizes = [_lines_of_program(path.read_text(encoding="utf-8")) for path in _programs(name)]
    assert 20 < sum(sizes) < 60


def _programs(name: str) -> list[Path]:
    return sorted((_EXAMPLES / name).glob("*.py"))


def _lines_of_program(text: str) -> int:
    """Return the number of lines that are neither empty, comments nor docstrings."""
    described: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            described.update(range(node.lineno, (node.end_lineno or 0) + 1))
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    lines = {
        line
        for token in tokens
        if token.type not in _NO_CODE
        for line in range(token.start[0], token.end[0] + 1)
    }
    return len(lines - described)
