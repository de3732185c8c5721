"""Random orders: no server error, no limit exceeded, nothing left once all is undone."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any, Final

import pytest

from sandbox.conftest import Client, Reply
from sandbox.scenarios.shops import (
    COUPON,
    REFERRAL,
    campaign,
    check,
    effects,
    item,
    off,
    points,
    rule,
    spend,
)
from talon_one.sandbox.state.state import State

REQUESTS: Final = 160
SESSIONS: Final = 16
RIDES: Final = {"id": 6, "name": "rides", "title": "Rides", "target": 3}
RIDE: Final = {
    "type": "updateAchievementProgress",
    "operator": "increaseBy",
    "value": "1",
    "achievement": RIDES,
}
GIVEAWAY: Final = {
    "type": "awardGiveaway",
    "profile": "Current",
    "giveawayPool": {"id": 2, "name": "Cinema"},
}
CAMPAIGNS: Final = (
    campaign(
        rule(COUPON, off("{{$Session.Total * 0.1}}"), points(7)),
        rule(RIDE),
        rule(spend(5), off(1, "Paid")),
        coupons=[
            {"value": "CODE", "usageLimit": 5},
            {"value": "GIFT", "usageLimit": 0, "discountLimit": 60},
        ],
        achievements=[
            {**RIDES, "allowRollbackAfterCompletion": True, "recurrencePolicy": "on_completion"}
        ],
        limits=[{"action": "setDiscount", "limit": 80, "entities": ["Profile"]}],
        reevaluateOnReturn=True,
    ),
    campaign(
        rule(
            off("{{$Item.Price * 0.2}}", "Item", "allItems", partial=True),
            points(1, target={"type": "allItems"}),
        ),
        rule(GIVEAWAY),
        id=13,
        limits=[
            {"action": "setDiscount", "limit": 100, "entities": []},
            {"action": "createLoyaltyPoints", "limit": 60, "entities": []},
        ],
        reevaluateOnReturn=True,
    ),
    campaign(
        rule(REFERRAL, points(9, recipient="Advocate"), off(2, "Friend")),
        rule(check("$Session.CartItemTotal", "greaterThan", 40), off(10, "Forty")),
        id=14,
        referrals=[{"code": "FRIEND", "advocateProfileIntegrationId": "bob", "usageLimit": 3}],
        reevaluateOnReturn=True,
    ),
)
LIMITS: Final = {
    "coupon:1": 5,
    "coupon:2:discount": 60,
    "referral:1": 3,
    "campaign:13:setDiscount::": 100,
    "campaign:13:createLoyaltyPoints::": 60,
}


class Customers:
    """Customers who do anything, chosen by a random number generator."""

    def __init__(self, api: Client, chance: random.Random) -> None:
        self.api = api
        self.chance = chance

    def do(self) -> Reply | None:
        """Send a random request."""
        chance, api = self.chance, self.api
        number = chance.randrange(SESSIONS)
        session_id = f"s{number}"
        target = f"/v2/customer_sessions/{session_id}"
        dry = chance.choice(["false", "false", "true"])
        match chance.choice(["put", "put", "close", "close", "cancel", "reopen", "return", "wait"]):
            case "put":
                content = self._content(number)
                return api.session(session_id, query=f"?dry={dry}", **content)
            case "close":
                content = self._content(number)
                query = f"?dry={dry}"
                return api.session(session_id, "loyalty", query=query, state="closed", **content)
            case "cancel":
                return api.session(session_id, query=f"?dry={dry}", state="cancelled")
            case "reopen":
                return api.send("PUT", f"{target}/reopen")
            case "return":
                again = chance.choice(["true", "false"])
                line = {"position": chance.randrange(3), "quantity": chance.randint(1, 2)}
                body = {"return": {"returnedCartItems": [line]}}
                query = f"?runRuleEngine={again}&dry={dry}"
                return api.send("POST", f"{target}/returns{query}", body)
            case _:
                api.sandbox.clock.advance(days=chance.randint(1, 5))
                return None

    def _content(self, number: int) -> dict[str, Any]:
        chance = self.chance
        content: dict[str, Any] = {"profileId": f"p{number % 4}" if number % 5 else ""}
        if chance.random() < 0.8:
            prices = [1, 9.99, 20, 0.01, 33.33]
            content["cartItems"] = [
                item(chance.choice(prices), chance.randint(1, 4), chance.choice("ABC"))
                for _ in range(chance.randint(0, 3))
            ]
        if chance.random() < 0.5:
            content["couponCodes"] = chance.sample(["CODE", "GIFT", "NOPE"], 2)
        if chance.random() < 0.4:
            content["referralCode"] = chance.choice(["FRIEND", "", "X"])
        return content


def counters_of(api: Client) -> dict[str, Decimal]:
    """Return the counters that are not 0, once they equal the sums of the journal."""
    found: dict[str, Decimal] = {}

    def read(state: State) -> None:
        sums = {key: value for key, value in state.journal.sums().items() if value}
        found.update({key: value for key, value in state.journal.counters().items() if value})
        assert found == sums

    api.sandbox._change(read)
    return found


@pytest.mark.parametrize("flattened", [True, False])
@pytest.mark.parametrize("policy", ["only_pending", "within_balance", "unlimited"])
def test_random_customers_break_no_law_and_leave_nothing_once_all_is_cancelled(
    open_shop: Any, policy: str, flattened: bool
) -> None:
    program = {"id": 1, "name": "stars", "title": "Stars", "returnPolicy": policy}
    pool = {"id": 2, "name": "Cinema", "codes": [f"C{number}" for number in range(9)]}
    api = open_shop(
        *CAMPAIGNS,
        account={"loyaltyPrograms": [program], "giveawayPools": [pool]},
        enableFlattenedCartItems=flattened,
        enablePartialDiscounts=flattened,
    )
    customers = Customers(api, random.Random(f"{policy} {flattened}"))
    served = 0
    for _ in range(REQUESTS):
        reply = customers.do()
        if reply is None:
            continue
        assert reply.status in (200, 400, 404), reply.json
        if reply.status == 200:
            served += 1
            effects(reply)
        counted = counters_of(api)
        assert all(value > 0 for value in counted.values()), counted
        over = {key: counted[key] for key, limit in LIMITS.items() if counted.get(key, 0) > limit}
        assert over == {}
    assert served > REQUESTS / 4
    for number in range(SESSIONS):
        api.session(f"s{number}", state="cancelled")
    assert counters_of(api) == {}
