"""Programs in processes that fork from an interpreter which has imported what they need.

An interpreter takes a third of a second to import the package and the support of the tests, a fork
takes a hundredth. A program still is the main thread of a process without other threads, and
comes to the ordinary end of an interpreter.
"""

from __future__ import annotations

import atexit
import faulthandler
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]


def run(
    module: str,
    *arguments: str,
    options: tuple[str, ...] = (),
    timeout: int = 30,
    quiet: bool = True,
) -> None:
    """Call ``main`` of a module, and fail unless it ends well.

    Args:
        module: The name of the module.
        arguments: Those of its function ``main``.
        options: Options of the interpreter, such as ``("-X", "dev")``.
        timeout: For how many seconds it may run.
        quiet: Whether it must print nothing either.
    """
    parent = _start(module, options)
    assert parent.stdin is not None
    assert parent.stdout is not None
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "output.txt")
        file.touch()
        parent.stdin.write(json.dumps([str(file), *arguments]) + "\n")
        parent.stdin.flush()
        group = int(parent.stdout.readline())
        # On this signal each process of the group writes where its threads are, and ends.
        timer = threading.Timer(timeout, os.killpg, [group, signal.SIGABRT])
        timer.start()
        status = parent.stdout.readline().strip()
        timer.cancel()
        timer.join()
        output = file.read_text()
    # Warnings about what is left open are printed, but do not change the status.
    assert status == "0" and not (quiet and output), output or status  # noqa: PT018


@cache
def _start(module: str, options: tuple[str, ...]) -> subprocess.Popen[str]:
    """Start the interpreter from which the others fork, once in each process of the tests."""
    parent = subprocess.Popen(
        [sys.executable, *options, "-W", "error", __file__, module],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "test")])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(parent.communicate)
    return parent


def _serve(module: ModuleType) -> None:
    """Fork for each line that comes, and print the exit status of each child."""
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        file, *arguments = json.loads(line)
        process = os.fork()
        if process == 0:
            os.setpgid(0, 0)
            _write_to(file)
            faulthandler.enable()
            module.main(*arguments)
            return
        with suppress(OSError):  # It was quicker, and is done.
            os.setpgid(process, process)
        print(process, flush=True)
        _, status = os.waitpid(process, 0)
        # With all that it has left behind.
        with suppress(ProcessLookupError, PermissionError):  # There is nothing left.
            os.killpg(process, signal.SIGKILL)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _write_to(file: str) -> None:
    """Have all that is printed go to a file, whatever prints it."""
    output = os.open(file, os.O_WRONLY | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)


if __name__ == "__main__":
    _serve(importlib.import_module(sys.argv[1]))
