"""Loyalty and achievements as responses show them: ledgers, balances, cards, progress."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from talon_one.sandbox.accounts import Account, Accounts, Terms
from talon_one.sandbox.call import Call
from talon_one.sandbox.loyalty.achievements import current_progress, is_active
from talon_one.sandbox.loyalty.durations import ON_ACTION
from talon_one.sandbox.loyalty.ledger import Balance
from talon_one.sandbox.loyalty.tiers import next_tier, tiers_of
from talon_one.sandbox.rules.outcome import Consequence, Evaluation
from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.values import ZERO, amount, json_number


def accounts_of(call: Call) -> Accounts:
    """Return the accounts at the moment of a request."""
    return Accounts(call.state, call.world, call.now)


def account_of_session(call: Call, program: Document, session: Mapping[str, Any]) -> Account | None:
    """Return the account that a session spends from: that of its card, or of its profile."""
    if program.get("cardBased"):
        for identifier in session.get("loyaltyCards") or ():
            card = call.state.cards.first(programID=program["id"], identifier=identifier)
            if card is not None and card["status"] == "active":
                return Account(program, card=identifier)
        return None
    profile_id = session.get("profileId")
    return Account(program, profile_id) if profile_id else None


def subledgers(call: Call, account: Account) -> list[str]:
    """Return the names of the ledgers of an account that have entries, the main one aside."""
    return accounts_of(call).subledgers(account)


def balance_view(balance: Balance) -> Document:
    """Return a `LoyaltyBalance`."""
    return {
        "activePoints": json_number(balance.active),
        "pendingPoints": json_number(balance.pending),
        "spentPoints": json_number(balance.spent),
        "expiredPoints": json_number(balance.expired),
        "negativePoints": json_number(balance.negative),
    }


def tier_view(call: Call, account: Account, subledger: str, at: str | None = None) -> Document:
    """Return the current tier, and what is missing to the next one."""
    accounts = accounts_of(call)
    tiers = tiers_of(account.program)
    points = accounts.ledger(account, subledger, at).balance().active
    standing = accounts.standing(account, subledger, at)
    view: Document = {}
    for tier in tiers:
        if tier["id"] == standing.tier_id:
            view["currentTier"] = {
                "id": tier["id"],
                "name": tier["name"],
                "startDate": standing.start,
                "expiryDate": standing.expiry,
                "downgradePolicy": account.program.get("tiersDowngradePolicy"),
            }
    following = next_tier(tiers, points)
    if following is not None:
        view["pointsToNextTier"] = json_number(amount(following["minPoints"]) - points)
        view["nextTierName"] = following["name"]
    return view


Tentative: TypeAlias = Mapping[tuple[int, str, str], Balance]
"""What an open session would change, by program, holder and ledger."""


def ledger_info(call: Call, account: Account, subledger: str, tentative: Tentative) -> Document:
    """Return a `LedgerInfo`."""
    balance = accounts_of(call).ledger(account, subledger).balance()
    change = tentative.get((account.program["id"], account.holder, subledger), Balance())
    current = balance.active - balance.negative + change.active
    return {
        "currentBalance": json_number(balance.active),
        "pendingBalance": json_number(balance.pending),
        "negativeBalance": json_number(balance.negative),
        # The platform no longer fills these two here.
        "expiredBalance": 0,
        "spentBalance": 0,
        "tentativeCurrentBalance": json_number(max(current, ZERO)),
        "tentativePendingBalance": json_number(balance.pending + change.pending),
        "tentativeNegativeBalance": json_number(max(-current, ZERO)),
        **tier_view(call, account, subledger),
    }


def _ledgers(call: Call, account: Account, tentative: Tentative) -> dict[str, Document]:
    """Return the `LedgerInfo` of every ledger by its name, except that of the main one."""
    program_id, holder = account.program["id"], account.holder
    coming = {
        name for program, whose, name in tentative if (program, whose) == (program_id, holder)
    }
    names = sorted(coming.union(subledgers(call, account)) - {""})
    return {name: ledger_info(call, account, name, tentative) for name in names}


def card_view(call: Call, card: Document, tentative: Tentative | None = None) -> Document:
    """Return a `LoyaltyCard` with its ledgers and profiles."""
    program = call.state.loyalty_programs.get(card["programID"]) or {}
    account = Account({"id": card["programID"], **program}, card=card["identifier"])
    return {
        **card,
        "programName": program.get("name"),
        "programTitle": program.get("title"),
        "usersPerCardLimit": program.get("usersPerCardLimit", 0),
        "ledger": ledger_info(call, account, "", tentative or {}),
        "subledgers": _ledgers(call, account, tentative or {}),
    }


def loyalty_of(
    call: Call,
    session: Mapping[str, Any] | None,
    profile: Document | None,
    evaluation: Evaluation | None,
) -> Document:
    """Return the `Loyalty` of a response: cards of the session, and programs of the profile."""
    tentative: Tentative = {}
    if session is not None and session["state"] == "open" and evaluation is not None:
        tentative = _tentative(call, evaluation, profile)
    cards = [
        card_view(call, card, tentative)
        for identifier in (session or {}).get("loyaltyCards") or ()
        for card in call.state.cards.each(identifier=identifier)
    ]
    programs = {}
    for program in call.state.loyalty_programs.each() if profile else ():
        if program.get("cardBased") or not _serves(call, program):
            continue
        account = Account(program, (profile or {})["integrationId"])
        accounts = accounts_of(call)
        joined = accounts.joined(account)
        coming = any(key[:2] == (program["id"], account.holder) for key in tentative)
        if joined is None and not coming and not accounts.documents(account):
            continue
        programs[str(program["id"])] = {
            "id": program["id"],
            "title": program.get("title"),
            "name": program["name"],
            "joinDate": joined,
            "ledger": ledger_info(call, account, "", tentative),
            "subLedgers": _ledgers(call, account, tentative),
        }
    return {"cards": cards, "programs": programs}


def _serves(call: Call, program: Mapping[str, Any]) -> bool:
    applications = program.get("subscribedApplications")
    return not applications or call.application_id in applications


def terms_of(consequence: Consequence) -> Terms:
    """Return when points that a rule adds become active and when they expire."""
    awaits = consequence.effect["props"].get("awaitsActivation")
    details = consequence.details
    return Terms(
        pending=ON_ACTION if awaits else details.get("pendingDuration"),
        start=details.get("startDate"),
        validity=details.get("validityDuration"),
        expiry=details.get("expiryDate"),
    )


def _tentative(call: Call, evaluation: Evaluation, profile: Document | None) -> Tentative:
    """Add up the points that an open session would add and spend."""
    changes: dict[tuple[int, str, str], Balance] = {}
    for each in evaluation.consequences:
        if each.kind not in ("createLoyaltyPoints", "redeemLoyaltyPoints"):
            continue
        props = each.effect["props"]
        program = call.state.loyalty_programs.get(props["programId"])
        if program is None:
            continue
        owner = props.get("recipientIntegrationId") or (profile or {}).get("integrationId", "")
        account = Account(program, owner, props.get("cardIdentifier") or "")
        key = (program["id"], account.holder, props["subLedgerId"])
        before = changes.get(key, Balance())
        if each.kind == "redeemLoyaltyPoints":
            changes[key] = before._replace(active=before.active - each.amount)
            continue
        start = accounts_of(call).start_of(account, terms_of(each))
        state = "active" if start is not None and start <= call.now else "pending"
        changes[key] = before._replace(**{state: getattr(before, state) + each.amount})
    return changes


def progress_of(call: Call, definition: Document, profile_id: str) -> Document:
    """Return the present progress of a profile in an achievement."""
    records = call.state.progress.find(achievementId=definition["id"], profileId=profile_id)
    return current_progress(definition, records, call.now)


def achievement_view(call: Call, definition: Document, profile_id: str) -> Document:
    """Return a `CustomerAchievement`: the definition with the progress of a profile."""
    campaign_id = definition.get("campaignId")
    campaign = call.state.campaigns.get(campaign_id) if campaign_id else None
    references = [{"campaignId": campaign_id, "campaignName": campaign["name"]}] if campaign else []
    return {
        **definition,
        "campaignIds": [campaign_id] if campaign_id else [],
        "referencedByCampaigns": references,
        "currentProgress": progress_of(call, definition, profile_id),
    }


def achievements_of(call: Call, profile: Document | None) -> list[Document]:
    """Return the active achievements of the Application with the progress of a profile."""
    if profile is None:
        return []
    return [
        achievement_view(call, each, profile["integrationId"])
        for each in achievements_in(call)
        if is_active(each, call.now)
    ]


def achievements_in(call: Call) -> Iterator[Document]:
    """Yield the achievements of the Application, and those of the account it subscribes to."""
    for each in call.state.achievements.each():
        subscribed = each.get("subscribedApplications") or ()
        if call.application_id in (each.get("applicationId"), *subscribed):
            yield each
