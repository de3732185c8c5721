"""The rules of the platform that its description states in words only.

This is the one place for them: bounds by property in `CONSTRAINTS`, rules for whole objects in
`RULES`, parameters in `PARAMETERS` and `DAYS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

MAX_CART_ITEMS = 1_000
MAX_CART_UNITS = 10_000
MAX_COUPONS = 20_000
MAX_COUPONS_WITH_PREFIX = 200_000
MAX_CARDS = 20_000
MAX_ID = 1_000
MAX_PAGE = 1_000

RESERVED_PREFIX = "talon_"
"""Events of the platform's own have names that begin like this."""

_ID: Final = MappingProxyType({"max_length": MAX_ID})
_GIVEN_ID: Final = MappingProxyType({"min_length": 1, "max_length": MAX_ID})
_CART: Final = MappingProxyType({"max_items": MAX_CART_ITEMS})
# `partially_returned` is a state too, but only the returns endpoint can reach it.
_STATES: Final = MappingProxyType({"values": ("open", "closed", "cancelled")})
_REQUIRED: Final = MappingProxyType({"required": True})

CONSTRAINTS: Final[Mapping[tuple[str, str], Mapping[str, Any]]] = MappingProxyType(
    {
        ("NewCustomerSession", "cartItems"): _CART,
        ("NewCustomerSession", "profileId"): _ID,
        ("NewCustomerSession", "state"): _STATES,
        ("NewCustomerSessionV2", "cartItems"): _CART,
        ("NewCustomerSessionV2", "profileId"): _ID,
        ("NewCustomerSessionV2", "state"): _STATES,
        ("NewEvent", "profileId"): _ID,
        ("IntegrationEventV2Request", "profileId"): _ID,
        ("IntegrationEventV3Request", "profileId"): _GIVEN_ID,
        ("MultipleCustomerProfileIntegrationRequest", "customerProfiles"): _REQUIRED,
        ("MultipleCustomerProfileIntegrationRequestItem", "integrationId"): _GIVEN_ID,
        ("CustomerProfileAudienceRequest", "data"): _REQUIRED,
        ("CustomerProfileAudienceRequestItem", "profileIntegrationId"): _GIVEN_ID,
        ("CouponReservations", "integrationIDs"): MappingProxyType({"items": _GIVEN_ID}),
        ("NewReferral", "advocateProfileIntegrationId"): _GIVEN_ID,
        ("NewReferral", "friendProfileIntegrationId"): _ID,
        ("NewReferralsForMultipleAdvocates", "advocateProfileIntegrationIds"): MappingProxyType(
            {"items": _GIVEN_ID}
        ),
        ("NewCoupons", "recipientIntegrationId"): _GIVEN_ID,
        ("NewCoupons", "validCharacters"): MappingProxyType(
            {"items": {"min_length": 1, "max_length": 1}}
        ),
        ("NewCouponsForMultipleRecipients", "recipientsIntegrationIds"): MappingProxyType(
            {"items": _GIVEN_ID}
        ),
        ("LoyaltyCardBatch", "numberOfCards"): MappingProxyType(
            {"minimum": 1, "maximum": MAX_CARDS}
        ),
    }
)
"""Bounds by class and wire name, beside those of the description.

`values` are those of an enum that a request may use, and `required` makes a property required.
"""

PARAMETERS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "pageSize": MappingProxyType({"minimum": 1, "maximum": MAX_PAGE}),
        "skip": MappingProxyType({"minimum": 0}),
    }
)
"""Bounds of query parameters by wire name, for operations that state none."""

DAYS: Final = frozenset(
    {
        "exportApplicationCampaignAnalytics",
        "exportLoyaltyBalance",
        "exportLoyaltyBalances",
        "exportLoyaltyCardBalances",
        "exportLoyaltyCardLedger",
        "exportLoyaltyLedger",
        "getAccessLogsWithoutTotalCount",
        "getCampaignAnalytics",
        "getCustomerActivityReport",
        "getCustomerActivityReportsWithoutTotalCount",
        "getDashboardStatistics",
        "getLoyaltyBalances",
        "getLoyaltyCardBalances",
        "getLoyaltyCardTransactionLogs",
        "getLoyaltyCardTransactions",
        "getLoyaltyLedgerBalances",
        "getLoyaltyProgramProfileLedgerTransactions",
        "getLoyaltyProgramProfileTransactions",
        "getLoyaltyProgramTransactions",
        "integrationGetAllCampaigns",
    }
)
"""Operations whose timestamps in the query may be days, which begin at midnight UTC."""


class Fault(NamedTuple):
    """A rule that an object breaks: the tokens of the pointer from it, and what to report."""

    path: tuple[str | int, ...]
    title: str
    details: str


Rule: TypeAlias = "Callable[[Mapping[str, Any]], Iterator[Fault]]"
"""Yields the faults of an object whose properties are right one by one."""


def _units(session: Mapping[str, Any]) -> Iterator[Fault]:
    units = sum(item["quantity"] for item in session.get("cartItems", ()))
    if units > MAX_CART_UNITS:
        details = f"the quantities must add up to at most {MAX_CART_UNITS}, not to {units}"
        yield Fault(("cartItems",), "maxUnits", details)


def _event_name(event: Mapping[str, Any]) -> Iterator[Fault]:
    if event["type"].startswith(RESERVED_PREFIX):
        details = f"names starting with {RESERVED_PREFIX} are reserved"
        yield Fault(("type",), "Reserved", details)


def _coupons(order: Mapping[str, Any]) -> Iterator[Fault]:
    wanted = order["numberOfCoupons"]
    limit = MAX_COUPONS_WITH_PREFIX if order.get("uniquePrefix") else MAX_COUPONS
    if not 1 <= wanted <= limit:
        yield Fault(("numberOfCoupons",), "range", f"must be from 1 to {limit}")
    elif "couponPattern" in order:
        pattern = order["couponPattern"]
        characters = set(order.get("validCharacters") or [str(digit) for digit in range(36)])
        if len(characters) ** pattern.count("#") < wanted:
            details = f"the pattern cannot produce {wanted} different codes"
            yield Fault(("couponPattern",), "Pattern", details)


def _catalog(sync: Mapping[str, Any]) -> Iterator[Fault]:
    first = sync["actions"][0]["type"]
    skus: set[str] = set()
    for index, action in enumerate(sync["actions"]):
        if action["type"] != first:
            details = f"all actions of a request must be of the same type, here {first}"
            yield Fault(("actions", index, "type"), "Mixed", details)
        sku = action["payload"].get("sku")
        if sku in skus:
            details = "must not name an item twice"
            yield Fault(("actions", index, "payload", "sku"), "uniqueItems", details)
        elif sku is not None:
            skus.add(sku)


RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "NewCustomerSession": _units,
        "NewCustomerSessionV2": _units,
        "NewEvent": _event_name,
        "IntegrationEventV2Request": _event_name,
        "IntegrationEventV3Request": _event_name,
        "NewCoupons": _coupons,
        "CatalogSyncRequest": _catalog,
    }
)
"""The rules for whole objects, by class."""
