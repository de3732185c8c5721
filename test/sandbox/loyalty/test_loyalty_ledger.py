"""Ledgers: spending, taking back, giving back, and balances at any moment."""

from __future__ import annotations

from decimal import Decimal
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.examples import examples
from talon_one.sandbox.loyalty.ledger import (
    ADD,
    GIVE_BACK,
    ONLY_PENDING,
    SPEND,
    TAKE_BACK,
    UNLIMITED_RETURN,
    WITHIN_BALANCE,
    Balance,
    Entry,
    Ledger,
    parts_to_spend,
    parts_to_take_back,
    replay,
)


def day(number: int) -> str:
    """Return the start of a day of a month of 28 days, month after month."""
    month, rest = divmod(number, 28)
    return f"{2024 + month // 12}-{month % 12 + 1:02}-{rest + 1:02}T00:00:00.000000Z"


class Account:
    """Entries that are made as the sandbox makes them, with moments as days."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.ids = count(1)
        self.today = 0

    def ledger(self, at: int | None = None) -> Ledger:
        return replay(self.entries, day(self.today if at is None else at))

    def balance(self, at: int | None = None) -> Balance:
        return self.ledger(at).balance()

    def add(self, points: object, start: int | None = 0, expiry: int | None = None) -> int:
        """Add points; `start` and `expiry` are days from now, None for an action and for never."""
        entry = Entry(
            next(self.ids),
            ADD,
            Decimal(str(points)),
            day(self.today),
            None if start is None else day(self.today + start),
            None if expiry is None else day(self.today + expiry),
        )
        self.entries.append(entry)
        return entry.id

    def spend(self, points: object) -> Entry | None:
        wanted = Decimal(str(points))
        parts = parts_to_spend(self.ledger(), wanted)
        if parts is None:
            return None
        self.entries.append(Entry(next(self.ids), SPEND, wanted, day(self.today), parts=parts))
        return self.entries[-1]

    def take_back(self, lot: int, points: object, policy: str) -> Decimal:
        parts, taken = parts_to_take_back(self.ledger(), lot, Decimal(str(points)), policy)
        if taken:
            self.entries.append(
                Entry(next(self.ids), TAKE_BACK, taken, day(self.today), parts=parts)
            )
        return taken

    def give_back(self, spent: Entry) -> None:
        self.entries.append(
            Entry(next(self.ids), GIVE_BACK, spent.amount, day(self.today), parts=spent.parts)
        )


def balance(**points: int) -> Balance:
    """Return a balance, 0 where nothing is given."""
    return Balance(**{name: Decimal(value) for name, value in points.items()})


def test_points_are_pending_then_active_then_expired() -> None:
    account = Account()
    account.add(10, start=2, expiry=5)
    assert [account.balance(at) for at in (0, 1, 2, 4, 5, 9)] == [
        *(balance(pending=10),) * 2,
        *(balance(active=10),) * 2,
        *(balance(expired=10),) * 2,
    ]


def test_points_that_await_an_action_stay_pending() -> None:
    account = Account()
    account.add(10, start=None)
    assert account.balance(27) == balance(pending=10)


def test_the_earliest_expiry_is_spent_first_and_unlimited_points_last_and_oldest_first() -> None:
    account = Account()
    never, late, soon = account.add(10), account.add(10, expiry=20), account.add(10, expiry=5)
    newer = account.add(10)
    spent = account.spend(35)
    assert spent is not None
    assert list(spent.parts) == [
        (lot, Decimal(points)) for lot, points in ((soon, 10), (late, 10), (never, 10), (newer, 5))
    ]


def test_pending_and_expired_points_cannot_be_spent() -> None:
    account = Account()
    account.add(10, start=3)
    account.add(10, expiry=2)
    account.add(10, start=None)
    account.today = 2
    assert account.spend("0.01") is None
    account.today = 3
    assert account.spend(11) is None
    assert account.spend(10) is not None


def test_giving_back_restores_the_lots_with_their_expiry() -> None:
    account = Account()
    soon, late = account.add(10, expiry=5), account.add(10, expiry=20)
    spent = account.spend(15)
    assert spent is not None
    account.today = 7
    account.give_back(spent)
    assert account.balance() == balance(active=10, expired=10)
    assert {lot.entry.id: lot.left for lot in account.ledger().lots.values()} == {
        soon: 10,
        late: 10,
    }


# Points of the addition, in what state, spent before, other active points; taken and balance after.
RETURNS = [
    (ONLY_PENDING, "pending", 0, 5, 10, balance(active=5)),
    (ONLY_PENDING, "active", 0, 5, 0, balance(active=15)),
    (ONLY_PENDING, "expired", 0, 5, 0, balance(active=5, expired=10)),
    (WITHIN_BALANCE, "pending", 0, 5, 10, balance(active=5)),
    (WITHIN_BALANCE, "active", 0, 5, 10, balance(active=5)),
    (WITHIN_BALANCE, "active", 8, 5, 7, balance(spent=8)),
    (WITHIN_BALANCE, "active", 3, 5, 10, balance(active=2, spent=3)),
    (WITHIN_BALANCE, "expired", 0, 5, 0, balance(active=5, expired=10)),
    (UNLIMITED_RETURN, "pending", 0, 5, 10, balance(active=5)),
    (UNLIMITED_RETURN, "active", 8, 5, 10, balance(spent=8, negative=3)),
    (UNLIMITED_RETURN, "active", 3, 5, 10, balance(active=2, spent=3)),
    (UNLIMITED_RETURN, "expired", 0, 5, 0, balance(active=5, expired=10)),
    (UNLIMITED_RETURN, "expired", 4, 5, 4, balance(active=1, spent=4, expired=6)),
]


def test_return_policies_decide_what_is_taken_back() -> None:
    wrong = []
    for policy, state, spent, others, taken, after in RETURNS:
        account = Account()
        start, expiry = {"pending": (5, None), "active": (0, 9), "expired": (0, 2)}[state]
        lot = account.add(10, start=start, expiry=expiry)
        account.add(others, expiry=12)
        if spent:
            assert account.spend(spent)
        account.today = 3
        got = account.take_back(lot, 10, policy), account.balance()
        if got != (Decimal(taken), after):
            wrong.append((policy, state, spent, others, got))
    assert not wrong


def test_a_debt_is_paid_by_the_next_points_that_become_active_and_stays_paid() -> None:
    account = Account()
    lot = account.add(10)
    account.spend(10)
    account.take_back(lot, 10, UNLIMITED_RETURN)
    account.add(6, start=2, expiry=4)
    account.add(20, start=3)
    assert [account.balance(at) for at in (0, 2, 3, 9)] == [
        balance(spent=10, pending=26, negative=10),
        balance(spent=10, pending=20, negative=4),
        *(balance(spent=10, active=16),) * 2,
    ]


def test_giving_back_pays_a_debt_as_well() -> None:
    account = Account()
    lot = account.add(10)
    spent = account.spend(10)
    assert spent is not None
    account.take_back(lot, 10, UNLIMITED_RETURN)
    account.give_back(spent)
    assert account.balance() == balance()


def test_points_that_expired_before_the_debt_do_not_pay_it() -> None:
    account = Account()
    account.add(100, expiry=1)
    account.today = 2
    lot = account.add(10)
    account.spend(10)
    account.take_back(lot, 10, UNLIMITED_RETURN)
    account.today = 5
    assert account.balance() == balance(spent=10, negative=10, expired=100)


POINTS = st.decimals("0.01", "1000", places=2)
DAYS = st.integers(0, 12)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), POINTS, st.none() | DAYS, st.none() | DAYS),
        st.tuples(st.just("spend"), POINTS),
        st.tuples(
            st.just("take"),
            st.integers(0, 30),
            POINTS,
            st.sampled_from([ONLY_PENDING, WITHIN_BALANCE, UNLIMITED_RETURN]),
        ),
        st.tuples(st.just("give"), st.integers(0, 30)),
        st.tuples(st.just("wait"), DAYS),
    ),
    max_size=25,
)


def play(steps: list[tuple[object, ...]]) -> tuple[Account, dict[int, Balance]]:
    """Carry out steps; also return the balance that was shown at the end of each day."""
    account = Account()
    shown: dict[int, Balance] = {}
    lots: list[int] = []
    spendings: list[Entry] = []
    for kind, *values in steps:
        if kind == "add":
            points, start, expiry = values
            lots.append(account.add(points, start, expiry))  # type: ignore[arg-type]
        elif kind == "spend":
            spent = account.spend(values[0])
            if spent is not None:
                assert account.balance().negative == 0
                spendings.append(spent)
        elif kind == "take" and lots:
            number, points, policy = values
            lot = lots[number % len(lots)]  # type: ignore[operator]
            before = account.balance()
            taken = account.take_back(lot, points, policy)  # type: ignore[arg-type]
            assert 0 <= taken <= points  # type: ignore[operator]
            if policy != UNLIMITED_RETURN:
                assert account.balance().negative == before.negative
        elif kind == "give" and spendings:
            account.give_back(spendings.pop(values[0] % len(spendings)))  # type: ignore[operator]
        elif kind == "wait":
            shown[account.today] = account.balance()
            account.today += values[0]  # type: ignore[operator]
    shown[account.today] = account.balance()
    return account, shown


@examples(100)
@given(STEPS)
def test_additions_less_subtractions_are_the_balance_at_every_moment(
    steps: list[tuple[object, ...]],
) -> None:
    account, _ = play(steps)
    for at in range(account.today + 15):
        found = account.ledger(at)
        shown = found.balance()
        entries = [each for each in account.entries if each.created <= day(at)]
        added = sum(each.amount for each in entries if each.kind in (ADD, GIVE_BACK))
        removed = sum(each.amount for each in entries if each.kind in (SPEND, TAKE_BACK))
        assert added - removed == shown.active + shown.pending + shown.expired - shown.negative
        assert min(shown) >= 0
        assert min((lot.left for lot in found.lots.values()), default=0) >= 0
        assert not (shown.negative and shown.active)


@examples(60)
@given(STEPS)
def test_balances_at_past_moments_equal_what_was_shown_then(
    steps: list[tuple[object, ...]],
) -> None:
    account, shown = play(steps)
    assert {at: account.balance(at) for at in shown} == shown


@examples(60)
@given(STEPS, st.integers(0, 25))
def test_active_points_between_entries_are_those_of_the_balances(
    steps: list[tuple[object, ...]], more: int
) -> None:
    account, _ = play(steps)
    until = account.today + more
    found = dict(account.ledger(until).active_since(day(account.today)))
    last = None
    for at in range(account.today, until + 1):
        last = found.get(day(at), last)
        assert last == account.balance(at).active


@examples(60)
@given(STEPS)
def test_applying_entries_one_by_one_equals_adding_them_up_anew(
    steps: list[tuple[object, ...]],
) -> None:
    account, _ = play(steps)
    ledger = Ledger()
    for index, entry in enumerate(account.entries, 1):
        ledger.apply(entry)
        assert ledger.balance() == replay(account.entries[:index], entry.created).balance()


@pytest.mark.parametrize("amount", ["0.01", "999999999999.99", "0.1"])
def test_no_point_is_lost_by_rounding(amount: str) -> None:
    account = Account()
    for _ in range(100):
        account.add(amount)
    assert account.balance().active == Decimal(amount) * 100
