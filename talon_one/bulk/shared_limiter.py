"""SharedLimiter: a rate limit that the processes of one machine share, through a file."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from talon_one.bulk.folders import path_text
from talon_one.exceptions import ApiTypeError
from talon_one.limiter import Limiter, checked_pause

if TYPE_CHECKING:
    import sqlite3

# How long a process waits for the others, each of which needs the file for a moment.
_TIMEOUT = 60.0

_TABLES = (
    "CREATE TABLE IF NOT EXISTS starts (endpoint TEXT NOT NULL, start REAL NOT NULL)",
    "CREATE TABLE IF NOT EXISTS held (endpoint TEXT PRIMARY KEY, until REAL NOT NULL)",
    # One row: the time of the last transaction.
    "CREATE TABLE IF NOT EXISTS latest (now REAL NOT NULL)",
)


class SharedLimiter(Limiter):
    """Spread the calls of each endpoint over time, among all processes that have the same file.

    ::

        limiter = bulk.SharedLimiter("talon.limit", calls=20)

    A process that needs few calls leaves the others more, and a process that is asked to back off
    holds all of them back. The file is a SQLite database on a disk of this machine, because its
    locks do not work on every network disk. Processes on several machines divide a limit instead,
    see `Limiter.divide`. The limiter can be pickled, and used after a fork. The file holds nothing
    of value: delete it if a power failure has damaged it.

    Args:
        path: File, which is made where it is missing.
        calls: How many calls of one endpoint may start in an interval, in all processes together.
            They must all give the same number.
        seconds: Length of the interval.
        clock: Returns the time in seconds. It must be the same in all processes. If it is set back,
            what was reserved moves with it.

    Raises:
        ApiTypeError, ApiValueError: *path* is not a path, or another argument is wrong, as for
            `Limiter`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        calls: int = 3,
        seconds: float = 1.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(calls, seconds, clock)
        self._path = os.path.abspath(path_text(path, "file", "path is the path of a file"))

    def reserve(self, endpoint: str) -> float:
        """Reserve the next free start time for a call of *endpoint*, among all processes.

        Raises:
            sqlite3.Error: The file cannot be used.
        """
        with self._transaction() as (database, now):
            starts = [
                start
                for (start,) in database.execute(
                    "SELECT start FROM starts WHERE endpoint = ? ORDER BY rowid", (endpoint,)
                )
            ]
            held = _held_until(database, endpoint)
            # Starts are in order, so a free slot begins where the oldest of the last ones ends.
            full = len(starts) >= self._calls
            free = starts[-self._calls] + self._seconds if full else now
            start = max(now, held, free, *starts[-1:])
            database.execute(
                "DELETE FROM starts WHERE endpoint = ? AND start <= ?",
                (endpoint, now - self._seconds),
            )
            database.execute("INSERT INTO starts VALUES (?, ?)", (endpoint, start))
            return float(start - now)

    def back_off(self, endpoint: str, seconds: float) -> None:
        """Let no process start a call of *endpoint* for a while; see `Limiter.back_off`.

        Raises:
            ApiTypeError: *seconds* is not a number from 0.
            sqlite3.Error: The file cannot be used.
        """
        seconds = checked_pause(seconds)
        with self._transaction() as (database, now):
            until = max(now + seconds, _held_until(database, endpoint))
            database.execute("INSERT OR REPLACE INTO held VALUES (?, ?)", (endpoint, until))

    def held_until(self, endpoint: str) -> float:
        """Return until when no process may start a call of *endpoint*; see `Limiter.held_until`.

        Raises:
            sqlite3.Error: The file cannot be used.
        """
        with self._transaction() as (database, _):
            return _held_until(database, endpoint)

    def divide(self, parts: int, part: int = 0) -> Limiter:
        """Refuse to be divided: nothing would be shared any more.

        Raises:
            ApiTypeError: Always.
        """
        raise ApiTypeError(
            "a SharedLimiter cannot be divided: divide a Limiter, or give the SharedLimiter of each"
            " machine a longer interval"
        )

    @contextmanager
    def _transaction(self) -> Iterator[tuple[sqlite3.Connection, float]]:
        """Open the file for this process alone; yield it and the time.

        An open file would not survive a fork.
        """
        # Imported here, because most jobs do without, and so do some builds of Python.
        import sqlite3

        try:
            connection = sqlite3.connect(
                os.fsencode(self._path), timeout=_TIMEOUT, isolation_level=None
            )
            with closing(connection):
                # Nothing in it has to survive the machine, and it does survive a killed process.
                connection.execute("PRAGMA synchronous = OFF")
                connection.execute("BEGIN IMMEDIATE")
                now = self._clock()
                _make_tables(connection)
                _follow_clock(connection, now)
                yield connection, now
                connection.execute("COMMIT")
        except sqlite3.Error as cause:
            raise type(cause)(f"{self._path}: {cause}") from cause


def _make_tables(database: sqlite3.Connection) -> None:
    (count,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not count:
        for statement in _TABLES:
            database.execute(statement)


def _follow_clock(database: sqlite3.Connection, now: float) -> None:
    """Move all times if the clock was set back: nothing may be held back for that long.

    Transactions come one after another, so the clock shows a later time in each.
    """
    (latest,) = database.execute("SELECT max(now) FROM latest").fetchone()
    if latest is not None and now < latest:
        database.execute("UPDATE starts SET start = start - ?", (latest - now,))
        database.execute("UPDATE held SET until = until - ?", (latest - now,))
    database.execute("DELETE FROM latest")
    database.execute("INSERT INTO latest VALUES (?)", (now,))


def _held_until(database: sqlite3.Connection, endpoint: str) -> float:
    row = database.execute("SELECT until FROM held WHERE endpoint = ?", (endpoint,)).fetchone()
    return -math.inf if row is None else float(row[0])
