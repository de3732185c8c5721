"""What simulated tasks talk to: a server with a rate limit, and a folder that outlives a task."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import NamedTuple, Protocol

from talon_one import RawResponse
from talon_one._core.request import Request
from talon_one._core.timeout import Timeout
from talon_one.aio import Transport
from talon_one.bulk.folders import Appender, Folder
from talon_one.exceptions import NoResponseError

# Requests that start exactly as often as allowed must not be refused for a rounding error.
_TOLERANCE = 1e-6


class Sender(Protocol):
    """An attempt at a part, as the server and the folder see it."""

    alive: bool
    """Whether its process runs. What a dead one has sent still arrives."""

    def was_settled(self, row: int) -> bool:
        """Return whether the state from which it resumed has a row as settled."""


class Times(NamedTuple):
    """How long things take, in seconds."""

    network: float = 0.1
    """Mean time of a request on its way there and back, between its half and some multiples."""
    service: float = 0.1
    """What the server takes to execute a request."""
    state_write: float = 0.03
    """What a task takes to write its state, one write at a time."""


class Server:
    """A token bucket in front of a table of rows.

    Args:
        rate: Requests a second that it admits. It rejects the others with status 429.
        burst: How many it admits in one moment after a pause.
        retry_after: Value of ``Retry-After`` of a 429; none if ``None``.
        lost_responses: Share of the responses that never arrive.
        times: How long things take.
        random: Source of the times on the network, and of lost responses.
    """

    def __init__(
        self,
        rate: float,
        burst: float,
        retry_after: float | None,
        lost_responses: float,
        times: Times,
        random: Random,
    ) -> None:
        self.times = times
        self.requests = 0
        """How many requests have arrived."""
        self.refused = 0
        """How many of them got a 429."""
        self.executed: Counter[tuple[int, int]] = Counter()
        """How often each row, a part and a number in it, was executed."""
        self.settled_again = 0
        """How many rows were executed for an attempt whose state had them as settled."""
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._filled = 0.0
        self._retry_after = retry_after
        self._lost_responses = lost_responses
        self._random = random

    def one_way(self) -> float:
        """Return how long a request, or a response, is on its way."""
        return self.times.network / 2 * (0.5 + self._random.expovariate(2))

    def receive(
        self, sender: Sender, request: Request, respond: Callable[[RawResponse | None], None]
    ) -> None:
        """Admit or refuse a request that arrives now."""
        loop = asyncio.get_running_loop()
        self.requests += 1
        self._tokens = min(self._burst, self._tokens + self._rate * (loop.time() - self._filled))
        self._filled = loop.time()
        if self._tokens < 1 - _TOLERANCE:
            self.refused += 1
            headers = {} if self._retry_after is None else {"Retry-After": f"{self._retry_after:g}"}
            refusal = RawResponse(429, "Too Many Requests", headers, b"{}")
            loop.call_later(self.one_way(), respond, refusal)
            return
        self._tokens -= 1
        loop.call_later(self.times.service, self._execute, sender, request, respond)

    def _execute(
        self, sender: Sender, request: Request, respond: Callable[[RawResponse | None], None]
    ) -> None:
        assert isinstance(request.body, bytes)
        (rows,) = json.loads(request.body).values()
        for row in rows:
            part, _, number = (row.get("integrationId") or row["profileIntegrationId"]).partition(
                "-"
            )
            self.executed[int(part), int(number)] += 1
            self.settled_again += sender.was_settled(int(number))
        lost = self._random.random() < self._lost_responses
        response = None if lost else RawResponse(204, "No Content", {}, b"")
        loop = asyncio.get_running_loop()
        loop.call_later(self.one_way(), respond, response)


class Wire(Transport):
    """Carries the requests of one attempt to the server, in virtual time.

    Args:
        server: The server.
        sender: The attempt.
        writes_state: Whether the attempt writes its state after each response.
    """

    def __init__(self, server: Server, sender: Sender, writes_state: bool) -> None:
        self._server = server
        self._sender = sender
        self._writing = asyncio.Lock() if writes_state else None

    async def send(self, request: Request, timeout: Timeout) -> RawResponse:
        """Send a request.

        Raises:
            NoResponseError: The response got lost.
        """
        loop = asyncio.get_running_loop()
        arrived: asyncio.Future[RawResponse | None] = loop.create_future()

        def respond(response: RawResponse | None) -> None:
            if not arrived.done():  # It is if the process of the sender has died.
                arrived.set_result(response)

        way = self._server.one_way()
        loop.call_later(way, self._server.receive, self._sender, request, respond)
        response = await arrived
        if response is None:
            raise NoResponseError(None, "the connection broke")
        if response.status == 204 and self._writing is not None:
            # The job writes its state when it gets the response. A process that dies in this time
            # has not written it.
            async with self._writing:
                await asyncio.sleep(self._server.times.state_write)
        return response


class MemoryFolder(Folder):
    """A folder of state that all attempts share, as one of them reaches it.

    Args:
        files: The files by their paths, of all attempts.
        sender: The attempt; once it is dead, it writes nothing more.
    """

    def __init__(self, files: dict[str, bytes], sender: Sender | None = None) -> None:
        self.location = "memory"
        self._files = files
        self._sender = sender

    def names(self, within: str = "") -> list[str]:
        """Return the names of the files and folders in a folder."""
        prefix = f"{within}/" if within else ""
        return sorted(
            {
                name[len(prefix) :].partition("/")[0]
                for name in self._files
                if name.startswith(prefix)
            }
        )

    def read(self, name: str) -> bytes:
        """Return a file."""
        try:
            return self._files[name]
        except KeyError:
            raise FileNotFoundError(name) from None

    def write(self, name: str, content: bytes, *, durable: bool = False) -> None:
        """Write or replace a file."""
        if self._sender is None or self._sender.alive:
            self._files[name] = content

    def remove(self, name: str) -> None:
        """Remove a file."""
        del self._files[name]

    def appender(self, name: str, *, durable: bool = False) -> Appender:
        """Simulations keep no files of failures."""
        raise NotImplementedError
