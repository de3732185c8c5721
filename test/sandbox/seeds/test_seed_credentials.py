"""Keys of a seed: their Applications, expiry, offsets, staging, and what they allow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.conftest import Client
from talon_one.sandbox import Sandbox

HOUR = 3_600_000_000_000
CART: dict[str, Any] = {"cartItems": [{"name": "Mug", "sku": "M", "quantity": 1, "price": 20}]}
SEED = {
    "managementKeys": [
        {"key": "reader", "endpoints": [{"path": "/coupons/no_total"}]},
        {"key": "second-only", "allowedApplicationIds": [{"name": "Second"}]},
        {"key": "disabled", "disabled": True},
        {"key": "short", "expiryDate": "2026-01-02T00:00:00Z"},
    ],
    "applications": [
        {
            "id": 3,
            "name": "First",
            "keys": [
                "plain",
                {"key": "short", "expires": "2026-01-02T00:00:00Z"},
                {"key": "later", "timeOffset": 2 * HOUR},
                {"key": "staging", "type": "staging"},
            ],
            "campaigns": [
                {
                    "id": 12,
                    "name": "One",
                    "coupons": [{"value": "SOON", "startDate": "2026-01-01T01:00:00Z"}],
                    "ruleset": {
                        "promotionRules": [
                            {"title": "R", "blocks": [{"type": "checkCoupon", "redeem": True}]}
                        ]
                    },
                }
            ],
        },
        {"id": 4, "name": "Second", "keys": ["other"]},
    ],
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=SEED, clock="2026-01-01T00:00:00Z") as running:
        yield running


def update(api: Client, key: str, query: str = "", **session: Any) -> Any:
    headers = {"Authorization": f"ApiKey-v1 {key}"}
    body = {"customerSession": session, "responseContent": ["customerSession"]}
    return api.send("PUT", f"/v2/customer_sessions/o-1{query}", body, headers=headers)


def managed(api: Client, key: str, target: str) -> int:
    return api.send("GET", target, headers={"Authorization": f"ManagementKey-v1 {key}"}).status


def test_a_key_belongs_to_the_application_that_it_stands_in(api: Client) -> None:
    assert update(api, "plain").json["customerSession"]["applicationId"] == 3
    assert update(api, "other").json["customerSession"]["applicationId"] == 4
    assert update(api, "nobody").status == 401


def test_a_key_ends_when_it_expires(api: Client, sandbox: Sandbox) -> None:
    assert update(api, "short").status == 200
    assert managed(api, "short", "/v1/applications/3") == 200
    sandbox.clock.advance(days=2)
    assert update(api, "short").status == 401
    assert managed(api, "short", "/v1/applications/3") == 401
    assert managed(api, "disabled", "/v1/applications/3") == 401


def test_the_offset_of_a_key_moves_its_requests_and_nothing_else(api: Client) -> None:
    session: dict[str, Any] = {"profileId": "anna", "couponCodes": ["SOON"], **CART}
    assert update(api, "plain", **session).json["effects"][0]["effectType"] == "rejectCoupon"
    assert update(api, "later", **session).json["effects"][0]["effectType"] == "acceptCoupon"
    assert update(api, "plain", **session).json["effects"][0]["effectType"] == "rejectCoupon"


def test_a_staging_key_makes_every_request_a_dry_one(api: Client) -> None:
    assert update(api, "staging", profileId="anna", **CART).status == 200
    headers = {"Authorization": "ApiKey-v1 plain"}
    assert api.send("GET", "/v2/customer_sessions/o-1", headers=headers).status == 404
    staging = {"Authorization": "ApiKey-v1 staging"}
    profile: dict[str, Any] = {"attributes": {}}
    target = "/v2/customer_profiles/anna"
    assert api.send("PUT", target, profile, headers=staging).status == 403
    assert api.send("PUT", f"{target}?runRuleEngine=true", profile, headers=staging).status == 200
    assert api.send("GET", "/v1/customer_profiles/anna/inventory", headers=staging).status == 403


def test_a_management_key_allows_what_its_lists_say(api: Client) -> None:
    coupons = "/v1/applications/3/campaigns/12/coupons/no_total"
    assert managed(api, "reader", coupons) == 200
    assert managed(api, "reader", "/v1/applications/3") == 403
    assert managed(api, "second-only", "/v1/applications/4") == 200
    assert managed(api, "second-only", "/v1/applications/3") == 403
