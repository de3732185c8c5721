"""The rules that the description states in words: each is enforced, and names what exists."""

from __future__ import annotations

from typing import Any

import pytest

from support.spec import OPERATIONS, SCHEMAS, properties
from talon_one.sandbox.contract.checks import check_body
from talon_one.sandbox.contract.operations import operations_by_id
from talon_one.sandbox.contract.rules import CONSTRAINTS, DAYS, MAX_COUPONS, RULES


def problems(name: str, body: Any) -> list[tuple[str, str]]:
    return [(each.title, each.pointer) for each in check_body(name, body)[1]]


def test_the_tables_name_what_the_description_has() -> None:
    assert [
        (name, wire) for name, wire in CONSTRAINTS if wire not in SCHEMAS[name]["properties"]
    ] == []
    assert [name for name in RULES if not properties(name)] == []
    assert operations_by_id()["createCoupons"].limit == MAX_COUPONS


def test_days_may_be_given_where_the_description_says_that_midnight_is_the_default() -> None:
    assert {
        operation.id
        for operation in OPERATIONS
        for each in operation.parameters
        if each.schema.get("format") == "date-time" and "midnight" in each.description
    } == DAYS


@pytest.mark.parametrize("name", ["NewCustomerSessionV2", "NewCustomerSession"])
def test_a_cart_has_at_most_a_thousand_items_of_ten_thousand_units(name: str) -> None:
    item = {"sku": "a", "quantity": 10}
    assert problems(name, {"cartItems": [item] * 1_000}) == []
    assert problems(name, {"cartItems": [item] * 1_001}) == [("maxItems", "/cartItems")]
    more = [item] * 999 + [{"sku": "b", "quantity": 11}]
    assert problems(name, {"cartItems": more}) == [("maxUnits", "/cartItems")]


@pytest.mark.parametrize("name", ["NewCustomerSessionV2", "NewCustomerSession"])
def test_a_state_that_only_a_return_reaches_cannot_be_set(name: str) -> None:
    assert problems(name, {"state": "partially_returned"}) == [("enum", "/state")]
    assert problems(name, {"state": "cancelled"}) == []


def test_batches_have_at_most_a_thousand_entries() -> None:
    profiles = [{"integrationId": "a"}]
    name = "MultipleCustomerProfileIntegrationRequest"
    assert problems(name, {"customerProfiles": profiles * 1_000}) == []
    assert problems(name, {"customerProfiles": profiles * 1_001}) == [
        ("maxItems", "/customerProfiles")
    ]
    assert problems(name, {}) == [("required", "/customerProfiles")]
    change = [{"action": "add", "profileIntegrationId": "a", "audienceId": 1}]
    name = "CustomerProfileAudienceRequest"
    assert problems(name, {"data": change * 1_000}) == []
    assert problems(name, {"data": change * 1_001}) == [("maxItems", "/data")]
    assert problems(name, {}) == [("required", "/data")]
    assert problems("CouponReservations", {"integrationIDs": ["a"] * 1_001}) == [
        ("maxItems", "/integrationIDs")
    ]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("NewEvent", {"attributes": {}, "sessionId": "s"}),
        ("IntegrationEventV2Request", {}),
        ("IntegrationEventV3Request", {"profileId": "p", "integrationId": "e"}),
    ],
)
def test_names_of_the_platforms_events_are_reserved(name: str, body: dict[str, Any]) -> None:
    assert problems(name, {**body, "type": "talon_session_closed"}) == [("Reserved", "/type")]
    assert problems(name, {**body, "type": "Talon_"}) == []
    assert problems(name, {**body, "type": ""}) == [("minLength", "/type")]


def test_a_request_creates_at_most_twenty_thousand_coupons_and_more_with_a_prefix() -> None:
    name, where = "NewCoupons", ("range", "/numberOfCoupons")
    assert problems(name, {"numberOfCoupons": 20_000}) == []
    assert problems(name, {"numberOfCoupons": 20_001}) == [where]
    assert problems(name, {"numberOfCoupons": 0}) == [where]
    assert problems(name, {"numberOfCoupons": 200_000, "uniquePrefix": "A"}) == []
    assert problems(name, {"numberOfCoupons": 200_001, "uniquePrefix": "A"}) == [where]


def test_a_pattern_must_have_enough_codes() -> None:
    order = {"numberOfCoupons": 9, "validCharacters": ["A", "B"], "couponPattern": "X-###"}
    assert problems("NewCoupons", order) == [("Pattern", "/couponPattern")]
    assert problems("NewCoupons", {**order, "numberOfCoupons": 8}) == []
    assert problems("NewCoupons", {"numberOfCoupons": 37, "couponPattern": "X-#"}) == [
        ("Pattern", "/couponPattern")
    ]


def test_a_catalog_takes_actions_of_one_type_on_different_items() -> None:
    remove = {"type": "REMOVE", "payload": {"sku": "a"}}
    other = {"type": "REMOVE", "payload": {"sku": "c"}}
    add = {"type": "ADD", "payload": {"sku": "b"}}
    name = "CatalogSyncRequest"
    assert problems(name, {"actions": [remove, other]}) == []
    assert problems(name, {"actions": [remove, add]}) == [("Mixed", "/actions/1/type")]
    assert problems(name, {"actions": [remove, other, remove]}) == [
        ("uniqueItems", "/actions/2/payload/sku")
    ]
    everything = {"type": "REMOVE_MANY", "payload": {}}
    assert problems(name, {"actions": [everything, everything]}) == []


def test_batches_of_cards_are_limited() -> None:
    limits = {0: False, 1: True, 20_000: True, 20_001: False}
    for number, allowed in limits.items():
        found = problems("LoyaltyCardBatch", {"numberOfCards": number})
        assert (found == []) is allowed, number


def test_an_item_needs_no_price_and_ids_have_bounds() -> None:
    assert problems("CartItem", {"sku": "a", "quantity": 1}) == []
    assert problems("CouponReservations", {"integrationIDs": [""]}) == [
        ("minLength", "/integrationIDs/0")
    ]
    for name in ("NewCustomerSessionV2", "NewCustomerSession", "IntegrationEventV2Request"):
        body = {"type": "a"} if "Event" in name else {}
        assert problems(name, {**body, "profileId": "x" * 1_000}) == []
        assert problems(name, {**body, "profileId": "x" * 1_001}) == [("maxLength", "/profileId")]
