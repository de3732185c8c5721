"""What an entity has when nobody said otherwise, by table."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from types import MappingProxyType
from typing import Any, Final

from talon_one.sandbox.profiles import ACCOUNT_ID, USER_ID

_DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "applications": {
            "modified": None,
            "accountId": ACCOUNT_ID,
            "timezone": "UTC",
            "currency": "EUR",
            "caseSensitivity": "sensitive",
            "attributes": {},
            "limits": [],
            "defaultDiscountScope": "sessionTotal",
            "defaultDiscountAdditionalCostPerItemScope": "price",
            "enableCascadingDiscounts": False,
            "enableFlattenedCartItems": True,
            "enablePartialDiscounts": False,
            "sandbox": True,
            "loyaltyPrograms": [],
        },
        "campaigns": {
            "userId": USER_ID,
            "description": "",
            "state": "enabled",
            "features": [
                "coupons",
                "referrals",
                "loyalty",
                "giveaways",
                "achievements",
                "advancedEvents",
            ],
            "tags": [],
            "attributes": {},
            "limits": [],
            "campaignGroups": [],
            "linkedStoreIds": [],
            "type": "advanced",
            "reevaluateOnReturn": False,
            "storesImported": False,
        },
        "rulesets": {"userId": USER_ID, "rules": [], "strikethroughRules": [], "bindings": []},
        "attributes": {
            "accountId": ACCOUNT_ID,
            "type": "string",
            "description": "",
            "suggestions": [],
            "editable": True,
            "subscribedApplicationsIds": [],
        },
        "additional_costs": {
            "accountId": ACCOUNT_ID,
            "description": "",
            "type": "session",
            "subscribedApplicationsIds": [],
        },
        "audiences": {"accountId": ACCOUNT_ID, "sandbox": True, "subscribedApplicationsIds": []},
        "collections": {"modified": None, "accountId": ACCOUNT_ID, "createdBy": USER_ID},
        "value_maps": {"createdBy": USER_ID},
        "loyalty_programs": {
            "accountID": ACCOUNT_ID,
            "description": "",
            "subscribedApplications": [],
            "defaultValidity": "unlimited",
            "defaultPending": "immediate",
            "allowSubledger": True,
            "cardBased": False,
            "usersPerCardLimit": 0,
            "sandbox": True,
            "timezone": "UTC",
            "programJoinPolicy": "points_earned",
            "returnPolicy": "only_pending",
            "canUpdateJoinPolicy": True,
            "canUpdateTierExpirationPolicy": True,
            "canUpgradeToAdvancedTiers": False,
            "canUpdateSubledgers": True,
            "tiers": [],
        },
        "achievements": {
            "description": "",
            "target": 1,
            "period": "1M",
            "recurrencePolicy": "no_recurrence",
            "activationPolicy": "user_action",
            "allowRollbackAfterCompletion": False,
            "sandbox": True,
            "userId": USER_ID,
            "createdBy": "sandbox",
            "hasProgress": False,
        },
        "giveaway_pools": {
            "accountId": ACCOUNT_ID,
            "createdBy": USER_ID,
            "description": "",
            "sandbox": True,
            "subscribedApplicationsIds": [],
        },
        "catalogs": {
            "modified": None,
            "accountId": ACCOUNT_ID,
            "createdBy": USER_ID,
            "description": "",
            "version": 1,
            "subscribedApplicationsIds": [],
        },
        "stores": {"attributes": {}, "description": "", "updated": None},
        "webhooks": {
            "modified": None,
            "applicationIds": [],
            "draft": False,
            "verb": "POST",
            "headers": [],
            "payload": "",
            "params": [],
            "enabled": True,
        },
        "custom_effects": {
            "modified": None,
            "accountId": ACCOUNT_ID,
            "applicationIds": [],
            "isPerItem": False,
            "payload": "{}",
            "description": "",
            "enabled": True,
            "createdBy": USER_ID,
            "params": [],
        },
        "item_filters": {},
        "campaign_groups": {
            "modified": None,
            "accountId": ACCOUNT_ID,
            "description": "",
            "subscribedApplicationsIds": [],
            "campaignIds": [],
        },
        "giveaways": {"used": False},
        "cards": {"status": "active", "profiles": []},
        "profiles": {
            "accountId": ACCOUNT_ID,
            "attributes": {},
            "loyaltyMemberships": None,
            "sandbox": True,
        },
        "catalog_items": {"version": 1, "attributes": []},
    }
)

CHANGED: Final = frozenset({"modified", "updated"})
"""Times of the last change: those of the creation, where they are None."""


def of(table: str) -> dict[str, Any]:
    """Return the defaults of a kind of entity; the caller may change them."""
    return deepcopy(dict(_DEFAULTS.get(table, {})))
