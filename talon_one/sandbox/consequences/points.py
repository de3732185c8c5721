"""Points that effects add and spend, and what undoing them takes and gives back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from talon_one.sandbox.accounts import Account, Accounts, TooFewPoints
from talon_one.sandbox.consequences.occasion import Occasion
from talon_one.sandbox.consequences.redemptions import rolled_back
from talon_one.sandbox.errors import ApiError
from talon_one.sandbox.holders import terms_of
from talon_one.sandbox.loyalty.tiers import tiers_of
from talon_one.sandbox.profiles import ACCOUNT_ID, ensure_profile
from talon_one.sandbox.rules.outcome import Consequence, Effect
from talon_one.sandbox.state.journal import Entry
from talon_one.sandbox.values import amount, json_number


def add(occasion: Occasion, consequence: Consequence) -> Mapping[str, Any]:
    """Add points to the account of the recipient."""
    effect = consequence.effect
    props = effect["props"]
    account = _account(occasion, props)
    accounts = _accounts(occasion)
    subledger = props["subLedgerId"]
    entry = accounts.add(
        account,
        consequence.amount,
        subledger,
        terms_of(consequence),
        name=props["name"],
        **_facts(occasion, effect),
    )
    props["transactionUUID"] = entry["transactionUUID"]
    if entry["_start"] not in (None, occasion.call.now):
        props["startDate"] = entry["_start"]
    if entry["_expiry"] is not None:
        props["expiryDate"] = entry["_expiry"]
    _touch(occasion, account, subledger, effect)
    return {"entry": entry["id"]}


def undo_add(occasion: Occasion, entry: Entry) -> list[Effect]:
    """Take points back as the return policy of the program allows."""
    props = (entry.effect or {}).get("props", {})
    added = occasion.call.state.points.get(entry.details["entry"])
    if added is None:
        return []
    account = _owner(occasion, added)
    accounts = _accounts(occasion)
    taken = accounts.take_back(account, added, entry.amount)
    if taken is None:
        return []
    _touch(occasion, account, added["subledgerId"])
    names = (
        "programId",
        "subLedgerId",
        "recipientIntegrationId",
        "transactionUUID",
        "cartItemPosition",
        "cartItemSubPosition",
        "cardIdentifier",
    )
    shown = {name: props.get(name) for name in names}
    return [rolled_back(entry, "rollbackAddedLoyaltyPoints", {**shown, "value": taken["amount"]})]


def spend(occasion: Occasion, consequence: Consequence) -> Mapping[str, Any]:
    """Spend points of the current profile, or of the card of the session."""
    effect = consequence.effect
    props = effect["props"]
    account = _account(occasion, props)
    accounts = _accounts(occasion)
    points = consequence.amount
    try:
        entry = accounts.spend(
            account, points, props["subLedgerId"], name=props["name"], **_facts(occasion, effect)
        )
    except TooFewPoints:
        # The evaluation has just seen enough, so that another effect of it was faster.
        raise ApiError(409, f"{points} points were there a moment ago") from None
    props["transactionUUID"] = entry["transactionUUID"]
    _touch(occasion, account, props["subLedgerId"])
    return {"entry": entry["id"]}


def undo_spend(occasion: Occasion, entry: Entry) -> list[Effect]:
    """Give spent points back to where they came from."""
    props = (entry.effect or {}).get("props", {})
    spent = occasion.call.state.points.get(entry.details["entry"])
    if spent is None:
        return []
    account = _owner(occasion, spent)
    accounts = _accounts(occasion)
    accounts.give_back(account, spent)
    _touch(occasion, account, spent["subledgerId"])
    shown = {
        "programId": props.get("programId"),
        "subLedgerId": props.get("subLedgerId"),
        "value": json_number(amount(spent["amount"])),
        "recipientIntegrationId": occasion.profile_id,
        "transactionUUID": props.get("transactionUUID"),
        "cardIdentifier": props.get("cardIdentifier"),
    }
    return [rolled_back(entry, "rollbackDeductedLoyaltyPoints", shown)]


def _accounts(occasion: Occasion) -> Accounts:
    call = occasion.call
    return Accounts(call.state, call.world, call.now)


def _account(occasion: Occasion, props: Mapping[str, Any]) -> Account:
    state = occasion.call.state
    program = state.loyalty_programs.get(props["programId"])
    assert program is not None  # noqa: S101  the ruleset was checked, and programs stay
    card = props.get("cardIdentifier")
    if card:
        return Account(program, card=card)
    profile_id = props.get("recipientIntegrationId") or occasion.profile_id
    ensure_profile(state, profile_id, occasion.call.now)
    return Account(program, profile_id)


def _owner(occasion: Occasion, entry: Mapping[str, Any]) -> Account:
    """Return the account that has an entry now: points may have moved to another card."""
    program = occasion.call.state.loyalty_programs.get(entry["programId"])
    return Account(
        program or {"id": entry["programId"]},
        "" if entry["cardIdentifier"] else entry["customerProfileId"],
        entry["cardIdentifier"] or "",
    )


def _facts(occasion: Occasion, effect: Effect) -> dict[str, Any]:
    session = occasion.session
    return {
        "campaignId": effect["campaignId"],
        "rulesetId": effect["rulesetId"],
        "ruleName": effect["ruleName"],
        "eventId": occasion.event.get("id"),
        **({"customerSessionId": session["integrationId"]} if session else {}),
    }


def _touch(
    occasion: Occasion, account: Account, subledger: str, effect: Effect | None = None
) -> None:
    """Remember that the points of a ledger have changed, and the last effect that added some."""
    key = (account.program["id"], account.holder, subledger)
    _, earlier = occasion.touched.get(key, (account, None))
    occasion.touched[key] = (account, effect or earlier)


def settle_tiers(occasion: Occasion) -> None:
    """Store the tiers of the accounts that have changed, once all their points have.

    An effect of its own says that added points led to a higher tier than before.
    """
    for (_, _, subledger), (account, effect) in occasion.touched.items():
        before, standing = _accounts(occasion).refresh_tier(account, subledger)
        tiers = tiers_of(account.program)
        ids = [None, *(tier["id"] for tier in tiers)]
        if effect is None or ids.index(standing.tier_id) <= ids.index(before):
            continue
        names = {tier["id"]: tier["name"] for tier in tiers}
        props = {
            "ruleTitle": effect["ruleName"],
            "programId": account.program["id"],
            "subLedgerId": subledger,
            "previousTierName": names.get(before),
            "newTierName": names[standing.tier_id],
            "expiryDate": standing.expiry,
        }
        occasion.effects.append(
            {
                **effect,
                "effectType": "changeLoyaltyTierLevel",
                "props": {name: value for name, value in props.items() if value is not None},
            }
        )
    occasion.touched.clear()


def movements(occasion: Occasion, effects: Iterable[Effect]) -> list[dict[str, Any]]:
    """Return a `LedgerEntry` for each effect that moved points, as the event shows them."""
    found = []
    for effect in effects:
        sign = _SIGNS.get(effect["effectType"])
        transaction = effect["props"].get("transactionUUID")
        if not sign or not transaction:
            continue
        # What takes points back shares the transaction with what gave them, and is the last.
        rows = list(occasion.call.state.points.each(transactionUUID=transaction))
        if not rows:
            continue
        entry = rows[-1]
        profile = occasion.profile or {}
        found.append(
            {
                "id": entry["id"],
                "created": occasion.call.now,
                "profileId": profile.get("integrationId"),
                "accountId": ACCOUNT_ID,
                "loyaltyProgramId": effect["props"]["programId"],
                "eventId": occasion.event["id"],
                "amount": sign * effect["props"]["value"],
                "reason": entry.get("name") or "",
                "expiryDate": entry.get("_expiry"),
            }
        )
    return found


_SIGNS: Final = {
    "addLoyaltyPoints": 1,
    "deductLoyaltyPoints": -1,
    "rollbackAddedLoyaltyPoints": -1,
    "rollbackDeductedLoyaltyPoints": 1,
}
