"""Every response has the shape that `spec/` describes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

SPEC = Path(__file__).parents[2] / "spec"
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}
CART = [{"sku": "A", "quantity": 2, "price": 30, "additionalCosts": {"wrap": {"price": 1}}}]
EVERYTHING = [
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
    "achievements",
]


@cache
def spec() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the operations by id and the schemas by name."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    operations: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for path in sorted((SPEC / "domains").glob("*.yaml")):
        # The loader is a safe one, whichever of the two it is.
        domain = yaml.load(path.read_bytes(), loader)
        schemas.update(domain.get("schemas") or {})
        for methods in (domain.get("paths") or {}).values():
            for operation in methods.values():
                if isinstance(operation, dict) and "operationId" in operation:
                    operations[operation["operationId"]] = operation
    return operations, schemas


def faults(value: Any, schema: dict[str, Any], where: str = "$") -> Iterator[str]:
    """Yield what is missing or of the wrong type."""
    if "$ref" in schema:
        schema = spec()[1][schema["$ref"].rpartition("/")[2]]
    for part in schema.get("allOf", ()):
        yield from faults(value, part, where)
    kind = schema.get("type")
    wrong = kind is not None and not isinstance(value, TYPES[kind])
    if wrong or (isinstance(value, bool) and kind in ("integer", "number")):
        yield f"{where} is {value!r}, not {kind}"
        return
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from faults(item, schema.get("items", {}), f"{where}[{index}]")
    if isinstance(value, dict):
        yield from (
            f"{where}.{one} is missing" for one in schema.get("required", ()) if one not in value
        )
        properties, rest = schema.get("properties", {}), schema.get("additionalProperties")
        for name, item in value.items():
            below = properties.get(name, rest if isinstance(rest, dict) else {})
            # The platform itself sends this one as null.
            if name != "loyaltyMemberships":
                yield from faults(item, below, f"{where}.{name}")


def prepare(api: Any) -> str:
    """Fill a sandbox and return a referral code whose redemption is open in `order-1`."""
    code: str = api.new_referral()["code"]
    api.send(
        "PUT", "/v2/customer_profiles/bert", {"audiencesChanges": {"adds": [1], "deletes": []}}
    )
    api.send("POST", "/v1/coupon_reservations/TEN-OFF", {"integrationIDs": ["bert"]})
    api.session(
        profileId="bert",
        couponCodes=["TEN-OFF", "NOPE"],
        referralCode=code,
        cartItems=CART,
        additionalCosts={"shipping": {"price": 4}},
    )
    return code


CALLS: dict[str, tuple[str, str, Any]] = {
    "updateCustomerSessionV2": (
        "PUT",
        "/v2/customer_sessions/order-1",
        {"customerSession": {"state": "closed"}, "responseContent": EVERYTHING},
    ),
    "getCustomerSession": ("GET", "/v2/customer_sessions/order-1", None),
    "updateCustomerProfileV2": (
        "PUT",
        "/v2/customer_profiles/bert?runRuleEngine=true",
        {
            "responseContent": [
                one
                for one in EVERYTHING
                if one
                in (
                    "customerProfile",
                    "triggeredCampaigns",
                    "loyalty",
                    "event",
                    "awardedGiveaways",
                    "ruleFailureReasons",
                    "achievements",
                )
            ]
        },
    ),
    "updateCustomerProfilesV2": (
        "PUT",
        "/v2/customer_profiles?silent=no",
        {"customerProfiles": [{"integrationId": "bert"}]},
    ),
    "updateCustomerSession": ("PUT", "/v1/customer_sessions/order-1", {"state": "open"}),
    "updateCustomerProfile": ("PUT", "/v1/customer_profiles/bert", {"attributes": {}}),
    "trackEvent": ("POST", "/v1/events", {"type": "a", "attributes": {}, "sessionId": "anon"}),
    "getCustomerInventory": (
        "GET",
        "/v1/customer_profiles/bert/inventory?profile=true&referrals=true&coupons=true"
        "&loyalty=true&giveaways=true&achievements=true",
        None,
    ),
    "createReferral": (
        "POST",
        "/v1/referrals",
        {"campaignId": 12, "advocateProfileIntegrationId": "anna", "usageLimit": 3},
    ),
    "createCouponReservation": (
        "POST",
        "/v1/coupon_reservations/TEN-OFF",
        {"integrationIDs": ["p"]},
    ),
    "getReservedCustomers": ("GET", "/v1/coupon_reservations/customerprofiles/TEN-OFF", None),
    "getApplications": ("GET", "/v1/applications", None),
    "getApplication": ("GET", "/v1/applications/3", None),
    "getCampaigns": ("GET", "/v1/applications/3/campaigns", None),
    "getCampaign": ("GET", "/v1/applications/3/campaigns/12", None),
    "getCouponsWithoutTotalCount": (
        "GET",
        "/v1/applications/3/campaigns/12/coupons/no_total",
        None,
    ),
    "createCoupons": (
        "POST",
        "/v1/applications/3/campaigns/12/coupons?silent=no",
        {"numberOfCoupons": 1, "expiryDate": "2090-01-01T00:00:00Z"},
    ),
}


@pytest.mark.parametrize("operation_id", CALLS)
def test_a_response_has_the_described_shape(api: Any, operation_id: str) -> None:
    prepare(api)
    reply = api.send(*CALLS[operation_id])
    described = spec()[0][operation_id]["responses"]
    assert str(reply.status) in described
    schema = described[str(reply.status)]["content"]["application/json"]["schema"]
    assert list(faults(reply.json, schema)) == []


def test_the_fullest_session_response_has_all_requested_content(api: Any) -> None:
    prepare(api)
    reply = api.send(*CALLS["updateCustomerSessionV2"])
    assert set(EVERYTHING) <= set(reply.json)
    assert {one["effectType"] for one in reply.json["effects"]} == {
        "acceptCoupon",
        "rejectCoupon",
        "acceptReferral",
        "setDiscount",
        "setDiscountPerAdditionalCost",
    }
    for made in reply.json["effects"]:
        kind = made["effectType"]
        props = spec()[1][f"{kind[0].upper()}{kind[1:]}EffectProps"]
        assert list(faults(made["props"], props)) == []


def test_the_effects_of_a_cancellation_have_the_described_props(api: Any) -> None:
    prepare(api)
    api.session(state="closed")
    effects = api.session(state="cancelled").json["effects"]
    assert len(effects) == 5
    for made in effects:
        kind = made["effectType"]
        props = spec()[1][f"{kind[0].upper()}{kind[1:]}EffectProps"]
        assert list(faults(made["props"], props)) == []


def test_the_shape_check_itself_finds_faults() -> None:
    coupon = {"$ref": "#/components/schemas/Coupon"}
    found = list(faults({"id": "1", "created": "", "campaignId": True}, coupon))
    assert found == [
        "$.usageCounter is missing",
        "$.id is '1', not integer",
        "$.campaignId is True, not integer",
    ]
