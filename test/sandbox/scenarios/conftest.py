"""Sandboxes for stories: a seed, a clock that stands still, and a client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sandbox.conftest import Client
from sandbox.scenarios.shops import NOON, shop
from talon_one.sandbox import Sandbox


@pytest.fixture
def open_shop() -> Iterator[Callable[..., Client]]:
    """A maker of clients of sandboxes; the arguments are those of `shop`."""
    running: list[tuple[Sandbox, Client]] = []

    def start(*campaigns: Any, **more: Any) -> Client:
        sandbox = Sandbox(seed=shop(*campaigns, **more), clock=NOON)
        sandbox.start()
        client = Client(sandbox)
        running.append((sandbox, client))
        return client

    yield start
    for sandbox, client in running:
        client.close()
        sandbox.stop()
