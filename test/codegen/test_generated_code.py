"""Generated code reads like code written by hand: short lines, few of them, formatted."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from codegen.tree import RECORD

ROOT = Path(__file__).parents[2]
GENERATED = [
    ROOT / path
    for path in (ROOT / RECORD).read_text(encoding="utf-8").split("\n")
    if path.endswith((".py", ".pyi"))
]


def test_no_line_exceeds_100_characters() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in GENERATED
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1)
        if len(line) > 100
    ]
    assert len(GENERATED) > 850
    assert found == []


def test_both_apis_together_stay_under_15000_lines() -> None:
    modules = list((ROOT / "talon_one" / "api").glob("*_api.py"))
    assert sorted(path.name for path in modules) == ["integration_api.py", "management_api.py"]
    lines = sum(path.read_text(encoding="utf-8").count("\n") for path in modules)
    assert lines < 15_000


def test_the_formatter_has_nothing_to_change_in_the_sdk(tmp_path: Path) -> None:
    for path in GENERATED:
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    _check_format(tmp_path, len(GENERATED))


def test_the_formatter_has_nothing_to_change_in_the_small_package(small_folder: Path) -> None:
    _check_format(small_folder, len([*small_folder.rglob("*.py"), *small_folder.rglob("*.pyi")]))


def _check_format(folder: Path, count: int) -> None:
    settings = ["--isolated", "--no-cache", "--line-length=100", "--target-version=py310"]
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--check", *settings, "."],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert f"{count} files already formatted" in done.stdout
