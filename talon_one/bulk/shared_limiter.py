"""SharedLimiter: a rate limit that the processes of one machine share, through a file."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiTypeError
from talon_one.limiter import Limiter

# How long a process waits for the others, each of which needs the file for a moment.
_TIMEOUT = 60.0

_TABLES = """
CREATE TABLE IF NOT EXISTS starts (endpoint TEXT NOT NULL, start REAL NOT NULL);
CREATE TABLE IF NOT EXISTS held (endpoint TEXT PRIMARY KEY, until REAL NOT NULL);
"""


class SharedLimiter(Limiter):
    """Spread the calls of each endpoint over time, among all processes that have the same file.

    ::

        limiter = bulk.SharedLimiter("talon.limit", calls=20)

    A process that needs few calls leaves the others more, and a process that is told to back off
    holds all of them back. The file is a SQLite database on a disk of this machine, because its
    locks do not work on every network disk. Processes on several machines divide a limit instead,
    see `Limiter.divide`. The limiter can be pickled, and used after a fork.

    Args:
        path: File, which is made where it is missing.
        calls: How many calls of one endpoint may start in an interval.
        seconds: Length of the interval.
        clock: Returns the time in seconds. It must be the same in all processes.

    Raises:
        ApiTypeError: *path* is not a path, or another argument is wrong, as for `Limiter`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        calls: int = 3,
        seconds: float = 1.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not isinstance(path, (str, os.PathLike)):
            raise ApiTypeError(f"path is the path of a file, not {quoted(path)}")
        super().__init__(calls, seconds, clock)
        self._path = os.path.abspath(os.fspath(path))

    def reserve(self, endpoint: str) -> float:
        """Reserve the next free start time for a call of *endpoint*, among all processes.

        Raises:
            sqlite3.Error: The file cannot be used.
        """
        with self._transaction() as database:
            now = self._clock()
            (held,) = database.execute(
                "SELECT max(until) FROM held WHERE endpoint = ?", (endpoint,)
            ).fetchone()
            count, oldest, latest = database.execute(
                "SELECT count(*), min(start), max(start) FROM starts WHERE endpoint = ?",
                (endpoint,),
            ).fetchone()
            start = max(now, held or 0.0)
            if count >= self._calls:
                start = max(start, oldest + self._seconds)
            # Starts are in order, so that the oldest of the last ones is where a free slot begins.
            start = max(start, latest or 0.0)
            database.execute("INSERT INTO starts VALUES (?, ?)", (endpoint, start))
            if count >= self._calls:
                database.execute(
                    "DELETE FROM starts WHERE rowid ="
                    " (SELECT min(rowid) FROM starts WHERE endpoint = ?)",
                    (endpoint,),
                )
            return start - now

    def back_off(self, endpoint: str, seconds: float) -> None:
        """Let no process start a call of *endpoint* for a while; see `Limiter.back_off`.

        Raises:
            sqlite3.Error: The file cannot be used.
        """
        with self._transaction() as database:
            until = self._clock() + seconds
            database.execute(
                "INSERT INTO held VALUES (?, ?) ON CONFLICT (endpoint)"
                " DO UPDATE SET until = max(until, excluded.until)",
                (endpoint, until),
            )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Open the file for this process alone. An open file would not survive a fork."""
        connection = sqlite3.connect(self._path, timeout=_TIMEOUT, isolation_level=None)
        with closing(connection):
            connection.executescript(_TABLES)
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
