"""What holds for all tests: settings of hypothesis, processes, bytecode, garbage collection."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How fast examples are made is not for tests to judge.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

# They need a browser, and what `.ci/browser` installs for them.
collect_ignore = ["browser"]

_BYTECODE = pytest.StashKey[Path]()


def pytest_xdist_auto_num_workers() -> int:
    """Take one process more than there are processors, since tests of timeouts wait."""
    # Those that this process may use, where the platform can say so.
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (usable or 1) + 1


def pytest_configure(config: pytest.Config) -> None:
    """Keep bytecode in the cache of pytest where Python may not write it beside the sources.

    The tests start hundreds of interpreters, and each would compile what it imports.
    """
    cache: pytest.Cache | None = getattr(config, "cache", None)
    if sys.dont_write_bytecode and cache and not hasattr(config, "workerinput"):
        config.stash[_BYTECODE] = cache.mkdir("bytecode")
        # For the processes that run tests, and for all that these start.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(config.stash[_BYTECODE])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Forget the bytecode of files that tests have made."""
    if _BYTECODE in config.stash:
        folder = Path(f"{config.stash[_BYTECODE]}{tempfile.gettempdir()}")
        for made in folder.glob("pytest-of-*"):
            shutil.rmtree(made, ignore_errors=True)


def pytest_collection_finish() -> None:
    """Leave the tests themselves out of garbage collections, which take a tenth as long then."""
    gc.collect()
    gc.freeze()
