"""Seeds in tests: read from YAML, planted into a state in memory, refused with their mistakes."""

from __future__ import annotations

from contextlib import ExitStack
from textwrap import dedent
from typing import Any

import pytest

from talon_one.sandbox import SeedError
from talon_one.sandbox.database import Credentials, Database
from talon_one.sandbox.seeds.prepare import prepare
from talon_one.sandbox.seeds.ready import first_seed
from talon_one.sandbox.seeds.yaml_reader import read_yaml
from talon_one.sandbox.state.opening import IN_MEMORY
from talon_one.sandbox.state.state import State
from talon_one.sandbox.world import Clock, World

OPEN = ExitStack()
"""Closes the databases that tests have opened."""
NOW = "2026-05-01T10:00:00.000000Z"


def planted(seed: Any) -> State:
    """Return the state of a new sandbox with a seed: a mapping, a name, or YAML."""
    if isinstance(seed, str) and "\n" in seed:
        ready = prepare(read_yaml(dedent(seed), "shop.yaml"))
    else:
        ready = first_seed(seed)
    credentials = Credentials("key", "management", "")
    database = Database(IN_MEMORY, World(Clock(NOW)), ready, credentials)
    OPEN.callback(database.close)
    return database.state


def mistakes(text: str) -> list[str]:
    """Return the lines of the error for a YAML seed, without the name of the file."""
    with pytest.raises(SeedError) as caught:
        prepare(read_yaml(dedent(text), "shop.yaml"))
    return [line.removeprefix("shop.yaml:") for line in caught.value.lines]


def rules(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a ruleset of one rule with these blocks."""
    return {"promotionRules": [{"id": "r", "title": "Rule", "blocks": list(blocks)}], **more}


def shop(*campaigns: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a seed of one Application with these campaigns."""
    return {"applications": [{"id": 1, "name": "Shop", "campaigns": list(campaigns)}], **more}
