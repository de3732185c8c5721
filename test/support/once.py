"""What is made once in a run of the tests, by whichever of its processes needs it first."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that is shared by the processes of a run, and filled by the first.

    Args:
        factory: What the fixture has.
        name: The name of the folder.
        make: What fills it.
    """
    own = factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    folder, complete = shared / name, shared / f"{name}.complete"
    with alone(shared / f"{name}.lock"):
        if not complete.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            complete.touch()
    return folder


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Wait until no other process is in such a block; the lock of one that dies is free."""
    with closing(sqlite3.connect(lock, timeout=300, isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        yield
