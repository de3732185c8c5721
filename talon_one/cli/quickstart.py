"""The quickstart: the checkout of a shop, in plain calls of the SDK.

`talon-one quickstart` and `examples/quickstart.py` run `checkout`. The checkout guide quotes it
passage by passage, and a test compares the two. So all statements are in one function, and the
quoted passages have calls alone: the `Screen` shows the responses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import talon_one
from talon_one import effects

if TYPE_CHECKING:
    from talon_one.cli.screen import Screen


def checkout(api: talon_one.IntegrationApi, coupon_code: str, screen: Screen) -> None:
    """Take a new customer from an empty cart to a paid order, and show the responses.

    Args:
        api: The API of an Application.
        coupon_code: Coupon that the customer enters.
        screen: Screen that shows the responses.

    Raises:
        ApiException: If a call fails.
    """
    profile_id = f"customer-{uuid4()}"
    session_id = f"order-{uuid4()}"

    screen.step("1. Create a profile for the customer")
    state = api.update_customer_profile_v2(
        profile_id,
        talon_one.CustomerProfileIntegrationRequestV2(response_content=["customerProfile"]),
        run_rule_engine=True,
    )
    profile = state.customer_profile
    screen.fact(f"Profile: {profile_id}")
    screen.fact(f"Orders so far: {profile.closed_sessions if profile else 'unknown'}")

    screen.step(f"2. Send the cart and the coupon code {coupon_code}")
    session = talon_one.NewCustomerSessionV2(
        profile_id=profile_id,
        coupon_codes=[coupon_code],
        cart_items=[
            talon_one.CartItem(name="Coffee beans, 1 kg", sku="beans-1kg", quantity=2, price=18.0),
            talon_one.CartItem(name="Paper filters", sku="filters", quantity=1, price=4.0),
        ],
    )
    response = api.update_customer_session_v2(
        session_id, talon_one.IntegrationRequest(customer_session=session)
    )
    screen.fact(f"Session: {session_id}")
    screen.effects(response.effects)

    screen.step("3. Apply the effects")
    discount = effects.discounts(response).total
    refusals = effects.codes(response).rejected_coupons
    screen.fact(f"Discount: {discount:.2f}")
    for refusal in refusals:
        screen.fact(f"Coupon {refusal.value} is refused: {refusal.rejection_reason}")

    screen.step("4. Close the session, which redeems the coupon")
    response = api.update_customer_session_v2(
        session_id,
        talon_one.IntegrationRequest(
            customer_session=talon_one.NewCustomerSessionV2(state="closed"),
            response_content=["customerSession", "coupons"],
        ),
    )
    closed = response.customer_session
    coupons = response.coupons or []
    screen.fact(f"State of the session: {closed.state if closed else 'unknown'}")
    for coupon in coupons:
        screen.fact(
            f"Redemptions of {coupon.value}: {coupon.usage_counter},"
            f" by this customer: {coupon.profile_redemption_count}"
        )
    if not coupons:
        screen.fact("No coupon was redeemed.")
