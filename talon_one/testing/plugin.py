"""The pytest plugin: fixtures, the mark and the settings, and a look at what still runs at the end.

Every run of pytest of everyone who has this package installed imports this module.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import talon_one
    import talon_one.aio
    from talon_one.sandbox import Sandbox
    from talon_one.testing.pool import Pool

_STOPPED = "talon_one_stopped_sandboxes"

_stopped = pytest.StashKey[list[str]]()
_earlier = pytest.StashKey["frozenset[Sandbox]"]()


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Add the settings of the sandboxes of all tests."""
    _import_as_usual(pluginmanager)
    parser.addini(
        "talon_sandbox_seed",
        "seed of the fixture talon_sandbox: a YAML file beside this one, quickstart or fashion",
        default="quickstart",
    )
    parser.addini(
        "talon_sandbox_clock",
        "moment at which the clock of the fixture talon_sandbox stands, such as "
        "2026-11-01T09:00:00Z; without one it shows the time of the system",
        default="",
    )


def _import_as_usual(pluginmanager: pytest.PytestPluginManager) -> None:
    """Have the modules of this package imported as if they were in no plugin.

    pytest rewrites the `assert` of all modules of a distribution that has a plugin, and there is
    no other way to keep it from that. Importing the sandbox would take twice as long.
    """
    marked = getattr(pluginmanager.rewrite_hook, "_must_rewrite", None)
    if isinstance(marked, set):
        marked.discard("talon_one")


def pytest_configure(config: pytest.Config) -> None:
    """Describe the mark, and prepare the list of sandboxes that were left running."""
    config.addinivalue_line(
        "markers",
        "talon_sandbox(seed=..., clock=..., random_seed=..., latency=...): settings of the fixture "
        "talon_sandbox, as those of talon_one.sandbox.Sandbox.",
    )
    config.stash[_stopped] = []


def pytest_sessionstart(session: pytest.Session) -> None:
    """Check the seed of a distributed run, whose first process does not collect tests."""
    session.config.stash[_earlier] = frozenset(_started())
    if session.config.pluginmanager.hasplugin("dsession"):
        _check_settings(session.config)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Check the settings before the first test, if there are tests that use them."""
    if hasattr(session.config, "workerinput"):
        return
    if any("talon_sandbox" in getattr(item, "fixturenames", ()) for item in session.items):
        _check_settings(session.config)


def _check_settings(config: pytest.Config) -> None:
    if config.getini("talon_sandbox_seed") != "quickstart" or config.getini("talon_sandbox_clock"):
        from talon_one.testing.settings import check

        check(config)


def _started() -> dict[Sandbox, str]:
    runner = sys.modules.get("talon_one.sandbox.runner")
    found: dict[Sandbox, str] = {} if runner is None else runner.started()
    return found


@pytest.fixture(scope="session")
def _talon_sandboxes() -> Iterator[Pool]:
    """The sandboxes of this process, which run until its last test."""
    from talon_one.testing.pool import Pool

    pool = Pool()
    yield pool
    pool.close()


@pytest.fixture
def talon_sandbox(request: pytest.FixtureRequest, _talon_sandboxes: Pool) -> Iterator[Sandbox]:
    """A running sandbox, as new for this test.

    The mark `talon_sandbox` and the settings `talon_sandbox_seed` and `talon_sandbox_clock` say
    what is in it. It makes the same codes and IDs in each test.
    """
    from talon_one.testing.settings import settings_of

    sandbox = _talon_sandboxes.take(settings_of(request))
    yield sandbox
    # What is held up would end in the middle of the next test.
    sandbox.faults.clear()


@pytest.fixture
def integration_api(talon_sandbox: Sandbox) -> Iterator[talon_one.IntegrationApi]:
    """A client of the Integration API of the sandbox."""
    import talon_one

    api = talon_one.IntegrationApi(host=talon_sandbox.url, api_key=talon_sandbox.api_key)
    with api:
        yield api


@pytest.fixture
def management_api(talon_sandbox: Sandbox) -> Iterator[talon_one.ManagementApi]:
    """A client of the Management API of the sandbox."""
    import talon_one

    api = talon_one.ManagementApi(host=talon_sandbox.url, api_key=talon_sandbox.management_key)
    with api:
        yield api


@pytest.fixture
def async_integration_api(talon_sandbox: Sandbox) -> Iterator[talon_one.aio.IntegrationApi]:
    """A client of the Integration API of the sandbox, for whichever event loop the test runs in."""
    from talon_one import aio
    from talon_one.testing.loops import close

    api = aio.IntegrationApi(host=talon_sandbox.url, api_key=talon_sandbox.api_key)
    yield api
    close(api.api_client)


@pytest.fixture
def async_management_api(talon_sandbox: Sandbox) -> Iterator[talon_one.aio.ManagementApi]:
    """A client of the Management API of the sandbox, for whichever event loop the test runs in."""
    from talon_one import aio
    from talon_one.testing.loops import close

    api = aio.ManagementApi(host=talon_sandbox.url, api_key=talon_sandbox.management_key)
    yield api
    close(api.api_client)


@pytest.fixture
def talon_environment(talon_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The variables that point `Configuration.from_env` at the sandbox; they are set."""
    variables = talon_sandbox.environment()
    # The only one that a sandbox may not have, and that must not be that of a deployment.
    monkeypatch.delenv("TALON_ONE_APPLICATION_SECRET", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop the sandboxes that still run after the last fixture has ended."""
    found = []
    for sandbox, place in _started().items():
        # Those of a run around this one are none of ours.
        if sandbox not in session.config.stash[_earlier]:
            sandbox.stop()
            found.append(place)
    session.config.stash[_stopped].extend(found)
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_STOPPED] = found


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Take over what a process of pytest-xdist has stopped at its end."""
    output = getattr(node, "workeroutput", None) or {}
    node.config.stash[_stopped].extend(output.get(_STOPPED, ()))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Name the sandboxes that were left running."""
    if config.stash[_stopped]:
        terminalreporter.section("sandboxes that were still running", yellow=True)
        for place in config.stash[_stopped]:
            terminalreporter.line(f"{place}: the sandbox started here was never stopped")
