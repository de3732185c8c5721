"""Loyalty accounts as the page shows them: the balances of their ledgers, and their entries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from talon_one.sandbox.accounts import Account, Accounts
from talon_one.sandbox.holders import balance_view
from talon_one.sandbox.loyalty.tiers import tiers_of
from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.state.state import State
from talon_one.sandbox.world import World

MAX_ENTRIES: Final = 200
"""Entries of an account that are shown, the latest ones."""

_SHOWN: Final = (
    "created",
    "type",
    "amount",
    "name",
    "subledgerId",
    "startDate",
    "expiryDate",
    "customerSessionId",
    "campaignId",
    "ruleName",
)


def account_of(program: Document, holder: str) -> Account:
    """Return the account of a holder, such as `profile:anna` or `card:summer-1`."""
    kind, _, name = holder.partition(":")
    return Account(program, card=name) if kind == "card" else Account(program, name)


def accounts_at(state: State, world: World) -> Accounts:
    """Return the accounts at the moment that the clock shows."""
    return Accounts(state, world, world.clock.text())


def balances_of(accounts: Accounts, account: Account) -> list[dict[str, Any]]:
    """Return the balances of all ledgers of an account, the main one first."""
    names = {tier["id"]: tier["name"] for tier in tiers_of(account.program)}
    found = []
    for subledger in ["", *accounts.subledgers(account)]:
        tier = names.get(accounts.standing(account, subledger).tier_id)
        balance = balance_view(accounts.ledger(account, subledger).balance())
        found.append({"subledger": subledger, **balance, **({"tier": tier} if tier else {})})
    return found


def entries_of(accounts: Accounts, account: Account) -> dict[str, Any]:
    """Return the latest entries of an account, newest first, and how many are left out."""
    documents = accounts.documents(account)
    shown = documents[: -MAX_ENTRIES - 1 : -1]
    return {
        "data": [{name: each[name] for name in _SHOWN if name in each} for each in shown],
        "omitted": len(documents) - len(shown),
    }


def points_of(state: State, world: World, session: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the balances of the profile and the cards of a session, now."""
    accounts = accounts_at(state, world)
    return [
        {
            "programId": account.program["id"],
            "program": account.program.get("name") or "",
            "holder": account.holder,
            "ledgers": balances_of(accounts, account),
        }
        for account in _accounts(state, session)
    ]


def _accounts(state: State, session: Mapping[str, Any]) -> Iterator[Account]:
    for program in state.loyalty_programs.each():
        if not program.get("cardBased"):
            if session.get("profileId"):
                yield Account(program, session["profileId"])
            continue
        for identifier in session.get("loyaltyCards") or ():
            if state.cards.first(programID=program["id"], identifier=identifier) is not None:
                yield Account(program, card=identifier)
