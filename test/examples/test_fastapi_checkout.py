"""The checkout with FastAPI sells, whatever becomes of Talon.One, and redeems codes once."""

from __future__ import annotations

import asyncio
import logging
import runpy
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import urllib3

import talon_one
from docs.pages import ROOT
from support.server import HANG_UP, SILENCE, Received, RecordingServer, Response
from talon_one.sandbox import Sandbox

_SCRIPT = ROOT / "examples" / "fastapi_checkout" / "app.py"
_NAMES = runpy.run_path(str(_SCRIPT))

# Where it is not the deadline that is tested, a slow machine must not make it pass.
_PATIENT = 60.0
_IMPATIENT = 0.4

CART = {
    "customer_id": "anna",
    "items": [{"sku": "kettle", "quantity": 1}, {"sku": "teapot", "quantity": 2}],
    "codes": ["TEN-OFF"],
}
WITHOUT_DISCOUNTS = {
    "total": "74.90",
    "discounts": [],
    "to_pay": "74.90",
    "accepted_codes": [],
    "rejected_codes": [],
    "promotions": "unavailable",
    "notice": "We cannot check discounts and codes right now. You can order without them.",
}


class Gate:
    """Talon.One as a `RecordingServer`: the sandbox, but for what happens on the way.

    It admits three calls about one customer at a time, as the platform does.

    Attributes:
        most: How many calls have been in progress at the same time, at most.
        loses_responses: Whether calls are executed and their responses get lost.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.limit = 0
        self.loses_responses = False
        self._url = sandbox.url
        self._pool = urllib3.PoolManager()
        self._under_way = 0
        self._lock = threading.Lock()

    def __call__(self, request: Received) -> Response:
        with self._lock:
            self._under_way += 1
            self.limit = max(self.limit, self._under_way)
            too_many = self._under_way > 3
        try:
            if too_many:
                message = "Too many requests are updating this profile at the same time"
                return Response(409, {"message": message, "errors": None, "StatusCode": 409})
            response = self._pool.request(
                request.method,
                self._url + request.target,
                body=request.body,
                headers=request.headers,
                retries=False,
            )
            if self.loses_responses:
                return HANG_UP
            return Response(response.status, response.data, {"Content-Type": "application/json"})
        finally:
            with self._lock:
                self._under_way -= 1

    def close(self) -> None:
        self._pool.clear()


@pytest.fixture
def gate(shop: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """A gate to the sandbox, which the environment names in its place."""
    gate = Gate(shop)
    with RecordingServer(default=gate) as server:
        monkeypatch.setenv("TALON_ONE_HOST", server.url)
        yield gate
    gate.close()


@pytest.fixture
def talon(monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordingServer]:
    """A server in place of the sandbox, which the environment names."""
    with RecordingServer() as server:
        monkeypatch.setenv("TALON_ONE_HOST", server.url)
        monkeypatch.setenv("TALON_ONE_API_KEY", "key")
        yield server


@asynccontextmanager
async def checkout(deadline: float = _PATIENT) -> AsyncIterator[httpx.AsyncClient]:
    """Run the service and give a browser for it."""
    app = _NAMES["create_app"](deadline)
    transport = httpx.ASGITransport(app)
    # The transport of httpx leaves starting and stopping an application to others.
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://shop.test") as browser,
    ):
        yield browser


def redemptions(shop: Sandbox) -> int | None:
    """Return how often the coupon of the sandbox has been redeemed."""
    with talon_one.ManagementApi(host=shop.url, api_key=shop.management_key) as management:
        found = management.get_coupons_without_total_count(
            shop.application_id, shop.campaign_id, value=shop.coupon_code
        )
    return found.data[0].usage_counter


@pytest.mark.asyncio
async def test_a_cart_is_quoted_and_an_order_redeems_its_code(shop: Sandbox) -> None:
    async with checkout() as browser:
        quoted = await browser.put("/carts/1", json=CART)
        before = redemptions(shop)
        ordered = await browser.post("/carts/1/order")
    assert quoted.status_code == 200
    assert quoted.json() == {
        "total": "74.90",
        "discounts": [
            {"name": "10% off", "amount": "7.49"},
            {"name": "shipping", "amount": "4.9"},
        ],
        "to_pay": "62.51",
        "accepted_codes": ["TEN-OFF"],
        "rejected_codes": [],
        "promotions": "applied",
        "notice": None,
    }
    assert (ordered.status_code, ordered.json()) == (200, quoted.json())
    assert (before, redemptions(shop)) == (0, 1)


@pytest.mark.asyncio
@pytest.mark.usefixtures("shop")
async def test_a_customer_sees_that_a_code_was_rejected_and_can_still_order() -> None:
    async with checkout() as browser:
        quoted = await browser.put("/carts/1", json={**CART, "codes": ["TEN-OFF", "NOPE"]})
        ordered = await browser.post("/carts/1/order")
    for response in (quoted, ordered):
        assert response.status_code == 200
        assert response.json()["accepted_codes"] == ["TEN-OFF"]
        sentence = "We do not know the code NOPE. Please check the spelling."
        assert response.json()["rejected_codes"] == [
            {"code": "NOPE", "reason": "CouponNotFound", "sentence": sentence}
        ]
        assert response.json()["promotions"] == "applied"


@pytest.mark.asyncio
@pytest.mark.usefixtures("shop")
async def test_a_code_that_is_taken_out_of_the_cart_is_taken_back() -> None:
    async with checkout() as browser:
        await browser.put("/carts/1", json=CART)
        quoted = await browser.put("/carts/1", json={**CART, "codes": []})
    assert quoted.json()["accepted_codes"] == []
    assert quoted.json()["to_pay"] == "70.00"


@pytest.mark.asyncio
async def test_a_second_click_gets_the_first_response(shop: Sandbox) -> None:
    async with checkout() as browser:
        await browser.put("/carts/1", json=CART)
        clicks = await asyncio.gather(*(browser.post("/carts/1/order") for _ in range(3)))
    assert {click.status_code for click in clicks} == {200}
    assert [click.json()["to_pay"] for click in clicks] == ["62.51"] * 3
    assert redemptions(shop) == 1


@pytest.mark.asyncio
async def test_an_order_whose_response_is_lost_can_be_resent(shop: Sandbox, gate: Gate) -> None:
    async with checkout() as browser:
        await browser.put("/carts/1", json=CART)
        gate.loses_responses = True
        lost = await browser.post("/carts/1/order")
        gate.loses_responses = False
        found = await browser.post("/carts/1/order")
    assert (lost.status_code, lost.json()) == (200, WITHOUT_DISCOUNTS)
    assert found.json()["to_pay"] == "62.51"
    assert redemptions(shop) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "trouble",
    [
        SILENCE,
        HANG_UP,
        Response(500),
        Response(503),
        Response(429, headers={"Retry-After": "30"}),
        Response(409, {"message": "Too many requests are updating this session at the same time"}),
        Response(200, "<h1>We will be back soon</h1>", {"Content-Type": "text/html"}),
    ],
    ids=["silence", "hanging up", "500", "503", "429", "409", "a page of a proxy"],
)
async def test_a_shop_sells_without_discounts_and_says_so_when_talon_one_fails(
    trouble: Response, talon: RecordingServer, caplog: pytest.LogCaptureFixture
) -> None:
    talon.default = trouble
    async with checkout(_IMPATIENT) as browser:
        begun = time.monotonic()
        quoted = await browser.put("/carts/1", json=CART)
        between = time.monotonic()
        ordered = await browser.post("/carts/1/order")
        ended = time.monotonic()
    for response in (quoted, ordered):
        assert (response.status_code, response.json()) == (200, WITHOUT_DISCOUNTS)
    # The settings of the SDK alone would make it half a minute.
    assert max(between - begun, ended - between) < _IMPATIENT + 2
    errors = [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR]
    assert [each.partition(" without")[0] for each in errors] == [
        "1 (open) goes on",
        "1 (closed) goes on",
    ]


@pytest.mark.asyncio
async def test_a_shop_sells_without_discounts_when_no_server_listens(
    talon: RecordingServer,
) -> None:
    talon.stop()
    async with checkout(_NAMES["DEADLINE"]) as browser:
        quoted = await browser.put("/carts/1", json=CART)
        ordered = await browser.post("/carts/1/order")
    for response in (quoted, ordered):
        assert (response.status_code, response.json()) == (200, WITHOUT_DISCOUNTS)


@pytest.mark.asyncio
@pytest.mark.usefixtures("shop")
async def test_a_refused_change_of_a_cart_is_shown_with_the_message_of_talon_one() -> None:
    async with checkout() as browser:
        await browser.put("/carts/1", json=CART)
        await browser.post("/carts/1/order")
        changed = await browser.put("/carts/1", json={**CART, "codes": []})
    assert changed.status_code == 400
    assert changed.json() == {"detail": ["Illegal state: a closed session cannot become open"]}


@pytest.mark.asyncio
@pytest.mark.usefixtures("shop")
async def test_a_wrong_key_is_no_outage(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TALON_ONE_API_KEY", "yesterdays-key")
    async with checkout() as browser:
        quoted = await browser.put("/carts/1", json=CART)
    assert (quoted.status_code, quoted.json()) == (500, {"detail": "The shop is being repaired."})
    (logged,) = (each for each in caplog.records if each.levelno == logging.CRITICAL)
    assert "401" in logged.getMessage()
    assert "yesterdays-key" not in caplog.text


@pytest.mark.asyncio
async def test_nonsense_of_a_browser_never_reaches_talon_one(talon: RecordingServer) -> None:
    nonsense: list[Any] = [
        {},
        {**CART, "customer_id": ""},
        {**CART, "items": []},
        {**CART, "items": [{"sku": "rocket", "quantity": 1}]},
        {**CART, "items": [{"sku": "kettle", "quantity": 0}]},
        {**CART, "codes": ["x" * 101]},
    ]
    async with checkout() as browser:
        statuses = [(await browser.put("/carts/1", json=each)).status_code for each in nonsense]
        strange_id = await browser.put("/carts/a%20b", json=CART)
        unknown = await browser.post("/carts/2/order")
    assert statuses == [422] * len(nonsense)
    assert (strange_id.status_code, unknown.status_code) == (422, 404)
    assert talon.requests == []


@pytest.mark.asyncio
async def test_prices_are_those_of_the_shop(talon: RecordingServer) -> None:
    talon.default = Response(body={"effects": []})
    dear = {"sku": "kettle", "quantity": 1, "price": 0.01}
    async with checkout() as browser:
        quoted = await browser.put("/carts/1", json={**CART, "items": [dear]})
    assert quoted.json()["to_pay"] == "48.90"
    assert talon.last.json()["customerSession"]["cartItems"][0]["price"] == 44.0


@pytest.mark.asyncio
async def test_discounts_on_items_and_those_of_one_name_are_subtracted_to_the_cent(
    talon: RecordingServer,
) -> None:
    def on_teapot(unit: int, value: float) -> dict[str, Any]:
        props = {"name": "Set", "value": value, "position": 1, "subPosition": unit}
        return {"effectType": "setDiscountPerItem", "props": props}

    on_order = {"effectType": "setDiscount", "props": {"name": "Spring", "value": 0.1}}
    newer = {"effectType": "somethingNew", "props": {"value": 5}}
    effects = [on_teapot(0, 1.1), on_teapot(1, 2.2), on_order, on_order, newer]
    talon.default = Response(body={"effects": effects})
    async with checkout() as browser:
        quoted = (await browser.put("/carts/1", json=CART)).json()
    assert quoted["discounts"] == [
        {"name": "Spring", "amount": "0.2"},
        {"name": "teapot", "amount": "3.3"},
    ]
    assert quoted["to_pay"] == "71.40"


@pytest.mark.asyncio
async def test_carts_of_one_customer_queue_here_rather_than_being_refused_there(
    gate: Gate,
) -> None:
    async with checkout() as browser:
        responses = await asyncio.gather(
            *(browser.put(f"/carts/{number}", json=CART) for number in range(12))
        )
    assert [response.json()["to_pay"] for response in responses] == ["62.51"] * 12
    assert gate.limit == 1


@pytest.mark.asyncio
async def test_one_connection_serves_request_after_request_and_is_closed_in_the_end(
    talon: RecordingServer,
) -> None:
    talon.default = Response(body={"effects": []})
    app = _NAMES["create_app"]()
    async with app.router.lifespan_context(app):
        promotions, cart = app.state.promotions, _NAMES["Cart"].model_validate(CART)
        for _ in range(5):
            await promotions.quote("1", cart)
    assert talon.connections == 1
    with pytest.raises(talon_one.ClientClosedError):
        await promotions.quote("1", cart)


@pytest.mark.asyncio
@pytest.mark.usefixtures("talon")
async def test_its_interface_is_described() -> None:
    async with checkout() as browser:
        described = (await browser.get("/openapi.json")).json()
    assert list(described["paths"]) == [
        "/carts/{cart_id}",
        "/carts/{cart_id}/order",
        "/health/promotions",
    ]


@pytest.mark.asyncio
async def test_its_health_is_that_of_the_promotions(shop: Sandbox) -> None:
    async with checkout() as browser:
        well = await browser.get("/health/promotions")
        with shop.faults.respond(503, times=None):
            ill = await browser.get("/health/promotions")
    assert [each.status_code for each in (well, ill)] == [200, 503]
    assert (well.json()["ok"], ill.json()["error"]) == (True, "ServiceException")
