"""The guide to testing is true: its blocks are a test module that passes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from docs.pages import DOCS, Page


def test_its_tests_pass(tmp_path: Path) -> None:
    page = Page(DOCS / "guides" / "testing.md")
    module = tmp_path / "test_shop.py"
    module.write_text("\n\n".join(block.code for block in page.blocks), encoding="utf-8")
    # In a folder and a process of its own, as in a project of somebody else.
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", tmp_path, module],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    pattern = r"^ *(?:async )?def test_"
    tests = re.findall(pattern, module.read_text(encoding="utf-8"), re.MULTILINE)
    assert f" {len(tests)} passed" in done.stdout, done.stdout + done.stderr


def test_each_of_its_stories_is_short() -> None:
    page = Page(DOCS / "guides" / "testing.md")
    stories = page.text.partition("## Eight stories")[2].partition("\n## ")[0]
    told = Page(page.path, stories)
    # The first block is the shop.
    lengths = {block.section: len(block.code.splitlines()) for block in told.blocks[1:]}
    assert list(lengths) == [
        "A checkout with a coupon",
        "A race for the last coupon",
        "A payment that fails",
        "A partial return after thirty days",
        "Points that expire",
        "A 409 that passes",
        "A server that hangs",
        "Tomorrow's server",
    ]
    assert max(lengths.values()) < 25
