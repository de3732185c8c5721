"""The shop with Flask has a suite of its own, which passes as its README says."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from docs.pages import ROOT

_FOLDER = ROOT / "examples" / "flask_shop"


@pytest.fixture(scope="module")
def suite() -> str:
    return (_FOLDER / "test_shop.py").read_text(encoding="utf-8")


def test_its_suite_passes_without_a_warning(suite: str) -> None:
    options = ["-W", "error", "-p", "no:cacheprovider", "-p", "no:asyncio"]
    # From the root of the project, whose settings are not those of the example.
    done = subprocess.run(
        [sys.executable, "-B", "-m", "pytest", *options, "examples/flask_shop"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    tests = len(re.findall("^def test_", suite, re.MULTILINE))
    assert f" {tests} passed in " in done.stdout, done.stdout + done.stderr


def test_each_of_its_stories_is_short(suite: str) -> None:
    stories = suite.split("\ndef test_")[1:]
    assert max(len(story.strip().splitlines()) for story in stories) <= 12


def test_the_shop_is_short() -> None:
    assert len((_FOLDER / "shop.py").read_text(encoding="utf-8").splitlines()) < 150
