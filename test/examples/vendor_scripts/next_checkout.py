# mypy: ignore-errors
# because this is a script as users of the vendor's next package (26.x) write them: it must run as
# it stands, whatever a type checker says about it.
"""A checkout in the next style: credentials by scheme name, bodies by the name of their schema."""

import os
from pprint import pprint

import talon_one
from talon_one.models.integration_request import IntegrationRequest
from talon_one.models.integration_state_v2 import IntegrationStateV2
from talon_one.rest import ApiException

configuration = talon_one.Configuration(host=os.environ["TALON_ONE_HOST"])
configuration.api_key["api_key_v1"] = os.environ["TALON_ONE_API_KEY"]
configuration.api_key_prefix["api_key_v1"] = "ApiKey-v1"
configuration.api_key["management_key"] = os.environ["TALON_ONE_MANAGEMENT_KEY"]
configuration.api_key_prefix["management_key"] = "ManagementKey-v1"

with talon_one.ApiClient(configuration) as api_client:
    api_instance = talon_one.IntegrationApi(api_client)

    integration_request = IntegrationRequest.from_dict(
        {
            "customerSession": {
                "profileId": "next-customer",
                "state": "open",
                "couponCodes": ["TEN-OFF"],
                "cartItems": [
                    {"name": "Hat", "sku": "hat-1", "quantity": 1, "price": 60.0},
                    {"name": "Scarf", "sku": "scarf-1", "quantity": 2, "price": 20.0},
                ],
            },
            "responseContent": ["customerSession"],
        }
    )
    print("items", len(integration_request.customer_session.cart_items))
    print("request", integration_request.to_json())

    try:
        api_response = api_instance.update_customer_session_v2(
            customer_session_id="next-order", integration_request=integration_request, dry=False
        )
        pprint(api_response)
    except ApiException as e:
        print("failed:", e)
        raise

    for effect in api_response.effects:
        if effect.effect_type == "setDiscount":
            props = talon_one.SetDiscountEffectProps.from_dict(effect.props)
            print("discount", props.name, props.value)

    closing = IntegrationRequest(customer_session=talon_one.NewCustomerSessionV2(state="closed"))
    answer = api_instance.update_customer_session_v2_with_http_info(
        "next-order", integration_request=closing, _request_timeout=10, _headers={"X-Trace": "1"}
    )
    print("closed", answer.status_code, answer.headers["content-type"].partition(";")[0])
    print("kinds", sorted(effect.effect_type for effect in answer.data.effects))
    print("same", IntegrationStateV2.from_json(answer.raw_data) == answer.data)

    raw = api_instance.get_customer_session_without_preload_content("next-order")
    print("raw", raw.status, b'"state":"closed"' in raw.read())

    reservations = talon_one.CouponReservations(integration_ids=["next-customer"])
    api_instance.create_coupon_reservation("TEN-OFF", coupon_reservations=reservations)

    application = talon_one.ManagementApi(api_client).get_application(
        application_id=int(os.environ["TALON_ONE_APPLICATION_ID"])
    )
    print("application", application.to_dict(by_alias=True, exclude_none=True)["accountId"])

    try:
        api_instance.get_customer_session(customer_session_id="no-such-order")
    except ApiException as e:
        print("missing", e.status, type(e).__name__, e.data.message)
