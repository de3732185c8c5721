"""Stories of the shop, each with a Talon.One of its own."""

from typing import Any
from unittest.mock import Mock

import pytest
from flask.testing import FlaskClient
from shop import create_app

from talon_one.sandbox import Sandbox


@pytest.fixture
def charge() -> Mock:
    """The payment provider."""
    return Mock(return_value=True)


@pytest.fixture
def shop(talon_environment: dict[str, str], charge: Mock) -> FlaskClient:
    """A browser in the shop, which finds the sandbox of the test in the environment."""
    return create_app(charge).test_client()


def fill(shop: FlaskClient, order: str = "order-1", **items: int) -> Any:
    return shop.put(f"/orders/{order}", json={"customer": f"of-{order}", "items": items}).json


def enter(shop: FlaskClient, code: str, order: str = "order-1") -> Any:
    return shop.put(f"/orders/{order}/coupon", json={"code": code}).json


def pay(shop: FlaskClient, order: str = "order-1") -> Any:
    return shop.post(f"/orders/{order}/payment").json


def test_a_coupon_takes_a_tenth_off(
    shop: FlaskClient, charge: Mock, talon_sandbox: Sandbox
) -> None:
    assert fill(shop, kettle=2, cup=1) == {"total": 9300, "messages": []}
    assert enter(shop, "TEA10") == {"total": 8370, "messages": []}
    assert pay(shop) == {"paid": 8370}
    charge.assert_called_once_with("of-order-1", 8370)
    closed = {"customerSession": {"state": "closed", "couponCodes": ["TEA10"]}}
    talon_sandbox.requests.assert_sent("update_customer_session_v2", times=1, body=closed)


def test_a_refused_coupon_says_why(shop: FlaskClient, talon_sandbox: Sandbox) -> None:
    fill(shop, kettle=1)
    unknown = "We do not know the code TEA100. Please check the spelling."
    assert enter(shop, "TEA100") == {"total": 4400, "messages": [unknown]}
    talon_sandbox.clock.move_to("2026-12-24T18:00:00Z")
    too_late = "The code TEA10 is not valid at the moment."
    assert enter(shop, "TEA10") == {"total": 4400, "messages": [too_late]}


def test_a_payment_that_fails_leaves_the_last_coupon_to_others(
    shop: FlaskClient, charge: Mock
) -> None:
    for order in ("order-1", "order-2"):
        fill(shop, order, kettle=1)
        assert enter(shop, "LAST-ONE", order)["total"] == 3960
    charge.return_value = False
    assert pay(shop, "order-1") == {"message": "Your payment was refused."}
    charge.return_value = True
    assert pay(shop, "order-2") == {"paid": 3960}
    used_up = "The code LAST-ONE has been used up."
    assert enter(shop, "LAST-ONE", "order-1") == {"total": 4400, "messages": [used_up]}


def test_a_cancelled_order_gives_the_last_coupon_back(shop: FlaskClient) -> None:
    fill(shop, "order-1", kettle=1)
    enter(shop, "LAST-ONE", "order-1")
    pay(shop, "order-1")
    assert shop.delete("/orders/order-1").json == {"refund": 3960}
    fill(shop, "order-2", kettle=1)
    assert enter(shop, "LAST-ONE", "order-2") == {"total": 3960, "messages": []}


def test_a_cup_comes_back_after_thirty_days(shop: FlaskClient, talon_sandbox: Sandbox) -> None:
    fill(shop, cup=4, kettle=1)
    enter(shop, "TEA10")
    assert pay(shop) == {"paid": 5760}
    talon_sandbox.clock.advance(days=30)  # The campaign is over.
    cup = {"sku": "cup", "quantity": 1}
    assert shop.post("/orders/order-1/returns", json=cup).json == {"refund": 450}
    many = {"sku": "cup", "quantity": 4}
    assert shop.post("/orders/order-1/returns", json=many).status_code == 409


def test_the_shop_sells_while_talon_one_hangs(shop: FlaskClient, talon_sandbox: Sandbox) -> None:
    patience, shop.application.config["PATIENCE"] = shop.application.config["PATIENCE"], 0.1
    with talon_sandbox.faults.hang(times=None):
        assert fill(shop, kettle=1) == {"total": 4400, "messages": []}
        assert pay(shop) == {"paid": 4400}
    shop.application.config["PATIENCE"] = patience
    assert shop.post("/jobs/close-orders").json == {"remaining": 0}
    closed = {"customerSession": {"state": "closed"}}
    talon_sandbox.requests.assert_sent("update_customer_session_v2", times=2, body=closed)


def test_a_409_passes(shop: FlaskClient, talon_sandbox: Sandbox) -> None:
    fill(shop, kettle=1)
    talon_sandbox.faults.respond(409, "update_customer_session_v2")
    assert enter(shop, "TEA10") == {"total": 3960, "messages": []}
    assert [sent.status for sent in talon_sandbox.requests] == [200, 409, 200]


def test_the_shop_works_with_the_server_of_tomorrow(
    shop: FlaskClient, talon_sandbox: Sandbox
) -> None:
    talon_sandbox.faults.tomorrow()
    fill(shop, kettle=1)
    assert enter(shop, "TEA10") == {"total": 3960, "messages": []}
    assert pay(shop) == {"paid": 3960}
