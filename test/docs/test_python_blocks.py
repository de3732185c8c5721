"""The Python that the pages show is Python, and means what the type checker thinks it means."""

from __future__ import annotations

import ast
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from docs.pages import ROOT, Block, Page
from docs.programs import imported, program
from support.type_checker import mypy

# Functions without annotations, as people write them in examples, are checked all the same.
_SETTINGS = """
[mypy-blocks.*]
check_untyped_defs = True
disable_error_code = import-untyped
disallow_any_generics = False
disallow_incomplete_defs = False
disallow_subclassing_any = False
disallow_untyped_calls = False
disallow_untyped_decorators = False
disallow_untyped_defs = False
implicit_reexport = True
warn_return_any = False
warn_unused_ignores = False
"""


def test_every_python_block_compiles(pages: list[Page]) -> None:
    broken = []
    for block in (block for page in pages for block in page.blocks):
        try:
            compile(block.padded, str(block), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        except SyntaxError as error:
            broken.append(f"{block}: {error}")
    assert not broken


def test_every_python_block_has_the_right_names_and_types(
    pages: list[Page], tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    folder = tmp_path / "blocks"
    folder.mkdir()
    (folder / "__init__.py").touch()
    foreign: set[str] = set()
    for page in pages:
        complete = [block for block in page.blocks if block.runs_alone]
        for index, block in enumerate(complete):
            path = page.path.relative_to(ROOT).with_suffix("")
            name = re.sub(r"\W", "_", f"{path}_{block.line}")
            source = program(block, complete[:index])
            (folder / f"{name}.py").write_text(source, encoding="utf-8")
            foreign |= {name for name in imported(source) if find_spec(name) is None}
    settings = _SETTINGS + "".join(map(_tolerated, sorted(foreign)))
    assert mypy(pytestconfig, tmp_path, folder, settings=settings) == []


def test_a_block_continues_the_blocks_whose_names_it_uses() -> None:
    codes = ["import a\n", "b = a.b\n", "a = 1\nunrelated = 2\n", "def f():\n    return b\n"]
    *earlier, block = [
        Block(ROOT / "README.md", 3 * index + 1, "", code, True) for index, code in enumerate(codes)
    ]
    assert program(block, earlier).splitlines() == [
        *("import a", "", ""),
        *("b = a.b", "", ""),
        *("", "", ""),
        *("def f():", "    return b"),
    ]


def _tolerated(package: str) -> str:
    """Return the settings for a package that examples import and that is not installed here."""
    return f"[mypy-{package}.*]\nignore_missing_imports = True\n"
