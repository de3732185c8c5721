"""Operations on the points of profiles: balances, points, transactions, activation, joining."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from talon_one.sandbox.accounts import Account, Terms, TooFewPoints
from talon_one.sandbox.call import NO_CONTENT, Call, Result
from talon_one.sandbox.errors import ApiError, Problem, invalid, not_found
from talon_one.sandbox.holders import accounts_of, balance_view, subledgers, tier_view
from talon_one.sandbox.loyalty.durations import ON_ACTION
from talon_one.sandbox.operations.lists import with_more
from talon_one.sandbox.profiles import USER_ID, ensure_profile, known_profile
from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.values import amount, cents, json_number

PAGE_SIZE: Final = 50


def known_program(call: Call, *, cards: bool | None = None) -> Document:
    """Return the loyalty program that the path names.

    Args:
        call: The request.
        cards: Whether the program has to be card-based; None if it does not matter.

    Raises:
        ApiError: 404 if there is none, 400 for a program of the other kind.
    """
    found = call.ids["loyaltyProgramId"]
    # Management operations declare this ID as a text.
    number = int(found) if str(found).isdigit() and len(str(found)) < 19 else 0
    program = call.state.loyalty_programs.get(number)
    if program is None:
        raise not_found("Loyalty program")
    if cards is not None and bool(program.get("cardBased")) != cards:
        kind = "card-based" if program.get("cardBased") else "profile-based"
        raise invalid(Problem("Invalid", f"the loyalty program is {kind}", "/loyaltyProgramId"))
    return program


def profile_account(call: Call) -> Account:
    """Return the account of the profile that the path names.

    Raises:
        ApiError: 404 if the program or the profile does not exist.
    """
    program = known_program(call, cards=False)
    profile = known_profile(call, call.ids["integrationId"])
    return Account(program, profile["integrationId"])


def balances(call: Call, account: Account, names: Sequence[str], *, tiers: bool) -> Document:
    """Return balances of the main ledger and of the others.

    Args:
        call: The request.
        account: The account.
        names: The only other ledgers to show; empty for all.
        tiers: Whether tiers are shown.
    """
    at = call.query.get("endDate")

    def shown(subledger: str) -> Document:
        ledger = accounts_of(call).ledger(account, subledger, at)
        more = tier_view(call, account, subledger, at) if tiers else {}
        return {**balance_view(ledger.balance()), **more}

    found = [name for name in subledgers(call, account) if not names or name in names]
    return {
        "balance": shown(""),
        "subledgerBalances": {name: shown(name) for name in found},
    }


def get_balances(call: Call) -> Result:
    """Handle getLoyaltyBalances and getLoyaltyLedgerBalances."""
    named = call.query.get("subledgerId")
    names = [named] if named else []
    account = profile_account(call)
    tiers = bool(call.query.get("includeTiers"))
    found = balances(call, account, names, tiers=tiers)
    if call.query.get("includeProjectedTier"):
        for subledger, shown in (("", found["balance"]), *found["subledgerBalances"].items()):
            shown["projectedTier"] = _projected(call, account, subledger)
    return Result(200, found)


def _projected(call: Call, account: Account, subledger: str) -> Document | None:
    """Return the tier that follows when the present one expires, if nothing changes."""
    accounts = accounts_of(call)
    standing = accounts.standing(account, subledger)
    if standing.tier_id is None or standing.expiry is None:
        return None
    later = accounts.standing(account, subledger, standing.expiry)
    points = accounts.ledger(account, subledger, standing.expiry).balance().active
    tiers = {tier["id"]: tier for tier in account.program["tiers"]}
    shown: Document = {"projectedActivePoints": json_number(points)}
    if later.tier_id != standing.tier_id:
        shown["stayInTierPoints"] = json_number(
            amount(tiers[standing.tier_id]["minPoints"]) - points
        )
    if later.tier_id is not None:
        shown["projectedTierName"] = tiers[later.tier_id]["name"]
    return shown


def points_page(call: Call, account: Account) -> Result:
    """Return the page of unused points of an account that the query asks for."""
    wanted = call.query.get("status", "active")
    names = set(call.query.get("subledgerId") or ("", *subledgers(call, account)))
    documents = {each["id"]: each for each in accounts_of(call).documents(account)}
    found = []
    for name in sorted(names):
        for lot in accounts_of(call).ledger(account, name).in_state(wanted):
            document = documents[lot.entry.id]
            found.append({**document, "amount": json_number(lot.left)})
    found = [each for each in found if _named(call, each)]
    sort = call.query.get("sort")
    if sort:
        key = sort.removeprefix("-")
        found.sort(key=lambda each: str(each[key]), reverse=sort.startswith("-"))
    return with_more(call, found, PAGE_SIZE)


def transactions_page(call: Call, account: Account, size: int = PAGE_SIZE) -> Result:
    """Return the page of the transaction log that the query asks for, newest first."""
    found = transactions(call, accounts_of(call).documents(account))
    return with_more(call, found, size)


def transactions(call: Call, documents: Iterable[Document]) -> list[Document]:
    """Return the transactions that pass the filters of a query, newest first.

    Raises:
        ApiError: 400 for `awaitsActivation=false`, which the platform refuses as well.
    """
    if call.query.get("awaitsActivation") is False:
        details = "awaitsActivation can only be true"
        raise invalid(Problem("Invalid", details, parameter="awaitsActivation"))
    query = call.query
    names = query.get("subledgerId")
    ledgers = [names] if isinstance(names, str) else names
    found = [
        each
        for each in documents
        if (not ledgers or each["subledgerId"] in ledgers)
        and query.get("loyaltyTransactionType") in (None, _origin(each))
        and (query.get("startDate") or "") <= each["created"]
        and each["created"] <= query.get("endDate", "9999")
        and (not query.get("awaitsActivation") or each["startDate"] == ON_ACTION)
        and _named(call, each)
    ]
    return found[::-1]


def _origin(document: Mapping[str, Any]) -> str:
    if document.get("importId"):
        return "import"
    return "manual" if document.get("userId") else "session"


def _named(call: Call, document: Mapping[str, Any]) -> bool:
    sessions, uuids = call.query.get("customerSessionIDs"), call.query.get("transactionUUIDs")
    return (not sessions or document.get("customerSessionId") in sessions) and (
        not uuids or document["transactionUUID"] in uuids
    )


def get_points(call: Call) -> Result:
    """Handle getLoyaltyProgramProfilePoints."""
    return points_page(call, profile_account(call))


def get_transactions(call: Call) -> Result:
    """Handle getLoyaltyProgramProfileTransactions and its twin of the Management API."""
    return transactions_page(call, profile_account(call))


def get_program_transactions(call: Call) -> Result:
    """Handle getLoyaltyProgramTransactions: those of all profiles and cards."""
    program = known_program(call)
    return with_more(
        call, transactions(call, call.state.points.each(programId=program["id"])), PAGE_SIZE
    )


def activate(call: Call) -> Result:
    """Handle activateLoyaltyPoints: pending points of a session, or of transactions."""
    uuids, session_id = call.body.get("transactionUUIDs"), call.body.get("sessionId")
    if (not uuids) == (not session_id):
        details = "either transactionUUIDs or sessionId is required"
        raise invalid(Problem("required", details, "/transactionUUIDs"))
    program = known_program(call)
    where = {"transactionUUID": uuids} if uuids else {"customerSessionId": session_id}
    found = call.state.points.find(programId=program["id"], **where)
    if not found:
        raise not_found("Loyalty transaction")
    accounts = accounts_of(call)
    holders: dict[str, list[Document]] = {}
    for entry in found:
        holders.setdefault(entry["_holder"], []).append(entry)
    changed = []
    for entries in holders.values():
        whose, card = entries[0]["customerProfileId"], entries[0]["cardIdentifier"]
        account = Account(program, "" if card else whose, card or "")
        changed += accounts.activate(account, entries)
        for subledger in {each["subledgerId"] for each in entries}:
            accounts.refresh_tier(account, subledger)
    return Result(200, {"ledgerEntries": [ledger_entry(each) for each in changed]})


def ledger_entry(document: Document) -> Document:
    """Return a `LoyaltyLedgerEntry`, whose names differ from those of transactions."""
    return {
        **document,
        "programID": document["programId"],
        "customerProfileID": document["customerProfileId"],
        "customerSessionID": document.get("customerSessionId"),
        "subLedgerID": document["subledgerId"],
        "startDate": document["_start"],
        "expiryDate": document["_expiry"],
    }


def delete_transactions(call: Call) -> Result:
    """Handle deleteLoyaltyTransactionsFromLedgers."""
    sent, account = call.body, profile_account(call)
    if sent["scope"] == "SelectedSubledgers" and not sent.get("subledgerIds"):
        raise invalid(Problem("required", "subledgerIds is required", "/subledgerIds"))
    names = None if sent["scope"] == "AllSubledgers" else sent["subledgerIds"]
    accounts_of(call).delete(account, names)
    return NO_CONTENT


def join(call: Call) -> Result:
    """Handle joinLoyaltyProgram; an unknown profile is created."""
    try:
        program = known_program(call, cards=False)
    except ApiError as cause:
        details = "there is no such profile-based loyalty program"
        raise invalid(Problem("Unknown", details, parameter="loyaltyProgramId")) from cause
    profile = ensure_profile(call.state, call.ids["integrationId"], call.now)
    account = Account(program, profile["integrationId"])
    if accounts_of(call).joined(account) is not None:
        details = "the profile has joined the loyalty program already"
        raise invalid(Problem("Duplicate", details, parameter="integrationId"))
    accounts_of(call).join(account, call.now)
    return Result(200)


def add_to(call: Call, account: Account) -> Result:
    """Add points to an account as a Management request says."""
    sent = call.body
    points = _points(sent)
    accounts = accounts_of(call)
    subledger = sent.get("subledgerId") or ""
    check_subledger(account.program, subledger, "/subledgerId")
    accounts.add(
        account,
        points,
        subledger,
        Terms(
            pending=sent.get("pendingDuration"),
            start=sent.get("pendingUntil"),
            validity=sent.get("validityDuration"),
            expiry=sent.get("validUntil"),
        ),
        name=sent.get("name") or "",
        userId=USER_ID,
    )
    accounts.refresh_tier(account, subledger)
    return NO_CONTENT


def deduct_from(call: Call, account: Account) -> Result:
    """Spend points of an account as a Management request says.

    Raises:
        ApiError: 400 if the ledger has fewer active points.
    """
    sent = call.body
    points = _points(sent)
    accounts = accounts_of(call)
    subledger = sent.get("subledgerId") or ""
    try:
        accounts.spend(account, points, subledger, name=sent.get("name") or "", userId=USER_ID)
    except TooFewPoints:
        active: Decimal = accounts.ledger(account, subledger).balance().active
        details = f"the ledger has {active} active points, not {points}"
        raise invalid(Problem("Invalid", details, "/points")) from None
    accounts.refresh_tier(account, subledger)
    return NO_CONTENT


def check_subledger(program: Document, subledger: str, pointer: str = "") -> None:
    """Refuse a ledger beside the main one if the program has none.

    Raises:
        ApiError: 400.
    """
    if subledger and not program.get("allowSubledger", True):
        raise invalid(Problem("Invalid", "the loyalty program has no subledgers", pointer))


def _points(sent: Mapping[str, Any]) -> Decimal:
    """Return the points of a request, which have two decimal places, as all points."""
    points = cents(amount(sent["points"]))
    if points <= 0:
        raise invalid(Problem("range", "points must be greater than 0", "/points"))
    for one, other in (("pendingDuration", "pendingUntil"), ("validityDuration", "validUntil")):
        if sent.get(one) and sent.get(other):
            raise invalid(Problem("Invalid", f"{one} and {other} exclude each other", f"/{other}"))
    return points


def add_points(call: Call) -> Result:
    """Handle addLoyaltyPoints."""
    return add_to(call, profile_account(call))


def remove_points(call: Call) -> Result:
    """Handle removeLoyaltyPoints."""
    return deduct_from(call, profile_account(call))


def get_ledgers(call: Call) -> Result:
    """Handle getLoyaltyPoints, deprecated: whole ledgers with their entries by state."""
    account = profile_account(call)
    names = subledgers(call, account)
    return Result(
        200,
        {
            "ledger": _whole_ledger(call, account, ""),
            "subLedgers": {name: _whole_ledger(call, account, name) for name in names},
        },
    )


def _whole_ledger(call: Call, account: Account, subledger: str) -> Document:
    """Return a `LoyaltySubLedger`."""
    ledger = accounts_of(call).ledger(account, subledger)
    balance = ledger.balance()
    entries = {each["id"]: each for each in accounts_of(call).documents(account, subledger)}
    lots = {
        state: [
            ledger_entry({**entries[lot.entry.id], "amount": json_number(lot.left)})
            for lot in ledger.in_state(state)
        ]
        for state in ("active", "pending", "expired")
    }
    return {
        "total": json_number(balance.active),
        "totalActivePoints": json_number(balance.active),
        "totalPendingPoints": json_number(balance.pending),
        "totalSpentPoints": json_number(balance.spent),
        "totalExpiredPoints": json_number(balance.expired),
        "totalNegativePoints": json_number(balance.negative),
        "transactions": [ledger_entry(each) for each in entries.values()],
        "expiringPoints": [
            each for each in (*lots["active"], *lots["pending"]) if each["expiryDate"] is not None
        ],
        "activePoints": lots["active"],
        "pendingPoints": lots["pending"],
        "expiredPoints": lots["expired"],
        **{
            name: value
            for name, value in tier_view(call, account, subledger).items()
            if name == "currentTier"
        },
    }


def get_programs(call: Call) -> Result:
    """Handle getLoyaltyPrograms."""
    found = call.state.loyalty_programs.find()
    return Result(200, {"totalResultSize": len(found), "data": found})


def get_program(call: Call) -> Result:
    """Handle getLoyaltyProgram."""
    return Result(200, known_program(call))


Handler = Callable[[Call], Result]

OPERATIONS: Final[Mapping[str, Handler]] = {
    "getLoyaltyBalances": get_balances,
    "getLoyaltyProgramProfilePoints": get_points,
    "getLoyaltyProgramProfileTransactions": get_transactions,
    "activateLoyaltyPoints": activate,
    "deleteLoyaltyTransactionsFromLedgers": delete_transactions,
    "joinLoyaltyProgram": join,
    "getLoyaltyLedgerBalances": get_balances,
    "getLoyaltyProgramProfileLedgerTransactions": get_transactions,
    "getLoyaltyProgramTransactions": get_program_transactions,
    "addLoyaltyPoints": add_points,
    "removeLoyaltyPoints": remove_points,
    "getLoyaltyPrograms": get_programs,
    "getLoyaltyProgram": get_program,
    "getLoyaltyPoints": get_ledgers,
}
