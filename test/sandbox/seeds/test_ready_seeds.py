"""The seeds that come with the sandbox do what their comments say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.seeds.planting import planted
from talon_one import BadRequestException, IntegrationApi, effects
from talon_one.sandbox import Sandbox
from talon_one.sandbox.seeds import COUPON_CODE
from talon_one.sandbox.seeds.ready import READY

COAT = {"name": "Coat", "sku": "COAT-7", "quantity": 1, "price": 120, "category": "coats"}
SNEAKER = {"name": "Sneaker", "sku": "SHOE-1", "quantity": 2, "price": 80, "category": "shoes"}
BOOT = {"name": "Boot", "sku": "SHOE-2", "quantity": 1, "price": 100, "category": "shoes"}
SHIPPING = {"shipping": {"price": 5}}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed="fashion", clock="2026-03-01T10:00:00Z") as running:
        yield running


@pytest.fixture
def shop(sandbox: Sandbox) -> Iterator[IntegrationApi]:
    with IntegrationApi(host=sandbox.url, api_key=sandbox.api_key) as api:
        yield api


def order(shop: IntegrationApi, order_id: str, **session: Any) -> Any:
    """Update a session and return the response."""
    return shop.update_customer_session_v2(order_id, {"customerSession": session})


def given(response: Any) -> dict[str, float]:
    """Return the discounts of a response by their names, summed over items."""
    found: dict[str, float] = {}
    for effect in response.effects:
        if effect.effect_type.startswith("setDiscount"):
            name = effect.props.name.partition("#")[0]
            found[name] = found.get(name, 0) + effect.props.value
    return found


def points(response: Any) -> dict[str, float]:
    found = [each for each in response.effects if each.effect_type == "addLoyaltyPoints"]
    props = [each.props for each in found]
    return {f"{each.recipient_integration_id} {each.name}": each.value for each in props}


def test_all_ready_seeds_can_be_planted() -> None:
    assert [bool(planted(name).campaigns.find()) for name in READY] == [True] * len(READY)


def test_the_coupon_of_the_quickstart_is_the_one_that_programs_know() -> None:
    assert Sandbox().coupon_code == Sandbox.coupon_code == COUPON_CODE
    assert Sandbox().application_id == Sandbox.application_id
    assert Sandbox().campaign_id == Sandbox.campaign_id


def test_of_two_sales_the_one_that_saves_more_applies(shop: IntegrationApi) -> None:
    both = order(shop, "o-1", profileId="cleo", cartItems=[COAT, SNEAKER, BOOT])
    assert given(both) == {"Third pair": 40}
    coats = order(shop, "o-2", profileId="cleo", cartItems=[{**COAT, "quantity": 2}, SNEAKER, BOOT])
    assert given(coats) == {"Sale": 72}


def test_a_first_order_with_everything(shop: IntegrationApi) -> None:
    response = order(
        shop,
        "o-1",
        profileId="cleo",
        cartItems=[COAT, SNEAKER, BOOT],
        couponCodes=["welcome10", "gift-50"],
        referralCode="annasfriends",
        additionalCosts=SHIPPING,
        state="closed",
    )
    assert given(response) == {
        "Third pair": 40,
        "Welcome": 34,
        "From a friend": 10,
        "Free shipping": 5,
        "Gift card": 50,
    }
    assert points(response) == {
        "cust-anna Friend of yours": 200,
        "cleo Order": 246,
        "cleo Welcome": 100,
    }
    assert effects.codes(response).accepted_coupons == ["WELCOME10", "GIFT-50"]
    (voucher,) = [each for each in response.effects if each.effect_type == "awardGiveaway"]
    assert voucher.props.code == "CINEMA-0001"


def test_the_welcome_code_is_for_the_first_order(shop: IntegrationApi) -> None:
    order(shop, "o-1", profileId="cleo", cartItems=[SNEAKER], state="closed")
    second = order(shop, "o-2", profileId="cleo", cartItems=[SNEAKER], couponCodes=["WELCOME10"])
    assert given(second) == {}
    assert "showNotification" in [each.effect_type for each in second.effects]


def test_a_gift_card_is_used_up_in_parts(shop: IntegrationApi) -> None:
    gift = {"couponCodes": ["GIFT-100"], "profileId": "cleo"}
    for number, wanted in enumerate([80, 20, None]):
        one = {**SNEAKER, "quantity": 1}
        closed = order(shop, f"o-{number}", cartItems=[one], state="closed", **gift)
        assert given(closed).get("Gift card") == wanted


def test_points_are_spent_and_those_of_an_order_wait_two_weeks(
    shop: IntegrationApi, sandbox: Sandbox
) -> None:
    spending = {"profileId": "cust-anna", "attributes": {"PointsToSpend": 500}}
    first = order(shop, "o-1", cartItems=[SNEAKER], state="closed", **spending)
    assert given(first)["Points"] == 5
    too_many = order(shop, "o-2", cartItems=[SNEAKER], **spending)
    assert "Points" not in given(too_many)
    sandbox.clock.advance(days=15)
    assert given(order(shop, "o-3", cartItems=[SNEAKER], **spending))["Points"] == 5


def test_regulars_ship_for_nothing(shop: IntegrationApi) -> None:
    cheap = {"cartItems": [{**COAT, "sku": "SOCKS", "price": 9}], "additionalCosts": SHIPPING}
    assert given(order(shop, "o-1", profileId="cleo", **cheap)) == {}
    assert given(order(shop, "o-2", profileId="cust-ben", **cheap)) == {"Free shipping": 5}


def test_the_fifth_order_brings_a_coupon_and_makes_a_regular(shop: IntegrationApi) -> None:
    for number in range(5):
        last = order(shop, f"o-{number}", profileId="cleo", cartItems=[COAT], state="closed")
        assert len(last.created_coupons) == (1 if number == 4 else 0)
    assert last.created_coupons[0].value.startswith("THANKS-")
    assert last.created_coupons[0].discount_limit == 10
    inventory = shop.get_customer_inventory("cleo", profile=True).to_wire()
    memberships = inventory["profile"]["audienceMemberships"]
    assert [each["name"] for each in memberships] == ["Regulars"]


def test_the_store_in_berlin_has_a_campaign_of_its_own(shop: IntegrationApi) -> None:
    socks = {"cartItems": [{**COAT, "sku": "SOCKS", "price": 9}], "profileId": "cleo"}
    assert given(order(shop, "o-1", storeIntegrationId="store-berlin", **socks)) == {"Berlin": 5}
    assert given(order(shop, "o-2", **socks)) == {}


def test_attributes_that_nobody_defined_are_refused(shop: IntegrationApi) -> None:
    with pytest.raises(BadRequestException, match="Colour"):
        order(shop, "o-1", profileId="cleo", attributes={"Colour": "red"})
