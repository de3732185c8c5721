"""Records as the JSON objects of responses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from talon_one.sandbox import json_text
from talon_one.sandbox.campaign import ACCOUNT_ID, USER_ID
from talon_one.sandbox.records import (
    Application,
    Campaign,
    Coupon,
    Event,
    Profile,
    Referral,
    Session,
)
from talon_one.sandbox.store import Store
from talon_one.sandbox.values import json_number


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def application(record: Application) -> dict[str, Any]:
    """Return an `Application`."""
    return {
        "id": record.id,
        "created": record.created,
        "modified": record.created,
        "accountId": ACCOUNT_ID,
        "name": record.name,
        "timezone": "UTC",
        "currency": "EUR",
        "caseSensitivity": "sensitive",
        "defaultDiscountScope": "sessionTotal",
        "enableCascadingDiscounts": False,
        "sandbox": True,
        "attributes": {},
        "limits": [],
        "loyaltyPrograms": [],
    }


def campaign(store: Store, record: Campaign) -> dict[str, Any]:
    """Return a `Campaign`."""
    return {
        "id": record.id,
        "created": record.created,
        "applicationId": record.application_id,
        "userId": USER_ID,
        "name": record.name,
        "description": record.description,
        "state": record.state,
        "frontendState": "running" if record.running else record.state,
        "activeRulesetId": record.ruleset_id,
        "tags": list(record.tags),
        "features": list(record.features),
        "type": "advanced",
        "attributes": {},
        "limits": [],
        "campaignGroups": [],
        "reevaluateOnReturn": False,
        "storesImported": False,
        "couponRedemptionCount": store.redemption_count("coupon", record.id),
        "referralRedemptionCount": store.redemption_count("referral", record.id),
    }


def coupon(record: Coupon) -> dict[str, Any]:
    """Return a `Coupon`."""
    return _present(
        {
            "id": record.id,
            "created": record.created,
            "campaignId": record.campaign_id,
            "value": record.value,
            "usageLimit": record.usage_limit,
            "usageCounter": record.usage_counter,
            "reservationLimit": record.reservation_limit,
            "reservationCounter": record.reservation_counter,
            "startDate": record.start_date,
            "expiryDate": record.expiry_date,
            "recipientIntegrationId": record.recipient,
            "attributes": record.attributes,
            "reservation": record.recipient is None,
            "isReservationMandatory": record.reservation_mandatory,
            "implicitlyReserved": record.implicitly_reserved,
            "batchId": record.batch_id,
            "importId": record.import_id,
        }
    )


def coupon_import(import_id: int, created: str, amount: int) -> dict[str, Any]:
    """Return an `Import` of coupons."""
    return {
        "id": import_id,
        "created": created,
        "accountId": ACCOUNT_ID,
        "userId": USER_ID,
        "entity": "Coupon",
        "amount": amount,
    }


def coupon_row(record: Coupon, application_id: int) -> dict[str, Any]:
    """Return a row of an export by its columns; the sandbox has no values for some of them."""
    return {
        "accountid": ACCOUNT_ID,
        "applicationid": application_id,
        "attributes": json_text.write(record.attributes).decode(),
        "batchid": record.batch_id,
        "campaignid": record.campaign_id,
        "counter": record.usage_counter,
        "created": record.created,
        "deleted": None,
        "deleted_changelogid": None,
        "discount_counter": 0,
        "discount_limitval": 0,
        "expirydate": record.expiry_date,
        "id": record.id,
        "importid": record.import_id,
        "is_reservation_mandatory": str(record.reservation_mandatory).lower(),
        "limits": "[]",
        "limitval": record.usage_limit,
        "recipientintegrationid": record.recipient,
        "referralid": None,
        "reservation": str(record.recipient is None).lower(),
        "reservation_counter": record.reservation_counter,
        "reservation_limitval": record.reservation_limit,
        "startdate": record.start_date,
        "value": record.value,
    }


def redeemable_coupon(store: Store, record: Coupon, profile_id: str) -> dict[str, Any]:
    """Return an `IntegrationCoupon`: a coupon for one profile."""
    count = store.redemptions_by(profile_id, record.id)
    return {**coupon(record), "profileRedemptionCount": count}


def inventory_coupon(store: Store, record: Coupon, profile_id: str, now: str) -> dict[str, Any]:
    """Return an `InventoryCoupon`: an `IntegrationCoupon` with its current state."""
    owner = store.campaign(record.campaign_id)
    if record.used_up:
        state = "used"
    elif owner is None or not owner.running:
        state = "disabled"
    elif record.expiry_date is not None and record.expiry_date <= now:
        state = "expired"
    elif record.start_date is not None and record.start_date > now:
        state = "pending"
    else:
        state = "active"
    return {**redeemable_coupon(store, record, profile_id), "state": state}


def referral(record: Referral) -> dict[str, Any]:
    """Return a `Referral`."""
    return _present(
        {
            "id": record.id,
            "created": record.created,
            "campaignId": record.campaign_id,
            "advocateProfileIntegrationId": record.advocate,
            "friendProfileIntegrationId": record.friend,
            "code": record.code,
            "usageLimit": record.usage_limit,
            "usageCounter": record.usage_counter,
            "startDate": record.start_date,
            "expiryDate": record.expiry_date,
            "attributes": record.attributes,
        }
    )


def inventory_referral(store: Store, record: Referral) -> dict[str, Any]:
    """Return an `InventoryReferral`: a referral and the friends who redeemed it."""
    return {**referral(record), "referredCustomers": store.referred_profiles(record.id)}


def profile(store: Store, record: Profile) -> dict[str, Any]:
    """Return a `CustomerProfile`."""
    audiences = store.audiences_of_profile(record.integration_id)
    return {
        "id": record.id,
        "created": record.created,
        "integrationId": record.integration_id,
        "attributes": record.attributes,
        "accountId": ACCOUNT_ID,
        "closedSessions": record.closed_sessions,
        "totalSales": json_number(record.total_sales),
        "lastActivity": record.last_activity,
        "audienceMemberships": [{"id": one.id, "name": one.name} for one in audiences],
        "loyaltyMemberships": None,
        "sandbox": True,
    }


def _cart_items(record: Session) -> list[dict[str, Any]]:
    items = record.content.get("cartItems", ())
    return [{**item, "position": position} for position, item in enumerate(items)]


def _session_core(record: Session) -> dict[str, Any]:
    """Return the properties that `CustomerSession` and `CustomerSessionV2` share."""
    return {
        "integrationId": record.integration_id,
        "created": record.created,
        "updated": record.updated,
        "applicationId": record.application_id,
        "profileId": record.profile_id,
        "state": record.state,
        "firstSession": record.first_session,
        "updateCount": record.update_count,
        "cartItems": _cart_items(record),
        "identifiers": record.content.get("identifiers", []),
        "attributes": record.content.get("attributes", {}),
    }


def session(record: Session) -> dict[str, Any]:
    """Return a `CustomerSessionV2`."""
    totals = record.totals()
    optional = ("storeIntegrationId", "loyaltyCards", "experimentVariantAllocations")
    return {
        "id": record.id,
        **_session_core(record),
        "couponCodes": record.coupon_codes,
        "referralCode": record.referral_code,
        "additionalCosts": record.content.get("additionalCosts", {}),
        **{name: record.content[name] for name in optional if name in record.content},
        "cartItemTotal": json_number(totals.cart_items),
        "cartItemAdditionalCostTotal": json_number(totals.item_costs),
        "additionalCostTotal": json_number(totals.session_costs),
        "total": json_number(totals.total),
    }


def session_v1(record: Session, discounts: Mapping[str, Any]) -> dict[str, Any]:
    """Return a `CustomerSession`, the V1 form: single codes, the total of the caller, discounts."""
    return {
        **_session_core(record),
        "coupon": next(iter(record.coupon_codes), ""),
        "referral": record.referral_code,
        "total": json_number(record.worth()),
        "discounts": dict(discounts),
    }


def event(
    record: Event, effects: Sequence[Any], meta: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return an `Event` with its effects."""
    return {
        "id": record.id,
        "created": record.created,
        "applicationId": record.application_id,
        "type": record.type,
        "attributes": record.attributes,
        "profileId": record.profile_id,
        "sessionId": record.session_id,
        "effects": list(effects),
        "ledgerEntries": [],
        "meta": dict(meta or {}),
    }
