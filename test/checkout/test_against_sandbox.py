"""Summaries, carts and amounts are exact for whatever the sandbox's shops respond."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from checkout.lines import Row
from sandbox.scenarios.shops import shop
from sandbox.scenarios.test_scenario_random import CAMPAIGNS
from talon_one import IntegrationApi, effects
from talon_one.checkout import CartMapper, apply, payable
from talon_one.sandbox import Sandbox

MAPPER = CartMapper(
    sku="article",
    quantity="count",
    price="unit_price",
    key="id",
    category=lambda row: {"S": "shoes", "C": "coats"}.get(row.article[0], "other"),
)
ARTICLES = ("SHOE-1", "SHOE-2", "COAT-7", "SCARF-1", "A", "B")
CODES = ("TEN-OFF", "WELCOME10", "GIFT-50", "GIFT-100", "CODE", "GIFT", "NOPE")
WANTED = ["customerSession", "coupons"]
ACCOUNT = {
    "loyaltyPrograms": [{"id": 1, "name": "stars", "title": "Stars"}],
    "giveawayPools": [
        {"id": 2, "name": "Cinema", "subscribedApplicationsIds": [3], "codes": ["C1", "C2"]}
    ],
}
SEEDS: dict[str, Any] = {
    "quickstart": "quickstart",
    "fashion": "fashion",
    "random": shop(*CAMPAIGNS, account=ACCOUNT),
    "whole items": shop(*CAMPAIGNS, account=ACCOUNT, enableFlattenedCartItems=False),
}


@pytest.fixture(scope="module", params=SEEDS)
def api(request: pytest.FixtureRequest) -> Iterator[IntegrationApi]:
    """A shop with one of the seeds."""
    with (
        Sandbox(seed=SEEDS[request.param], clock="2026-03-01T10:00:00Z") as sandbox,
        IntegrationApi(host=sandbox.url, api_key=sandbox.api_key) as api,
    ):
        yield api


def a_cart(chance: random.Random) -> list[Row]:
    prices = {each: chance.choice([0.01, 9.99, 20, 33.33, 80]) for each in ARTICLES}
    chosen = [chance.choice(ARTICLES) for _ in range(chance.randint(1, 4))]
    return [
        Row(each, chance.randint(1, 3), prices[each], id=index) for index, each in enumerate(chosen)
    ]


def without_ids_of_codes(response: Any) -> list[dict[str, Any]]:
    """Return the effects as a server sends them that does not name the coupons of codes."""
    found = [effect.to_wire() for effect in response.effects]
    for each in found:
        if each["effectType"] in ("acceptCoupon", "rejectCoupon"):
            each.pop("triggeredByCoupon", None)
    return found


def check(cart: Any, response: Any) -> None:
    """Check everything that must hold for the response to an update."""
    found = effects.summary(response)
    assert (found.unknown, found.malformed) == ([], [])
    assert found.sums == effects.discounts(response)
    # Codes: as the coupons say, even without them, and never another one.
    by_id = {coupon.id: coupon.value for coupon in response.coupons or []}
    expected = [by_id.get(each.effect.triggered_by_coupon) for each in found.discounts]
    assert [each.coupon_code for each in found.discounts] == expected
    assert [each.coupon_code for each in effects.summary(response.effects).discounts] == expected
    guessed = effects.summary(without_ids_of_codes(response)).discounts
    for each, code in zip(guessed, expected, strict=True):
        assert each.coupon_code in (None, code)
    # Lines: their amounts are those of the session.
    applied = apply(cart, found)
    parts = [each.amount for each in found.session]
    parts += [each.amount for each in applied.lines]
    parts += [each.amount for part in found.costs.values() for each in part]
    parts += [each.cost_amount for each in applied.lines]
    assert sum(parts) == found.total
    # Money: the total of the server less the discounts.
    total = Decimal(str(response.customer_session.total))
    bill = payable(cart, found, "EUR")
    assert bill == payable(response.customer_session, found, "EUR")
    assert bill.before == total * 100
    cut = sum(each.amount for each in bill.cut)
    assert bill.payable == (total - found.total + cut) * 100
    assert sum(each.payable for each in (*bill.lines, *bill.costs)) == bill.payable


def test_orders_are_exact_from_the_cart_to_the_return(api: IntegrationApi) -> None:
    chance = random.Random(7)
    returned = 0
    for number in range(10):
        order, lines = f"order-{number}", a_cart(chance)
        cart = MAPPER.cart(lines, merge=chance.random() < 0.5, additional_costs={"shipping": 4.9})
        sent = cart.session(
            profile_id=f"p{number % 3}", coupon_codes=chance.sample(CODES, 3), state="open"
        )
        opened = api.update_customer_session_v2(
            order, {"customerSession": sent, "responseContent": WANTED}
        )
        check(cart, opened)
        closed = api.update_customer_session_v2(
            order, {"customerSession": {"state": "closed"}, "responseContent": WANTED}
        )
        check(cart, closed)
        position = chance.randrange(len(cart.items))
        back = api.return_cart_items(
            order, {"return": {"returnedCartItems": [{"position": position, "quantity": 1}]}}
        )
        applied = apply(cart, back)
        found = [each for each in applied.lines if each.rolled_back]
        assert sum(each.rolled_back_amount for each in found) == effects.rolled_back(back).total
        assert {each.line.position for each in found} <= {position}
        returned += len(found)
        # What remains is on units that remain.
        kept = api.get_customer_session(order)
        standing = effects.summary(kept)
        assert kept.customer_session
        bill = payable(kept.customer_session, standing, "EUR")
        cut = sum(each.amount for each in bill.cut)
        assert bill.payable == bill.before - (standing.total - cut) * 100
    assert returned or not effects.discounts(opened).items


def test_differences_lead_from_one_response_to_the_next(api: IntegrationApi) -> None:
    chance = random.Random(3)
    lines = a_cart(chance)
    earlier = apply(MAPPER.cart(lines[:0]), [])
    for number in range(8):
        lines = chance.sample(lines, len(lines))
        if number % 3 == 1:
            lines.append(Row(chance.choice(ARTICLES), 1, 20, id=100 + number))
        if number % 3 == 2:
            lines.pop(0)
        cart = MAPPER.cart(lines, merge=number % 2 == 0)
        sent = cart.session(profile_id="p9", coupon_codes=chance.sample(CODES, 2))
        response = api.update_customer_session_v2("changes", {"customerSession": sent})
        now = apply(cart, response)
        found = now.difference(earlier)
        here = [change.effect for change in (*found.apply, *found.unchanged)]
        assert Counter(map(id, here)) == Counter(map(id, response.effects))
        assert len(found.undo) + len(found.unchanged) == sum(
            map(len, earlier.summary.by_place().values())
        )
        assert not now.difference(now)
        earlier = now
