"""A checkout of the fashion shop, as a story: outage, refused code, order, reopening, return.

Run it with `python examples/fashion_checkout.py`. It starts a sandbox of its own, because no other
Talon.One has an outage on request.
"""

from dataclasses import dataclass
from typing import Any

import talon_one
from talon_one import checkout
from talon_one.resilience import CircuitBreaker, with_fallback
from talon_one.sandbox import Sandbox

EURO = checkout.Currency("EUR")


@dataclass
class Line:
    """A line of a cart, as the shop stores it."""

    id: int
    article: str
    kind: str
    pieces: int
    cents: int


mapper = checkout.CartMapper(
    sku="article", quantity="pieces", price=lambda line: line.cents / 100, category="kind", key="id"
)


class Shop:
    """Takes orders. Talon.One says what they cost, and the shop sells without it, too."""

    def __init__(self, client: talon_one.ApiClient) -> None:
        self.api = talon_one.IntegrationApi(client)
        self.update = with_fallback(self.api.update_customer_session_v2, self.full_price)
        self.close = with_fallback(checkout.close, self.full_price)

    @staticmethod
    def full_price(failure: talon_one.ApiException, *arguments: Any, **settings: Any) -> None:
        """Go on without discounts."""
        print(f"  no discounts: {type(failure).__name__}")

    @staticmethod
    def session(lines: list[Line], codes: tuple[str, ...]) -> tuple[Any, Any]:
        """Return the cart of lines, and the session to send for it."""
        cart = mapper.cart(lines, additional_costs={"shipping": 4.9})
        return cart, cart.session(profile_id="cust-carla", coupon_codes=codes)

    def quote(self, number: str, lines: list[Line], *codes: str) -> None:
        """Show what a cart costs, and what became of the codes."""
        cart, session = self.session(lines, codes)
        response = self.update(number, {"customerSession": session})
        self.show(cart, [] if response is None else response.effects)

    def order(self, number: str, lines: list[Line], *codes: str) -> checkout.PayableCart:
        """Close the session when the customer has paid; return the bill, to be kept with it."""
        cart, session = self.session(lines, codes)
        done = self.close(self.api, number, session)
        print("  to be closed later" if done is None else f"  closed now: {done.changed}")
        return self.show(cart, [] if done is None else done.effects)

    @staticmethod
    def show(cart: checkout.Cart[Line], effects: list[talon_one.Effect]) -> checkout.PayableCart:
        """Print a bill, and return it."""
        applied, bill = checkout.apply(cart, effects), checkout.payable(cart, effects, "EUR")
        for line, billed in zip(applied.lines, bill.lines, strict=True):
            why = {(each.discount.name or "").partition("#")[0] for each in line.discounts}
            print(f"  {len(billed.units)} {billed.sku}: {EURO.major(billed.payable)}", *why)
        for discount in applied.summary.session:
            print(f"  {discount.name} by {discount.coupon_code}: -{discount.amount:.2f}")
        for points in applied.summary.points.values():
            print(f"  {points.net:.0f} points")
        for rejection in checkout.rejections_of(effects):
            print(f"  {rejection.sentence()}")
        print(f"  to pay: {bill.amount}, saved: {EURO.major(bill.discount)}")
        return bill

    def take_back(self, number: str, lines: list[Line], bill: checkout.PayableCart) -> None:
        """Take one piece of the first line back, and refund what was paid for it."""
        wanted = mapper.cart(lines).returned({lines[0].id: 1})
        body = {"return": wanted, "responseContent": ["customerSession"]}
        # Called again with this key, it does not return another piece.
        returned = self.api.return_cart_items(number, body, idempotency_key=f"{number}-return-1")
        assert returned.customer_session  # noqa: S101  asked for
        items = zip(bill.lines, returned.customer_session.cart_items or [], strict=True)
        units = [unit for line, item in items for unit in line.units[: item.returned_quantity or 0]]
        print(f"  refund: {EURO.major(sum(unit.payable for unit in units))}")


def story(sandbox: Sandbox, shop: Shop) -> None:
    """Sell a coat and two shirts to Carla."""
    coat, shirts = Line(7, "COAT-7", "coats", 1, 12000), Line(8, "SHIRT-2", "shirts", 2, 3000)
    print("Carla fills her cart while Talon.One is down.")
    with sandbox.faults.disconnect(times=None):
        shop.quote("A1", [shirts])
    print("It is back. She adds a coat, and two codes.")
    shop.quote("A1", [shirts, coat], "WELCOME10", "WELCOME99")
    print("She orders, and clicks twice.")
    shop.order("A1", [shirts, coat], "WELCOME10")
    shop.order("A1", [shirts, coat], "WELCOME10")
    print("A third shirt, please: the order is reopened, and closed again.")
    undone = checkout.apply(mapper.cart([shirts, coat]), checkout.reopen(shop.api, "A1"))
    print(f"  taken back: discounts of {undone.summary.rolled_back.sums.total:.2f}")
    shirts.pieces = 3
    bill = shop.order("A1", [shirts, coat], "WELCOME10")
    print("One shirt does not fit.")
    shop.take_back("A1", [shirts, coat], bill)


if __name__ == "__main__":
    with Sandbox(seed="fashion") as running:
        settings = talon_one.Configuration.from_env(running.environment())
        settings.deadline, settings.hooks = 2.0, [CircuitBreaker()]
        with talon_one.ApiClient(settings) as api_client:
            story(running, Shop(api_client))
