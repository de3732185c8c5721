"""What the generator writes for the small spec is known byte for byte, wherever it runs.

After a wanted change: ``python test/codegen/refresh_golden.py``, and read the diff.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from codegen.render import Files

HERE = Path(__file__).parent


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_output_is_the_golden_record(small_files: Files) -> None:
    golden = _contents(HERE / "golden")
    assert small_files.keys() == golden.keys()
    for path, content in small_files.items():
        # As text, so that pytest can show what differs.
        assert content == golden[path].decode(), f"{path}: see refresh_golden.py"
        assert content.encode() == golden[path]


@pytest.mark.parametrize("seed", ["1", "2"])
def test_neither_hashes_nor_the_working_directory_change_the_output(
    seed: str, small_files: Files, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    subprocess.run(
        [sys.executable, HERE / "refresh_golden.py", tmp_path / "golden"],
        cwd=elsewhere,
        env={**os.environ, "PYTHONHASHSEED": seed},
        check=True,
    )
    expected = {path: content.encode() for path, content in small_files.items()}
    assert _contents(tmp_path / "golden") == expected
    assert not any(elsewhere.iterdir())
