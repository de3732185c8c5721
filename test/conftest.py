"""What holds for all tests: settings of hypothesis, processes, bytecode, garbage collection."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How fast examples are made is not for tests to judge. They are others in each run, so a run makes
# do with half as many as usual.
settings.register_profile(
    "usual", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", settings.get_profile("usual"), max_examples=1000)
settings.load_profile("usual")

# They need a browser, or Java, and what `.ci/browser` and `.ci/spark` install for them.
collect_ignore = ["browser", "spark"]

_BYTECODE = pytest.StashKey[Path]()

# Until the tests are collected: each look for garbage among half a million nodes of syntax trees
# finds none.
gc.disable()


def pytest_xdist_auto_num_workers() -> int:
    """Take one process more than there are processors, since tests of timeouts wait."""
    # Those that this process may use, where the platform can say so.
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (usable or 1) + 1


def pytest_configure(config: pytest.Config) -> None:
    """Keep bytecode in the cache of pytest where Python may not write it beside the sources.

    The tests start hundreds of interpreters, and each would compile what it imports.
    """
    if hasattr(config, "workerinput") and config.args == config.getini("testpaths"):
        _take_turns(config)
    cache: pytest.Cache | None = getattr(config, "cache", None)
    if sys.dont_write_bytecode and cache and not hasattr(config, "workerinput"):
        config.stash[_BYTECODE] = cache.mkdir("bytecode")
        _link_what_is_installed(config.stash[_BYTECODE])
        # For the processes that run tests, and for all that these start.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(config.stash[_BYTECODE])


def _link_what_is_installed(bytecode: Path) -> None:
    """Let Python find the bytecode that came with the packages, where it looks for all bytecode.

    To compile all that the tests import takes five seconds, and every process would.
    """
    for installed in {sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")}:
        if _place(bytecode, installed).exists():
            continue
        for folder, folders, _ in os.walk(installed):
            beside = Path(folder, "__pycache__")
            if beside.is_dir():
                _place(bytecode, folder).mkdir(parents=True, exist_ok=True)
                for compiled in beside.glob("*.pyc"):
                    link = _place(bytecode, folder) / compiled.name
                    try:
                        link.hardlink_to(compiled)
                    except OSError:  # Another file system, or the user of another.
                        shutil.copyfile(compiled, link)
            unused = {"__pycache__", "site-packages", "test", "tests"}
            folders[:] = [each for each in folders if each not in unused]


def _place(bytecode: Path, folder: str) -> Path:
    """Return where Python keeps the bytecode of a folder."""
    return Path(f"{bytecode}{os.path.splitdrive(folder)[1]}")


def _take_turns(config: pytest.Config) -> None:
    """Begin with other rooms than the other processes, and find the bytecode of theirs.

    In a fresh clone every process would otherwise compile all tests, at the same time.
    """
    rooms = sorted(
        str(each)
        for each in Path(__file__).parent.iterdir()
        if each.match("test_*.py")
        or (each.is_dir() and each.name not in {"__pycache__", *collect_ignore})
    )
    count: int = config.workerinput["workercount"]
    number = int(config.workerinput["workerid"].removeprefix("gw"))
    first = len(rooms) * number // count
    config.args = rooms[first:] + rooms[:first]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring the tests into an order that is the same in every process."""
    items.sort(key=lambda item: str(item.path))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Forget the bytecode of files that tests have made."""
    if _BYTECODE in config.stash:
        temporary = _place(config.stash[_BYTECODE], tempfile.gettempdir())
        for made in temporary.glob("pytest-of-*"):
            shutil.rmtree(made, ignore_errors=True)


def pytest_collection_finish() -> None:
    """Leave the tests themselves out of garbage collections, which take a tenth as long then."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Leave out what a file of tests has loaded, too, once its fixtures are gone."""
    if nextitem is not None and nextitem.path != item.path:
        gc.collect()
        gc.freeze()
