"""The entries of accounts that a transaction has read, and the ledgers it has added up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from talon_one.sandbox.loyalty.ledger import Entry, Ledger, replay
from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.state.state import State
from talon_one.sandbox.values import amount


class Book:
    """The entries of one profile or card in one program.

    Every entry is read once in a transaction, and added to its ledger once, so that a session with
    thousands of effects takes thousands of steps and not millions.

    Args:
        entries: All entries, oldest first.
        now: Moment of the request.
    """

    def __init__(self, entries: list[Document], now: str) -> None:
        self.entries = entries
        self._now = now
        self._ledgers: dict[str, Ledger] = {}

    @property
    def now(self) -> str:
        """Moment of the request, or of the latest entry if the clock of the machine went back."""
        return max(self._now, self.entries[-1]["created"]) if self.entries else self._now

    def of(self, subledger: str) -> Iterator[Document]:
        """Yield the entries of one ledger."""
        return (each for each in self.entries if each["subledgerId"] == subledger)

    def ledger(self, subledger: str, at: str | None = None) -> Ledger:
        """Return a ledger at a moment, by default now."""
        if at is not None:
            return replay(map(_entry, self.of(subledger)), at)
        found = self._ledgers.get(subledger)
        if found is None:
            found = self._ledgers[subledger] = replay(map(_entry, self.of(subledger)), self.now)
        found.advance(self.now)
        return found

    def write(self, entry: Document) -> None:
        """Add an entry, which is stored."""
        self.entries.append(entry)
        if entry["subledgerId"] in self._ledgers:
            self._ledgers[entry["subledgerId"]].apply(_entry(entry))

    def change(self, subledger: str) -> None:
        """Add up a ledger anew, because one of its entries has changed."""
        self._ledgers.pop(subledger, None)


def book_of(state: State, holder: str, program_id: int, now: str) -> Book:
    """Return the entries of an account, read from the state once in a transaction."""
    key = ("book", holder, program_id, now)
    if key not in state.scratch:
        entries = state.points.find(_holder=holder, programId=program_id)
        state.scratch[key] = Book(entries, now)
    found: Book = state.scratch[key]
    return found


def forget_book(state: State, holder: str, program_id: int, now: str) -> None:
    """Read the entries of an account again, because they were moved or deleted."""
    state.scratch.pop(("book", holder, program_id, now), None)


def _entry(document: Mapping[str, Any]) -> Entry:
    return Entry(
        id=document["id"],
        kind=document["_kind"],
        amount=amount(document["amount"]),
        created=document["created"],
        start=document["_start"],
        expiry=document["_expiry"],
        parts=tuple((lot, Decimal(text)) for lot, text in document["_parts"]),
    )
