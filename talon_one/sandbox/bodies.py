"""The request bodies of the sandbox, described with the checks of `validation`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from talon_one.sandbox.errors import Problem
from talon_one.sandbox.validation import (
    Check,
    Problems,
    boolean,
    choice,
    free_object,
    integer,
    list_of,
    map_of,
    number,
    record,
    step,
    text,
    timestamp,
)

MAX_CART_UNITS = 10_000
MAX_CART_ITEMS = 1_000
MAX_BATCH = 1_000
MAX_COUPONS = 20_000

CODE = text(max_length=100)
INTEGRATION_ID = text(max_length=1_000)
PROFILE_ID = text(min_length=1, max_length=1_000)
USAGE_LIMIT = integer(0, 999_999)
# `partially_returned` is a state too, but only the returns endpoint can reach it.
STATE = choice("open", "closed", "cancelled")

_COSTS = map_of(record({"price": number}, required=("price",), keep_unknown=True))

_CART_ITEM = record(
    {
        "sku": text(min_length=1),
        "quantity": integer(1),
        "name": text(),
        "price": number,
        "category": text(),
        "product": free_object,
        "weight": number,
        "height": number,
        "width": number,
        "length": number,
        "attributes": free_object,
        "additionalCosts": _COSTS,
    },
    # Only a catalog makes a price optional, and the sandbox has no catalog.
    required=("sku", "quantity", "price"),
    keep_unknown=True,
)
_CART_ITEMS = list_of(_CART_ITEM, max_items=MAX_CART_ITEMS)


def _cart(value: Any, pointer: str, problems: Problems) -> Any:
    before = len(problems)
    items = _CART_ITEMS(value, pointer, problems)
    if len(problems) == before:
        units = sum(item["quantity"] for item in items)
        if units > MAX_CART_UNITS:
            details = f"the quantities must add up to at most {MAX_CART_UNITS}, not to {units}"
            problems.append(Problem("maxUnits", details, pointer))
    return items


_SESSION_BASE: Mapping[str, Check] = MappingProxyType(
    {
        "profileId": INTEGRATION_ID,
        "state": STATE,
        "cartItems": _cart,
        "identifiers": list_of(text(), max_items=5),
        "attributes": free_object,
    }
)

SESSION_V1 = record({**_SESSION_BASE, "coupon": CODE, "referral": CODE, "total": number})

SESSION_V2 = record(
    {
        "customerSession": record(
            {
                **_SESSION_BASE,
                "storeIntegrationId": text(min_length=1, max_length=1_000),
                "evaluableCampaignIds": list_of(integer()),
                "couponCodes": list_of(CODE),
                "referralCode": CODE,
                "loyaltyCards": list_of(text()),
                "experimentVariantAllocations": list_of(
                    record(
                        {"experimentID": integer(), "variantID": integer()},
                        required=("experimentID", "variantID"),
                    )
                ),
                "additionalCosts": _COSTS,
            }
        ),
        "responseContent": list_of(
            choice(
                "customerSession",
                "customerProfile",
                "coupons",
                "triggeredCampaigns",
                "referral",
                "loyalty",
                "event",
                "awardedGiveaways",
                "ruleFailureReasons",
                "previousReturns",
                "campaignEligibility",
                "achievements",
            )
        ),
    },
    required=("customerSession",),
)

PROFILE_V1 = record({"attributes": free_object})

PROFILE_V2 = record(
    {
        "attributes": free_object,
        "evaluableCampaignIds": list_of(integer()),
        "audiencesChanges": record(
            {"adds": list_of(integer()), "deletes": list_of(integer())},
            required=("adds", "deletes"),
        ),
        "responseContent": list_of(
            choice(
                "customerProfile",
                "triggeredCampaigns",
                "loyalty",
                "event",
                "awardedGiveaways",
                "ruleFailureReasons",
                "campaignEligibility",
                "achievements",
            )
        ),
    }
)

PROFILES_V2 = record(
    {
        "customerProfiles": list_of(
            record(
                {"integrationId": PROFILE_ID, "attributes": free_object},
                required=("integrationId",),
            ),
            max_items=MAX_BATCH,
        )
    },
    required=("customerProfiles",),
)

PROFILE_AUDIENCES = record(
    {
        "data": list_of(
            record(
                {
                    "action": choice("add", "delete"),
                    "profileIntegrationId": PROFILE_ID,
                    "audienceId": integer(),
                },
                required=("action", "profileIntegrationId", "audienceId"),
            ),
            max_items=MAX_BATCH,
        )
    },
    required=("data",),
)


def _event_type(value: Any, pointer: str, problems: Problems) -> Any:
    value = text(min_length=1)(value, pointer, problems)
    if isinstance(value, str) and value.startswith("talon_"):
        problems.append(Problem("Reserved", "names starting with talon_ are reserved", pointer))
    return value


EVENT_V1 = record(
    {
        "type": _event_type,
        "attributes": free_object,
        "sessionId": text(min_length=1),
        "profileId": INTEGRATION_ID,
        "storeIntegrationId": text(min_length=1, max_length=1_000),
    },
    required=("type", "attributes", "sessionId"),
)

COUPON_RESERVATIONS = record(
    {"integrationIDs": list_of(PROFILE_ID, max_items=MAX_BATCH)}, required=("integrationIDs",)
)

REFERRAL = record(
    {
        "campaignId": integer(),
        "advocateProfileIntegrationId": PROFILE_ID,
        "friendProfileIntegrationId": INTEGRATION_ID,
        "startDate": timestamp,
        "expiryDate": timestamp,
        "usageLimit": USAGE_LIMIT,
        "attributes": free_object,
    },
    required=("campaignId", "advocateProfileIntegrationId"),
)


def _unsupported(value: Any, pointer: str, problems: Problems) -> Any:
    # A limit that is accepted and not enforced would make tests pass that must fail.
    if value not in ([], 0):
        name = pointer.rpartition("/")[2]
        problems.append(Problem("Unsupported", f"the sandbox does not enforce {name}", pointer))
    return value


_NEW_COUPONS = record(
    {
        "numberOfCoupons": integer(1, MAX_COUPONS),
        "usageLimit": USAGE_LIMIT,
        "reservationLimit": USAGE_LIMIT,
        "discountLimit": _unsupported,
        "limits": _unsupported,
        "startDate": timestamp,
        "expiryDate": timestamp,
        "attributes": free_object,
        "recipientIntegrationId": PROFILE_ID,
        "validCharacters": list_of(text(min_length=1, max_length=1)),
        "couponPattern": text(min_length=3, max_length=100),
        "isReservationMandatory": boolean,
        "implicitlyReserved": boolean,
    },
    required=("numberOfCoupons",),
)


COUPON_ROW = record(
    {
        "value": text(min_length=3, max_length=100),
        "startdate": timestamp,
        "expirydate": timestamp,
        "recipientintegrationid": PROFILE_ID,
        "limitval": USAGE_LIMIT,
        "discountlimit": _unsupported,
        "attributes": free_object,
    },
    required=("value",),
)


def new_coupons(value: Any, pointer: str, problems: Problems) -> Any:
    """Accept the body of createCoupons if its pattern can produce the number of codes."""
    before = len(problems)
    order = _NEW_COUPONS(value, pointer, problems)
    if len(problems) > before:
        return order
    pattern, wanted = order.get("couponPattern", "#"), order["numberOfCoupons"]
    characters = set(order.get("validCharacters") or [str(digit) for digit in range(36)])
    if "couponPattern" in order and len(characters) ** pattern.count("#") < wanted:
        details = f"the pattern cannot produce {wanted} different codes"
        problems.append(Problem("Pattern", details, step(pointer, "couponPattern")))
    return order
