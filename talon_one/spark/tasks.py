"""What a task knows of its job: number, attempt, speculation, how many tasks run at a time."""

from __future__ import annotations

import re
from typing import NamedTuple

from pyspark import TaskContext

from talon_one.exceptions import ApiValueError

_LOCAL = re.compile(r"local(?:\[(\d+|\*)(?:,\s*\d+)?\])?")


class Task(NamedTuple):
    """The task that runs."""

    part: int
    """Number of the partition."""
    attempt: int
    """Number of the attempt at it."""
    speculation: bool
    """Whether Spark may run a second attempt beside this one."""
    slots: int | None
    """How many tasks of the application run at a time, if the settings say so."""


def current_task() -> Task:
    """Return what is known of the task of this process.

    Raises:
        ApiValueError: This is not a task of Spark.
    """
    context = TaskContext.get()
    if context is None:
        raise ApiValueError("this runs in tasks of Spark only")

    def setting(name: str) -> str:
        return context.getLocalProperty(name) or ""

    return Task(
        context.partitionId(),
        context.attemptNumber(),
        setting("spark.speculation").lower() == "true",
        _slots(setting("spark.master"), *map(setting, _SIZES)),
    )


_SIZES = (
    "spark.executor.instances",
    "spark.dynamicAllocation.maxExecutors",
    "spark.executor.cores",
    "spark.task.cpus",
)


def _slots(master: str, instances: str, most: str, cores: str, cpus: str) -> int | None:
    """Return how many tasks run at a time, from settings of Spark."""
    local = _LOCAL.fullmatch(master)
    if local is not None:
        if local[1] == "*":
            import os

            return os.cpu_count()
        return int(local[1] or 1)
    executors = most if most.isdigit() else instances
    if executors.isdigit() and cores.isdigit():
        return max(1, int(executors) * (int(cores) // int(cpus or 1)))
    return None
