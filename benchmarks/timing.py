"""Two ways to do one thing, timed in turn."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import NamedTuple


class Reading(NamedTuple):
    """Medians of what was measured: seconds, bytes of memory, or calls a second."""

    ours: float
    yardstick: float

    @property
    def ratio(self) -> float:
        """How many times the yardstick we come to."""
        return self.ours / self.yardstick


def interleaved(ours: Callable[[], float], yardstick: Callable[[], float], rounds: int) -> Reading:
    """Take readings A B A B ..., so that whatever else the machine does strikes both alike."""
    readings = [(ours(), yardstick()) for _ in range(rounds)]
    return Reading(median(a for a, _ in readings), median(b for _, b in readings))


def timed(action: Callable[[], object]) -> Callable[[], float]:
    """Return a function that carries out *action* once and returns the seconds it took."""

    def reading() -> float:
        start = perf_counter()
        result = action()
        seconds = perf_counter() - start
        del result  # Freeing what was made is not part of making it.
        return seconds

    return reading
