"""A sandbox in a process of its own, whose plug can be pulled."""

from __future__ import annotations

import multiprocessing
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

# Tests restart a shop dozens of times. A process that is forked from one that has imported the
# sandbox starts ten times as fast as an interpreter, where the platform can fork.
_FORKS = "forkserver" in multiprocessing.get_all_start_methods()
_PROCESSES: Any = multiprocessing.get_context("forkserver" if _FORKS else "spawn")


class ShopProcess:
    """A deployment that keeps its state in a file.

    Args:
        database: The file.

    Attributes:
        port: Its port, the same after each start.
    """

    def __init__(self, database: Path) -> None:
        self.port: int = 0
        self._database = database
        self._process: Any = None

    def start(self) -> None:
        """Start it, on the same port as before, with what it had stored."""
        if _FORKS:
            _PROCESSES.set_forkserver_preload(["talon_one.sandbox.runner"])
        receiver, sender = _PROCESSES.Pipe(duplex=False)
        self._process = _PROCESSES.Process(target=_run, args=(self.port, self._database, sender))
        self._process.start()
        sender.close()
        self.port = receiver.recv()
        receiver.close()

    def pull_the_plug(self) -> None:
        """Kill it immediately, whatever it is doing."""
        self._process.kill()
        self._process.join()
        self._process.close()


def _run(port: int, database: Path, started: Connection) -> None:
    from talon_one.sandbox import Sandbox

    Sandbox(port, database).run_forever(lambda sandbox: started.send(sandbox.port))
