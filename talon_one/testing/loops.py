"""Close an asyncio client after a test, from outside of its event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from talon_one import aio


def close(client: aio.ApiClient) -> None:
    """Close the connections of a client in each loop that is still open.

    A client opens its connections in the running loop, and a loop that is closed, as `asyncio.run`
    does, closes them itself. Plugins may keep a loop for several tests: it does not run between
    them, so it can be run for a moment.
    """
    for loop in [transport.loop for transport in client._transports.values()]:
        if not (loop.is_closed() or loop.is_running() or in_loop()):
            loop.run_until_complete(client.aclose())


def in_loop() -> bool:
    """Return whether an event loop runs in this thread, which then can run no other."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
