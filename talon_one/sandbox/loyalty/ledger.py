"""A ledger of points: entries, what is left of each addition, and balances at any moment.

The entries are all there is. What is left of an addition, and which points are pending, active or
expired, follows from the entries up to a moment and from the moment itself. So nothing has to
happen when points become active or expire.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple

from talon_one.sandbox.values import ZERO

ADD: Final = "add"
SPEND: Final = "spend"
TAKE_BACK: Final = "takeBack"
GIVE_BACK: Final = "giveBack"

ONLY_PENDING: Final = "only_pending"
WITHIN_BALANCE: Final = "within_balance"
UNLIMITED_RETURN: Final = "unlimited"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a ledger.

    Attributes:
        id: Number of the entry; later entries have greater ones.
        kind: `add`; `spend`; `takeBack` of an addition; `giveBack` of what was spent.
        amount: Number of points, positive.
        created: Moment of the entry.
        start: Moment at which added points become active; None while they await an action.
        expiry: Moment at which added points expire, None for never.
        parts: IDs of additions and the points that were taken from them, or given back to them.
    """

    id: int
    kind: str
    amount: Decimal
    created: str
    start: str | None = None
    expiry: str | None = None
    parts: tuple[tuple[int, Decimal], ...] = ()


@dataclass(slots=True)
class Lot:
    """What is left of an addition."""

    entry: Entry
    left: Decimal

    def state(self, at: str) -> str:
        """Return `pending`, `active` or `expired`, or `spent` if nothing is left."""
        if not self.left:
            return "spent"
        if self.entry.start is None or self.entry.start > at:
            return "pending"
        return "expired" if self.entry.expiry is not None and self.entry.expiry <= at else "active"


class Balance(NamedTuple):
    """Points of a ledger at a moment.

    Additions less subtractions are `active + pending + expired - negative`.
    """

    active: Decimal = ZERO
    pending: Decimal = ZERO
    spent: Decimal = ZERO
    expired: Decimal = ZERO
    negative: Decimal = ZERO


@dataclass(slots=True)
class Ledger:
    """The entries up to a moment, added up.

    Points that become active pay a debt first, so that a ledger with a debt has no active points.

    Attributes:
        at: The moment.
        lots: Additions and what is left of them, by ID.
        spent: Points spent and not given back.
        debt: Points taken back that were not there, and that nothing has paid since.
    """

    at: str = ""
    lots: dict[int, Lot] = field(default_factory=dict)
    spent: Decimal = ZERO
    debt: Decimal = ZERO

    def balance(self) -> Balance:
        """Return the balance."""
        sums = {"pending": ZERO, "active": ZERO, "expired": ZERO, "spent": ZERO}
        for lot in self.lots.values():
            sums[lot.state(self.at)] += lot.left
        return Balance(
            active=sums["active"],
            pending=sums["pending"],
            spent=self.spent,
            expired=sums["expired"],
            negative=self.debt,
        )

    def in_state(self, state: str) -> list[Lot]:
        """Return the lots in a state, in the order in which points are spent."""
        found = [lot for lot in self.lots.values() if lot.state(self.at) == state]
        return sorted(found, key=_spending_order)

    def advance(self, to: str) -> None:
        """Move on to a moment; points that become active on the way pay the debt."""
        if self.debt:
            starting = [
                lot
                for lot in self.lots.values()
                if lot.entry.start is not None and self.at < lot.entry.start <= to
            ]
            for lot in sorted(starting, key=lambda lot: (lot.entry.start, *_spending_order(lot))):
                if lot.state(lot.entry.start or "") == "active":
                    self._pay(lot)
        self.at = max(self.at, to)

    def apply(self, entry: Entry) -> None:
        """Move on to an entry, which is the latest one, and add it up."""
        self.advance(entry.created)
        if entry.kind == ADD:
            self.lots[entry.id] = Lot(entry, entry.amount)
        else:
            moved = ZERO
            sign = 1 if entry.kind == GIVE_BACK else -1
            for lot_id, amount in entry.parts:
                self.lots[lot_id].left += sign * amount
                moved += amount
            if entry.kind == TAKE_BACK:
                self.debt += entry.amount - moved
            else:
                self.spent -= sign * entry.amount
        if self.debt:
            for lot in self.in_state("active"):
                self._pay(lot)

    def active_since(self, since: str) -> list[tuple[str, Decimal]]:
        """Return the active points at a moment, and at each later one that changed their number.

        Only time has changed it: the ledger has no entry between the moments.
        """
        base, changes = ZERO, dict[str, Decimal]()
        for lot in self.lots.values():
            start, expiry = lot.entry.start, lot.entry.expiry
            if not lot.left or start is None or (expiry is not None and expiry <= start):
                continue
            for moment, change in ((start, lot.left), (expiry, -lot.left)):
                if moment is not None and moment <= since:
                    base += change
                elif moment is not None and moment <= self.at:
                    changes[moment] = changes.get(moment, ZERO) + change
        steps = [(since, base)]
        for moment in sorted(changes):
            steps.append((moment, steps[-1][1] + changes[moment]))
        return steps

    def _pay(self, lot: Lot) -> None:
        paid = min(self.debt, lot.left)
        lot.left -= paid
        self.debt -= paid


def _spending_order(lot: Lot) -> tuple[bool, str, str, int]:
    entry = lot.entry
    return (entry.expiry is None, entry.expiry or "", entry.created, entry.id)


def replay(entries: Iterable[Entry], at: str) -> Ledger:
    """Add up the entries that were made up to a moment, given oldest first."""
    ledger = Ledger()
    for entry in entries:
        if entry.created > at:
            break
        ledger.apply(entry)
    ledger.advance(at)
    return ledger


Parts = tuple[tuple[int, Decimal], ...]


def parts_to_spend(ledger: Ledger, amount: Decimal) -> Parts | None:
    """Choose the points to spend: earliest expiry first, unlimited ones last and oldest first.

    Returns:
        IDs of additions with the points to take from them; None if too few are active.
    """
    lots = ledger.in_state("active")
    if sum((lot.left for lot in lots), ZERO) < amount:
        return None
    return _taken(lots, amount)


def parts_to_take_back(
    ledger: Ledger, lot_id: int, amount: Decimal, policy: str
) -> tuple[Parts, Decimal]:
    """Choose what taking back an addition takes, and from where.

    Points of the addition that expired are gone, so that nothing is taken for them.

    Args:
        ledger: The ledger now.
        lot_id: ID of the addition.
        amount: How many of its points go back.
        policy: Return policy of the program: `only_pending` takes nothing but pending points of
            the addition; `within_balance` takes active ones as well, also of other additions, but
            never more than the balance; `unlimited` takes all, and leaves a debt.

    Returns:
        The parts, and the number of points taken, which exceeds the parts by the new debt.
    """
    lot = ledger.lots[lot_id]
    state = lot.state(ledger.at)
    there = min(lot.left, amount)
    own = there if state == "pending" or (state == "active" and policy != ONLY_PENDING) else ZERO
    parts: Parts = ((lot_id, own),) if own else ()
    missing = amount - (there if state == "expired" else own)
    if policy == ONLY_PENDING or not missing:
        return parts, own
    others = [each for each in ledger.in_state("active") if each.entry.id != lot_id]
    more = _taken(others, missing)
    found = sum((part for _, part in more), ZERO)
    return (*parts, *more), own + (missing if policy == UNLIMITED_RETURN else found)


def _taken(lots: Sequence[Lot], amount: Decimal) -> Parts:
    parts = []
    for lot in lots:
        if not amount:
            break
        part = min(lot.left, amount)
        parts.append((lot.entry.id, part))
        amount -= part
    return tuple(parts)
