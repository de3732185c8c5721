"""The code of the pages and the examples has the right types.

One run of mypy checks all of it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from docs.pages import DOCS, GUIDES, ROOT, Block, Page
from support.type_checker import mypy

_EXAMPLES = ROOT / "examples"
# Its blocks are a test module, which pytest runs.
_TESTING = GUIDES / "testing.md"
# Words after ```python, of blocks that quote a method or show the code of a vendor's package.
_QUOTATIONS = ("part app", "before")

# These have no types or are not installed, so what they decorate has none. Reading the types of
# Dask takes longer than all else.
_SETTINGS = """
[mypy-airflow.*,celery.*,dask.*,django.*,pyarrow.*,pyspark.*,ray.*]
ignore_missing_imports = True
follow_imports = skip
[mypy-celery_closing_tasks,django_checkout_views,frameworks_page,programs.*]
disallow_untyped_decorators = False
"""


def test_the_code_of_pages_and_examples_has_the_right_types(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    paths = {ROOT / "README.md", DOCS / "index.md", *GUIDES.glob("*.md")} - {_TESTING}
    pages = [Page(path) for path in sorted(paths)]
    programs = [_program(page, tmp_path) for page in pages]
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "__init__.py").touch()
    for block in (block for page in pages for block in page.blocks if block.is_program):
        program = folder / f"{block.page.stem}_{block.line}.py"
        program.write_text(block.padded, encoding="utf-8")
        programs.append(program)
    for script in sorted({*_EXAMPLES.glob("*.py"), *_EXAMPLES.glob("*/*.py")}):
        # Several are called `app`. Those that tests beside them import keep their names.
        is_tested = any(script.parent.glob("test_*.py"))
        name = script.name if is_tested else "_".join(script.relative_to(_EXAMPLES).parts)
        programs.append(Path(shutil.copyfile(script, tmp_path / name)))
    assert mypy(pytestconfig, tmp_path, *programs, settings=_SETTINGS) == []


def test_a_wrong_type_on_a_page_is_found(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    page = Page(GUIDES / "wrong.md", "```python\nimport talon_one\ntalon_one.Coupon(id='1')\n```\n")
    assert ":3: error: " in mypy(pytestconfig, tmp_path, _program(page, tmp_path))[0]


def _program(page: Page, folder: Path) -> Path:
    """Write the blocks of a page as one program, with its lines numbered as in the page."""
    text = page.text.partition("## With asyncio")[0] if page.path.stem == "tables" else page.text
    lines: list[str] = []
    for block in Page(page.path, text).blocks:
        if not block.is_program and not _info(block, page).endswith(_QUOTATIONS):
            lines += [""] * (block.line - 1 - len(lines)) + block.code.splitlines()
    program = folder / f"{page.path.stem}_page.py"
    program.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return program


def _info(block: Block, page: Page) -> str:
    """Return the line that opens a block."""
    return page.text.splitlines()[block.line - 2]
