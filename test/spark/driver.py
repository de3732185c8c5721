"""A driver in a process of its own: driver.py STATE CREDENTIALS FOLDER COUNT [LEVEL]."""

from __future__ import annotations

import sys
from pathlib import Path

from spark.conftest import Job, new_session, profiles


def main(state: str, keys: str, folder: str, count: str, level: str = "OFF") -> None:
    """Write profiles with a state, and log at a level."""
    spark = new_session(Path(folder) / "driver")
    spark.sparkContext.setLogLevel(level)
    job = Job(Path(folder), keys)
    job.write(profiles(spark, int(count)), state=state, chunkSize=100)
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
