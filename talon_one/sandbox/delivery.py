"""Send the requests of webhooks to local URLs, with retries, while the sandbox runs."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from talon_one.sandbox.consequences.webhooks import FAILED, PENDING
from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.state.state import State
from talon_one.sandbox.world import World

TIMEOUT: Final = 5.0
PAUSES: Final = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before each retry. The platform retries for about ten minutes."""
DELIVERED: Final = "delivered"
_log = logging.getLogger(__name__)
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Delivery:
    """Sends queued messages in the background, one after another.

    A message is tried again after a 5xx, a 429 or no response, with growing pauses and the same
    `X-UUID`. Only local URLs are called: a sandbox does not reach out of the machine.

    Messages of a world that began anew in the meantime are dropped.

    Args:
        state: State with the messages. It is changed outside of any request.
        world: Knows when it began anew.
        pauses: Seconds before each retry.
    """

    def __init__(self, state: State, world: World, pauses: tuple[float, ...] = PAUSES) -> None:
        self._state = state
        self._world = world
        self._pauses = pauses
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._sent: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to send; messages of an earlier run are sent as well."""
        self._wake.set()
        self._task = asyncio.get_running_loop().create_task(_guarded(self._run()))

    async def stop(self) -> None:
        """Stop to send. What is pending stays so."""
        tasks = [*self._sent, *([self._task] if self._task else ())]
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task

    def wake(self) -> None:
        """Look for new messages."""
        if self._state.has_messages:
            self._state.has_messages = False
            self._wake.set()

    async def _run(self) -> None:
        started: set[tuple[int, int]] = set()
        timeout = aiohttp.ClientTimeout(total=TIMEOUT)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                await self._wake.wait()
                self._wake.clear()
                for message in self._state.messages.find(status=PENDING):
                    generation = self._world.generation
                    # A world that begins anew numbers its messages from 1 again.
                    if (generation, message["id"]) not in started:
                        started.add((generation, message["id"]))
                        sending = _guarded(self._deliver(session, message, generation))
                        task = asyncio.get_running_loop().create_task(sending)
                        self._sent.add(task)
                        task.add_done_callback(self._sent.discard)

    async def _deliver(
        self, session: aiohttp.ClientSession, message: Document, generation: int
    ) -> None:
        if urlsplit(message["url"]).hostname not in _LOCAL:
            self._note(message, FAILED, "the sandbox calls local URLs only")
            return
        for pause in (*self._pauses, None):
            again, outcome = await _send(session, message)
            if generation != self._world.generation:
                return
            message["attempts"] += 1
            if not again:
                status = DELIVERED if outcome.isdigit() and int(outcome) < 400 else FAILED
                self._note(message, status, outcome)
                return
            if pause is None:
                self._note(message, FAILED, outcome)
                return
            self._note(message, PENDING, outcome)
            await asyncio.sleep(pause)
            if generation != self._world.generation:
                return

    def _note(self, message: Document, status: str, outcome: str) -> None:
        message |= {"status": status, "response": outcome}
        with self._state.transaction():
            self._state.messages.save(message)


async def _guarded(work: Coroutine[Any, Any, None]) -> None:
    """Do work that ends when the database fails; requests report such a failure."""
    try:
        await work
    except sqlite3.Error as cause:
        _log.debug("webhooks are not sent any more: %s", cause)


async def _send(session: aiohttp.ClientSession, message: Document) -> tuple[bool, str]:
    """Send a message once; return whether to try again, and the status or the error."""
    headers = {"Content-Type": "application/json", "X-UUID": message["uuid"]}
    for line in message["headers"]:
        name, _, value = line.partition(":")
        headers[name.strip()] = value.strip()
    try:
        async with session.request(
            message["verb"], message["url"], data=message["body"].encode(), headers=headers
        ) as response:
            await response.read()
            return response.status >= 500 or response.status == 429, str(response.status)
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as cause:
        return True, str(cause) or type(cause).__name__
