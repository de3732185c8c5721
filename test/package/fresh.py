"""Programs in interpreters of their own, in which nothing has been imported before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def result_of(program: str, *arguments: str) -> Any:
    """Run a program in a new interpreter and return the JSON that it prints.

    The interpreter runs without `site`, so that no .pth file has imported anything before.
    """
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONSTARTUP"}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-S", "-W", "error", "-c", program, *arguments],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
