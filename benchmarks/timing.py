"""Interleaved timing of two ways to do the same thing."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import NamedTuple


class Measurement(NamedTuple):
    """Medians of a measurement and its yardstick: seconds, bytes, or calls a second."""

    ours: float
    yardstick: float

    @property
    def ratio(self) -> float:
        """Our value in multiples of the yardstick."""
        return self.ours / self.yardstick


def interleaved(
    ours: Callable[[], float], yardstick: Callable[[], float], rounds: int
) -> Measurement:
    """Measure A B A B ..., so that other load of the machine affects both alike."""
    pairs = [(ours(), yardstick()) for _ in range(rounds)]
    return Measurement(median(a for a, _ in pairs), median(b for _, b in pairs))


def timed(action: Callable[[], object]) -> Callable[[], float]:
    """Return a function that runs *action* once and returns the seconds that it took."""

    def measure() -> float:
        start = perf_counter()
        result = action()
        seconds = perf_counter() - start
        del result  # Freeing the result is not part of the measurement.
        return seconds

    return measure
