"""A checkout: cart, discounts, payment, and the cancellation that takes it all back.

Run it with `python examples/checkout.py [COUPON]`. It talks to the deployment that TALON_ONE_HOST
and TALON_ONE_API_KEY name, or else to a sandbox that it starts itself.
"""

import sys
from collections.abc import Iterable
from uuid import uuid4

import talon_one
from talon_one.cli.deployment import deployment


def discounts(effects: Iterable[talon_one.Effect]) -> dict[str, float]:
    """Return the amounts to subtract, by name.

    Every response has all discounts that are valid now. They replace those of earlier responses.
    """
    found = {}
    for effect in effects:
        match effect.props:
            case talon_one.SetDiscountEffectProps(name=name, value=value):
                found[name] = value
            case talon_one.SetDiscountPerAdditionalCostEffectProps(name=name, value=value):
                found[name] = value
            case talon_one.RejectCouponEffectProps(value=code, rejection_reason=reason):
                print(f"coupon {code} refused: {reason}")
    return found


def check_out(api: talon_one.IntegrationApi, coupon_code: str) -> None:
    """Open, close and cancel the session of one order."""
    session_id = f"order-{uuid4()}"

    def update(session: talon_one.NewCustomerSessionV2) -> talon_one.IntegrationStateV2:
        request = talon_one.IntegrationRequest(
            customer_session=session, response_content=["customerSession"]
        )
        # The key makes it safe to send the same request again if no response came back.
        return api.update_customer_session_v2(session_id, request, idempotency_key=str(uuid4()))

    cart = talon_one.NewCustomerSessionV2(
        profile_id=f"customer-{uuid4()}",
        state="open",
        coupon_codes=[coupon_code],
        cart_items=[
            talon_one.CartItem(name="Kettle", sku="kettle", quantity=1, price=44.0),
            talon_one.CartItem(name="Teapot", sku="teapot", quantity=2, price=13.0),
        ],
        additional_costs={"shipping": talon_one.AdditionalCost(price=4.9)},
    )
    opened = update(cart)
    total = opened.customer_session.total if opened.customer_session else 0.0
    print(f"cart and shipping: {total:.2f}")
    granted = discounts(opened.effects)
    for name, amount in granted.items():
        print(f"{name}: -{amount:.2f}")
        total -= amount
    print(f"to pay: {total:.2f}")

    # Codes are redeemed on closing, and only then: what was accepted may meanwhile be used up.
    closed = update(talon_one.NewCustomerSessionV2(state="closed"))
    unchanged = discounts(closed.effects) == granted
    print(f"closed: the discounts {'hold' if unchanged else 'have changed'}")

    cancelled = update(talon_one.NewCustomerSessionV2(state="cancelled"))
    for effect in cancelled.effects:
        print(f"cancelled: {effect.effect_type} {dict(effect.props)}")


if __name__ == "__main__":
    with deployment() as configuration, talon_one.ApiClient(configuration) as client:
        code = sys.argv[1] if len(sys.argv) > 1 else "TEN-OFF"
        check_out(talon_one.IntegrationApi(client), code)
