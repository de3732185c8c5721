"""Ctrl-C, and any exception out of a signal handler, at any moment: nothing is lost by it.

3,000 of each kind were survived when this was written; a run of the tests makes do with fewer.
"""

from __future__ import annotations

import os

import pytest

from support import interrupted_calls

pytestmark = [
    pytest.mark.one_shell("asyncio has cancellation in its place; see test/aio"),
    pytest.mark.skipif(os.name != "posix", reason="signals and timers are those of POSIX"),
]


@pytest.mark.parametrize(
    ("program", "count"),
    [
        ("signals", 150),
        ("time_limits", 150),
        ("asynchronous_exceptions", 150),
        # All bytecodes of a call, in the code of this package and a third of those of urllib3.
        ("bytecodes", 100_000),
        ("bytecodes_of_waiting", 100_000),
    ],
)
def test_an_exception_at_any_moment_surfaces_and_costs_no_connection(
    program: str, count: int
) -> None:
    interrupted_calls.run(program, count)
