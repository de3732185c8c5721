"""A shop with a loyalty program and rules that a test chooses, and a clock that stands still."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sandbox.conftest import Client, Reply
from talon_one.sandbox import Sandbox

NOW = "2026-01-10T12:00:00Z"
PROGRAM = 4
TIERS = [
    {"id": 41, "name": "Silver", "minPoints": 100},
    {"id": 42, "name": "Gold", "minPoints": 1000},
]
LOYALTY = f"/v1/loyalty_programs/{PROGRAM}"
ANNA = f"{LOYALTY}/profile/anna"
MUG = {"name": "Mug", "sku": "MUG", "price": 10}


def earn(value: Any = "{{$Item.Price}}", target: str = "allItems", **more: Any) -> dict[str, Any]:
    """Return a block that awards points, by default one for each unit of money of each unit."""
    return {
        "id": f"earn {more}",
        "type": "awardLoyaltyPoints",
        "name": "Thanks",
        "program": {"id": PROGRAM, "name": "Stars"},
        "subledger": "",
        "recipient": "Current",
        "target": {"type": target},
        "value": value,
        **more,
    }


def redeem(value: Any, **more: Any) -> dict[str, Any]:
    """Return a block that spends points."""
    return {
        "id": f"redeem {more}",
        "type": "redeemLoyaltyPoints",
        "program": {"id": PROGRAM, "name": "Stars"},
        "subledger": "",
        "name": "Paid",
        "value": value,
        **more,
    }


def progress(value: Any = 1) -> dict[str, Any]:
    """Return a block that increases the progress in achievement 5."""
    return {
        "id": "progress",
        "type": "updateAchievementProgress",
        "achievement": {"id": 5, "name": "orders"},
        "operator": "increaseBy",
        "value": value,
    }


class Shop(Client):
    """A client that knows the program, the cards and their points."""

    def manage(self, method: str, target: str, body: Any = None, **extra: str) -> Reply:
        """Send a request with the Management key."""
        return self.send(method, target, body, headers=self.management, **extra)

    def order(self, *quantities: int, order: str = "order-1", **session: Any) -> Reply:
        """Close a session of Anna's with a line of mugs for each quantity."""
        given = {"profileId": "anna", "state": "closed", **session}
        items = [{**MUG, "quantity": quantity} for quantity in quantities]
        return self.session(order, "loyalty", "customerSession", cartItems=items, **given)

    def cancel(self, order: str = "order-1") -> Reply:
        """Cancel a session."""
        return self.session(order, "loyalty", state="cancelled")

    def add(self, points: Any, owner: str = ANNA, **more: Any) -> Reply:
        """Add points as a manager does."""
        return self.manage("PUT", f"{owner}/add_points", {"points": points, **more})

    def deduct(self, points: Any, owner: str = ANNA, **more: Any) -> Reply:
        """Spend points as a manager does."""
        return self.manage("PUT", f"{owner}/deduct_points", {"points": points, **more})

    def balance(self, owner: str = ANNA, query: str = "") -> dict[str, Any]:
        """Return the points of the main ledger that are not 0, by state."""
        reply = self.send("GET", f"{owner}/balances{query}")
        assert reply.status == 200, reply.json
        return {
            name.removesuffix("Points"): value
            for name, value in reply.json["balance"].items()
            if name.endswith("Points") and value
        }

    def tier(self, owner: str = ANNA, query: str = "") -> tuple[str, str, str] | None:
        """Return name, start and expiry of the tier."""
        reply = self.send("GET", f"{owner}/balances?includeTiers=true{query}")
        found = reply.json["balance"].get("currentTier")
        if found is None:
            return None
        start, expiry = found.get("startDate") or "", found.get("expiryDate") or ""
        return found["name"], start[:10], expiry[:10]

    def export(self, target: str) -> list[dict[str, str]]:
        """Return the rows of a CSV file."""
        response = self.pool.request("GET", target, headers=self.management)
        assert (response.status, response.headers["Content-Type"]) == (200, "application/csv")
        return list(csv.DictReader(response.data.decode().splitlines(), strict=True))


def kinds(reply: Reply) -> list[str]:
    """Return the types of the effects of a response."""
    return [effect["effectType"] for effect in reply.json["effects"]]


def props(reply: Reply, kind: str) -> list[dict[str, Any]]:
    """Return the properties of the effects of a type."""
    return [each["props"] for each in reply.json["effects"] if each["effectType"] == kind]


def seed_of(
    blocks: tuple[Mapping[str, Any], ...],
    program: Mapping[str, Any] | None = None,
    achievement: Mapping[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Return a seed with one campaign whose rules have one block each."""
    rules = [
        {"id": f"rule-{number}", "title": f"Rule {number}", "blocks": [block]}
        for number, block in enumerate(blocks)
    ]
    campaign = {
        "id": 12,
        "name": "Stars",
        "features": ["loyalty", "achievements"],
        "ruleset": {"id": 40, "promotionRules": rules},
        "achievements": [
            {"id": 5, "name": "orders", "title": "Orders", "target": 3, **(achievement or {})}
        ],
    }
    return {
        "loyaltyPrograms": [{"id": PROGRAM, "name": "stars", "title": "Stars", **(program or {})}],
        "applications": [
            {"id": 3, "name": "Shop", "undefinedNames": "accept", "campaigns": [campaign]}
        ],
        "profiles": [{"integrationId": "anna"}],
        **more,
    }


@contextmanager
def shop(
    *blocks: Mapping[str, Any],
    program: Mapping[str, Any] | None = None,
    achievement: Mapping[str, Any] | None = None,
    **more: Any,
) -> Iterator[Shop]:
    """Run a shop."""
    seed = seed_of(blocks, program, achievement, **more)
    with Sandbox(seed=seed, clock=NOW, random_seed=1) as sandbox:
        client = Shop(sandbox)
        yield client
        client.close()
