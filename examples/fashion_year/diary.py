"""A year of the fashion shop, as a diary: one line per event, with the points of the customer.

Run it with `python examples/fashion_year/diary.py`. It starts a sandbox of its own, because no
other Talon.One lets you move its clock.
"""

from typing import Any

import talon_one
from talon_one import CartItem, Configuration, effects
from talon_one.sandbox import Sandbox

PRODUCTS = {
    "SCARF-1": ("scarves", 40.0),
    "COAT-7": ("coats", 120.0),
    "SHIRT-2": ("shirts", 30.0),
    "BOOTS-1": ("shoes", 240.0),
    "LOAFERS-2": ("shoes", 160.0),
    "SANDALS-3": ("shoes", 110.0),
}
SHIPPING = 4.9


class Shop:
    """What the shop does, and notes in its diary."""

    def __init__(self, sandbox: Sandbox, client: talon_one.ApiClient) -> None:
        self.clock = sandbox.clock
        self.api = talon_one.IntegrationApi(client)
        self.program_id = talon_one.ManagementApi(client).get_loyalty_programs().data[0].id

    def sign_up(self, customer: str) -> None:
        """Create the profile of a customer, who gets points for it with the first order."""
        self.api.update_customer_profile_v2(customer, {"attributes": {"Newsletter": True}})
        self.note(customer, "signs up")

    def order(self, number: str, customer: str, *skus: str, **more: Any) -> str:
        """Sell and note it; return the code of a coupon that the customer got, or an empty text.

        *more* are further properties of the session.
        """
        cart = [
            CartItem(sku=s, category=PRODUCTS[s][0], price=PRODUCTS[s][1], quantity=1) for s in skus
        ]
        session = talon_one.NewCustomerSessionV2(
            profile_id=customer,
            state="closed",
            cart_items=cart,
            additional_costs={"shipping": talon_one.AdditionalCost(price=SHIPPING)},
            **more,
        )
        response = self.api.update_customer_session_v2(number, {"customerSession": session})
        total = sum(PRODUCTS[sku][1] for sku in skus) + SHIPPING
        to_pay = total - float(effects.discounts(response).total)
        self.note(customer, f"{number}: {' + '.join(skus)} = {total:.2f}, pays {to_pay:.2f}")
        return self.explain(customer, response)

    def explain(self, customer: str, response: talon_one.IntegrationStateV2) -> str:
        """Note why a price is what it is, and what the customer gets besides."""
        gift = ""
        for effect in response.effects:
            match effect.props:
                case (
                    talon_one.SetDiscountEffectProps(name=name, value=value)
                    | talon_one.SetDiscountPerItemEffectProps(name=name, value=value)
                    | talon_one.SetDiscountPerAdditionalCostEffectProps(name=name, value=value)
                ):
                    # Behind the # is the position of the item.
                    print(f"{'':12}{name.partition('#')[0]} -{value:.2f}")
                case talon_one.RejectCouponEffectProps(value=code, rejection_reason=reason):
                    print(f"{'':12}{code} refused: {reason}")
                case talon_one.AwardGiveawayEffectProps(pool_name=pool, code=code):
                    print(f"{'':12}{pool}: {code}")
                case talon_one.CouponCreatedEffectProps(value=code):
                    self.note(customer, "completes five orders, gets a coupon")
                    gift = code
        return gift

    def give_back(self, number: str, customer: str, sku: str) -> None:
        """Take one item of an order back."""
        items = [talon_one.ReturnedCartItem(sku=sku, quantity=1)]
        response = self.api.return_cart_items(number, {"return": {"returnedCartItems": items}})
        refund = PRODUCTS[sku][1] - float(effects.rolled_back(response).total)
        self.note(customer, f"{number}: {sku} returned, refund {refund:.2f}")

    def cancel(self, number: str, customer: str) -> None:
        """Cancel an order, which takes back everything that it caused."""
        self.api.update_customer_session_v2(number, {"customerSession": {"state": "cancelled"}})
        self.note(customer, f"{number}: cancelled")

    def wait(self, days: int, *customers: str) -> None:
        """Let days pass, and note how customers stand then."""
        self.clock.advance(days=days)
        for customer in customers:
            self.note(customer, f"{days} days later")

    def note(self, customer: str, event: str) -> None:
        """Print one line of the diary."""
        found = self.api.get_loyalty_balances(self.program_id, customer, include_tiers=True)
        standing = "no points"
        if (balance := found.balance) and balance.current_tier:
            points = f"{balance.active_points:.0f} points, {balance.pending_points:.0f} pending"
            standing = f"{points}, {balance.current_tier.name}"
        print(f"{self.clock.now():%Y-%m-%d}  {customer.removeprefix('cust-')} {event} | {standing}")


def a_year(shop: Shop) -> None:
    """Tell the year."""
    # A code for one: the second customer comes too late.
    shop.sign_up("cust-carla")
    shop.order("C1", "cust-carla", "COAT-7", coupon_codes=["OPENING10"])
    shop.sign_up("cust-dora")
    shop.order("D1", "cust-dora", "SHIRT-2", coupon_codes=["OPENING10"])

    # A friend orders: Anna gets points for it. They become active after two weeks.
    shop.order("B1", "cust-ben", "COAT-7", referral_code="ANNASFRIENDS")
    shop.wait(15, "cust-anna", "cust-ben", "cust-carla")

    # An order that is large enough for a cinema voucher, and for the highest tier.
    shop.order("A1", "cust-anna", "BOOTS-1", "LOAFERS-2", "SANDALS-3")
    shop.wait(14, "cust-anna")
    shop.order("A2", "cust-anna", "SCARF-1")

    # A gift card pays for one order and part of another. Five orders in a month earn a coupon.
    shop.order("C2", "cust-carla", "SHIRT-2", coupon_codes=["GIFT-50"])
    shop.order("C3", "cust-carla", "SHIRT-2", coupon_codes=["GIFT-50"])
    shop.order("C4", "cust-carla", "SCARF-1")
    thanks = shop.order("C5", "cust-carla", "SHIRT-2")
    shop.order("C6", "cust-carla", "SHIRT-2", coupon_codes=[thanks])

    # After more than thirty days the pair at half price comes back. What is refunded is its price
    # less the discount. The points stay: the rule gives them for the order, not for each item.
    shop.wait(20)
    shop.give_back("A1", "cust-anna", "SANDALS-3")
    shop.order("D2", "cust-dora", "LOAFERS-2")
    shop.cancel("D2", "cust-dora")

    # Spending points costs Anna her tier. A year after they were earned, points expire.
    shop.wait(150)
    shop.order("A3", "cust-anna", "COAT-7", attributes={"PointsToSpend": 500})
    shop.wait(200, "cust-anna", "cust-ben", "cust-carla", "cust-dora")


if __name__ == "__main__":
    with Sandbox(seed="fashion", clock="2026-01-05T09:00:00Z") as sandbox:
        sandbox.add_coupon("OPENING10", usage_limit=1)
        with talon_one.ApiClient(Configuration.from_env(sandbox.environment())) as client:
            a_year(Shop(sandbox, client))
