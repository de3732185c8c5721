"""Payloads: a session with a full cart, the response to it, and a coupon export."""

from __future__ import annotations

from typing import Any

JsonObject = dict[str, Any]

CREATED = "2026-03-14T09:26:53.589793Z"
ITEMS = 10


def session_request() -> JsonObject:
    """Return the body of `update_customer_session_v2`: a session with ten items."""
    return {
        "customerSession": {
            "profileId": "customer-4711",
            "couponCodes": ["SPRING-2026"],
            "state": "open",
            "cartItems": [_cart_item(index) for index in range(ITEMS)],
            "additionalCosts": {"shipping": {"price": 4.9}},
            "identifiers": ["91.11.156.141"],
            "attributes": {"channel": "web", "language": "de", "isGift": False},
        },
        "responseContent": ["customerSession", "customerProfile", "coupons", "loyalty"],
    }


def session_response() -> JsonObject:
    """Return the response, 12 KB of compact JSON: the state after the rules have run."""
    return {
        "customerProfile": _customer_profile(),
        "loyalty": {"programs": {"12": _loyalty_program()}},
        "triggeredCampaigns": [_campaign()],
        "effects": [_coupon_accepted(), *(_item_discount(index) for index in range(ITEMS))],
        "ruleFailureReasons": [_rule_failure(campaign_id) for campaign_id in (209, 210, 214)],
        "createdCoupons": [],
        "createdReferrals": [],
        "coupons": [_coupon()],
        "customerSession": _customer_session(),
    }


def coupon_export(rows: int) -> bytes:
    """Return the CSV file of `export_coupons` with this many rows."""
    head = (
        "accountid,applicationid,attributes,batchid,campaignid,counter,created,deleted,"
        "deleted_changelogid,discount_counter,discount_limitval,expirydate,id,importid,"
        "is_reservation_mandatory,limits,limitval,recipientintegrationid,referralid,reservation,"
        "reservation_counter,reservation_limitval,startdate,value\r\n"
    )
    lines = (
        f'1,3,"{{""size"":""L"",""number"":{row}}}",vfbpzmwk,12,{row % 3},'
        f"2026-03-14T09:{row % 60:02}:53.589793Z,,,0,{row % 50}.5,2026-12-31T23:59:59Z,{row},7,"
        f"false,[],1,customer-{row},,true,0,0,,SPRING-{row:08}\r\n"
        for row in range(rows)
    )
    return (head + "".join(lines)).encode()


def _cart_item(index: int) -> JsonObject:
    return {
        "name": f"Running shoe, model {index}",
        "sku": f"SKU-{1000 + index}",
        "quantity": 1 + index % 3,
        "price": 59.9 + index,
        "category": "shoes",
        "weight": 740.5,
        "attributes": {"color": "blue", "size": 38 + index, "onSale": index % 2 == 0},
    }


def _customer_session() -> JsonObject:
    request = session_request()["customerSession"]
    items = [
        {
            **item,
            "remainingQuantity": item["quantity"],
            "position": float(index),
            "selectedPriceType": "base",
            "prices": {"base": {"price": item["price"]}},
        }
        for index, item in enumerate(request["cartItems"])
    ]
    return {
        "id": 9_812_377,
        "created": CREATED,
        "updated": CREATED,
        "integrationId": "session-2026-03-14-0815",
        "applicationId": 7,
        **request,
        "cartItems": items,
        "firstSession": False,
        "updateCount": 3,
        "total": 1193.9,
        "cartItemTotal": 1189.0,
        "additionalCostTotal": 4.9,
        "cartItemAdditionalCostTotal": 0,
    }


def _customer_profile() -> JsonObject:
    return {
        "id": 5_120_044,
        "created": CREATED,
        "integrationId": "customer-4711",
        "attributes": {
            "name": "Zoë Müller",
            "email": "zoe@example.com",
            "language": "de",
            "shippingCity": "Berlin",
            "signupDate": "2024-11-02T00:00:00Z",
        },
        "accountId": 31,
        "closedSessions": 14,
        "totalSales": 1833.25,
        "loyaltyMemberships": [{"joined": CREATED, "loyaltyProgramId": 12}],
        "audienceMemberships": [
            {"id": 71, "name": "Runners"},
            {"id": 72, "name": "Customers of the year"},
        ],
        "lastActivity": CREATED,
        "sandbox": False,
    }


def _loyalty_program() -> JsonObject:
    return {
        "id": 12,
        "title": "Miles and more miles",
        "name": "miles",
        "joinDate": CREATED,
        "ledger": {
            "currentBalance": 1250.5,
            "pendingBalance": 119.0,
            "negativeBalance": 0,
            "expiredBalance": 80.0,
            "spentBalance": 410.0,
            "tentativeCurrentBalance": 1369.5,
            "tentativePendingBalance": 119.0,
            "tentativeNegativeBalance": 0,
            "currentTier": {
                "id": 3,
                "name": "Silver",
                "startDate": CREATED,
                "expiryDate": "2027-03-14T09:26:53Z",
                "downgradePolicy": "one_down",
            },
            "pointsToNextTier": 630.5,
            "nextTierName": "Gold",
        },
    }


def _campaign() -> JsonObject:
    return {
        "id": 208,
        "created": CREATED,
        "applicationId": 7,
        "userId": 19,
        "name": "Spring sale",
        "description": "Ten percent off every pair of running shoes",
        "startTime": "2026-03-01T00:00:00Z",
        "endTime": "2026-05-31T23:59:59+02:00",
        "attributes": {"owner": "marketing"},
        "state": "enabled",
        "activeRulesetId": 3301,
        "tags": ["spring", "shoes"],
        "reevaluateOnReturn": False,
        "features": ["coupons", "loyalty"],
        "couponSettings": {
            "validCharacters": ["A", "B", "C", "D", "E", "F", "G", "H"],
            "couponPattern": "SPRING-####",
        },
        "limits": [
            {"action": "redeemCoupon", "limit": 10_000, "entities": ["Coupon"]},
            {"action": "setDiscount", "limit": 50_000.0, "period": "monthly", "entities": []},
        ],
        "campaignGroups": [2, 5],
        "type": "advanced",
        "couponRedemptionCount": 163,
        "discountCount": 2881.5,
        "discountEffectCount": 343,
        "lastActivity": CREATED,
        "updated": CREATED,
        "createdBy": "Jane Doe",
        "updatedBy": "Jane Doe",
        "frontendState": "running",
        "storesImported": False,
    }


def _rule_failure(campaign_id: int) -> JsonObject:
    return {
        "campaignID": campaign_id,
        "campaignName": f"Members' days, part {campaign_id}",
        "rulesetID": 3300 + campaign_id,
        "ruleIndex": 0,
        "ruleName": "Free shipping above 1,500 for members",
        "conditionIndex": 1,
        "details": "the condition compares the total of the session with 1500",
        "evaluationGroupID": 3,
        "evaluationGroupMode": "stackable",
    }


def _coupon() -> JsonObject:
    return {
        "id": 66_120,
        "created": CREATED,
        "campaignId": 208,
        "value": "SPRING-2026",
        "usageLimit": 500,
        "discountLimit": 10_000.0,
        "startDate": "2026-03-01T00:00:00Z",
        "expiryDate": "2026-05-31T21:59:59Z",
        "limits": [{"action": "redeemCoupon", "limit": 1, "entities": ["Profile"]}],
        "usageCounter": 163,
        "discountCounter": 2881.5,
        "discountRemainder": 7118.5,
        "attributes": {"printed": True},
        "recipientIntegrationId": "",
        "reservation": True,
        "batchId": "tqyrgahe",
        "isReservationMandatory": False,
        "profileRedemptionCount": 0,
    }


def _effect(index: int, kind: str, props: JsonObject) -> JsonObject:
    return {
        "campaignId": 208,
        "rulesetId": 3301,
        "ruleIndex": index,
        "ruleName": "Ten percent off running shoes",
        "effectType": kind,
        "triggeredByCoupon": 66_120,
        "conditionIndex": 0,
        "evaluationGroupID": 3,
        "evaluationGroupMode": "stackable",
        "campaignRevisionId": 15,
        "campaignRevisionVersionId": 27,
        "props": props,
    }


def _coupon_accepted() -> JsonObject:
    return _effect(0, "acceptCoupon", {"value": "SPRING-2026"})


def _item_discount(index: int) -> JsonObject:
    item = _cart_item(index)
    return _effect(
        1,
        "setDiscountPerItem",
        {
            "name": f"10 % off {item['name']}",
            "value": round(item["price"] / 10, 2),
            "position": float(index),
            "subPosition": 0.0,
            "desiredValue": round(item["price"] / 10, 2),
            "scope": "price",
            "totalDiscount": 59.9,
            "desiredTotalDiscount": 59.9,
            "bundleIndex": 0,
            "bundleName": "",
        },
    )
