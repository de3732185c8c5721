"""Points, cards, tiers and join dates of loyalty programs as CSV files, in both directions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from talon_one.sandbox.accounts import ADDITION, Account, Terms
from talon_one.sandbox.call import Call, Result
from talon_one.sandbox.errors import ApiError, Problem, invalid
from talon_one.sandbox.holders import accounts_of
from talon_one.sandbox.loyalty.durations import ON_ACTION, UNLIMITED
from talon_one.sandbox.loyalty.tiers import tiers_of
from talon_one.sandbox.operations.cards import known_card, new_card
from talon_one.sandbox.operations.lists import within
from talon_one.sandbox.operations.loyalty import check_subledger, known_program, profile_account
from talon_one.sandbox.operations.transfers import Take, export_rows, import_rows, moment
from talon_one.sandbox.profiles import ensure_profile
from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.values import amount, cents, json_number

MAX_POINTS: Final = 999_999_999_999.99


def _checked(take: Callable[[dict[str, Any], Document], None]) -> Take:
    """Return a function that stores a row, and returns the problem instead of raising it."""

    def taken(values: dict[str, Any], done: Document) -> bool | Problem:
        try:
            take(values, done)
        except ApiError as cause:
            return cause.problems[0]
        return True

    return taken


_POINTS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {"amount": {"minimum": 0.01, "maximum": MAX_POINTS}, "subledgerid": {"max_length": 64}}
)


def import_points(call: Call) -> Result:
    """Handle importLoyaltyPoints; unknown profiles are created, unknown cards are refused."""
    program, accounts = known_program(call), accounts_of(call)
    touched: dict[tuple[str, str], Account] = {}

    def take(values: dict[str, Any], done: Document) -> None:
        account, subledger = _row_account(call, program, values), values.get("subledgerid", "")
        start, expiry = values.get("startdate"), values.get("expirydate")
        words = ("immediate", ON_ACTION)
        check_subledger(program, subledger)
        accounts.add(
            account,
            cents(amount(values["amount"])),
            subledger,
            # The file decides alone; the defaults of the program are for rules.
            Terms(
                pending=start if start in words else "immediate",
                start=None if start in words else start,
                validity=values.get("validityDuration") or UNLIMITED,
                expiry=None if expiry == UNLIMITED else expiry,
            ),
            name=values.get("reason", ""),
            importId=done["id"],
        )
        touched[account.holder, subledger] = account

    result = import_rows(call, "LoyaltyPoints", _checked(take), bounds=_POINTS)
    for (_, subledger), account in touched.items():
        accounts.refresh_tier(account, subledger)
    return result


def _row_account(call: Call, program: Document, values: Mapping[str, Any]) -> Account:
    column = "identifier" if program.get("cardBased") else "customerprofileid"
    if column not in values:
        details = f"{column} is required by the kind of the loyalty program"
        raise invalid(Problem("required", details))
    if column == "customerprofileid":
        profile = ensure_profile(call.state, values[column], call.now)
        return Account(program, profile["integrationId"])
    card = call.state.cards.first(programID=program["id"], identifier=values[column])
    if card is None:
        raise invalid(Problem("Unknown", f"there is no loyalty card {values[column]!r}"))
    return Account(program, card=values[column])


def import_cards(call: Call) -> Result:
    """Handle importLoyaltyCards."""
    program = known_program(call, cards=True)
    limit = program.get("usersPerCardLimit") or 0

    def take(values: dict[str, Any], done: Document) -> None:
        identifier, profiles = values["identifier"], values.get("customerprofileids") or []
        if call.state.cards.count(programID=program["id"], identifier=identifier):
            raise invalid(Problem("Duplicate", f"there is a loyalty card {identifier!r} already"))
        if limit and len(set(profiles)) > limit:
            raise invalid(Problem("Limit", f"a loyalty card has at most {limit} profiles"))
        for profile_id in profiles:
            ensure_profile(call.state, profile_id, call.now)
        new_card(
            call,
            program,
            identifier,
            status=values["state"],
            profiles=[
                {"integrationId": each, "timestamp": call.now} for each in dict.fromkeys(profiles)
            ],
            importId=done["id"],
            _attributes=_known_attributes(call, values.get("attributes") or {}),
        )

    bounds = {"identifier": {"min_length": 4, "max_length": 108}}
    return import_rows(call, "LoyaltyCard", _checked(take), bounds=bounds)


def _known_attributes(call: Call, attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in attributes:
        if not call.state.attributes.count(entity="LoyaltyCard", name=name):
            details = f"attributes: a loyalty card has no attribute {name!r}"
            raise invalid(Problem("Unknown", details))
    return attributes


def import_tiers(call: Call) -> Result:
    """Handle importLoyaltyCustomersTiers, for programs whose tiers expire."""
    program, accounts = known_program(call, cards=False), accounts_of(call)
    if not program.get("tiersExpirationPolicy"):
        details = "the tiers of the loyalty program do not expire"
        raise invalid(Problem("Invalid", details, parameter="loyaltyProgramId"))
    tiers = {tier["name"]: tier["id"] for tier in tiers_of(program)}

    def take(values: dict[str, Any], done: Document) -> None:
        account = Account(program, _known_profile(call, values["customerprofileid"]))
        name, expiry = values["tiername"], values["expirydate"]
        if name not in tiers:
            raise invalid(Problem("Unknown", f"tiername: there is no tier {name!r}"))
        if expiry <= call.now:
            raise invalid(Problem("Invalid", "expirydate: it must lie in the future"))
        accounts.set_standing(account, values.get("subledgerid", ""), tiers[name], expiry)

    return import_rows(call, "LoyaltyTier", _checked(take))


def _known_profile(call: Call, profile_id: str) -> str:
    if not call.state.profiles.count(integrationId=profile_id):
        details = f"customerprofileid: there is no customer profile {profile_id!r}"
        raise invalid(Problem("Unknown", details))
    return profile_id


def import_join_dates(call: Call) -> Result:
    """Handle importLoyaltyJoinDates."""
    program, accounts = known_program(call, cards=False), accounts_of(call)

    def take(values: dict[str, Any], done: Document) -> None:
        account = Account(program, _known_profile(call, values["customerprofileid"]))
        accounts.join(account, values["newjoindate"])

    return import_rows(call, "LoyaltyJoinDate", _checked(take))


def _profile_accounts(call: Call, program: Document) -> Iterator[Account]:
    """Yield the accounts of all profiles that have points in a program or have joined it."""
    where = {"programId": program["id"]}
    found = [each["profileId"] for each in call.state.loyalty_members.each(**where)]
    found += [each["customerProfileId"] for each in call.state.points.each(**where)]
    for profile_id in sorted({each for each in found if each}):
        yield Account(program, profile_id)


_BALANCES: Final = {
    "currentBalance": "active",
    "pendingBalance": "pending",
    "expiredBalance": "expired",
    "spentBalance": "spent",
    "negativeBalance": "negative",
}


def _balance_rows(
    call: Call,
    accounts: Iterable[Account],
    allowed: Iterable[str],
    owner: Callable[[Account], Document],
) -> Iterator[Document]:
    """Yield a row for each ledger of each account."""
    known = tuple(allowed)
    named = [part.strip() for part in (call.query.get("balances") or "").split(",") if part.strip()]
    if any(name not in known for name in named):
        details = f"balances can be {', '.join(known)}"
        raise invalid(Problem("enum", details, parameter="balances"))
    columns = {"currentBalance", *(named or known)}
    for account in accounts:
        for subledger in ("", *accounts_of(call).subledgers(account)):
            ledger = accounts_of(call).ledger(account, subledger, call.query.get("endDate"))
            balance = ledger.balance()
            yield {
                "loyaltyProgramID": account.program["id"],
                "loyaltySubledger": subledger,
                **owner(account),
                **{
                    column: json_number(getattr(balance, state))
                    for column, state in _BALANCES.items()
                    if column in columns
                },
                "currentTier": _tier_name(call, account, subledger),
            }


def _tier_name(call: Call, account: Account, subledger: str) -> str | None:
    tier_id = accounts_of(call).standing(account, subledger).tier_id
    return next((each["name"] for each in tiers_of(account.program) if each["id"] == tier_id), None)


def export_balances(call: Call) -> Result:
    """Handle exportLoyaltyBalances and its deprecated predecessor exportLoyaltyBalance."""
    found = _profile_accounts(call, known_program(call, cards=False))
    rows = _balance_rows(
        call, found, _BALANCES, lambda account: {"profileIntegrationID": account.profile_id}
    )
    return export_rows(call, rows)


def export_card_balances(call: Call) -> Result:
    """Handle exportLoyaltyCardBalances, which has no negative balances."""
    program = known_program(call, cards=True)
    cards = {each["identifier"]: each for each in call.state.cards.each(programID=program["id"])}
    rows = _balance_rows(
        call,
        (Account(program, card=identifier) for identifier in cards),
        tuple(_BALANCES)[:-1],
        lambda account: {
            "cardIdentifier": account.card,
            "cardState": cards[account.card]["status"],
        },
    )
    return export_rows(call, rows)


def export_cards(call: Call) -> Result:
    """Handle exportLoyaltyCards."""
    program, batch = known_program(call, cards=True), call.query.get("batchId")
    rows = [
        {
            "identifier": card["identifier"],
            "created": moment(card["created"]),
            "status": card["status"],
            "userpercardlimit": program.get("usersPerCardLimit", 0),
            "customerprofileids": ";".join(each["integrationId"] for each in card["profiles"]),
            "blockreason": card.get("blockReason"),
            "generated": "importId" not in card,
            "batchid": card.get("batchId"),
            "attributes": card.get("_attributes") or {},
        }
        for card in call.state.cards.each(programID=program["id"])
        if batch in (None, card.get("batchId")) and within(call, "created", card["created"])
    ]
    return export_rows(call, rows)


def export_ledger(call: Call) -> Result:
    """Handle exportLoyaltyLedger: the entries of a profile in a range of time."""
    rows = _ledger_rows(call, profile_account(call), "customerprofileid")
    return export_rows(call, rows)


def export_card_ledger(call: Call) -> Result:
    """Handle exportLoyaltyCardLedger."""
    card = known_card(call)
    account = Account(known_program(call, cards=True), card=card["identifier"])
    return export_rows(call, _ledger_rows(call, account, "identifier"))


def _ledger_rows(call: Call, account: Account, column: str) -> list[Document]:
    start, end = call.query["rangeStart"], call.query["rangeEnd"]
    return [
        {
            column: account.card or account.profile_id,
            "customersessionid": each.get("customerSessionId"),
            "rulesetid": each.get("rulesetId"),
            "rulename": each.get("ruleName"),
            "programid": each["programId"],
            "type": each["type"],
            "name": each["name"],
            "subledgerid": each["subledgerId"],
            "startdate": moment(each["_start"]) if each["type"] == ADDITION else None,
            "expirydate": moment(each["_expiry"]),
            "id": each["id"],
            "created": moment(each["created"]),
            "amount": each["amount"],
            "archived": False,
            "campaignid": each.get("campaignId"),
            "transactionUUID": each["transactionUUID"],
        }
        for each in accounts_of(call).documents(account)
        if start <= each["created"] <= end
    ]


def export_join_dates(call: Call) -> Result:
    """Handle exportLoyaltyJoinDates."""
    program = known_program(call, cards=False)
    rows = [
        {
            "loyaltyProgramID": program["id"],
            "profileIntegrationID": each["profileId"],
            "joinDate": each["joinDate"],
        }
        for each in call.state.loyalty_members.each(programId=program["id"])
    ]
    return export_rows(call, rows)


def export_tiers(call: Call) -> Result:
    """Handle exportCustomersTiers: the ledgers that have a tier now."""
    program, rows = known_program(call, cards=False), []
    ledgers, names = call.query.get("subledgerIds"), call.query.get("tierNames")
    titles = {tier["id"]: tier["name"] for tier in tiers_of(program)}
    for account in _profile_accounts(call, program):
        for subledger in ("", *accounts_of(call).subledgers(account)):
            standing = accounts_of(call).standing(account, subledger)
            if standing.tier_id is None or (ledgers and subledger not in ledgers):
                continue
            name = titles[standing.tier_id]
            if names and name not in names:
                continue
            rows.append(
                {
                    "programid": program["id"],
                    "subledgerid": subledger,
                    "customerprofileid": account.profile_id,
                    "tiername": name,
                    "startdate": standing.start,
                    "expirydate": standing.expiry,
                }
            )
    return export_rows(call, rows)


OPERATIONS: Final = {
    "importLoyaltyPoints": import_points,
    "importLoyaltyCards": import_cards,
    "importLoyaltyCustomersTiers": import_tiers,
    "importLoyaltyJoinDates": import_join_dates,
    "exportLoyaltyBalance": export_balances,
    "exportLoyaltyBalances": export_balances,
    "exportLoyaltyCardBalances": export_card_balances,
    "exportLoyaltyCards": export_cards,
    "exportLoyaltyLedger": export_ledger,
    "exportLoyaltyCardLedger": export_card_ledger,
    "exportLoyaltyJoinDates": export_join_dates,
    "exportCustomersTiers": export_tiers,
}
