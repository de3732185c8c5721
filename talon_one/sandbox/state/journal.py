"""The journal: one row for each consequence, and counters that are the sums of its rows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from talon_one.sandbox.values import ZERO


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the journal.

    Attributes:
        id: Number of the row, 0 before it is written.
        created: Moment at which it was written.
        kind: What happened, see `rules.outcome.Consequence.kind`.
        target: What it happened to.
        amount: How much of it.
        counters: Amounts by the key of the counter they move.
        session_id: Session that caused it, if one did.
        event_id: Event that caused it, if no session did.
        profile_id: Integration ID of the profile it belongs to; empty for none.
        campaign_id: Campaign that caused it, 0 for none.
        effect: The effect as it was returned.
        details: What reversing it needs.
        position: Index of the cart item that it is about, if any.
        sub_position: Index of the unit of that item.
        reversible: Whether cancelling or reopening the session reverses it.
    """

    kind: str
    target: str
    amount: Decimal
    created: str = ""
    counters: Mapping[str, Decimal] = field(default_factory=dict)
    session_id: int | None = None
    event_id: int | None = None
    profile_id: str = ""
    campaign_id: int = 0
    effect: Mapping[str, Any] | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    position: int | None = None
    sub_position: int | None = None
    reversible: bool = True
    id: int = 0


_COLUMNS = (
    "id, created, session_id, event_id, profile_id, campaign_id, kind, target, amount, counters, "
    "effect, details, position, sub_position, reversible"
)


class Journal:
    """Write rows, reverse them, and read the counters that they move.

    Args:
        connection: Connection to the database.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def counter(self, key: str) -> Decimal:
        """Return the value of a counter, 0 if nothing has moved it."""
        query = "SELECT value FROM counters WHERE key = ?"
        row = self._connection.execute(query, (key,)).fetchone()
        return Decimal(row[0]) if row else ZERO

    def write(self, entry: Entry) -> int:
        """Store a row, move its counters, and return its number."""
        values = (
            entry.created,
            entry.session_id,
            entry.event_id,
            entry.profile_id,
            entry.campaign_id,
            entry.kind,
            entry.target,
            str(entry.amount),
            json.dumps({key: str(amount) for key, amount in entry.counters.items()}),
            None if entry.effect is None else json.dumps(entry.effect, ensure_ascii=False),
            json.dumps(entry.details, ensure_ascii=False),
            entry.position,
            entry.sub_position,
            entry.reversible,
        )
        cursor = self._connection.execute(
            f"INSERT INTO journal ({_COLUMNS}) "  # noqa: S608  own names
            "VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            values,
        )
        self._move(entry.counters.items(), 1)
        return int(cursor.lastrowid or 0)

    def reverse(self, entry: Entry, at: str) -> None:
        """Mark a row as reversed and take its amounts out of the counters."""
        self._connection.execute("UPDATE journal SET reversed = ? WHERE id = ?", (at, entry.id))
        self._move(entry.counters.items(), -1)

    def standing(self, session_id: int) -> list[Entry]:
        """Return the rows of a session that are not reversed, oldest first."""
        return list(self._entries("session_id = ? AND reversed IS NULL", session_id))

    def of_profile(self, profile_id: str, kind: str) -> list[Entry]:
        """Return the rows of a kind about a profile that are not reversed, oldest first."""
        condition = "profile_id = ? AND kind = ? AND reversed IS NULL"
        return list(self._entries(condition, profile_id, kind))

    def of_target(self, kind: str, target: str) -> list[Entry]:
        """Return the rows of a kind about a target that are not reversed, oldest first."""
        condition = "kind = ? AND target = ? AND reversed IS NULL"
        return list(self._entries(condition, kind, target))

    def of_campaign(self, campaign_id: int) -> list[Entry]:
        """Return the rows that a campaign caused and that are not reversed, oldest first."""
        return list(self._entries("campaign_id = ? AND reversed IS NULL", campaign_id))

    def sums(self) -> dict[str, Decimal]:
        """Add up the counters from the rows; they equal what `counter` returns."""
        found: dict[str, Decimal] = {}
        for entry in self._entries("reversed IS NULL"):
            for key, amount in entry.counters.items():
                found[key] = found.get(key, ZERO) + amount
        return found

    def counters(self) -> dict[str, Decimal]:
        """Return all counters by their keys."""
        rows = self._connection.execute("SELECT key, value FROM counters")
        return {key: Decimal(value) for key, value in rows}

    def _move(self, counters: Iterable[tuple[str, Decimal]], sign: int) -> None:
        for key, amount in counters:
            value = self.counter(key) + sign * amount
            self._connection.execute(
                "INSERT INTO counters (key, value) VALUES (?, ?) "
                "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (key, str(value)),
            )

    def _entries(self, condition: str, *values: Any) -> Iterator[Entry]:
        # Conditions are those above, never from a request.
        query = f"SELECT {_COLUMNS} FROM journal WHERE {condition} ORDER BY id"  # noqa: S608
        for row in self._connection.execute(query, values):
            yield Entry(
                id=row[0],
                created=row[1],
                session_id=row[2],
                event_id=row[3],
                profile_id=row[4] or "",
                campaign_id=row[5],
                kind=row[6],
                target=row[7],
                amount=Decimal(row[8]),
                counters={key: Decimal(text) for key, text in json.loads(row[9]).items()},
                effect=None if row[10] is None else json.loads(row[10]),
                details=json.loads(row[11]),
                position=row[12],
                sub_position=row[13],
                reversible=bool(row[14]),
            )
