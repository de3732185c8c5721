"""A shop that gets notifications from Talon.One, with FastAPI.

    pip install fastapi uvicorn
    WEBHOOK_SECRET=... uvicorn --factory --app-dir examples/fastapi_webhooks app:create_app

In Talon.One, give the notification the address `https://<your host>/talon-one` and the header
`X-Webhook-Secret: <the secret>`. While a new secret replaces the old one, WEBHOOK_SECRET has both,
with a blank between them.
"""

import asyncio
import os

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse

import talon_one
from talon_one.webhooks import AsyncReceiver, Delivery


def create_app() -> FastAPI:
    """Make the application."""
    app = FastAPI()
    receive = AsyncReceiver(
        secret_header="X-Webhook-Secret",  # noqa: S106  a name, which is no secret
        secret=os.environ["WEBHOOK_SECRET"].split(),
    )

    @receive.on(talon_one.TierUpgradeNotification)
    async def upgraded(notification: talon_one.TierUpgradeNotification, delivery: Delivery) -> None:
        for each in notification.data or []:
            await asyncio.sleep(0)  # Here you would await your database, or your mail service.
            print(f"{each.customer_profile_id} has reached {each.current_tier}")

    # A plain function runs in a thread, so it may block. Both of these types have the same class.
    @receive.on("LoyaltyPointsAdded")
    @receive.on("LoyaltyPointsDeducted")
    def points_changed(
        notification: talon_one.AddedDeductedPointsNotification, delivery: Delivery
    ) -> None:
        sign = "+" if notification.operation == "addition" else "-"
        print(f"{notification.profile_integration_id}: {sign}{notification.amount or 0:g} points")

    @app.post("/talon-one")
    async def talon_one_webhook(request: Request) -> PlainTextResponse:
        reply = await receive(request.headers, await request.body())
        return PlainTextResponse(reply.body, reply.status)

    return app
