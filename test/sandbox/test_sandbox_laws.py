"""Laws that hold whatever a shop does: counters, budgets, ledgers, and dry runs."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from support.examples import examples
from talon_one.sandbox.accounts import Account, Accounts
from talon_one.sandbox.database import Credentials, Database
from talon_one.sandbox.dispatch import Dispatcher, Request
from talon_one.sandbox.state.opening import IN_MEMORY
from talon_one.sandbox.values import amount
from talon_one.sandbox.world import Clock, World

LIMIT = 3
BUDGET = 40
PROGRAM = 7


def _rule(title: str, *blocks: dict[str, Any]) -> dict[str, Any]:
    numbered = [{"id": f"{title} {number}", **block} for number, block in enumerate(blocks)]
    return {"id": title, "title": title, "blocks": numbered}


SEED: dict[str, Any] = {
    "loyaltyPrograms": [
        {"id": PROGRAM, "name": "stars", "title": "Stars", "returnPolicy": "within_balance"}
    ],
    "applications": [
        {
            "id": 1,
            "name": "Shop",
            "undefinedNames": "accept",
            "campaigns": [
                {
                    "id": 1,
                    "name": "Everything",
                    "limits": [
                        {"action": "redeemCoupon", "limit": 5, "entities": []},
                        {"action": "setDiscount", "limit": BUDGET, "entities": ["Profile"]},
                    ],
                    "coupons": [
                        {"id": 1, "value": "FEW", "usageLimit": LIMIT},
                        {"id": 2, "value": "GIFT", "usageLimit": 0, "discountLimit": 25},
                    ],
                    "ruleset": {
                        "id": 1,
                        "promotionRules": [
                            _rule(
                                "coupon",
                                {"type": "checkCoupon", "redeem": True},
                                {
                                    "type": "awardDiscount",
                                    "name": "Coupon",
                                    "value": 5,
                                    "partial": True,
                                    "target": {"type": "cart"},
                                },
                            ),
                            _rule(
                                "items",
                                {
                                    "type": "awardDiscount",
                                    "name": "Item",
                                    "value": "{{$Item.Price * 0.1}}",
                                    "partial": True,
                                    "target": {"type": "allItems"},
                                },
                            ),
                            _rule(
                                "points",
                                {
                                    "type": "awardLoyaltyPoints",
                                    "name": "Earned",
                                    "program": {"id": PROGRAM, "name": "stars", "title": "Stars"},
                                    "recipient": "Current",
                                    "subledger": "",
                                    "target": {"type": "allItems"},
                                    "value": "{{$Item.Price}}",
                                    "validityDuration": "60D",
                                },
                            ),
                            _rule(
                                "spend",
                                {
                                    "type": "checkAttribute",
                                    "operator": "equals",
                                    "attribute": "$Session.Attributes.spend",
                                    "value": True,
                                },
                                {
                                    "type": "redeemLoyaltyPoints",
                                    "name": "Spent",
                                    "program": {"id": PROGRAM, "name": "stars", "title": "Stars"},
                                    "subledger": "",
                                    "value": 15,
                                },
                            ),
                        ],
                    },
                }
            ],
        }
    ],
}

sessions = st.sampled_from([f"s{number}" for number in range(8)])
profiles = st.sampled_from(["ann", "bob", ""])
carts = st.lists(
    st.builds(
        lambda sku, quantity, price: {"sku": sku, "quantity": quantity, "price": price / 100},
        st.sampled_from(["A", "B"]),
        st.integers(1, 3),
        st.integers(1, 6000),
    ),
    min_size=1,
    max_size=3,
)
codes = st.lists(st.sampled_from(["FEW", "GIFT", "NONE"]), max_size=3, unique=True)


class Shop(RuleBasedStateMachine):
    """A shop that does anything, in any order, to a sandbox without a socket."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(Clock("2026-01-01T00:00:00Z"))
        self.database = Database(IN_MEMORY, self.world, SEED, Credentials("key", "manager", ""))
        self.state = self.database.state
        self.dispatcher = Dispatcher(self.database, self.world)
        # What the counters and ledgers were before each closed session was closed.
        self.before: dict[str, Any] = {}

    def teardown(self) -> None:
        self.database.close()

    def send(self, method: str, target: str, body: Any = None) -> tuple[int, Any]:
        content = b"" if body is None else json.dumps(body).encode()
        headers = {"Authorization": "ApiKey-v1 key"}
        response = self.dispatcher.respond(Request(method, target, headers, content))
        assert response.status < 500, response.body
        return response.status, json.loads(response.body) if response.body else None

    def update(self, session: str, query: str = "", **content: Any) -> tuple[int, Any]:
        target = f"/v2/customer_sessions/{session}{query}"
        return self.send("PUT", target, {"customerSession": content})

    def stored(self, session: str) -> Any:
        return self.state.sessions.first(applicationId=1, integrationId=session)

    def counted(self) -> dict[str, Decimal]:
        return {key: value for key, value in self.state.journal.counters().items() if value}

    def balances(self) -> dict[str, Any]:
        program = self.state.loyalty_programs.get(PROGRAM)
        assert program is not None
        accounts = Accounts(self.state, self.world, self.world.clock.text())
        return {
            profile: accounts.ledger(Account(program, profile), "").balance()
            for profile in ("ann", "bob")
        }

    @rule(session=sessions, profile=profiles, cart=carts, coupons=codes, spend=st.booleans())
    def fill_a_cart(
        self, session: str, profile: str, cart: Any, coupons: list[str], spend: bool
    ) -> None:
        self.update(
            session,
            profileId=profile,
            cartItems=cart,
            couponCodes=coupons,
            attributes={"spend": spend},
        )

    @rule(session=sessions, cart=carts, coupons=codes, spend=st.booleans())
    def sell(self, session: str, cart: Any, coupons: list[str], spend: bool) -> None:
        facts = {"cartItems": cart, "couponCodes": coupons, "attributes": {"spend": spend}}
        if self.stored(session) is None:
            self.update(session, profileId="ann", **facts)
        self.close(session)

    @rule(session=sessions)
    def close(self, session: str) -> None:
        moment = (self.counted(), self.balances())
        status, _ = self.update(session, state="closed")
        if status == 200:
            self.before = {session: moment}

    @rule(session=sessions)
    def cancel(self, session: str) -> None:
        found = self.stored(session)
        status, _ = self.update(session, state="cancelled")
        if status == 200 and found["state"] == "closed" and session in self.before:
            # Nothing else has happened since it was closed.
            assert (self.counted(), self.balances()) == self.before[session]
        self.before = {}

    @rule(session=sessions)
    def reopen(self, session: str) -> None:
        status, _ = self.send("PUT", f"/v2/customer_sessions/{session}/reopen")
        if status == 200 and session in self.before:
            assert (self.counted(), self.balances()) == self.before[session]
        self.before = {}

    @rule(session=sessions, position=st.integers(0, 2), quantity=st.integers(1, 3))
    def return_items(self, session: str, position: int, quantity: int) -> None:
        line = {"position": position, "quantity": quantity}
        self.send(
            "POST",
            f"/v2/customer_sessions/{session}/returns",
            {"return": {"returnedCartItems": [line]}},
        )
        self.before = {}

    @rule(session=sessions, state=st.sampled_from(["open", "closed", "cancelled"]), cart=carts)
    def run_dry(self, session: str, state: str, cart: Any) -> None:
        dump = self.state.dump()
        self.update(session, "?dry=true", state=state, cartItems=cart, couponCodes=["FEW"])
        assert self.state.dump() == dump

    @precondition(lambda self: len(self.before) == 0)
    @rule(days=st.integers(1, 40))
    def wait(self, days: int) -> None:
        self.world.clock.advance(days=days)

    @invariant()
    def counters_are_the_sums_of_the_journal(self) -> None:
        sums = {key: value for key, value in self.state.journal.sums().items() if value}
        assert self.counted() == sums

    @invariant()
    def counters_are_within_their_limits(self) -> None:
        counted = self.counted()
        assert all(value >= 0 for value in counted.values())
        assert counted.get("coupon:1", 0) <= LIMIT
        assert counted.get("coupon:2:discount", 0) <= 25
        limits = [key for key in counted if key.startswith("campaign:1:setDiscount::Profile=")]
        assert all(counted[key] <= BUDGET for key in limits)

    @invariant()
    def entries_add_up_to_the_balance(self) -> None:
        for profile, balance in self.balances().items():
            entries = self.state.points.find(_holder=f"profile:{profile}", programId=PROGRAM)
            total = sum(
                amount(each["amount"]) * (1 if each["type"] == "addition" else -1)
                for each in entries
            )
            held = balance.active + balance.pending + balance.expired - balance.negative
            assert total == held
            assert min(balance) >= 0


Shop.TestCase.settings = settings(examples(20), stateful_step_count=25)
TestTheLawsOfAShop = Shop.TestCase
