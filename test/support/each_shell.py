"""Both shells for every test that wants them; a conftest imports the two names from here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support import shells


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "shell" not in metafunc.fixturenames:
        return
    names: tuple[str, ...] = shells.NAMES
    mark = metafunc.definition.get_closest_marker("one_shell")
    if mark is not None:
        # Without a reason, this fails.
        names = (_name_of_one(*mark.args, **mark.kwargs),)
    metafunc.parametrize("shell", names, indirect=True, scope="function")


def _name_of_one(reason: str) -> str:
    assert reason
    return "blocking"


@pytest.fixture(name="shell")
def each_shell(request: pytest.FixtureRequest) -> Iterator[shells.Shell]:
    """The shell that clients are made of."""
    made = shells.Shell(request.param)
    before = shells.use(made)
    yield made
    shells.use(before)
    made.close()
