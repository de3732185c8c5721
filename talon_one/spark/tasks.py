"""What a task knows of its job: number, attempt, speculation, how many executors there are."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import NamedTuple

from pyspark import TaskContext

from talon_one.exceptions import ApiValueError


class Task(NamedTuple):
    """The task that runs."""

    part: int
    """Number of the partition."""
    attempt: int
    """Number of the attempt at it."""
    speculation: bool
    """Whether Spark may run a second attempt beside this one."""
    executors: int | None
    """How many executors the application has at most, if the settings say so."""
    folder: Path
    """Folder on a disk of the machine, the same for all tasks of an executor."""
    application: str
    """ID of the application."""


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
        executors_of(
            setting("spark.master"),
            setting("spark.dynamicAllocation.maxExecutors"),
            setting("spark.executor.instances"),
        ),
        _folder(os.environ.get("SPARK_LOCAL_DIRS", "")),
        setting("spark.app.id") or "application",
    )


def executors_of(master: str, maximum: str, instances: str) -> int | None:
    """Return how many executors there are at most, from settings of Spark."""
    if master.startswith("local[") or master == "local":
        return 1  # The driver.
    known = [int(each) for each in (maximum, instances) if each.isascii() and each.isdigit()]
    return max(known, default=None)


def _folder(local: str) -> Path:
    """Return the first folder that Spark has for temporary files of an executor."""
    first = local.split(",")[0].strip()
    return Path(first if first and os.path.isdir(first) else tempfile.gettempdir())
