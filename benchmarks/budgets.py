"""The budgets: what is measured, against which yardstick, and how much it may cost."""

from __future__ import annotations

from typing import NamedTuple

from benchmarks.timing import Reading

MEGABYTE = 1024 * 1024


class Budget(NamedTuple):
    """One row of the table."""

    measure: str
    yardstick: str
    goal: float
    unit: str = ""
    """Empty for a ratio, ``MB`` for what is added to the yardstick."""

    def value(self, reading: Reading) -> float:
        """Return what a reading comes to, in the unit of the goal."""
        if self.unit == "MB":
            return (reading.ours - reading.yardstick) / MEGABYTE
        return reading.ratio

    def written(self, value: float) -> str:
        """Return a value or goal the way it stands in the table."""
        return f"+{value:.2f} MB" if self.unit == "MB" else f"{value:.2f}"


BUDGETS = {
    "import": Budget("import talon_one", "import urllib3", 0.25),
    "first call": Budget("import, client, first call with its models", "import urllib3", 1.6),
    "memory": Budget("memory after import talon_one", "bare interpreter", 3, "MB"),
    "decode": Budget("decode a 12 KB session answer", "json.loads", 1.15),
    "read": Budget("decode it, read every property of the whole tree", "json.loads", 3.5),
    "encode": Budget("encode a 10-item session, validated", "json.dumps", 6),
    "call": Budget("whole call over loopback", "PoolManager.request, json", 1.0),
}
