"""Count attempts and failures of the last seconds, in constant memory."""

from __future__ import annotations

from collections import deque

SLICES = 10
"""How many parts the window has; it moves on by one part at a time."""


class Window:
    """Counts of the last seconds. It covers between nine and ten tenths of its length.

    Args:
        seconds: Its length.
    """

    def __init__(self, seconds: float) -> None:
        self._width = seconds / SLICES
        # Of each slice its number, attempts and failures; the newest is the last.
        self._slices: deque[list[int]] = deque(maxlen=SLICES)

    def add(self, now: float, failed: bool) -> None:
        """Count one attempt."""
        number = self._number(now)
        if not self._slices or self._slices[-1][0] < number:
            self._slices.append([number, 0, 0])
        newest = self._slices[-1]
        newest[1] += 1
        newest[2] += failed

    def totals(self, now: float) -> tuple[int, int]:
        """Return how many attempts there were, and how many of them failed."""
        oldest = self._number(now) - SLICES
        counted = [each for each in self._slices if each[0] > oldest]
        return sum(each[1] for each in counted), sum(each[2] for each in counted)

    def clear(self) -> None:
        """Forget all attempts."""
        self._slices.clear()

    def _number(self, now: float) -> int:
        return int(now / self._width)
