"""Time in tests: a clock that a test sets, and how long a block may take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class MockClock:
    """A clock that stands still until a test moves it.

    Args:
        now: What it shows, in seconds.
    """

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@contextmanager
def time_of(seconds: float, room: float = 1.0) -> Iterator[None]:
    """Check that a block takes so many seconds.

    Args:
        seconds: How long it takes.
        room: How much longer it may take on a busy machine. What a test wants to find out has to
            take longer than that.
    """
    began = time.monotonic()
    yield
    assert -0.01 <= time.monotonic() - began - seconds < room
