"""Check what a `Sandbox` is made with, before anything is opened."""

from __future__ import annotations

import math
import os
from typing import Any, Final

from talon_one._utils.quoting import quoted
from talon_one.sandbox.seeds.ready import READY

LARGEST_PORT: Final = 65_535


def check_arguments(
    port: Any,
    database: Any,
    *,
    random_seed: Any,
    api_key: Any,
    management_key: Any,
    application_secret: Any,
    latency: Any,
    host: Any,
) -> None:
    """Check the arguments of a sandbox that have no reader of their own.

    Raises:
        ValueError: One of them has the wrong type, or a value out of range.
    """
    if not _is_whole(port) or not 0 <= port <= LARGEST_PORT:
        is_seed = isinstance(port, str) and port in READY
        hint = f". Did you mean seed={port!r}?" if is_seed else ""
        raise ValueError(f"a port must be from 0 to {LARGEST_PORT}, not {quoted(port)}{hint}")
    if not isinstance(database, (str, os.PathLike)):
        raise ValueError(f"the database must be the path of a file, not {quoted(database)}")
    if not (random_seed is None or _is_whole(random_seed)):
        raise ValueError(f"the random_seed must be a whole number, not {quoted(random_seed)}")
    for name, key in (("api_key", api_key), ("management_key", management_key)):
        if not isinstance(key, str) or not key:
            # Not the value, which may be a key in another form.
            found = "empty" if isinstance(key, str) else type(key).__name__
            raise ValueError(f"the {name} must be text, not {found}")
    try:
        bytes.fromhex(application_secret)
    except (TypeError, ValueError):
        raise ValueError("the application_secret must be hexadecimal text") from None
    is_number = isinstance(latency, (int, float)) and not isinstance(latency, bool)
    if not is_number or not 0 <= latency < math.inf:
        raise ValueError(f"the latency must be a number of seconds, not {quoted(latency)}")
    if not isinstance(host, str) or not host:
        raise ValueError(f"the host must be an address to listen on, not {quoted(host)}")


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
