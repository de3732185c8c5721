"""The server of the quickstart and the examples: a deployment, or a sandbox of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from talon_one.configuration import Configuration


@contextmanager
def deployment() -> Iterator[Configuration]:
    """Yield the configuration of the environment, or that of a new sandbox.

    With `TALON_ONE_HOST` set this is `Configuration.from_env`. Without it a sandbox runs on a free
    port inside the `with` block.

    Raises:
        ModuleNotFoundError: If a sandbox is needed and aiohttp is not installed.
    """
    if host_is_set():
        yield Configuration.from_env()
        return
    from talon_one.sandbox import Sandbox

    with Sandbox() as sandbox:
        yield Configuration.from_env(sandbox.environment())


def host_is_set() -> bool:
    """Return whether the environment names a deployment."""
    return bool(os.environ.get("TALON_ONE_HOST"))
