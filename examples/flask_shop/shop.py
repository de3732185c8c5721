"""A small shop with Flask: a cart, coupons, payment, cancellation and returns.

It sells without discounts while Talon.One does not respond, and closes those orders later.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from flask import Flask, abort, request

import talon_one
from talon_one import checkout, effects

PRODUCTS = {"kettle": Decimal("44.00"), "teapot": Decimal("13.00"), "cup": Decimal("5.00")}
EURO = checkout.Currency("EUR")
CARTS = checkout.CartMapper(
    sku=lambda line: line[0], quantity=lambda line: line[1], price=lambda line: PRODUCTS[line[0]]
)


@dataclass
class Order:
    """What the shop knows of an order. Yours would be in a database."""

    customer: str
    items: dict[str, int] = field(default_factory=dict)
    codes: list[str] = field(default_factory=list)
    total: int = 0  # in cents, as the customer has seen it last
    state: str = "open"  # then "paid", then "closed"; or "cancelled"

    def cart(self) -> checkout.Cart[tuple[str, int]]:
        """Return the lines as Talon.One knows them."""
        return CARTS.cart(self.items.items())

    def session(self) -> talon_one.NewCustomerSessionV2:
        """Return what to send to Talon.One."""
        return self.cart().session(profile_id=self.customer, coupon_codes=self.codes)


def pretend(customer: str, cents: int) -> bool:
    """Take no money. Yours calls a payment provider, and returns whether it could charge."""
    return True


def create_app(charge: Callable[[str, int], bool] = pretend) -> Flask:
    """Make the shop."""
    app = Flask(__name__)
    app.config["PATIENCE"] = 5  # Seconds that customers wait for Talon.One.
    api = talon_one.IntegrationApi(talon_one.ApiClient(talon_one.Configuration.from_env()))
    orders: dict[str, Order] = {}

    def find(number: str, *states: str) -> Order:
        order = orders.get(number) or abort(404)
        return order if order.state in states else abort(409)

    def priced(number: str, order: Order) -> dict[str, Any]:
        """Return the total, and a sentence about each code that was refused."""
        found: list[talon_one.Effect] = []
        try:
            update = {"customerSession": order.session()}
            found = api.update_customer_session_v2(
                number, update, _deadline=app.config["PATIENCE"]
            ).effects
        except talon_one.ApiException:
            app.logger.exception("Order %s has no discounts.", number)
        order.codes = effects.codes(found).accepted_coupons
        order.total = checkout.payable(order.cart(), found, EURO).payable
        messages = [refused.sentence() for refused in checkout.rejections_of(found)]
        return {"total": order.total, "messages": messages}

    def close(number: str, order: Order) -> None:
        """Redeem the codes of an order that is paid, or leave that to the job."""
        try:
            done = checkout.close(api, number, order.session(), _deadline=app.config["PATIENCE"])
        except talon_one.ApiException:
            app.logger.exception("Order %s is to be closed later.", number)
            return
        order.state = "closed"
        for refused in checkout.rejections_of(done.effects):
            app.logger.warning("Order %s was paid, but: %s", number, refused.sentence())

    @app.get("/products")
    def list_products() -> dict[str, str]:
        return {sku: str(price) for sku, price in PRODUCTS.items()}

    @app.put("/orders/<number>")
    def fill_cart(number: str) -> dict[str, Any]:
        if not request.json["items"].keys() <= PRODUCTS.keys():
            abort(400, "There is no such product.")
        orders.setdefault(number, Order(request.json["customer"]))
        order = find(number, "open")
        order.items = request.json["items"]
        return priced(number, order)

    @app.put("/orders/<number>/coupon")
    def enter_coupon(number: str) -> dict[str, Any]:
        order = find(number, "open")
        order.codes = [request.json["code"]]
        return priced(number, order)

    @app.post("/orders/<number>/payment")
    def pay(number: str) -> tuple[dict[str, Any], int]:
        order = find(number, "open")
        if not charge(order.customer, order.total):
            return {"message": "Your payment was refused."}, 402
        order.state = "paid"
        close(number, order)
        return {"paid": order.total}, 200

    @app.post("/jobs/close-orders")
    def close_orders() -> dict[str, Any]:
        """Close the orders that were paid while Talon.One did not respond."""
        for number, order in orders.items():
            if order.state == "paid":
                close(number, order)
        return {"remaining": sum(order.state == "paid" for order in orders.values())}

    @app.delete("/orders/<number>")
    def cancel(number: str) -> dict[str, Any]:
        order = find(number, "open", "paid", "closed")
        with suppress(talon_one.NotFoundException):  # Talon.One has never seen the order.
            checkout.cancel(api, number, _deadline=app.config["PATIENCE"])
        refund = 0 if order.state == "open" else order.total
        order.state = "cancelled"
        return {"refund": refund}

    @app.post("/orders/<number>/returns")
    def take_back(number: str) -> dict[str, Any]:
        order = find(number, "closed")
        sku, quantity = request.json["sku"], request.json["quantity"]
        units = talon_one.ReturnedCartItem(sku=sku, quantity=quantity)
        returned = talon_one.NewReturn(returned_cart_items=[units])
        response = api.return_cart_items(
            number, {"return": returned}, _deadline=app.config["PATIENCE"]
        )
        refund = EURO.minor(PRODUCTS[sku] * quantity - effects.rolled_back(response).total)
        order.total -= refund
        return {"refund": refund}

    @app.errorhandler(talon_one.ApiException)
    def refuse(failure: talon_one.ApiException) -> tuple[dict[str, Any], int]:
        return {"message": "That is not possible."}, 409 if failure.status == 400 else 503

    return app
