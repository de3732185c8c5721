"""A shop that gets notifications from Talon.One, with Flask.

    pip install flask
    WEBHOOK_SECRET=... flask --app examples/flask_webhooks/app run

In Talon.One, give the notification the address `https://<your host>/talon-one` and the header
`X-Webhook-Secret: <the secret>`. While a new secret replaces the old one, WEBHOOK_SECRET has both,
with a blank between them.
"""

import os

from flask import Flask, request
from flask.typing import ResponseReturnValue

import talon_one
from talon_one.webhooks import Delivery, Receiver


def create_app() -> Flask:
    """Make the application."""
    app = Flask(__name__)
    receive = Receiver(
        secret_header="X-Webhook-Secret",  # noqa: S106  a name, which is no secret
        secret=os.environ["WEBHOOK_SECRET"].split(),
    )

    @receive.on(talon_one.CreateCouponData)
    def coupons_created(notification: talon_one.CreateCouponData, delivery: Delivery) -> None:
        for coupon in notification.data or []:
            print(f"{coupon.recipient_integration_id} gets the coupon {coupon.value}")

    @receive.on(talon_one.CampaignStateChangedNotification)
    def campaigns_changed(
        notification: talon_one.CampaignStateChangedNotification, delivery: Delivery
    ) -> None:
        for item in notification.data or []:
            name = item.campaign.name if item.campaign else "unknown"
            print(f"{name}: {item.old_state} -> {item.new_state}")

    @app.post("/talon-one")
    def talon_one_webhook() -> ResponseReturnValue:
        reply = receive(request.headers, request.get_data())
        return reply.body, reply.status, {"Content-Type": "text/plain"}

    return app
