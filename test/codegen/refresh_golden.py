"""Writes the golden record anew: ``python test/codegen/refresh_golden.py``, then read the diff."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def refresh(golden: Path) -> None:
    """Make the folder *golden* hold what the generator writes for the small spec."""
    # The generator is not installed, and the folder of a script is not that of the project.
    sys.path.insert(0, str(HERE.parent.parent))
    from codegen.builder import read
    from codegen.loader import load
    from codegen.python_names import with_python_names
    from codegen.render import render
    from codegen.shell import render_shell

    described = read(load(HERE / "small_spec"), "small")
    files = {**render(with_python_names(described), {}), **render_shell(described)}
    shutil.rmtree(golden, ignore_errors=True)
    for path, content in files.items():
        target = golden / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode())


if __name__ == "__main__":
    refresh(Path(sys.argv[1]) if sys.argv[1:] else HERE / "golden")
