"""The SQLite database of the sandbox: its tables, its built-in rows, and its transactions."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from talon_one.sandbox import campaign as builtin
from talon_one.sandbox.store import Store

SCHEMA_VERSION: Final = 3
IN_MEMORY: Final = ":memory:"

_SCHEMA: Final = """
CREATE TABLE applications (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, secret TEXT NOT NULL, created TEXT NOT NULL
);
CREATE TABLE credentials (
    kind TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (kind, digest)
);
CREATE TABLE campaigns (
    id INTEGER PRIMARY KEY, application_id INTEGER NOT NULL REFERENCES applications,
    ruleset_id INTEGER NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL,
    state TEXT NOT NULL, created TEXT NOT NULL, features TEXT NOT NULL, tags TEXT NOT NULL,
    rules TEXT NOT NULL
);
CREATE TABLE imports (id INTEGER PRIMARY KEY AUTOINCREMENT, created TEXT NOT NULL);
CREATE TABLE coupons (
    id INTEGER PRIMARY KEY AUTOINCREMENT, campaign_id INTEGER NOT NULL REFERENCES campaigns,
    value TEXT NOT NULL UNIQUE, created TEXT NOT NULL,
    usage_limit INTEGER NOT NULL, usage_counter INTEGER NOT NULL DEFAULT 0,
    reservation_limit INTEGER NOT NULL, reservation_counter INTEGER NOT NULL DEFAULT 0,
    start_date TEXT, expiry_date TEXT, recipient TEXT, batch_id TEXT NOT NULL,
    reservation_mandatory INTEGER NOT NULL, implicitly_reserved INTEGER NOT NULL,
    attributes TEXT NOT NULL, import_id INTEGER REFERENCES imports
);
CREATE INDEX coupons_by_campaign ON coupons (campaign_id);
CREATE TABLE referrals (
    id INTEGER PRIMARY KEY AUTOINCREMENT, campaign_id INTEGER NOT NULL REFERENCES campaigns,
    code TEXT NOT NULL UNIQUE, created TEXT NOT NULL, advocate TEXT NOT NULL, friend TEXT,
    usage_limit INTEGER NOT NULL, usage_counter INTEGER NOT NULL DEFAULT 0,
    start_date TEXT, expiry_date TEXT, attributes TEXT NOT NULL
);
CREATE INDEX referrals_by_advocate ON referrals (advocate);
CREATE TABLE profiles (
    id INTEGER PRIMARY KEY AUTOINCREMENT, integration_id TEXT NOT NULL UNIQUE,
    created TEXT NOT NULL, last_activity TEXT NOT NULL,
    closed_sessions INTEGER NOT NULL DEFAULT 0, total_sales TEXT NOT NULL DEFAULT '0',
    attributes TEXT NOT NULL DEFAULT '{}'
);
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    application_id INTEGER NOT NULL REFERENCES applications, integration_id TEXT NOT NULL,
    profile_id TEXT NOT NULL, state TEXT NOT NULL, created TEXT NOT NULL, updated TEXT NOT NULL,
    update_count INTEGER NOT NULL, first_session INTEGER NOT NULL,
    content TEXT NOT NULL, effects TEXT NOT NULL,
    UNIQUE (application_id, integration_id)
);
CREATE INDEX sessions_by_profile ON sessions (profile_id);
CREATE TABLE redemptions (
    session_id INTEGER NOT NULL REFERENCES sessions, kind TEXT NOT NULL,
    target_id INTEGER NOT NULL, profile_id TEXT NOT NULL,
    PRIMARY KEY (session_id, kind, target_id)
);
CREATE INDEX redemptions_by_profile ON redemptions (profile_id, kind, target_id);
CREATE INDEX redemptions_by_target ON redemptions (kind, target_id);
CREATE TABLE reservations (
    coupon_id INTEGER NOT NULL REFERENCES coupons, profile_id TEXT NOT NULL,
    PRIMARY KEY (coupon_id, profile_id)
);
CREATE INDEX reservations_by_profile ON reservations (profile_id);
CREATE TABLE audiences (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);
CREATE TABLE audience_members (
    audience_id INTEGER NOT NULL REFERENCES audiences, profile_id TEXT NOT NULL,
    PRIMARY KEY (audience_id, profile_id)
);
CREATE INDEX audiences_by_profile ON audience_members (profile_id);
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    application_id INTEGER NOT NULL REFERENCES applications, created TEXT NOT NULL,
    type TEXT NOT NULL, profile_id TEXT NOT NULL, session_id TEXT NOT NULL,
    attributes TEXT NOT NULL
);
CREATE INDEX events_by_profile ON events (profile_id);
CREATE TABLE responses (
    request TEXT NOT NULL, key TEXT NOT NULL, created TEXT NOT NULL,
    status INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (request, key)
);
CREATE INDEX responses_by_age ON responses (created);
"""


class DatabaseError(RuntimeError):
    """The database file of a sandbox cannot be used."""


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """The keys and the secret that a sandbox accepts."""

    api_key: str
    management_key: str
    application_secret: str


def digest(secret: str) -> str:
    """Return the hash under which a key is stored."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


class Database:
    """One SQLite database, used by one thread at a time.

    A new file gets the tables and the built-in data.

    Args:
        path: File that keeps the state, or `IN_MEMORY`.
        credentials: Secrets that are valid from now on; they replace earlier ones.

    Raises:
        DatabaseError: If the folder of the file does not exist, or another version of the sandbox
            wrote the file.
        sqlite3.Error: If the file cannot be used as a database for another reason.
    """

    def __init__(self, path: str, credentials: Credentials) -> None:
        folder = Path(path).parent
        if path != IN_MEMORY and not folder.is_dir():
            raise DatabaseError(f"unable to open database file: there is no folder {folder}")
        # Only the thread of the server opens and uses the connection. The check of SQLite would
        # keep another thread from closing it after a failed start.
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA foreign_keys = ON")
            # In this mode a commit does not wait for the disk, and a killed process still loses
            # nothing that was committed.
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._prepare(credentials)
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the database; committed changes stay in its file."""
        self._connection.close()

    @contextmanager
    def transaction(self, *, dry: bool = False) -> Iterator[Store]:
        """Open a transaction for one request.

        Args:
            dry: Whether to roll all changes back at the end, as an exception does.
        """
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield Store(self._connection)
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("ROLLBACK" if dry else "COMMIT")

    def _prepare(self, credentials: Credentials) -> None:
        with self.transaction():
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                self._create()
            elif version != SCHEMA_VERSION:
                raise DatabaseError(
                    f"the database has version {version} and this sandbox needs {SCHEMA_VERSION}: "
                    "start with a new file"
                )
            self._install(credentials)

    def _create(self) -> None:
        # executescript() would commit the transaction, so the statements run one by one.
        for statement in _SCHEMA.split(";"):
            self._connection.execute(statement)
        self._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        application, campaign = builtin.APPLICATION, builtin.CAMPAIGN
        store = Store(self._connection)
        store.insert("applications", asdict(application))
        row = asdict(campaign)
        for column in ("features", "tags", "rules"):
            row[column] = json.dumps(row[column])
        store.insert("campaigns", row)
        store.add_coupon(builtin.COUPON, id=builtin.COUPON.id)
        for audience in builtin.AUDIENCES:
            store.insert("audiences", asdict(audience))

    def _install(self, credentials: Credentials) -> None:
        execute = self._connection.execute
        execute("DELETE FROM credentials")
        insert = "INSERT INTO credentials (kind, digest) VALUES (?, ?)"
        execute(insert, ("integration", digest(credentials.api_key)))
        execute(insert, ("management", digest(credentials.management_key)))
        execute("UPDATE applications SET secret = ?", (credentials.application_secret,))
