"""Budgets: what is measured, against which yardstick, and what it may cost."""

from __future__ import annotations

from typing import NamedTuple

from benchmarks.timing import Measurement

MEGABYTE = 1024 * 1024


class Budget(NamedTuple):
    """One row of the table."""

    measure: str
    yardstick: str
    goal: float
    unit: str = ""
    """Empty for a ratio, ``MB`` for a difference from the yardstick, ``ms`` for a time."""
    more_is_better: bool = False
    """Whether the goal is a minimum, as for a throughput, instead of a maximum."""

    def value(self, measurement: Measurement) -> float:
        """Return a measurement in the unit of the goal."""
        if self.unit == "MB":
            return (measurement.ours - measurement.yardstick) / MEGABYTE
        if self.unit == "ms":
            return 1000 * measurement.ours
        return measurement.ratio

    def verdict(self, value: float) -> str:
        """Return whether a value meets the goal or by how much it misses it."""
        missing = self.goal - value if self.more_is_better else value - self.goal
        return f"missed by {self.format(missing)}" if missing > 0 else "met"

    @property
    def limit(self) -> str:
        """The goal with its direction."""
        return f"{'>=' if self.more_is_better else '<='} {self.format(self.goal)}"

    def format(self, value: float) -> str:
        """Return a value as text for the table."""
        if self.unit == "MB":
            return f"{value:+.2f} MB"
        return f"{value:.2f} {self.unit}".rstrip()


BUDGETS = {
    "import": Budget("import talon_one", "import urllib3", 0.05),
    "first call": Budget("import, client, first call with its models", "import urllib3", 1.5),
    "memory": Budget("memory after import talon_one", "bare interpreter", 1, "MB"),
    "decode": Budget("decode a 12 KB session response", "json.loads", 1.1),
    "read": Budget("decode it, read every property of the whole tree", "json.loads", 3.5),
    "encode": Budget("encode a 10-item session, validated", "json.dumps", 2.5),
    "table": Budget("typed rows of a coupon export", "csv.DictReader, all text", 5),
    "batches": Budget(
        "rows of an export, Arrow record batches", "typed rows, CPU time", 0.5, more_is_better=True
    ),
    "call": Budget("whole call over loopback, retries on", "PoolManager.request, json", 1.05),
    "hooks": Budget("whole call with hooks that do nothing", "whole call without hooks", 1.1),
    "deadline": Budget("whole call with a deadline", "whole call without deadline", 1.05),
    **{
        key: Budget(
            f"calls a second, {key} sharing one client",
            "one PoolManager, json",
            0.95,
            more_is_better=True,
        )
        for key in ("1 thread", "8 threads", "32 threads")
    },
    **{
        key: Budget(
            f"calls a second, {key} sharing one client",
            "one ClientSession, json",
            0.75,
            more_is_better=True,
        )
        for key in ("1 task", "20 tasks", "100 tasks")
    },
    "tasks or threads": Budget(
        "calls a second, 20 tasks", "20 threads, blocking client", 1.0, more_is_better=True
    ),
    "bulk": Budget(
        "profiles a second, bulk job", "a loop of urllib3, json", 0.6, more_is_better=True
    ),
    "sandbox": Budget("update in the sandbox, CPU time", "10 campaigns, 20 cart lines", 5, "ms"),
    "growth": Budget("memory of a client at call 12,000", "at call 2,000", 1, "MB"),
    "bulk growth": Budget("peak memory, bulk job of 1,000,000 rows", "of 200,000", 2, "MB"),
}
