"""Transport: what the asyncio client sends requests with, and may be given by its user."""

from __future__ import annotations

from typing import Any

from talon_one._core.request import Request
from talon_one._core.response import RawResponse
from talon_one._core.timeout import Timeout
from talon_one._core.transport import UNREAD, buffered
from talon_one.exceptions import ApiTypeError


class Transport:
    """Sends the requests of an asyncio client; the twin of `talon_one.Transport`."""

    async def send(self, request: Request, timeout: Timeout) -> RawResponse:
        """Send a request once and return the complete response; see `talon_one.Transport.send`."""
        raise NotImplementedError

    async def stream(self, request: Request, timeout: Timeout) -> Any:
        """Send a request once and return a 2xx response as a stream.

        See `talon_one.Transport.stream`.
        """
        return buffered(await self.send(request, timeout))

    async def open(self, request: Request, timeout: Timeout) -> Any:
        """Send a request once and return the response unread; see `talon_one.Transport.open`."""
        raise ApiTypeError(f"{type(self).__name__} {UNREAD}")

    async def close(self) -> None:
        """Close what the transport holds; called by the client's ``aclose``."""

    def detach(self) -> None:
        """Drop what belongs to the parent process; called in the child after a fork."""

    def call_started(self) -> None:
        """Called by the client before the first attempt of a call."""

    def call_ended(self) -> None:
        """Called by the client after the last attempt of a call; `close` may wait for it."""
