"""Statistics of a loyalty program: all its points now, and what happened today."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from talon_one.sandbox.accounts import Account
from talon_one.sandbox.call import Call, Result
from talon_one.sandbox.holders import accounts_of
from talon_one.sandbox.loyalty.ledger import ADD, SPEND
from talon_one.sandbox.operations.loyalty import known_program
from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.values import ZERO, amount, json_number

_TOTALS: Final = {
    "totalActivePoints": "active",
    "totalPendingPoints": "pending",
    "totalSpentPoints": "spent",
    "totalExpiredPoints": "expired",
    "totalNegativePoints": "negative",
}


def get_statistics(call: Call) -> Result:
    """Handle getLoyaltyStatistics, deprecated: the figures of the present day in UTC."""
    program, day = known_program(call), call.now[:10]
    sums = dict.fromkeys(_TOTALS, ZERO)
    for account in program_accounts(call, program):
        for subledger in ("", *accounts_of(call).subledgers(account)):
            balance = accounts_of(call).ledger(account, subledger).balance()
            for name, state in _TOTALS.items():
                sums[name] += getattr(balance, state)
    members = call.state.loyalty_members.find(programId=program["id"])
    today = [
        each
        for each in call.state.points.each(programId=program["id"])
        if each["created"].startswith(day)
    ]
    figures = {
        "date": f"{day}T00:00:00.000000Z",
        **{name: json_number(total) for name, total in sums.items()},
        "totalMembers": len(members),
        "newMembers": len([each for each in members if each["joinDate"].startswith(day)]),
        "spentPoints": _by_origin(today, SPEND),
        "earnedPoints": _by_origin(today, ADD),
    }
    return Result(200, figures)


def program_accounts(call: Call, program: Document) -> Iterator[Account]:
    """Yield the accounts of all profiles and cards that have points in a program."""
    holders = {
        (each["cardIdentifier"] or "", each["customerProfileId"] or "")
        for each in call.state.points.each(programId=program["id"])
    }
    for card, profile_id in sorted(holders):
        yield Account(program, "" if card else profile_id, card)


def _by_origin(entries: list[Document], kind: str) -> Mapping[str, Any]:
    """Return a `LoyaltyDashboardPointsBreakdown`."""
    made = {True: Decimal(0), False: Decimal(0)}
    for each in entries:
        if each["_kind"] == kind:
            made["rulesetId" in each] += amount(each["amount"])
    return {
        "createdManually": json_number(made[False]),
        "createdViaRuleEngine": json_number(made[True]),
    }


OPERATIONS: Final = {"getLoyaltyStatistics": get_statistics}
