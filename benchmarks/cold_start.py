"""Startup costs: imports, the first call and memory, each measured in a new interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable

from benchmarks import ROOT, server
from benchmarks.timing import Measurement, interleaved

_TIMED_IMPORT = """
from time import perf_counter
start = perf_counter()
import {module}
print(perf_counter() - start)
"""

# Resident pages: unlike the peak, they do not include what a child inherits from its parent.
_MEMORY = """
{statement}
with open("/proc/self/statm") as file:
    pages = int(file.read().split()[1])
import resource
print(pages * resource.getpagesize())
"""


def measure(rounds: int, *, without_orjson: bool = True) -> dict[str, Measurement]:
    """Measure imports, the first call and the memory.

    Args:
        rounds: New interpreters for each of them.
        without_orjson: Make the import of orjson fail in the first call.
    """
    with tempfile.TemporaryDirectory() as bytecode, server.running() as host:

        def program(*arguments: str) -> Callable[[], float]:
            return lambda: _run(bytecode, *arguments)

        talon_one = program("-c", _TIMED_IMPORT.format(module="talon_one"))
        urllib3 = program("-c", _TIMED_IMPORT.format(module="urllib3"))
        choice = ["without-orjson"] if without_orjson else []
        first_call = program(str(ROOT / "benchmarks" / "first_call.py"), host, *choice)
        with_import = program("-c", _MEMORY.format(statement="import talon_one"))
        without = program("-c", _MEMORY.format(statement=""))
        # The first run of each program compiles its bytecode.
        for warm_up in (talon_one, urllib3, first_call, with_import, without):
            warm_up()
        return {
            "import": interleaved(talon_one, urllib3, rounds),
            "first call": interleaved(first_call, urllib3, rounds),
            "memory": interleaved(with_import, without, rounds),
        }


def _run(bytecode: str, *arguments: str) -> float:
    """Run a program in a new interpreter and return the number that it prints."""
    environment = {key: value for key, value in os.environ.items() if not _is_python(key)}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
    # Without `site`: a .pth file may import modules, and the cost of those would be hidden.
    command = [sys.executable, "-S", "-X", f"pycache_prefix={bytecode}", *arguments]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    return float(done.stdout)


def _is_python(variable: str) -> bool:
    # Such as PYTHONDONTWRITEBYTECODE: each run would compile all modules again.
    return variable.startswith("PYTHON")
