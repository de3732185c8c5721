"""Whatever is changed in a seed, it can be planted or is refused with its mistakes."""

from __future__ import annotations

import copy
import random
import sqlite3
from collections.abc import Iterator
from typing import Any

from sandbox.seeds.planting import NOW
from sandbox.seeds.test_seed_kinds import SHOP
from talon_one.sandbox import SeedError
from talon_one.sandbox.seeds.apply import plant
from talon_one.sandbox.seeds.prepare import prepare
from talon_one.sandbox.seeds.ready import read_seed
from talon_one.sandbox.seeds.source import Seed
from talon_one.sandbox.seeds.yaml_reader import read_yaml
from talon_one.sandbox.state.state import State
from talon_one.sandbox.world import Clock, World

RUNS = 160
ODD: list[Any] = [
    *(None, True, False, 0, -1, 1, 2**70, 1.5, "", "x", [], {}, [None], [1], ["a"], [[{}]]),
    *({"name": "VIP"}, {"name": "VIP", "id": None}, {"id": 1}, {"id": "x"}, {"id": 2**70}),
    *({"name": 1}, [{"name": "VIP"}], {"name": []}, {"id": True, "name": "VIP"}),
    *("2026-01-01T00:00:00Z", "{{$Session.Total}}", "{{", "ü" * 2000, {"members": [[]]}),
]
NAMES = ("id", "name", "points", "members", "campaignId", "applicationId", "evaluationTree")


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every value inside of a seed: what it is in, and its key."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(inside):
        yield value, key
        if isinstance(inner, (dict, list)):
            yield from places(inner)


def change(seed: Any, draw: random.Random) -> None:
    found = list(places(seed))
    container, key = draw.choice(found)
    other, other_key = draw.choice(found)
    match draw.randrange(5):
        case 0:
            del container[key]
        case 1:
            container[key] = copy.deepcopy(other[other_key])
        case 2 if isinstance(container, list):
            container.append(copy.deepcopy(container[key]))
        case 3 if isinstance(container, dict):
            container[draw.choice(NAMES)] = copy.deepcopy(draw.choice(ODD))
        case _:
            container[key] = copy.deepcopy(draw.choice(ODD))


def test_a_changed_seed_is_planted_or_refused() -> None:
    draw = random.Random(7)
    good = [read_seed("fashion").content, read_yaml(SHOP, "shop.yaml").content]
    connection = sqlite3.connect(":memory:", isolation_level=None)
    state = State(connection)
    state.create()
    outcomes = {"planted": 0, "refused": 0}
    for _ in range(RUNS):
        seed = copy.deepcopy(dict(draw.choice(good)))
        for _ in range(draw.choice([1, 1, 2])):
            change(seed, draw)
        try:
            ready = prepare(Seed(seed))
            with state.transaction() as transaction:
                transaction.dry = True
                plant(state, World(Clock(NOW), random.Random(1)), ready)
            outcomes["planted"] += 1
        except SeedError:
            outcomes["refused"] += 1
    connection.close()
    assert min(outcomes.values()) > RUNS / 20
