"""CPU time of a session update in the sandbox: ten campaigns of three rules, twenty cart lines.

``python -m benchmarks.sandbox_update UPDATES`` prints the measurement as JSON. The requests come
without a socket, so that nothing but the sandbox is measured.
"""

from __future__ import annotations

import json
import sys
from statistics import median
from time import process_time
from typing import Any

from benchmarks.timing import Measurement
from talon_one.sandbox.database import Credentials, Database
from talon_one.sandbox.dispatch import Dispatcher, Request
from talon_one.sandbox.seeds.ready import first_seed
from talon_one.sandbox.world import Clock, World

_KEY = "sandbox-integration-key"
_LINES = 20
_CAMPAIGNS = 10
_EVERY = 5
"""Every fifth line has shoes, which all campaigns discount."""


def update(count: int) -> Measurement:
    """Return the CPU seconds of an update, the median of so many; there is no yardstick.

    Raises:
        RuntimeError: An update failed, or has other effects than the rules say.
    """
    world = World(Clock())
    database = Database(":memory:", world, first_seed(_shop()), Credentials(_KEY, "", ""))
    dispatcher = Dispatcher(database, world)
    headers = {"Authorization": f"ApiKey-v1 {_KEY}"}
    body = json.dumps({"customerSession": _session()}).encode()
    request = Request("PUT", "/v2/customer_sessions/session", headers, body)

    def timed_update() -> float:
        began = process_time()
        response = dispatcher.respond(request)
        seconds = process_time() - began
        effects = json.loads(response.body).get("effects", [])
        # Of each campaign one for the cart, and one for each line with shoes.
        if len(effects) != _CAMPAIGNS * (1 + _LINES // _EVERY):
            raise RuntimeError(f"{response.status} {len(effects)} {response.body!r}")
        return seconds

    try:
        timed_update()  # Compiles the rules.
        return Measurement(median(timed_update() for _ in range(count)), 0)
    finally:
        database.close()


def _shop() -> dict[str, Any]:
    campaigns = [_campaign(number) for number in range(_CAMPAIGNS)]
    return {"applications": [{"name": "Shop", "currency": "EUR", "campaigns": campaigns}]}


def _campaign(number: int) -> dict[str, Any]:
    cart, shoes = {"type": "cart"}, {"type": "selector", "name": "shoes"}
    rules = {
        "Cart": [
            _check("greaterThan", "$Session.Total", 10),
            _discount(f"Cart {number}", "{{$Session.Total * 0.01}}", cart),
        ],
        "Shoes": [_discount(f"Shoes {number}", "{{$Item.Price * 0.01}}", shoes)],
        "Large cart": [
            _check("greaterThan", "$Session.Total", 100_000),
            _discount(f"Large cart {number}", 100, cart),
        ],
    }
    only_shoes = {"type": "filter", "predicate": _check("equals", "$Item.Category", "shoes")}
    return {
        "name": f"Campaign {number}",
        "ruleset": {
            "promotionRules": [
                {"id": title, "title": title, "blocks": blocks} for title, blocks in rules.items()
            ],
            "selectors": [
                {
                    "name": "shoes",
                    "type": "selector",
                    "source": "$Session.CartItems",
                    "steps": [only_shoes],
                }
            ],
        },
    }


def _check(operator: str, attribute: str, value: Any) -> dict[str, Any]:
    return {
        "id": attribute,
        "type": "checkAttribute",
        "operator": operator,
        "attribute": attribute,
        "value": value,
    }


def _discount(name: str, value: Any, target: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": name,
        "type": "awardDiscount",
        "name": name,
        "value": value,
        "partial": False,
        "target": target,
    }


def _session() -> dict[str, Any]:
    return {
        "profileId": "customer-4711",
        "cartItems": [
            {
                "sku": f"SKU-{line}",
                "name": "Running shoe",
                "quantity": 1,
                "price": 59.9,
                "category": "shoes" if line % _EVERY == 0 else "socks",
            }
            for line in range(_LINES)
        ],
    }


if __name__ == "__main__":
    print(json.dumps({"sandbox": update(int(sys.argv[1]))}))
