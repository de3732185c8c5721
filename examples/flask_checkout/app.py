"""A checkout with Flask: what a cart costs, and orders that redeem their codes once.

README.md beside this file explains how to run it.
"""

import logging
from typing import Any
from uuid import UUID

from flask import Flask, request
from flask.typing import ResponseReturnValue

import talon_one
from talon_one import checkout, failures, resilience

log = logging.getLogger("shop")
# Prices are the shop's, never the browser's.
PRICES = {"kettle": 44.0, "teapot": 13.0}
mapper = checkout.CartMapper(price=lambda line: PRICES[line["sku"]])


def create_app(deadline: float = 0.3) -> Flask:
    """Make the application; a customer waits for discounts at most *deadline* seconds."""
    configuration = talon_one.Configuration.from_env()
    configuration.deadline = deadline
    configuration.calls_per_id = 1  # Two tabs of one customer queue here, and are no 409 there.
    configuration.hooks.append(resilience.CircuitBreaker())
    # One for all threads. A worker that is forked later makes connections of its own.
    api = talon_one.IntegrationApi(talon_one.ApiClient(configuration))
    app = Flask(__name__)

    @app.put("/carts/<uuid:cart_id>")
    @app.post("/carts/<uuid:cart_id>")
    def cart(cart_id: UUID) -> ResponseReturnValue:
        """Say what a cart costs (PUT), or order it (POST)."""
        try:
            sent = request.get_json()
            lines = mapper.cart(sent["items"], additional_costs={"shipping": 4.9})
            session = lines.session(profile_id=sent["customer"], coupon_codes=sent["codes"])
            session.validate()
        except (KeyError, TypeError, ValueError):
            return {"error": "this is no cart"}, 400
        try:
            if request.method == "POST":
                done = checkout.close(api, str(cart_id), session)
                # A second click returns the order, whatever the cart has become since.
                return quote(done.session or lines, done.effects)
            response = api.update_customer_session_v2(str(cart_id), {"customerSession": session})
            return quote(lines, response.effects)
        except talon_one.BadRequestException as refusal:
            return {"error": [each.details for each in refusal.errors]}, 409
        except talon_one.ApiException as failure:
            if not resilience.is_outage(failure) and not failures.is_too_many_in_flight(failure):
                raise  # Our key or address is wrong. Selling without discounts would hide that.
            # After an order, a job has to close the session: see examples/celery_closing.
            log.error("%s goes on without discounts: %s", cart_id, failure)
            return quote(lines, [], promotions="unavailable")

    @app.get("/health/promotions")
    def health() -> ResponseReturnValue:
        """Say whether discounts can be had, for dashboards."""
        result = resilience.check_health(api)
        return result.as_dict(), 200 if result else 503

    return app


def quote(
    cart: Any, effects: list[talon_one.Effect], promotions: str = "applied"
) -> dict[str, Any]:
    """Return what the customer sees."""
    to_pay = str(checkout.payable(cart, effects, "EUR").amount)
    rejected = [each.sentence() for each in checkout.rejections_of(effects)]
    return {"to_pay": to_pay, "rejected": rejected, "promotions": promotions}
