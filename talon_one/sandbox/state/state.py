"""All state of a sandbox: entities by kind, the journal, keys, and responses to replay."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from talon_one.sandbox.state.documents import Document, Documents, encode
from talon_one.sandbox.state.journal import Journal
from talon_one.sandbox.state.tables import OTHERS, TABLES

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Key:
    """A credential that requests may carry.

    Attributes:
        kind: `integration` or `management`.
        digest: Hash of the secret.
        application_id: Application of an Integration key.
        document: Settings such as its title, expiry, type and time offset.
    """

    kind: str
    digest: str
    application_id: int | None
    document: Mapping[str, Any]


@dataclass(slots=True)
class Transaction:
    """A transaction that is open.

    Attributes:
        dry: Whether all changes are rolled back at its end.
    """

    dry: bool = False


def digest(secret: str) -> str:
    """Return the hash under which a key is stored."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


class State:
    """Read and write everything, inside the transactions that `transaction` opens.

    Args:
        connection: Connection to a database with the tables.

    Attributes:
        journal: Consequences and counters.
        has_messages: Whether messages of webhooks have changed since this was last reset.
        scratch: What the present transaction remembers, such as the ledgers it has added up.
    """

    applications: Documents
    campaigns: Documents
    campaign_groups: Documents
    rulesets: Documents
    attributes: Documents
    additional_costs: Documents
    audiences: Documents
    collections: Documents
    value_maps: Documents
    loyalty_programs: Documents
    achievements: Documents
    giveaway_pools: Documents
    catalogs: Documents
    stores: Documents
    webhooks: Documents
    custom_effects: Documents
    item_filters: Documents
    profiles: Documents
    sessions: Documents
    returns: Documents
    events: Documents
    coupons: Documents
    referrals: Documents
    reservations: Documents
    memberships: Documents
    collection_items: Documents
    giveaways: Documents
    catalog_items: Documents
    cards: Documents
    points: Documents
    loyalty_members: Documents
    tiers: Documents
    progress: Documents
    allowed_values: Documents
    changes: Documents
    deleted_coupons: Documents
    exports: Documents
    imports: Documents
    jobs: Documents
    messages: Documents
    prices: Documents

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._cache: dict[Any, Any] = {}
        self._redefined = False
        self.has_messages: bool = False
        self.scratch: dict[Any, Any] = {}
        self.journal: Journal = Journal(connection)
        for table in TABLES:
            changed = self._forget if table.definition else _nothing
            if table.name == "messages":
                changed = self._note_message
            setattr(self, table.name, Documents(connection, table, changed))

    def create(self) -> None:
        """Create the tables."""
        for table in TABLES:
            for statement in table.schema():
                self._connection.execute(statement)
        for statement in OTHERS:
            self._connection.execute(statement)

    def clear(self) -> None:
        """Delete everything, the credentials included, and number entities from 1 again."""
        self._forget()
        others = ["keys", "journal", "counters", "responses", "evaluations"]
        names = [table.name for table in TABLES] + others
        for name in names:
            self._connection.execute(f"DELETE FROM {name}")  # noqa: S608  own names
        self._connection.execute("DELETE FROM sqlite_sequence")

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Open a transaction; an exception rolls it back, and so does a dry run."""
        self._connection.execute("BEGIN IMMEDIATE")
        self._redefined = False
        self.scratch.clear()
        transaction = Transaction()
        try:
            yield transaction
            if not transaction.dry:
                self._connection.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        finally:
            self.scratch.clear()
        if transaction.dry:
            self._roll_back()

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        if self._redefined:
            self._cache.clear()

    def cached(self, key: Any, make: Callable[[], T]) -> T:
        """Return what was made from definitions before, until one of them changes."""
        try:
            found: T = self._cache[key]
        except KeyError:
            found = self._cache[key] = make()
        return found

    def _note_message(self) -> None:
        self.has_messages = True

    def _forget(self) -> None:
        self._redefined = True
        self._cache.clear()

    def key(self, kind: str, secret: str) -> Key | None:
        """Return a credential, if it exists."""
        found = digest(secret)
        row = self._connection.execute(
            "SELECT application_id, document FROM keys WHERE kind = ? AND digest = ?",
            (kind, found),
        ).fetchone()
        return Key(kind, found, row[0], json.loads(row[1])) if row else None

    def add_key(
        self,
        kind: str,
        secret: str,
        application_id: int | None = None,
        document: Mapping[str, Any] | None = None,
    ) -> None:
        """Accept a credential from now on."""
        self._connection.execute(
            "INSERT OR REPLACE INTO keys (kind, digest, application_id, document) "
            "VALUES (?, ?, ?, ?)",
            (kind, digest(secret), application_id, json.dumps(document or {})),
        )

    def delete_keys(self, document: Mapping[str, Any]) -> None:
        """Accept the credentials with these settings no longer."""
        self._connection.execute("DELETE FROM keys WHERE document = ?", (json.dumps(document),))

    def response(
        self, credential: str, request: str, key: str, since: str
    ) -> tuple[str, int, bytes] | None:
        """Return fingerprint, status and body stored for an idempotency key, unless too old."""
        row = self._connection.execute(
            "SELECT fingerprint, status, body FROM responses "
            "WHERE credential = ? AND request = ? AND key = ? AND created > ?",
            (credential, request, key, since),
        ).fetchone()
        return (row[0], row[1], row[2]) if row else None

    def save_response(
        self,
        credential: str,
        request: str,
        key: str,
        fingerprint: str,
        now: str,
        since: str,
        status: int,
        body: bytes,
    ) -> None:
        """Store a response under its idempotency key, and delete those that are too old."""
        self._connection.execute("DELETE FROM responses WHERE created <= ?", (since,))
        self._connection.execute(
            "INSERT OR REPLACE INTO responses VALUES (?, ?, ?, ?, ?, ?, ?)",
            (credential, request, key, fingerprint, now, status, body),
        )

    def evaluation(self, session_id: int) -> dict[str, Any] | None:
        """Return the record of the last evaluation of a session, if there is one."""
        row = self._connection.execute(
            "SELECT record FROM evaluations WHERE session_id = ?", (session_id,)
        ).fetchone()
        return json.loads(row[0]) if row else None

    def save_evaluation(self, session_id: int, record: Mapping[str, Any]) -> None:
        """Store the record of the last evaluation of a session.

        It is not a part of the session, because each request reads sessions, and none needs it.
        """
        self._connection.execute(
            "INSERT OR REPLACE INTO evaluations VALUES (?, ?)", (session_id, encode(record))
        )

    def dump(self) -> list[str]:
        """Return the whole state as SQL, to compare it."""
        return list(self._connection.iterdump())

    def application(self, application_id: int) -> Document:
        """Return an Application that is known to exist."""
        found = self.cached(
            ("application", application_id), lambda: self.applications.get(application_id)
        )
        if found is None:
            raise LookupError(f"there is no Application {application_id}")
        return found


def _nothing() -> None:
    """Do nothing before a change of what requests produce."""
