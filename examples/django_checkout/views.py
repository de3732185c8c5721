"""A checkout with Django: what a cart costs, and orders that redeem their codes once."""

import json
import logging
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.http import require_http_methods

import talon_one
from talon_one import checkout, failures, resilience

log = logging.getLogger("shop")
# Prices are the shop's, never the browser's.
PRICES = {"kettle": 44.0, "teapot": 13.0}
mapper = checkout.CartMapper(price=lambda line: PRICES[line["sku"]])


@cache
def api() -> talon_one.IntegrationApi:
    """Return the client of this process. Threads share it; the first request makes it."""
    config = talon_one.Configuration(**settings.TALON_ONE, hooks=[resilience.CircuitBreaker()])
    return talon_one.IntegrationApi(talon_one.ApiClient(config))


@require_http_methods(["PUT", "POST"])
def cart(request: HttpRequest, cart_id: UUID) -> JsonResponse:
    """Say what a cart costs (PUT), or order it (POST)."""
    try:
        sent = json.loads(request.body)
        lines = mapper.cart(sent["items"], additional_costs={"shipping": 4.9})
        session = lines.session(profile_id=sent["customer"], coupon_codes=sent["codes"])
        session.validate()
    except (KeyError, TypeError, ValueError):
        return JsonResponse({"error": "this is no cart"}, status=400)
    try:
        if request.method == "POST":
            done = checkout.close(api(), str(cart_id), session)
            # A second click returns the order, whatever the cart has become since.
            return quote(done.session or lines, done.effects)
        response = api().update_customer_session_v2(str(cart_id), {"customerSession": session})
        return quote(lines, response.effects)
    except talon_one.BadRequestException as refusal:
        return JsonResponse({"error": [each.details for each in refusal.errors]}, status=409)
    except talon_one.ApiException as failure:
        if not resilience.is_outage(failure) and not failures.is_too_many_in_flight(failure):
            raise  # Our key or address is wrong. Selling without discounts would hide that.
        # After an order, a job has to close the session: see examples/celery_closing.
        log.error("%s goes on without discounts: %s", cart_id, failure)
        return quote(lines, [], promotions="unavailable")


def health(request: HttpRequest) -> JsonResponse:
    """Say whether discounts can be had, for dashboards."""
    result = resilience.check_health(api())
    return JsonResponse(result.as_dict(), status=200 if result else 503)


def quote(cart: Any, effects: list[talon_one.Effect], promotions: str = "applied") -> JsonResponse:
    """Return what the customer sees."""
    to_pay = str(checkout.payable(cart, effects, "EUR").amount)
    rejected = [each.sentence() for each in checkout.rejections_of(effects)]
    return JsonResponse({"to_pay": to_pay, "rejected": rejected, "promotions": promotions})


# In a file of its own where there are more.
urlpatterns = [path("carts/<uuid:cart_id>", cart), path("health/promotions", health)]
