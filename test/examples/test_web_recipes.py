"""The checkouts with Flask and Django sell, whatever Talon.One does, and redeem codes once."""

from __future__ import annotations

import importlib
import json
import runpy
import sys
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

import talon_one
from docs.pages import ROOT
from talon_one.resilience import CircuitBreaker
from talon_one.sandbox import Sandbox

_EXAMPLES = ROOT / "examples"
# Outside of tests of the deadline, a slow machine must not make it pass.
_PATIENT = 60.0

CART = {"customer": "anna", "codes": ["TEN-OFF"], "items": [{"sku": "kettle", "quantity": 1}]}
FULL_PRICE = {"to_pay": "48.90", "rejected": [], "promotions": "unavailable"}


class Browser:
    """Sends JSON to a shop.

    Attributes:
        api: The API that the shop uses.
    """

    api: talon_one.IntegrationApi

    def respond(self, method: str, path: str, body: object) -> tuple[int, bytes]:
        """Send a request and return the status and the body."""
        raise NotImplementedError

    def send(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Send a request and return the status and the decoded body."""
        status, content = self.respond(method, path, body)
        return status, json.loads(content)


class FlaskBrowser(Browser):
    def __init__(self, sandbox: Sandbox, patch: pytest.MonkeyPatch) -> None:
        for name, value in sandbox.environment().items():
            patch.setenv(name, value)
        made = []

        class Api(talon_one.IntegrationApi):
            def __init__(self, client: talon_one.ApiClient) -> None:
                super().__init__(client)
                made.append(self)

        patch.setattr(talon_one, "IntegrationApi", Api)
        script = _EXAMPLES / "flask_checkout" / "app.py"
        app = runpy.run_path(str(script))["create_app"](_PATIENT)
        app.testing = True  # An exception of a view is one of the test.
        self._client = app.test_client()
        self.api = made[0]

    def respond(self, method: str, path: str, body: object) -> tuple[int, bytes]:
        response = self._client.open(path, method=method, json=body)
        return response.status_code, response.data


class DjangoBrowser(Browser):
    def __init__(self, sandbox: Sandbox, patch: pytest.MonkeyPatch) -> None:
        for name, value in sandbox.environment().items():
            patch.setenv(name, value)
        patch.setenv("DJANGO_SECRET_KEY", "secret")
        patch.setenv("DJANGO_SETTINGS_MODULE", "settings")
        patch.syspath_prepend(_EXAMPLES / "django_checkout")
        import django
        from django.conf import settings
        from django.test import Client
        from django.urls import clear_url_caches

        django.setup()
        # Django reads both once for each process, and tests may come in any order.
        settings.TALON_ONE = {**settings.TALON_ONE, "host": sandbox.url}
        clear_url_caches()
        self.api = importlib.import_module("views").api()
        self.api.api_client.configuration.deadline = _PATIENT
        self._client = Client(headers={"host": "localhost"})

    def respond(self, method: str, path: str, body: object) -> tuple[int, bytes]:
        data = "" if body is None else json.dumps(body)
        response = self._client.generic(method, path, data, content_type="application/json")
        return response.status_code, response.content


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="module", params=[FlaskBrowser, DjangoBrowser], ids=["flask", "django"])
def browser(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as patch:
        made: Browser = request.param(sandbox, patch)
        yield made
        made.api.api_client.close()
    for name in ("settings", "views"):
        sys.modules.pop(name, None)


@pytest.fixture
def cart(browser: Browser, sandbox: Sandbox) -> Iterator[str]:
    """The path of a new cart; nothing goes wrong, and nothing has."""
    settings = browser.api.api_client.configuration
    before = settings.deadline, dict(settings.api_key)
    yield f"/carts/{uuid4()}"
    settings.deadline, settings.api_key = before
    sandbox.faults.clear()
    breaker(browser).reset()


def breaker(browser: Browser) -> CircuitBreaker:
    """Return the circuit breaker of the shop."""
    (found,) = browser.api.api_client.configuration.hooks
    assert isinstance(found, CircuitBreaker)
    return found


def redemptions(sandbox: Sandbox) -> int:
    """Return how often the coupon of the sandbox has been redeemed."""
    with talon_one.ManagementApi(host=sandbox.url, api_key=sandbox.management_key) as management:
        found = management.get_coupons_without_total_count(
            sandbox.application_id, sandbox.campaign_id, value=sandbox.coupon_code
        )
    return found.data[0].usage_counter or 0


def test_a_cart_is_quoted_and_ordered_once(browser: Browser, cart: str, sandbox: Sandbox) -> None:
    before = redemptions(sandbox)
    expected = {"to_pay": "44.01", "rejected": [], "promotions": "applied"}
    assert browser.send("PUT", cart, CART) == (200, expected)
    assert redemptions(sandbox) == before
    # A second click, also from another tab whose cart is another one, is the same order.
    other = {**CART, "items": [{"sku": "teapot", "quantity": 3}], "codes": []}
    for click in (CART, CART, other):
        assert browser.send("POST", cart, click) == (200, expected)
    assert redemptions(sandbox) == before + 1
    status, refused = browser.send("PUT", cart, CART)
    assert (status, refused) == (409, {"error": ["a closed session cannot become open"]})


def test_the_customer_reads_why_a_code_was_refused(browser: Browser, cart: str) -> None:
    status, quoted = browser.send("PUT", cart, {**CART, "codes": ["NOPE"]})
    sentence = "We do not know the code NOPE. Please check the spelling."
    assert (status, quoted["to_pay"], quoted["rejected"]) == (200, "48.90", [sentence])


def test_nonsense_is_refused_and_prices_are_those_of_the_shop(
    browser: Browser, cart: str, sandbox: Sandbox
) -> None:
    nonsense: list[Any] = [
        {},
        [],
        5,
        {**CART, "items": [{"sku": "rocket", "quantity": 1}]},
        {**CART, "items": [{"sku": "kettle", "quantity": 0.5}]},
        {**CART, "items": "kettle"},
        {**CART, "codes": "TEN-OFF"},
        {**CART, "codes": ["x" * 1000]},
        {**CART, "customer": 5},
    ]
    before = len(sandbox.requests)
    for sent in nonsense:
        assert browser.send("POST", cart, sent) == (400, {"error": "this is no cart"}), sent
    for path in ("/carts/.", "/carts/..", "/carts/1", "/carts/%00"):
        assert browser.respond("PUT", path, CART)[0] == 404
    assert len(sandbox.requests) == before
    cheap = {"sku": "kettle", "quantity": 1, "price": 0.01}
    assert browser.send("PUT", cart, {**CART, "items": [cheap]})[1]["to_pay"] == "44.01"


@pytest.mark.parametrize("fault", ["hang", "disconnect", "html", "respond"])
def test_the_shop_sells_while_talon_one_fails_and_recovers(
    fault: str,
    browser: Browser,
    cart: str,
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
) -> None:
    browser.api.api_client.configuration.deadline = 0.3
    with getattr(sandbox.faults, fault)(*([409] if fault == "respond" else []), times=None):
        begun = time.monotonic()
        assert browser.send("PUT", cart, CART) == (200, FULL_PRICE)
        assert browser.send("POST", cart, CART) == (200, FULL_PRICE)
        assert browser.send("GET", "/health/promotions")[0] == 503
        # By the settings of the client alone it would be half a minute.
        assert time.monotonic() - begun < 5
    assert f"{cart.rpartition('/')[2]} goes on without discounts" in caplog.text
    breaker(browser).reset()
    browser.api.api_client.configuration.deadline = _PATIENT
    assert browser.send("POST", cart, CART)[1]["promotions"] == "applied"
    assert browser.send("GET", "/health/promotions")[0] == 200


def test_during_an_outage_customers_do_not_wait(
    browser: Browser, cart: str, sandbox: Sandbox
) -> None:
    with sandbox.faults.disconnect(times=None):
        for _ in range(5):
            browser.send("PUT", cart, CART)
        assert breaker(browser).state == "open"
        before = len(sandbox.requests)
        assert browser.send("PUT", cart, CART) == (200, FULL_PRICE)
        status, health = browser.send("GET", "/health/promotions")
        assert (status, health["breaker"]) == (503, "open")
        assert len(sandbox.requests) == before


def test_a_wrong_key_is_no_outage(browser: Browser, cart: str) -> None:
    browser.api.api_client.configuration.api_key = {"api_key_v1": "yesterdays-key"}
    with pytest.raises(talon_one.UnauthorizedException):
        browser.send("PUT", cart, CART)
    assert browser.send("GET", "/health/promotions")[0] == 503
