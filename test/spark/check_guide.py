"""The guide to Spark and its example are true: they run, and print what they say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import talon_one
from docs.pages import GUIDES, ROOT, Page
from talon_one.sandbox import Sandbox

PAGE = Page(GUIDES / "spark.md")


def test_the_example_prints_what_the_guide_says(tmp_path: Path) -> None:
    [session] = re.findall(r"```console\n(.*?)```", PAGE.text, re.DOTALL)
    command = "$ python examples/spark_lake.py\n"
    expected = session.partition(command)[2].removesuffix("...\n")
    assert expected.count("\n") > 5
    program = ROOT / "examples" / "spark_lake.py"
    done = subprocess.run(
        [sys.executable, program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(expected), done.stdout
    assert "SUMMER-13-2" in done.stdout


def test_its_code_runs_and_prints_what_it_says(tmp_path: Path) -> None:
    program = (
        "from spark.check_guide import PAGE; from examples import guide; print(guide.run(PAGE))"
    )
    with Sandbox() as shop:
        # In a process of its own, because Spark keeps the environment in which it was started.
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env={**os.environ, **shop.environment()},
            capture_output=True,
            text=True,
        )
    assert done.stdout == "[]\n", done.stdout + done.stderr[-2000:]
    assert (tmp_path / "lake" / "coupons" / "_SUCCESS").exists()


def test_no_option_is_missing_from_the_guide() -> None:
    source = Path(talon_one.__file__).parent / "spark" / "jobs.py"
    names = set(re.findall(r'reader\.\w+\(\s*"(\w+)"', source.read_text("utf-8")))
    assert {"operation", "state", "partitions", "nulls"} <= names
    assert {name for name in names if f"`{name}`" not in PAGE.text} == {"operation"}
