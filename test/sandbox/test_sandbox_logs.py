"""Analytics of campaigns, and the logs of calls and of messages."""

from __future__ import annotations

import base64
import json
from typing import Any

from sandbox.test_sandbox_webhooks import CART, Receiver, seed
from talon_one.sandbox import Sandbox
from talon_one.sandbox.world import Clock

ANALYTICS = "/v1/applications/3/campaigns/12/analytics"


def order(api: Any, name: str, state: str = "closed") -> None:
    reply = api.session(
        name,
        profileId="ann",
        couponCodes=["TEN-OFF"],
        cartItems=[{"sku": "A", "quantity": 1, "price": 100}],
        state=state,
    )
    assert reply.status in (200, 201), reply.json


def test_figures_of_a_campaign_are_those_of_its_sessions(client_of: Any) -> None:
    clock = Clock("2026-11-02T09:00:00Z")
    with Sandbox(clock=clock) as shop:
        api = client_of(shop)
        order(api, "one")
        clock.advance(days=1)
        order(api, "two")
        order(api, "open", state="open")
        order(api, "undone")
        api.session("undone", state="cancelled")
        when = "rangeStart=2026-11-01T00:00:00Z&rangeEnd=2026-11-05T00:00:00Z"
        reply = api.send("GET", f"{ANALYTICS}?{when}").json
        days = reply["data"]
        assert reply["totalResultSize"] == len(days) == 4
        assert [each["date"][:10] for each in days] == [f"2026-11-0{day}" for day in range(1, 5)]
        assert [each["couponRedemptions"] for each in days] == [0, 1, 1, 0]
        assert [each["totalCouponRedemptions"] for each in days] == [0, 1, 2, 2]
        revenue = [each["campaignRevenue"] for each in days]
        costs = [each["campaignDiscountCosts"] for each in days]
        assert revenue[1] == revenue[2] > 0
        assert costs == [0, 10, 10, 0]
        assert days[-1]["totalCampaignRevenue"] == sum(revenue)
        # What lies before the range counts for the totals.
        late = "rangeStart=2026-11-03T00:00:00Z&rangeEnd=2026-12-05T00:00:00Z"
        for granularity, count in {
            "1 hour": 32 * 24, "1 day": 32, "1 week": 5, "1 month": 2, "1 year": 1
        }.items():  # fmt: skip
            query = f"{late}&granularity={granularity.replace(' ', '%20')}"
            found = api.send("GET", f"{ANALYTICS}?{query}").json["data"]
            assert len(found) == count, granularity
            assert sum(each["couponRedemptions"] for each in found) == 1
            assert found[-1]["totalCouponRedemptions"] == 2
        wrong = "rangeStart=2026-11-03T00:00:00Z&rangeEnd=2026-11-01T00:00:00Z"
        assert api.send("GET", f"{ANALYTICS}?{wrong}").status == 400
        ages = "rangeStart=1000-01-01T00:00:00Z&rangeEnd=9999-01-01T00:00:00Z"
        assert api.send("GET", f"{ANALYTICS}?{ages}").status == 400
        assert (
            api.send("GET", f"{ANALYTICS.replace('campaigns/12', 'campaigns/9')}?{when}").status
            == 404
        )


def test_access_logs_have_the_calls_of_the_integration_api(client_of: Any) -> None:
    clock = Clock("2026-11-02T09:00:00Z")
    with Sandbox(clock=clock) as shop:
        api = client_of(shop)
        order(api, "one")
        api.session("two", state="what")
        logs = "/v1/applications/3/access_logs"
        when = "rangeStart=2026-11-01T00:00:00Z&rangeEnd=2026-11-05T00:00:00Z"
        first, second = api.send("GET", f"{logs}/no_total?{when}").json["data"]
        assert (first["method"], first["status"]) == ("PUT", 200)
        assert first["requestUri"] == "/v2/customer_sessions/one"
        assert json.loads(first["requestPayload"])["customerSession"]["profileId"] == "ann"
        assert first["time"].startswith("2026-11-02T09:00:00")
        assert second["status"] == 400
        again = api.send("GET", f"{logs}?{when}").json
        assert (again["totalResultSize"], again["data"]) == (2, [first, second])
        for more, count in {
            "status=error": 1,
            "status=success": 1,
            "method=get": 0,
            "path=sessions/t": 1,
            "pageSize=1": 1,
        }.items():
            found = api.send("GET", f"{logs}/no_total?{when}&{more}").json
            assert len(found["data"]) == count, more
        assert api.send("GET", f"{logs}/no_total?{when}&path=(").status == 400


def test_message_logs_have_the_webhooks_with_their_responses(client_of: Any) -> None:
    receiver = Receiver(400)
    clock = Clock("2026-11-02T09:00:00Z")
    with receiver.running() as url, Sandbox(seed=seed(url), clock=clock) as shop:
        api = client_of(shop)
        for number in range(3):
            api.session(f"order-{number}", cartItems=CART, state="closed")
        for _ in range(3):
            receiver.received.get(timeout=10)
        logs = "/v1/message_logs?entityType=webhook"
        found = api.send("GET", logs).json["data"]
        while not all(each.get("response") for each in found):
            found = api.send("GET", logs).json["data"]
        assert [json.loads(base64.b64decode(each["request"]["request"])) for each in found] == [
            {"order": f"order-{number}", "total": 25} for number in range(3)
        ]
        assert sorted(each["response"]["status"] for each in found) == [200, 200, 400]
        assert found[0]["webhookName"] == "Warehouse"
        assert found[0]["url"] == f"{url}/orders"
        for more, count in {
            "isSuccessful=true": 2,
            "isSuccessful=false": 1,
            "responseCode=400": 1,
            "webhookIDs=3,4": 3,
            "webhookIDs=4": 0,
            "period=15m": 3,
            "changeType=CouponCreated": 0,
            "applicationId=3": 3,
            "applicationId=4": 0,
            "createdAfter=2026-11-02T09:00:00Z": 0,
            f"messageID={found[1]['id']}": 1,
        }.items():
            assert len(api.send("GET", f"{logs}&{more}").json["data"]) == count, more
        assert api.send("GET", "/v1/message_logs?entityType=application").json == {"data": []}
        assert api.send("GET", f"{logs}&cursor=eA==").status == 400
        legacy = api.send("GET", "/v1/webhook_logs").json
        assert legacy["totalResultSize"] == 3
        assert [each["id"] for each in legacy["data"]] == [each["id"] for each in found]
        assert len(api.send("GET", "/v1/webhook_logs?status=error").json["data"]) == 1


def test_message_logs_are_read_page_by_page(client_of: Any) -> None:
    # Nothing listens at the discard port.
    with Sandbox(seed=seed("http://127.0.0.1:9")) as shop:
        api = client_of(shop)
        for number in range(60):
            api.session(f"order-{number}", cartItems=CART, state="closed")
        logs = "/v1/message_logs?entityType=webhook"
        first = api.send("GET", logs).json
        second = api.send("GET", f"{logs}&cursor={first['nextCursor']}").json
        assert (len(first["data"]), len(second["data"])) == (50, 10)
        assert "nextCursor" not in second
        assert len({each["id"] for each in [*first["data"], *second["data"]]}) == 60
