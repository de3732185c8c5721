"""The built-in data: one Application, one campaign of three rules, one coupon, two audiences.

Ids and names follow the worked examples of the documentation, so that an example session has
the effects that are printed next to it.
"""

from __future__ import annotations

from typing import Final

from talon_one.sandbox.records import Application, Audience, Campaign, Coupon, Rule

ACCOUNT_ID: Final = 1
USER_ID: Final = 1
CREATED: Final = "2024-01-01T00:00:00.000000Z"

COUPON_CODE: Final = "TEN-OFF"
COUPON_PERCENT: Final = 10
REFERRAL_DISCOUNT: Final = 5
FREE_SHIPPING_FROM: Final = 50
SHIPPING: Final = "shipping"
SHIPPING_ID: Final = 7

APPLICATION: Final = Application(
    id=3,
    name="Sandbox shop",
    secret="fefecafedeadbeef",  # noqa: S106  the default of a local server guards nothing
    created=CREATED,
)

CAMPAIGN: Final = Campaign(
    id=12,
    application_id=APPLICATION.id,
    ruleset_id=40,
    name="Welcome to the sandbox",
    description="10 % off with a coupon, 5 off for referred friends, free shipping from 50.",
    state="enabled",
    created=CREATED,
    features=("coupons", "referrals"),
    tags=("sandbox",),
    rules=(
        Rule(
            name="Ten percent",
            conditions=({"type": "couponIsValid"},),
            effects=({"type": "percentOffSession", "name": "10% off", "percent": COUPON_PERCENT},),
        ),
        Rule(
            name="Friend discount",
            conditions=({"type": "referralIsValid"},),
            effects=(
                {
                    "type": "amountOffSession",
                    "name": "Friend discount",
                    "amount": REFERRAL_DISCOUNT,
                },
            ),
        ),
        Rule(
            name="Free shipping",
            conditions=(
                {"type": "cartItemTotalAtLeast", "amount": FREE_SHIPPING_FROM},
                {"type": "hasAdditionalCost", "additionalCost": SHIPPING},
            ),
            effects=(
                {
                    "type": "freeAdditionalCost",
                    "name": "Free shipping",
                    "additionalCost": SHIPPING,
                    "additionalCostId": SHIPPING_ID,
                },
            ),
        ),
    ),
)

COUPON: Final = Coupon(
    id=55,
    campaign_id=CAMPAIGN.id,
    value=COUPON_CODE,
    created=CREATED,
    usage_limit=0,
    usage_counter=0,
    reservation_limit=0,
    reservation_counter=0,
    start_date=None,
    expiry_date=None,
    recipient=None,
    batch_id="sandbox",
    reservation_mandatory=False,
    implicitly_reserved=False,
    attributes={},
)

AUDIENCES: Final = (Audience(id=1, name="Newsletter"), Audience(id=2, name="VIP"))
