"""Clock: where clients get the time and how they pause, so that tests need not wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from talon_one._core.constructors import checks_fields


@checks_fields("(sleep=..., monotonic=...)")
class Clock(NamedTuple):
    """The clock of a client; replace it to test retries without waiting.

    ::

        pauses = []
        client.clock = talon_one.Clock(sleep=pauses.append)
    """

    sleep: Callable[[float], Any] = time.sleep
    """Waits for so many seconds. The asyncio client awaits the result; its default is
    `asyncio.sleep`."""
    monotonic: Callable[[], float] = time.monotonic
    """Returns seconds that never go back; deadlines are measured with it."""
