"""A checkout service: carts with the discounts of Talon.One, and orders that redeem the codes.

It asks one question at every step: what does the customer see if this fails at 2 a.m.?
README.md beside this file explains how to run it.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from functools import partial
from typing import Annotated, Literal
from uuid import NAMESPACE_URL, uuid5

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Path, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, field_validator

import talon_one
from talon_one import checkout, effects, failures, resilience
from talon_one.aio import ApiClient, IntegrationApi

log = logging.getLogger("checkout")
router = APIRouter()

# Prices are the shop's, never the browser's.
CATALOGUE = {"kettle": ("Kettle", Decimal("44.00")), "teapot": ("Teapot", Decimal("13.00"))}
SHIPPING = Decimal("4.90")
MAPPER = checkout.CartMapper(
    name=lambda item: CATALOGUE[item.sku][0], price=lambda item: CATALOGUE[item.sku][1]
)

DEADLINE = 1.0
"""Seconds that a customer waits for discounts at most."""


class Item(BaseModel):
    """An article in a cart."""

    sku: str
    quantity: int = Field(ge=1, le=100)

    @field_validator("sku")
    @classmethod
    def _is_sold_here(cls, sku: str) -> str:
        if sku not in CATALOGUE:
            raise ValueError("there is no such article")
        return sku


class Cart(BaseModel):
    """What the browser sends."""

    customer_id: str = Field(min_length=1, max_length=100)
    items: list[Item] = Field(min_length=1, max_length=100)
    # The SDK refuses longer codes. Checked here, they are a 422 for the browser and not a 500.
    codes: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field([], max_length=20)

    @property
    def total(self) -> Decimal:
        """What it costs with shipping, without discounts."""
        return SHIPPING + sum(CATALOGUE[item.sku][1] * item.quantity for item in self.items)


class Discount(BaseModel):
    """An amount to subtract."""

    name: str
    amount: Decimal


class RejectedCode(BaseModel):
    """A code without effect, and why: for a program, and for the customer."""

    code: str
    reason: str
    sentence: str


class Quote(BaseModel):
    """What the customer sees."""

    total: Decimal
    discounts: list[Discount] = []
    to_pay: Decimal
    accepted_codes: list[str] = []
    rejected_codes: list[RejectedCode] = []
    promotions: Literal["applied", "unavailable"] = "applied"
    notice: str | None = None


class Promotions:
    """Calls Talon.One, and decides what its failures mean for the shop."""

    def __init__(self, api: IntegrationApi) -> None:
        self._api = api

    async def quote(self, cart_id: str, cart: Cart) -> Quote:
        """Return what a cart costs."""
        return _quote(cart, await self._update(cart_id, cart, "open"))

    async def order(self, cart_id: str, cart: Cart) -> Quote:
        """Order a cart: redeem its codes once, and return what it costs."""
        # The SDK makes a key for each call and retries with it. This key belongs to the order, so a
        # second click, or a browser that retries, gets the first response. A cart that was changed
        # in between is another order.
        key = str(uuid5(NAMESPACE_URL, f"{cart_id} {cart.model_dump_json()}"))
        return _quote(cart, await self._update(cart_id, cart, "closed", key))

    async def health(self) -> resilience.Health:
        """Say how Talon.One is."""
        return await resilience.check_health_async(self._api)

    async def _update(
        self, cart_id: str, cart: Cart, state: Literal["open", "closed"], key: str | None = None
    ) -> talon_one.IntegrationStateV2 | None:
        request = talon_one.IntegrationRequest(customer_session=_session(cart, state))
        try:
            return await self._api.update_customer_session_v2(cart_id, request, idempotency_key=key)
        except talon_one.ApiException as failure:
            if not discounts_are_unknown(failure):
                raise
            # A shop that sells without discounts is better than one that sells nothing. If this
            # was an order, its codes may or may not be redeemed: send it again, with the same key.
            log.error("%s (%s) goes on without discounts: %s", cart_id, state, failure)
            return None


def discounts_are_unknown(failure: talon_one.ApiException) -> bool:
    """Return whether Talon.One is down, slow, busy, or behind a proxy that responds in its place.

    The SDK has retried what is safe to retry.
    """
    return resilience.is_outage(failure) or failures.is_too_many_in_flight(failure)


def _lines(cart: Cart) -> checkout.Cart[Item]:
    return MAPPER.cart(cart.items, additional_costs={"shipping": SHIPPING})


def _session(cart: Cart, state: Literal["open", "closed"]) -> talon_one.NewCustomerSessionV2:
    # Always the whole cart: Talon.One may have missed the last change during an outage.
    return _lines(cart).session(profile_id=cart.customer_id, state=state, coupon_codes=cart.codes)


def _quote(cart: Cart, response: talon_one.IntegrationStateV2 | None) -> Quote:
    if response is None:
        return Quote(
            total=cart.total,
            to_pay=cart.total,
            promotions="unavailable",
            notice="We cannot check discounts and codes right now. You can order without them.",
        )
    granted = effects.discounts(response)
    amounts = [
        *granted.session.items(),
        *((cart.items[line].sku, amount) for line, amount in granted.lines.items()),
        *granted.costs.items(),
    ]
    return Quote(
        total=cart.total,
        discounts=[Discount(name=name, amount=amount) for name, amount in amounts],
        to_pay=checkout.payable(_lines(cart), response, "EUR").amount,
        accepted_codes=effects.codes(response).accepted_coupons,
        # A code without effect is no failure, but the customer should see why.
        rejected_codes=[
            RejectedCode(code=each.code, reason=each.reason, sentence=each.sentence())
            for each in checkout.rejections_of(response)
        ],
    )


def _promotions(request: Request) -> Promotions:
    found: Promotions = request.app.state.promotions
    return found


def _carts(request: Request) -> dict[str, Cart]:
    found: dict[str, Cart] = request.app.state.carts
    return found


CartId = Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{1,100}$")]
UsesPromotions = Annotated[Promotions, Depends(_promotions)]
UsesCarts = Annotated[dict[str, Cart], Depends(_carts)]


@router.put("/carts/{cart_id}")
async def put_cart(
    cart_id: CartId, cart: Cart, promotions: UsesPromotions, carts: UsesCarts
) -> Quote:
    """Replace a cart and say what it costs."""
    carts[cart_id] = cart
    return await promotions.quote(cart_id, cart)


@router.post("/carts/{cart_id}/order")
async def order(cart_id: CartId, promotions: UsesPromotions, carts: UsesCarts) -> Quote:
    """Order a cart, and say what the customer pays."""
    if cart_id not in carts:
        raise HTTPException(404, "there is no such cart")
    return await promotions.order(cart_id, carts[cart_id])


@router.get("/health/promotions")
async def health(promotions: UsesPromotions) -> JSONResponse:
    """Say whether discounts can be had, for dashboards."""
    result = await promotions.health()
    return JSONResponse(result.as_dict(), 200 if result else 503)


@asynccontextmanager
async def _lifespan(app: FastAPI, deadline: float) -> AsyncIterator[None]:
    """Keep one client for as long as the application runs; its connections serve all requests."""
    configuration = talon_one.Configuration.from_env()
    # For each call as a whole: connecting, retries, and waiting in the queue.
    configuration.deadline = deadline
    # Talon.One admits three parallel calls about one customer, and responds to more with 409.
    # Somebody with two tabs soon gets there. One call at a time also keeps the updates of a cart in
    # order, and leaves room for two more processes of this service.
    configuration.calls_per_id = 1
    # During an outage, customers do not wait at all.
    configuration.hooks.append(resilience.CircuitBreaker())
    async with ApiClient(configuration) as client:
        app.state.promotions = Promotions(IntegrationApi(client))
        # In place of a database.
        app.state.carts = {}
        yield


def create_app(deadline: float = DEADLINE) -> FastAPI:
    """Make the application; TALON_ONE_HOST and TALON_ONE_API_KEY are read when it starts.

    Args:
        deadline: Seconds that a customer waits for discounts at most.
    """
    app = FastAPI(lifespan=partial(_lifespan, deadline=deadline))
    app.include_router(router)

    # Two kinds of failure do not let the shop go on. In the first, Talon.One refuses the change of
    # the cart, such as one after it was ordered, and the customer has to know.
    @app.exception_handler(talon_one.BadRequestException)
    async def refused(request: Request, failure: talon_one.BadRequestException) -> JSONResponse:
        problems = [f"{each['title']}: {each.get('details')}" for each in failure.errors]
        return JSONResponse({"detail": problems or [failure.message]}, 400)

    # In the second, our key or address is wrong. Selling without discounts would hide that.
    @app.exception_handler(talon_one.ApiException)
    async def misconfigured(request: Request, failure: talon_one.ApiException) -> JSONResponse:
        log.critical("Talon.One does not let us in: %s", failure)
        return JSONResponse({"detail": "The shop is being repaired."}, 500)

    return app
