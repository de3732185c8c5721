"""Operations on loyalty cards: create, link, read, transfer, and their points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from talon_one.sandbox.accounts import Account
from talon_one.sandbox.call import NO_CONTENT, Call, Result
from talon_one.sandbox.codes import batch_id
from talon_one.sandbox.errors import ApiError, Problem, invalid, not_found
from talon_one.sandbox.holders import accounts_of, card_view
from talon_one.sandbox.operations.lists import contains, sort, with_more
from talon_one.sandbox.operations.loyalty import (
    add_to,
    balances,
    deduct_from,
    known_program,
    points_page,
    transactions_page,
)
from talon_one.sandbox.profiles import ensure_profile
from talon_one.sandbox.state.documents import Document

DEFAULT_PATTERN: Final = "#" * 12
ATTEMPTS: Final = 10_000


def known_card(call: Call) -> Document:
    """Return the card that the path names.

    Raises:
        ApiError: 404 if the program or the card does not exist, 400 for a profile-based program.
    """
    program = known_program(call, cards=True)
    card = call.state.cards.first(programID=program["id"], identifier=call.ids["loyaltyCardId"])
    if card is None:
        raise not_found("Loyalty card")
    return card


def card_account(call: Call) -> Account:
    """Return the account of the card that the path names."""
    card = known_card(call)
    program = known_program(call, cards=True)
    return Account(program, card=card["identifier"])


def new_card(call: Call, program: Document, identifier: str | None, **more: object) -> Document:
    """Store a card and return it.

    Raises:
        ApiError: 409 if the program has a card with this identifier.
    """
    taken = call.state.cards.first
    if identifier is None:
        settings = program.get("cardCodeSettings") or {}
        pattern = settings.get("couponPattern") or DEFAULT_PATTERN
        for _ in range(ATTEMPTS):
            identifier = call.world.code(pattern, settings.get("validCharacters") or "0123456789")
            if taken(programID=program["id"], identifier=identifier) is None:
                break
        else:
            raise ApiError(409, f"The loyalty program has all cards of the pattern {pattern!r}")
    elif taken(programID=program["id"], identifier=identifier) is not None:
        raise ApiError(409, f"The loyalty program has a card {identifier!r} already")
    return call.state.cards.add(
        {
            "created": call.now,
            "modified": call.now,
            "programID": program["id"],
            "status": "active",
            "identifier": identifier,
            "usersPerCardLimit": program.get("usersPerCardLimit", 0),
            "profiles": [],
            **more,
        }
    )


def link(call: Call, card: Document, profile_id: str) -> None:
    """Register a profile on a card.

    Raises:
        ApiError: 400 if the card has as many profiles as the program allows, or is blocked.
    """
    _check_not_blocked(card)
    profiles = card.get("profiles") or []
    if any(each["integrationId"] == profile_id for each in profiles):
        return
    program = call.state.loyalty_programs.get(card["programID"]) or {}
    limit = program.get("usersPerCardLimit") or 0
    if limit and len(profiles) >= limit:
        details = f"the loyalty card has {limit} profiles, which is the limit"
        raise invalid(Problem("Limit", details, "/integrationId"))
    ensure_profile(call.state, profile_id, call.now)
    card["profiles"] = [*profiles, {"integrationId": profile_id, "timestamp": call.now}]
    card["modified"] = call.now
    call.state.cards.save(card)


def generate(call: Call) -> Result:
    """Handle generateLoyaltyCard."""
    sent, program = call.body, known_program(call, cards=True)
    card = new_card(call, program, sent.get("cardIdentifier"), status=_status(sent))
    for profile_id in sent.get("customerProfileIds") or ():
        link(call, card, profile_id)
    return Result(200, card_view(call, card))


def link_profile(call: Call) -> Result:
    """Handle linkLoyaltyCardToProfile."""
    card = known_card(call)
    link(call, card, call.body["integrationId"])
    return Result(200, card_view(call, card))


def unlink_profile(call: Call) -> Result:
    """Handle unlinkLoyaltyCardFromProfile."""
    card, profile_id = known_card(call), call.body["integrationId"]
    profiles = card.get("profiles") or []
    card["profiles"] = [each for each in profiles if each["integrationId"] != profile_id]
    if card["profiles"] == profiles:
        details = f"the loyalty card has no profile {profile_id!r}"
        raise invalid(Problem("Unknown", details, "/integrationId"))
    card["modified"] = call.now
    return Result(200, card_view(call, call.state.cards.save(card)))


def get_balances(call: Call) -> Result:
    """Handle getLoyaltyCardBalances."""
    names = call.query.get("subledgerId") or []
    found = balances(call, card_account(call), names, tiers=False)
    return Result(200, {**found, "profiles": known_card(call).get("profiles") or []})


def get_points(call: Call) -> Result:
    """Handle getLoyaltyCardPoints."""
    return points_page(call, card_account(call))


def get_transactions(call: Call) -> Result:
    """Handle getLoyaltyCardTransactions and getLoyaltyCardTransactionLogs."""
    return transactions_page(call, card_account(call))


def add_points(call: Call) -> Result:
    """Handle addLoyaltyCardPoints."""
    return add_to(call, card_account(call))


def deduct_points(call: Call) -> Result:
    """Handle deductLoyaltyCardPoints."""
    return deduct_from(call, card_account(call))


def get_card(call: Call) -> Result:
    """Handle getLoyaltyCard."""
    return Result(200, card_view(call, known_card(call)))


def get_cards(call: Call) -> Result:
    """Handle getLoyaltyCards with its filters."""
    program, query = known_program(call, cards=True), call.query
    owner = None
    if "profileId" in query:
        # This filter is the only one that takes the internal ID.
        profile = call.state.profiles.get(query["profileId"])
        owner = "" if profile is None else profile["integrationId"]
    found = [
        card_view(call, card)
        for card in call.state.cards.each(programID=program["id"])
        if contains(call, "identifier", card["identifier"])
        and query.get("batchId") in (None, card.get("batchId"))
        and owner in (None, *(each["integrationId"] for each in card.get("profiles") or ()))
    ]
    sort(call, found, ("id", "created", "identifier", "status"))
    return with_more(call, found)


def create_batch(call: Call) -> Result:
    """Handle createBatchLoyaltyCards."""
    sent, program = call.body, known_program(call, cards=True)
    batch = sent.get("batchId") or batch_id(call.world)
    if sent.get("cardCodeSettings"):
        program = {**program, "cardCodeSettings": sent["cardCodeSettings"]}
    for _ in range(sent["numberOfCards"]):
        new_card(call, program, None, batchId=batch, status=_status(sent))
    return Result(200, {"numberOfCardsGenerated": sent["numberOfCards"], "batchId": batch})


def update_card(call: Call) -> Result:
    """Handle updateLoyaltyCard: its status."""
    card, sent = known_card(call), call.body
    _check_not_blocked(card)
    card |= {"status": _status(sent), "modified": call.now}
    if sent.get("blockReason"):
        card["blockReason"] = sent["blockReason"]
    return Result(200, card_view(call, call.state.cards.save(card)))


def delete_card(call: Call) -> Result:
    """Handle deleteLoyaltyCard: the card and its points."""
    accounts_of(call).delete(card_account(call))
    call.state.cards.delete(id=known_card(call)["id"])
    return NO_CONTENT


def transfer(call: Call) -> Result:
    """Handle transferLoyaltyCard: points and profiles move, and the old card is blocked."""
    card, sent = known_card(call), call.body
    _check_not_blocked(card)
    program = known_program(call, cards=True)
    old, new = card["identifier"], sent["newCardIdentifier"]
    target = call.state.cards.first(programID=program["id"], identifier=new)
    if target is None:
        target = new_card(call, program, new)
    elif target["id"] == card["id"] or target["status"] == "blocked":
        details = "the new card is the old one, or is blocked"
        raise invalid(Problem("Invalid", details, "/newCardIdentifier"))
    elif target.get("profiles"):
        raise invalid(Problem("Invalid", "the new card has profiles", "/newCardIdentifier"))
    target |= {"profiles": card.get("profiles") or [], "oldCardIdentifier": old}
    call.state.cards.save(target)
    accounts_of(call).move(Account(program, card=old), Account(program, card=new))
    card |= {
        "status": "blocked",
        "blockReason": sent.get("blockReason") or "",
        "newCardIdentifier": new,
        "profiles": [],
        "modified": call.now,
    }
    call.state.cards.save(card)
    return NO_CONTENT


def _status(sent: Mapping[str, Any]) -> str:
    """Return the status that a request gives a card, by default `active`."""
    status: str = sent.get("status") or "active"
    if status not in ("active", "inactive"):
        raise invalid(Problem("enum", "status must be active or inactive", "/status"))
    return status


def _check_not_blocked(card: Document) -> None:
    if card["status"] == "blocked":
        raise invalid(Problem("Invalid", "the loyalty card is blocked for good", "/status"))


OPERATIONS: Final = {
    "generateLoyaltyCard": generate,
    "linkLoyaltyCardToProfile": link_profile,
    "unlinkLoyaltyCardFromProfile": unlink_profile,
    "getLoyaltyCardBalances": get_balances,
    "getLoyaltyCardPoints": get_points,
    "getLoyaltyCardTransactions": get_transactions,
    "getLoyaltyCardTransactionLogs": get_transactions,
    "addLoyaltyCardPoints": add_points,
    "deductLoyaltyCardPoints": deduct_points,
    "getLoyaltyCard": get_card,
    "getLoyaltyCards": get_cards,
    "createBatchLoyaltyCards": create_batch,
    "updateLoyaltyCard": update_card,
    "deleteLoyaltyCard": delete_card,
    "transferLoyaltyCard": transfer,
}
