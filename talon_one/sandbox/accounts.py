"""Accounts of loyalty programs: the ledgers of a profile or a card, stored entry by entry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from talon_one.sandbox.books import Book, book_of, forget_book
from talon_one.sandbox.errors import Problem, invalid
from talon_one.sandbox.loyalty.durations import (
    IMMEDIATE,
    ON_ACTION,
    UNLIMITED,
    add_duration,
    moment_after,
)
from talon_one.sandbox.loyalty.ledger import (
    ADD,
    GIVE_BACK,
    SPEND,
    TAKE_BACK,
    Ledger,
    parts_to_spend,
    parts_to_take_back,
)
from talon_one.sandbox.loyalty.tiers import Standing, standing_now
from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.state.state import State
from talon_one.sandbox.values import amount, json_number
from talon_one.sandbox.world import World

ADDITION: Final = "addition"
SUBTRACTION: Final = "subtraction"
LAST: Final = "9999-12-31T23:59:59.999999Z"


class TooFewPoints(Exception):
    """An account has fewer active points than are to be spent."""


@dataclass(frozen=True, slots=True)
class Account:
    """The points of a profile or a card in one program.

    Attributes:
        program: The program.
        profile_id: Integration ID of the profile, empty for a card.
        card: Identifier of the card, empty for a profile.
    """

    program: Document
    profile_id: str = ""
    card: str = ""

    @property
    def holder(self) -> str:
        """Key of the profile or card among all holders."""
        return f"card:{self.card}" if self.card else f"profile:{self.profile_id}"

    @property
    def zone(self) -> str:
        """Time zone of the program."""
        return str(self.program.get("timezone") or "UTC")


@dataclass(frozen=True, slots=True)
class Terms:
    """When added points become active and when they expire, as a request or a rule says.

    Whatever is None follows from the program.

    Attributes:
        pending: Duration, `immediate` or `on_action`.
        start: Moment at which the points become active.
        validity: Duration from their start, or `unlimited`.
        expiry: Moment at which they expire.
    """

    pending: str | None = None
    start: str | None = None
    validity: str | None = None
    expiry: str | None = None


class Accounts:
    """Read and change the accounts of loyalty programs.

    Args:
        state: The state, inside a transaction.
        world: Source of transaction UUIDs.
        now: Moment of the request.
    """

    def __init__(self, state: State, world: World, now: str) -> None:
        self._state = state
        self._world = world
        self._now = now

    def documents(self, account: Account, subledger: str | None = None) -> list[Document]:
        """Return the entries of an account, oldest first; those of one ledger if it is named."""
        book = self._book(account)
        return list(book.entries if subledger is None else book.of(subledger))

    def subledgers(self, account: Account) -> list[str]:
        """Return the names of the ledgers that have entries, the main one aside."""
        return sorted({each["subledgerId"] for each in self._book(account).entries} - {""})

    def ledger(self, account: Account, subledger: str, at: str | None = None) -> Ledger:
        """Return a ledger of an account at a moment, by default now."""
        return self._book(account).ledger(subledger, at)

    def _book(self, account: Account) -> Book:
        return book_of(self._state, account.holder, account.program["id"], self._now)

    def add(
        self, account: Account, points: Decimal, subledger: str, terms: Terms, **facts: Any
    ) -> Document:
        """Add points to an account and return the entry.

        Args:
            account: The account.
            points: How many.
            subledger: Name of the ledger; empty for the main one.
            terms: When they become active and when they expire.
            **facts: Further properties of the entry.

        Raises:
            ApiError: 400 for a duration that cannot be used.
        """
        start = self.start_of(account, terms)
        expiry = self._expiry(account, terms, start)
        validity = terms.validity or account.program.get("defaultValidity")
        if start is None and terms.expiry is None and validity not in (None, UNLIMITED):
            facts["validityDuration"] = validity
        self._join(account, active=start is not None and start <= self._now)
        return self._store(
            account,
            subledger,
            kind=ADD,
            amount=points,
            start=start,
            expiry=expiry,
            startDate=ON_ACTION if start is None else _written(start, self._now, IMMEDIATE),
            expiryDate=expiry or UNLIMITED,
            **facts,
        )

    def spend(self, account: Account, points: Decimal, subledger: str, **facts: Any) -> Document:
        """Spend active points, those that expire first, and return the entry.

        Raises:
            TooFewPoints: If the ledger has fewer.
        """
        parts = parts_to_spend(self.ledger(account, subledger), points)
        if parts is None:
            raise TooFewPoints
        return self._store(account, subledger, kind=SPEND, amount=points, parts=parts, **facts)

    def take_back(self, account: Account, added: Document, points: Decimal) -> Document | None:
        """Take back added points as the program's return policy allows.

        Returns:
            The entry, None if nothing can be taken back.
        """
        subledger = added["subledgerId"]
        policy = account.program.get("returnPolicy") or "only_pending"
        parts, taken = parts_to_take_back(
            self.ledger(account, subledger), added["id"], points, policy
        )
        if not taken:
            return None
        facts = {name: added[name] for name in _KEPT if name in added}
        return self._store(account, subledger, kind=TAKE_BACK, amount=taken, parts=parts, **facts)

    def give_back(self, account: Account, spent: Document) -> Document:
        """Give back all points of an entry that spent them, to where they came from."""
        facts = {name: spent[name] for name in _KEPT if name in spent}
        parts = tuple((lot, Decimal(text)) for lot, text in spent["_parts"])
        return self._store(
            account,
            spent["subledgerId"],
            kind=GIVE_BACK,
            amount=amount(spent["amount"]),
            parts=parts,
            **facts,
        )

    def activate(self, account: Account, entries: Iterable[Document]) -> list[Document]:
        """Activate pending points, and return the entries that changed."""
        changed = []
        for each in entries:
            if each["_kind"] != ADD or (each["_start"] is not None and each["_start"] <= self._now):
                continue
            each |= {"_start": self._now, "startDate": self._now}
            if each["_expiry"] is None and each.get("validityDuration"):
                each["_expiry"] = self._later(
                    self._now, each["validityDuration"], account, "validityDuration"
                )
                each["expiryDate"] = each["_expiry"]
            self.refresh_tier(account, each["subledgerId"])
            changed.append(self._state.points.save(each))
        if changed:
            forget_book(self._state, account.holder, account.program["id"], self._now)
            self._join(account, active=True)
        return changed

    def delete(self, account: Account, names: Iterable[str] | None = None) -> None:
        """Delete the entries of some ledgers, or of all, and the tiers that they gave."""
        chosen = None if names is None else set(names)
        for table in (self._state.points, self._state.tiers):
            for each in table.find(_holder=account.holder, programId=account.program["id"]):
                if chosen is None or each["subledgerId"] in chosen:
                    table.delete(id=each["id"])
        forget_book(self._state, account.holder, account.program["id"], self._now)

    def move(self, account: Account, target: Account) -> None:
        """Move all points and tiers of one account to another."""
        for table in (self._state.points, self._state.tiers):
            for each in table.find(_holder=account.holder, programId=account.program["id"]):
                table.save(
                    {
                        **each,
                        "_holder": target.holder,
                        "cardIdentifier": target.card or None,
                        "customerProfileId": target.profile_id or None,
                    }
                )
        for holder in (account.holder, target.holder):
            forget_book(self._state, holder, account.program["id"], self._now)

    def standing(self, account: Account, subledger: str, at: str | None = None) -> Standing:
        """Return the tier of a ledger at a moment, by default now."""
        if not account.program.get("tiers"):
            return Standing()
        ledger = self.ledger(account, subledger, at)
        stored = self._stored_standing(account, subledger, ledger.at)
        before = Standing(stored.get("tierId"), stored.get("startDate"), stored.get("expiryDate"))
        since = stored.get("_checked", "")
        if since > ledger.at:
            since = stored["created"]
        return standing_now(
            account.program,
            before,
            ledger.active_since(since),
            ledger.at,
            joined=self.joined(account),
        )

    def refresh_tier(self, account: Account, subledger: str) -> tuple[int | None, Standing]:
        """Store the present tier of a ledger; return the ID of the tier before, and the tier."""
        if not account.program.get("tiers"):
            return None, Standing()
        now = self.standing(account, subledger)
        before = self._stored_standing(account, subledger, self._book(account).now)
        self._store_standing(account, subledger, now, before)
        return before.get("tierId"), now

    def _store_standing(
        self, account: Account, subledger: str, standing: Standing, before: Document
    ) -> None:
        """Store a tier beside the earlier ones, so that past moments stay as they were."""
        moment = self._book(account).now
        facts = {
            "tierId": standing.tier_id,
            "startDate": standing.start,
            "expiryDate": standing.expiry,
            "_checked": moment,
        }
        same = all(
            before.get(name) == facts[name] for name in ("tierId", "startDate", "expiryDate")
        )
        if before and (same or before["created"] == moment):
            self._state.tiers.save({**before, **facts})
            return
        self._state.tiers.add(
            {
                "_holder": account.holder,
                "programId": account.program["id"],
                "subledgerId": subledger,
                "created": moment,
                **facts,
            }
        )

    def set_standing(self, account: Account, subledger: str, tier_id: int, expiry: str) -> None:
        """Store a tier that an import chose; who has it already keeps the day it began."""
        now = self.standing(account, subledger)
        moment = self._book(account).now
        start = now.start if now.tier_id == tier_id else moment
        before = self._stored_standing(account, subledger, moment)
        self._store_standing(account, subledger, Standing(tier_id, start, expiry), before)

    def joined(self, account: Account) -> str | None:
        """Return the moment at which a profile joined a program, None if it has not."""
        found = self._membership(account)
        return found["joinDate"] if found else None

    def join(self, account: Account, moment: str) -> None:
        """Let a profile join a program, or change when it did."""
        found = self._membership(account)
        if found is not None:
            self._state.loyalty_members.save({**found, "joinDate": moment})
            return
        self._state.loyalty_members.add(
            {
                "programId": account.program["id"],
                "profileId": account.profile_id,
                "joinDate": moment,
            }
        )

    def _membership(self, account: Account) -> Document | None:
        return self._state.loyalty_members.first(
            programId=account.program["id"], profileId=account.profile_id
        )

    def _join(self, account: Account, *, active: bool) -> None:
        policy = account.program.get("programJoinPolicy") or "not_join"
        joins = policy == "points_earned" or (policy == "points_activated" and active)
        if account.profile_id and joins and self._membership(account) is None:
            self.join(account, self._now)

    def _stored_standing(self, account: Account, subledger: str, at: str) -> Document:
        """Return the tier that was stored last up to a moment; empty if none was."""
        rows = self._state.tiers.each(_holder=account.holder, programId=account.program["id"])
        found: Document = {}
        for each in rows:
            if each["subledgerId"] == subledger and each["created"] <= at:
                found = each
        return found

    def start_of(self, account: Account, terms: Terms) -> str | None:
        """Return the moment at which points become active, None if they await an action.

        Raises:
            ApiError: 400 for a duration that cannot be used.
        """
        if terms.start is not None:
            return terms.start
        pending = terms.pending or account.program.get("defaultPending") or IMMEDIATE
        if pending == ON_ACTION:
            return None
        if pending == IMMEDIATE:
            return self._now
        if terms.pending is None:
            return moment_after(self._now, pending, account.zone) or LAST
        return self._later(self._now, pending, account, "pendingDuration")

    def _expiry(self, account: Account, terms: Terms, start: str | None) -> str | None:
        if terms.expiry is not None:
            return terms.expiry
        validity = terms.validity or account.program.get("defaultValidity") or UNLIMITED
        if validity == UNLIMITED or start is None:
            return None
        if terms.validity is None:
            return moment_after(start, validity, account.zone)
        return self._later(start, validity, account, "validityDuration")

    def _later(self, moment: str, duration: str, account: Account, name: str) -> str:
        try:
            return add_duration(moment, duration, account.zone)
        except ValueError as cause:
            raise invalid(Problem("Invalid", str(cause), f"/{name}")) from cause

    def _store(
        self,
        account: Account,
        subledger: str,
        *,
        kind: str,
        amount: Decimal,
        start: str | None = None,
        expiry: str | None = None,
        parts: tuple[tuple[int, Decimal], ...] = (),
        **facts: Any,
    ) -> Document:
        added = kind in (ADD, GIVE_BACK)
        book = self._book(account)
        settled = ("settled", account.holder, account.program["id"], subledger)
        if settled not in self._state.scratch:
            # Time may have changed the tier. That is to be known before points change it again.
            self._state.scratch[settled] = True
            self.refresh_tier(account, subledger)
        entry = self._state.points.add(
            {
                "transactionUUID": self._world.uuid(),
                "created": book.now,
                "programId": account.program["id"],
                "type": ADDITION if added else SUBTRACTION,
                "amount": json_number(amount),
                "name": "",
                "startDate": IMMEDIATE,
                "expiryDate": UNLIMITED,
                "subledgerId": subledger,
                "customerProfileId": account.profile_id or None,
                "cardIdentifier": account.card or None,
                **facts,
                "_holder": account.holder,
                "_kind": kind,
                "_start": start,
                "_expiry": expiry,
                "_parts": [[lot, str(part)] for lot, part in parts],
            }
        )
        book.write(entry)
        return entry


_KEPT: Final = ("name", "campaignId", "rulesetId", "ruleName", "customerSessionId")


def _written(moment: str, now: str, word: str) -> str:
    return word if moment == now else moment
