"""Lists of the page: sessions, coupons, loyalty accounts. Newest first, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from talon_one.sandbox.errors import Problem, invalid, not_found
from talon_one.sandbox.page.effects import discount_of
from talon_one.sandbox.page.points import account_of, accounts_at, balances_of, entries_of
from talon_one.sandbox.shapes import coupon_facts, coupon_state
from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.state.state import State
from talon_one.sandbox.values import json_number
from talon_one.sandbox.world import World

PAGE_SIZE: Final = 50
MAX_PAGE_SIZE: Final = 200


def integer(query: Mapping[str, str], name: str, default: int, maximum: int = 2**53) -> int:
    """Return a parameter that is a whole number from 0 to a maximum.

    Raises:
        ApiError: 400 if it is something else.
    """
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 17 and int(text) <= maximum):
        details = f"{name} must be a whole number from 0 to {maximum}, not {text[:40]!r}"
        raise invalid(Problem("Invalid", details, parameter=name))
    return int(text)


def _page(query: Mapping[str, str]) -> tuple[int, int]:
    size = integer(query, "pageSize", PAGE_SIZE, MAX_PAGE_SIZE)
    return size, integer(query, "skip", 0)


def sessions(state: State, query: Mapping[str, str]) -> dict[str, Any]:
    """Return a page of sessions; `text` is a part of their ID or of that of their profile."""
    size, skip = _page(query)
    text, among = query.get("text", ""), ("integrationId", "profileId")
    names = {each["id"]: each.get("name") or "" for each in state.applications.each()}
    found = state.sessions.newest(size, skip, text=text, among=among)
    return {
        "total": state.sessions.count_containing(text, among),
        "data": [_session(each, names) for each in found],
    }


def _session(session: Document, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "integrationId": session["integrationId"],
        "applicationId": session["applicationId"],
        "application": names.get(session["applicationId"], ""),
        "profileId": session.get("profileId") or "",
        "state": session["state"],
        "updated": session["updated"],
        "items": len(session.get("cartItems") or ()),
        "total": session.get("total"),
        "discount": json_number(discount_of(session.get("_effects") or ())),
        "codes": len(session.get("couponCodes") or ()) + bool(session.get("referralCode")),
    }


def coupons(state: State, world: World, query: Mapping[str, str]) -> dict[str, Any]:
    """Return a page of coupons; `text` is a part of their code."""
    size, skip = _page(query)
    text, now = query.get("text", ""), world.clock.text()
    found = state.coupons.newest(size, skip, text=text, among=("value",))
    campaigns = {each["id"]: each for each in state.campaigns.each()}
    data = []
    for coupon in found:
        facts = coupon_facts(state, coupon)
        campaign = campaigns.get(coupon["campaignId"]) or {}
        data.append(
            {
                "code": coupon["value"],
                "campaignId": coupon["campaignId"],
                "campaign": campaign.get("name") or "",
                "state": coupon_state(state, facts, now),
                "used": facts["usageCounter"],
                "limit": coupon.get("usageLimit") or 0,
                "starts": coupon.get("startDate"),
                "expires": coupon.get("expiryDate"),
                "recipient": coupon.get("recipientIntegrationId") or "",
            }
        )
    return {"total": state.coupons.count_containing(text, ("value",)), "data": data}


def programs(state: State) -> dict[str, Any]:
    """Return the loyalty programs."""
    found = [
        {
            "id": each["id"],
            "name": each.get("name") or "",
            "title": each.get("title") or "",
            "cardBased": bool(each.get("cardBased")),
        }
        for each in state.loyalty_programs.each()
    ]
    return {"total": len(found), "data": found}


def ledgers(
    state: State, world: World, program_id: int, query: Mapping[str, str]
) -> dict[str, Any]:
    """Return a page of the accounts of a program that have entries, latest used first.

    `text` is a part of the ID of the profile or of the identifier of the card.

    Raises:
        ApiError: 404 if there is no such program.
    """
    size, skip = _page(query)
    program = program_of(state, program_id)
    holders, total = state.points.groups(
        "_holder", size, skip, text=query.get("text", ""), programId=program_id
    )
    accounts = accounts_at(state, world)
    data = [
        {"holder": holder, "ledgers": balances_of(accounts, account_of(program, holder))}
        for holder in holders
    ]
    return {"total": total, "data": data}


def ledger(state: State, world: World, program_id: int, holder: str) -> dict[str, Any]:
    """Return the balances and the latest entries of an account.

    Raises:
        ApiError: 404 if there is no such program, or the account has no entries.
    """
    program = program_of(state, program_id)
    account, accounts = account_of(program, holder), accounts_at(state, world)
    entries = entries_of(accounts, account)
    if not entries["data"]:
        raise not_found("Account")
    return {
        "program": program.get("name") or "",
        "holder": holder,
        "ledgers": balances_of(accounts, account),
        "entries": entries,
    }


def program_of(state: State, program_id: int) -> Document:
    """Return a loyalty program.

    Raises:
        ApiError: 404 if there is none.
    """
    program = state.loyalty_programs.get(program_id)
    if program is None:
        raise not_found("Loyalty program")
    return program
