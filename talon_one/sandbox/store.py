"""Queries and changes of the state, in terms of the records.

A `Store` lives as long as its transaction (`database.Database.transaction`). All state is in the
database.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from talon_one.sandbox.records import (
    Application,
    Audience,
    Campaign,
    Coupon,
    Event,
    Profile,
    Referral,
    Rule,
    Session,
)

# The tables of the codes that a session can redeem.
_TABLES: Final[Mapping[str, str]] = MappingProxyType({"coupon": "coupons", "referral": "referrals"})


class Store:
    """Read and write entities within one transaction.

    Args:
        connection: Connection with an open transaction.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def insert(self, table: str, row: Mapping[str, Any]) -> int:
        """Insert a row and return its internal id. Table and columns come from our own code."""
        columns, marks = ", ".join(row), ", ".join("?" * len(row))
        query = f"INSERT INTO {table} ({columns}) VALUES ({marks})"  # noqa: S608  own names
        cursor = self._connection.execute(query, tuple(row.values()))
        return int(cursor.lastrowid or 0)

    def _all(self, query: str, *values: Any) -> list[sqlite3.Row]:
        return self._connection.execute(query, values).fetchall()

    def _one(self, query: str, *values: Any) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._connection.execute(query, values).fetchone()
        return row

    def application(self) -> Application:
        """Return the Application all Integration requests belong to."""
        return Application(**dict(self._all("SELECT * FROM applications")[0]))

    def accepts(self, kind: str, digest: str) -> bool:
        """Return whether a key of this kind is valid, given its digest."""
        query = "SELECT 1 FROM credentials WHERE kind = ? AND digest = ?"
        return self._one(query, kind, digest) is not None

    def campaigns(self) -> list[Campaign]:
        """Return all campaigns of the Application."""
        return [_campaign(row) for row in self._all("SELECT * FROM campaigns ORDER BY id")]

    def campaign(self, campaign_id: int) -> Campaign | None:
        """Return a campaign by its internal id."""
        row = self._one("SELECT * FROM campaigns WHERE id = ?", campaign_id)
        return _campaign(row) if row else None

    def redemption_count(self, kind: str, campaign_id: int) -> int:
        """Count the redemptions of all coupons or referrals of a campaign."""
        table = _TABLES[kind]
        count = f"SELECT TOTAL(usage_counter) AS n FROM {table}"  # noqa: S608  own names
        return int(self._all(f"{count} WHERE campaign_id = ?", campaign_id)[0]["n"])

    def add_coupon(self, coupon: Coupon, **columns: Any) -> Coupon:
        """Store a new coupon and return it with its id.

        Args:
            coupon: The coupon; its `id` is ignored.
            **columns: Columns that replace those of the coupon.
        """
        row = _row(coupon) | {"attributes": json.dumps(coupon.attributes)}
        return replace(coupon, id=self.insert("coupons", row | columns))

    def add_import(self, created: str) -> int:
        """Store a new import of coupons and return its id."""
        return self.insert("imports", {"created": created})

    def coupon(self, code: str) -> Coupon | None:
        """Return a coupon by its code, which is case-sensitive."""
        row = self._one("SELECT * FROM coupons WHERE value = ?", code)
        return _coupon(row) if row else None

    def coupons_of_campaign(self, campaign_id: int) -> list[Coupon]:
        """Return all coupons of a campaign, oldest first."""
        query = "SELECT * FROM coupons WHERE campaign_id = ? ORDER BY id"
        return [_coupon(row) for row in self._all(query, campaign_id)]

    def coupons_of_profile(self, profile_id: str) -> list[Coupon]:
        """Return the coupons a profile has reserved, redeemed or been given."""
        query = """
            SELECT * FROM coupons WHERE recipient = ? OR implicitly_reserved
                OR id IN (SELECT coupon_id FROM reservations WHERE profile_id = ?)
                OR id IN (SELECT target_id FROM redemptions
                          WHERE profile_id = ? AND kind = 'coupon')
            ORDER BY id
        """
        rows = self._all(query, profile_id, profile_id, profile_id)
        return [_coupon(row) for row in rows]

    def reserved(self, coupon_id: int, profile_id: str) -> bool:
        """Return whether a profile holds a reservation of a coupon."""
        query = "SELECT 1 FROM reservations WHERE coupon_id = ? AND profile_id = ?"
        return self._one(query, coupon_id, profile_id) is not None

    def reserve(self, coupon_id: int, profile_ids: Iterable[str]) -> None:
        """Reserve a coupon for profiles; existing reservations stay as they are."""
        self._connection.executemany(
            "INSERT OR IGNORE INTO reservations (coupon_id, profile_id) VALUES (?, ?)",
            [(coupon_id, profile_id) for profile_id in profile_ids],
        )
        self._count_reservations(coupon_id)

    def release(self, coupon_id: int, profile_ids: Iterable[str]) -> None:
        """Delete the reservations that profiles hold of a coupon."""
        self._connection.executemany(
            "DELETE FROM reservations WHERE coupon_id = ? AND profile_id = ?",
            [(coupon_id, profile_id) for profile_id in profile_ids],
        )
        self._count_reservations(coupon_id)

    def _count_reservations(self, coupon_id: int) -> None:
        self._connection.execute(
            """
            UPDATE coupons SET reservation_counter =
                (SELECT COUNT(*) FROM reservations WHERE coupon_id = coupons.id) WHERE id = ?
            """,
            (coupon_id,),
        )

    def reserving_profiles(self, coupon_id: int) -> list[Profile]:
        """Return the profiles that hold a reservation of a coupon."""
        query = """
            SELECT profiles.* FROM profiles JOIN reservations
                ON reservations.profile_id = profiles.integration_id
            WHERE coupon_id = ? ORDER BY profiles.id
        """
        return [_profile(row) for row in self._all(query, coupon_id)]

    def add_referral(self, referral: Referral) -> Referral:
        """Store a new referral and return it with its id."""
        row = _row(referral) | {"attributes": json.dumps(referral.attributes)}
        return replace(referral, id=self.insert("referrals", row))

    def referral(self, code: str) -> Referral | None:
        """Return a referral by its code."""
        row = self._one("SELECT * FROM referrals WHERE code = ?", code)
        return _referral(row) if row else None

    def referrals_of_profile(self, advocate: str) -> list[Referral]:
        """Return the referrals of an advocate."""
        query = "SELECT * FROM referrals WHERE advocate = ? ORDER BY id"
        return [_referral(row) for row in self._all(query, advocate)]

    def referred_profiles(self, referral_id: int) -> list[str]:
        """Return the integration ids of the friends who redeemed a referral."""
        query = """
            SELECT DISTINCT profile_id FROM redemptions
            WHERE kind = 'referral' AND target_id = ? AND profile_id <> ''
        """
        return [row["profile_id"] for row in self._all(query, referral_id)]

    def was_referred(self, profile_id: str) -> bool:
        """Return whether a profile has redeemed any referral."""
        query = "SELECT 1 FROM redemptions WHERE kind = 'referral' AND profile_id = ?"
        return bool(profile_id) and self._one(query, profile_id) is not None

    def redeem(self, session: Session, kind: str, target_id: int) -> None:
        """Count one redemption of a coupon or referral by a session."""
        row = {
            "session_id": session.id,
            "kind": kind,
            "target_id": target_id,
            "profile_id": session.profile_id,
        }
        self.insert("redemptions", row)
        self._move_usage(kind, target_id, 1)

    def give_back(self, session: Session) -> None:
        """Roll back all redemptions of a session."""
        query = "SELECT kind, target_id FROM redemptions WHERE session_id = ?"
        for row in self._all(query, session.id):
            self._move_usage(row["kind"], row["target_id"], -1)
        self._connection.execute("DELETE FROM redemptions WHERE session_id = ?", (session.id,))

    def _move_usage(self, kind: str, target_id: int, step: int) -> None:
        table = _TABLES[kind]
        change = f"UPDATE {table} SET usage_counter = usage_counter + ?"  # noqa: S608  own names
        self._connection.execute(f"{change} WHERE id = ?", (step, target_id))

    def redemptions_by(self, profile_id: str, coupon_id: int) -> int:
        """Count how often a profile has redeemed a coupon."""
        query = """
            SELECT COUNT(*) AS n FROM redemptions
            WHERE kind = 'coupon' AND profile_id = ? AND target_id = ?
        """
        return int(self._all(query, profile_id, coupon_id)[0]["n"]) if profile_id else 0

    def profile(self, integration_id: str) -> Profile | None:
        """Return a profile by its integration id."""
        row = self._one("SELECT * FROM profiles WHERE integration_id = ?", integration_id)
        return _profile(row) if row else None

    def ensure_profile(self, integration_id: str, now: str) -> Profile:
        """Return a profile, creating it empty if it is new."""
        profile = self.profile(integration_id)
        if profile is not None:
            return profile
        row = {"integration_id": integration_id, "created": now, "last_activity": now}
        return Profile(
            id=self.insert("profiles", row),
            closed_sessions=0,
            total_sales=Decimal(0),
            attributes={},
            **row,
        )

    def save_profile(self, profile: Profile) -> Profile:
        """Write the changed properties of a stored profile."""
        self._connection.execute(
            """
            UPDATE profiles SET last_activity = ?, closed_sessions = ?, total_sales = ?,
                attributes = ? WHERE id = ?
            """,
            (
                profile.last_activity,
                profile.closed_sessions,
                str(profile.total_sales),
                json.dumps(profile.attributes),
                profile.id,
            ),
        )
        return profile

    def audience(self, audience_id: int) -> Audience | None:
        """Return an audience by its internal id."""
        row = self._one("SELECT * FROM audiences WHERE id = ?", audience_id)
        return Audience(**dict(row)) if row else None

    def audiences_of_profile(self, profile_id: str) -> list[Audience]:
        """Return the audiences a profile belongs to."""
        query = """
            SELECT audiences.* FROM audiences JOIN audience_members ON audience_id = audiences.id
            WHERE profile_id = ? ORDER BY audiences.id
        """
        return [Audience(**dict(row)) for row in self._all(query, profile_id)]

    def join_audience(self, audience_id: int, profile_id: str) -> None:
        """Put a profile into an audience."""
        self._connection.execute(
            "INSERT OR IGNORE INTO audience_members VALUES (?, ?)", (audience_id, profile_id)
        )

    def leave_audience(self, audience_id: int, profile_id: str) -> None:
        """Take a profile out of an audience."""
        self._connection.execute(
            "DELETE FROM audience_members WHERE audience_id = ? AND profile_id = ?",
            (audience_id, profile_id),
        )

    def session(self, integration_id: str) -> Session | None:
        """Return a session by its integration id."""
        row = self._one("SELECT * FROM sessions WHERE integration_id = ?", integration_id)
        return _session(row) if row else None

    def sessions_of_profile(self, profile_id: str) -> list[Session]:
        """Return the sessions of a profile, oldest first."""
        query = "SELECT * FROM sessions WHERE profile_id = ? ORDER BY id"
        return [_session(row) for row in self._all(query, profile_id)]

    def has_other_session(self, profile_id: str, integration_id: str) -> bool:
        """Return whether a profile has a session besides the one named."""
        query = "SELECT 1 FROM sessions WHERE profile_id = ? AND integration_id <> ? LIMIT 1"
        return self._one(query, profile_id, integration_id) is not None

    def save_session(self, session: Session) -> Session:
        """Store a session, new if its id is 0, and return it with its id."""
        row = _row(session) | {
            "content": json.dumps(session.content),
            "effects": json.dumps(session.effects),
        }
        if not session.id:
            return replace(session, id=self.insert("sessions", row))
        changes = ", ".join(f"{column} = ?" for column in row)
        query = f"UPDATE sessions SET {changes} WHERE id = ?"  # noqa: S608  own names
        self._connection.execute(query, (*row.values(), session.id))
        return session

    def add_event(self, event: Event) -> Event:
        """Store a new event and return it with its id."""
        row = _row(event) | {"attributes": json.dumps(event.attributes)}
        return replace(event, id=self.insert("events", row))

    def clear_event_attributes(self, profile_id: str) -> None:
        """Erase the attributes of the events of a profile."""
        self._connection.execute(
            "UPDATE events SET attributes = '{}' WHERE profile_id = ?", (profile_id,)
        )

    def response(self, request: str, key: str, since: str) -> tuple[int, bytes] | None:
        """Return the status and body stored for an idempotency key, unless too old."""
        query = "SELECT status, body FROM responses WHERE request = ? AND key = ? AND created > ?"
        row = self._one(query, request, key, since)
        return (row["status"], row["body"]) if row else None

    def save_response(
        self, request: str, key: str, now: str, since: str, status: int, body: bytes
    ) -> None:
        """Store a response under its idempotency key, and delete those that are too old."""
        self._connection.execute("DELETE FROM responses WHERE created <= ?", (since,))
        self.insert(
            "responses",
            {"request": request, "key": key, "created": now, "status": status, "body": body},
        )


def _row(record: Any) -> dict[str, Any]:
    """Return the columns of a record without its id, which the database assigns."""
    return {one.name: getattr(record, one.name) for one in fields(record) if one.name != "id"}


def _decoded(row: sqlite3.Row, *columns: str) -> dict[str, Any]:
    values = dict(row)
    for column in columns:
        values[column] = json.loads(values[column])
    return values


def _campaign(row: sqlite3.Row) -> Campaign:
    values = _decoded(row, "features", "tags", "rules")
    rules: Sequence[Mapping[str, Any]] = values.pop("rules")
    return Campaign(**values, rules=[Rule(**rule) for rule in rules])


def _coupon(row: sqlite3.Row) -> Coupon:
    values = _decoded(row, "attributes")
    for flag in ("reservation_mandatory", "implicitly_reserved"):
        values[flag] = bool(values[flag])
    return Coupon(**values)


def _referral(row: sqlite3.Row) -> Referral:
    return Referral(**_decoded(row, "attributes"))


def _profile(row: sqlite3.Row) -> Profile:
    values = _decoded(row, "attributes")
    return Profile(**values | {"total_sales": Decimal(values["total_sales"])})


def _session(row: sqlite3.Row) -> Session:
    values = _decoded(row, "content", "effects")
    return Session(**values | {"first_session": bool(values["first_session"])})
