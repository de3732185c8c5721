"""What the processes of a test execute that share a limit. It imports little, to start fast."""

from __future__ import annotations

import time

from talon_one.bulk import SharedLimiter

_read: list[float] = []


def recorded_time() -> float:
    """Return the system time, and remember it."""
    _read.append(time.time())
    return _read[-1]


def reserve_some(limiter: SharedLimiter, count: int) -> list[float]:
    """Return the starts that a process gets, exactly as the limiter sees them."""
    starts = []
    for _ in range(count):
        pause = limiter.reserve("a")
        starts.append(_read[-1] + pause)
    return starts
