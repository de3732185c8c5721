# mypy: ignore-errors
# because this is a script as users of the vendor's legacy package (2.x to 12.x) write them: it must
# run as it stands, whatever a type checker says about it.
"""A checkout in the legacy style: credentials by header name, one configuration for each."""

import os

import talon_one
from talon_one.rest import ApiException

# The Integration API
configuration = talon_one.Configuration()
configuration.host = os.environ["TALON_ONE_HOST"]
configuration.api_key_prefix["Authorization"] = "ApiKey-v1"
configuration.api_key["Authorization"] = os.environ["TALON_ONE_API_KEY"]
api = talon_one.IntegrationApi(talon_one.ApiClient(configuration))

# The Management API
management_configuration = talon_one.Configuration()
management_configuration.host = os.environ["TALON_ONE_HOST"]
management_configuration.api_key_prefix["Authorization"] = "ManagementKey-v1"
management_configuration.api_key["Authorization"] = os.environ["TALON_ONE_MANAGEMENT_KEY"]
management_api = talon_one.ManagementApi(talon_one.ApiClient(management_configuration))

# A profile, with the body of the packages of 2020
profile = api.update_customer_profile_v2("legacy-customer", talon_one.NewCustomerProfile({}))
print("profile", profile.customer_profile.integration_id)

# A session with cart items and a coupon
session = talon_one.NewCustomerSessionV2(
    profile_id="legacy-customer",
    coupon_codes=["TEN-OFF", "NO-SUCH-CODE"],
    cart_items=[
        talon_one.CartItem(name="Hat", sku="hat-1", quantity=1, price=60.0, category="hats"),
        talon_one.CartItem(name="Scarf", sku="scarf-1", quantity=2, price=20.0),
    ],
    local_vars_configuration=configuration,
)
body = talon_one.IntegrationRequest(session, ["customerSession", "coupons"])

try:
    state = api.update_customer_session_v2("legacy-order", body, _request_timeout=(3, 10))
except ApiException as e:
    print("failed:", e.status, e.reason, e.body)
    raise

for effect in state.effects:
    kind = effect.effect_type
    if kind == "setDiscount":
        props = api.api_client.deserialize_model(effect.props, talon_one.SetDiscountEffectProps)
        print("discount", props.name, props.value)
    elif kind == "acceptCoupon":
        props = api.api_client.deserialize_model(effect.props, "AcceptCouponEffectProps")
        print("accepted", props.value)
    elif kind == "rejectCoupon":
        props = api.api_client.deserialize_model(effect.props, talon_one.RejectCouponEffectProps)
        print("rejected", props.value, props.rejection_reason)

as_dict = state.to_dict()
print("total", as_dict["customer_session"]["total"], as_dict["loyalty"])

# The variants
data, status, headers = api.get_customer_session_with_http_info("legacy-order")
print("read", status, headers["Content-Type"].partition(";")[0], data.customer_session.state)
thread = api.update_customer_session_v2(
    "legacy-order",
    body=talon_one.IntegrationRequest(talon_one.NewCustomerSessionV2(state="closed")),
    async_req=True,
)
print("closed", sorted(effect.effect_type for effect in thread.get().effects))

# A body whose property has a name of its own in this generation
reservations = talon_one.CouponReservations(integration_i_ds=["legacy-customer"])
api.create_coupon_reservation("TEN-OFF", reservations)
reserved = api.get_reserved_customers("TEN-OFF")
print("reserved", type(reserved) is talon_one.InlineResponse200, len(reserved.data))

# The Management API
application = management_api.get_application(int(os.environ["TALON_ONE_APPLICATION_ID"]))
print("application", application.id, application.name)

try:
    api.get_customer_session("no-such-order")
except ApiException as e:
    print("missing", e.status, e.reason, "Customer session not found" in e.body)

api.api_client.close()
management_api.api_client.close()
