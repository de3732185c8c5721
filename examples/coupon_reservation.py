"""A coupon reservation: a code that is reserved for one customer and refused to another.

Run it with `python examples/coupon_reservation.py`. It talks to the deployment that TALON_ONE_HOST
and the other variables name, or else to a sandbox that it starts itself. The Management API creates
the coupon in the first running campaign with coupons, the Integration API does the rest.
"""

from uuid import uuid4

import talon_one
from talon_one.cli.deployment import deployment


def new_coupon(management: talon_one.ManagementApi, application_id: int) -> str:
    """Create a coupon that a customer has to reserve before redeeming it, and return its code."""
    running = management.get_campaigns(application_id, campaign_state="running")
    campaign_ids = [campaign.id for campaign in running.data if "coupons" in campaign.features]
    if not campaign_ids:
        raise SystemExit("no running campaign of the Application has coupons")
    made = management.create_coupons(
        application_id,
        campaign_ids[0],
        talon_one.NewCoupons(number_of_coupons=1, usage_limit=1, is_reservation_mandatory=True),
        # Without this the response is empty.
        silent="no",
    )
    code = made.data[0].value if made else None
    if code is None:
        raise SystemExit("the response has no coupon")
    return code


def outcome(api: talon_one.IntegrationApi, code: str, profile_id: str) -> str:
    """Say what becomes of the coupon in the cart of a customer."""
    cart = talon_one.NewCustomerSessionV2(
        profile_id=profile_id,
        coupon_codes=[code],
        cart_items=[talon_one.CartItem(name="Kettle", sku="kettle", quantity=1, price=44.0)],
    )
    # A dry request is evaluated like any other, but leaves nothing behind.
    response = api.update_customer_session_v2(
        f"order-{uuid4()}", talon_one.IntegrationRequest(customer_session=cart), dry=True
    )
    for effect in response.effects:
        if effect.effect_type == "acceptCoupon":
            return "accepted"
        if effect.effect_type == "rejectCoupon":
            refused = talon_one.RejectCouponEffectProps.from_dict(effect.props)
            return f"refused, {refused.rejection_reason}"
    return "ignored"


def reserve(api: talon_one.IntegrationApi, code: str) -> None:
    """Reserve a coupon for one of two customers, and take the reservation back."""
    holder, stranger = f"holder-{uuid4()}", f"stranger-{uuid4()}"
    reservation = talon_one.CouponReservations(integration_ids=[holder])

    api.create_coupon_reservation(code, reservation)
    print(f"holder: {outcome(api, code, holder)}")
    print(f"stranger: {outcome(api, code, stranger)}")

    reserved = api.get_reserved_customers(code)
    print(f"reserved by the holder alone: {[p.integration_id for p in reserved.data] == [holder]}")
    for coupon in api.get_customer_inventory(holder, coupons=True).coupons or []:
        print(f"in the wallet of the holder: {coupon.state}")

    api.delete_coupon_reservation(code, reservation)
    print(f"holder, after giving it back: {outcome(api, code, holder)}")


if __name__ == "__main__":
    with deployment() as configuration, talon_one.ApiClient(configuration) as client:
        if configuration.application_id is None:
            raise SystemExit("set TALON_ONE_APPLICATION_ID to the Application of the API key")
        coupon_code = new_coupon(talon_one.ManagementApi(client), int(configuration.application_id))
        reserve(talon_one.IntegrationApi(client), coupon_code)
