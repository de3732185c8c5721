"""Program that is timed as a whole: import, client, and a first call with its models.

It runs in a new interpreter, takes the URL of the server, and prints the seconds that it took. With
``without-orjson`` behind the URL, orjson cannot be imported.
"""

import sys
from time import perf_counter

if "without-orjson" in sys.argv:
    sys.modules["orjson"] = None  # type: ignore[assignment]  # documented for this purpose

start = perf_counter()

from talon_one import (  # noqa: E402
    CartItem,
    IntegrationApi,
    IntegrationRequest,
    NewCustomerSessionV2,
)

api = IntegrationApi(host=sys.argv[1], api_key="0123456789abcdef")
session = NewCustomerSessionV2(
    profile_id="customer-4711",
    coupon_codes=["SPRING-2026"],
    cart_items=[CartItem(sku="SKU-1000", quantity=1, price=59.9)],
)
response = api.update_customer_session_v2("session-1", IntegrationRequest(customer_session=session))
if response.customer_session is None or response.effects[0].effect_type != "acceptCoupon":
    raise SystemExit("unexpected response")

print(perf_counter() - start)
