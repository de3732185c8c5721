"""Open and close the SQLite file of a sandbox, and say what the errors of SQLite mean."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from talon_one.sandbox.errors import ApiError
from talon_one.sandbox.state.lock_file import LockedError, LockFile

IN_MEMORY: Final = ":memory:"

# Seconds that a request waits for another program to give back the file. The server handles
# nothing else in that time, so it is short.
BUSY_TIMEOUT: Final = 0.25
# Seconds after which a client may retry a request that found the file locked.
RETRY_AFTER: Final = "1"
# Bytes up to which a file is checked for damage when it is opened; it takes under 0.1 seconds.
CHECKED_SIZE: Final = 32 * 1024 * 1024

PRAGMAS: tuple[str, ...] = (
    "foreign_keys = ON",
    # In this mode a commit does not wait for the disk, and a killed process still loses
    # nothing that was committed.
    "journal_mode = WAL",
    "synchronous = NORMAL",
)


class DatabaseError(RuntimeError):
    """The database file of a sandbox cannot be used."""


class OpenDatabase:
    """A connection to a database that no other sandbox uses.

    Args:
        path: File, or `IN_MEMORY`.

    Attributes:
        connection: The connection, in autocommit mode.

    Raises:
        DatabaseError: If the file cannot be used: its folder does not exist, another sandbox or
            program has it, it is damaged or no database.
    """

    connection: sqlite3.Connection

    def __init__(self, path: str) -> None:
        self._lock = None if path == IN_MEMORY else _lock(path)
        try:
            with explained(path):
                # Only the thread of the server opens and uses the connection. The check of SQLite
                # would keep another thread from closing it after a failed start.
                self.connection = sqlite3.connect(
                    path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
                )
                self._prepare(path)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; committed changes stay in the file."""
        try:
            if hasattr(self, "connection"):
                self.connection.close()
        finally:
            if self._lock is not None:
                self._lock.release()
                self._lock = None

    def _prepare(self, path: str) -> None:
        self.connection.row_factory = sqlite3.Row
        for pragma in PRAGMAS:
            self.connection.execute(f"PRAGMA {pragma}")
        if path == IN_MEMORY or os.path.getsize(path) > CHECKED_SIZE:
            return
        found = self.connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(f"database disk image is malformed: {found}")


def _lock(path: str) -> LockFile:
    # Without symbolic links, so that one file has one lock.
    real = os.path.realpath(path)
    folder = os.path.dirname(path) or "."
    if not path or os.path.isdir(path):
        raise DatabaseError(f"the database must be a file, and {path!r} is none")
    if not os.path.isdir(folder):
        raise DatabaseError(f"unable to open database file: there is no folder {folder}")
    try:
        return LockFile(f"{real}.lock")
    except LockedError as cause:
        holder = f" ({cause.holder})" if cause.holder else ""
        raise DatabaseError(
            f"another sandbox{holder} uses {path}: stop it first, or use another file"
        ) from cause
    except (OSError, ValueError) as cause:
        raise DatabaseError(f"unable to create the lock file {real}.lock: {cause}") from cause


@contextmanager
def explained(path: str) -> Iterator[None]:
    """Raise the errors of SQLite at the start of a sandbox as a `DatabaseError`."""
    try:
        yield
    except sqlite3.Error as cause:
        raise DatabaseError(_reason(path, str(cause))) from cause


def _reason(path: str, message: str) -> str:
    if "not a database" in message:
        return f"{path} is not a database"
    if "malformed" in message:
        return f"{path} is damaged: restore a copy, or start with a new file ({message})"
    if "locked" in message:
        return f"another program has locked {path}: close it there first"
    if "readonly" in message:
        return f"{path} is not writable"
    return message


def refusal_of(cause: sqlite3.Error) -> ApiError | None:
    """Return the error response for a request that the database fails.

    Python 3.10 has no error codes of SQLite, so the messages must do.

    Returns:
        503 if another program has locked the file, 507 if it cannot grow or be written, 500 if it
        is damaged; None for an error that is our own mistake.
    """
    message = str(cause)
    if "locked" in message:
        text = "Another program has locked the database of the sandbox"
        return ApiError(503, text, headers={"Retry-After": RETRY_AFTER})
    if any(sign in message for sign in ("is full", "I/O", "readonly", "unable to open")):
        return ApiError(507, f"The sandbox cannot write its database, nothing changed: {message}")
    if "malformed" in message or "not a database" in message:
        return ApiError(500, f"The database of the sandbox is damaged: {message}")
    return None
