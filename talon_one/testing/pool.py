"""The running sandboxes of a process: one for each choice of settings, reset for each test."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any, Final

from talon_one.testing.settings import failure

if TYPE_CHECKING:
    from talon_one.sandbox import Sandbox

LIMIT: Final = 4
"""Sandboxes that run at the same time. Each has a thread and a port."""


class Pool:
    """Sandboxes that were started and are reused."""

    def __init__(self) -> None:
        self._running: OrderedDict[Hashable, Sandbox] = OrderedDict()
        # A seed in Python is recognized by its identity, so it must not be collected.
        self._seeds: list[Any] = []
        self._wrong: dict[Hashable, str] = {}

    def take(self, settings: Mapping[str, Any]) -> Sandbox:
        """Return a running sandbox with these settings, as new.

        It fails the test, with one message, if the sandbox cannot be made.
        """
        key = tuple(sorted((name, _identity(value)) for name, value in settings.items()))
        if key not in self._wrong:
            try:
                return self._fresh(key, settings)
            except (ModuleNotFoundError, ValueError, TypeError, OSError) as cause:
                # Once is enough to find a mistake of a seed.
                self._wrong[key] = str(cause)
        raise failure(self._wrong[key])

    def close(self) -> None:
        """Stop all sandboxes."""
        while self._running:
            self._running.popitem()[1].stop()

    def _fresh(self, key: Hashable, settings: Mapping[str, Any]) -> Sandbox:
        sandbox = self._running.get(key) or self._new(key, settings)
        self._running.move_to_end(key)
        if not sandbox.running:
            sandbox.start()
        sandbox.reset()
        # Those of another test.
        sandbox._world.observers.clear()
        return sandbox

    def _new(self, key: Hashable, settings: Mapping[str, Any]) -> Sandbox:
        from talon_one.sandbox import Sandbox

        self._seeds.append(settings.get("seed"))
        sandbox = Sandbox(**settings)
        while len(self._running) >= LIMIT:
            self._running.popitem(last=False)[1].stop()
        self._running[key] = sandbox
        return sandbox


def _identity(value: Any) -> Hashable:
    if value is None or isinstance(value, (str, int, float, os.PathLike)):
        return type(value).__name__, str(value)
    return type(value).__name__, id(value)
