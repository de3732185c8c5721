"""What the sandbox remembers of its requests: each with its response, in a log with limits."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

MAX_EXCHANGES: Final = 10_000
"""Exchanges that a log keeps."""

MAX_BYTES: Final = 64 * 1024 * 1024
"""Bytes of bodies that a log keeps."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Exchange:
    """A request and its response.

    Bodies are kept as bytes, and parsed each time that they are asked for.

    Attributes:
        number: 1 for the first request since the start or the last reset.
        moment: Time of the sandbox when the request arrived, such as
            `2026-11-01T09:00:00.000000Z`.
        method: HTTP method.
        target: Path and query exactly as sent.
        operation: Name of the SDK's method for the operation, such as
            `update_customer_session_v2`; None if there is no such operation.
        headers: Headers of the request; names are case-insensitive, credentials are masked.
        content: Body of the request, unpacked; empty without one.
        status: Status of the response; 0 as long as there is none, and if there never was one.
        response_headers: Headers of the response, without those of the connection.
        response_content: Body of the response; empty without one.
        seconds: How long the sandbox took.
        fault: Name of the fault that changed the response, None for most.
    """

    number: int
    moment: str
    method: str
    target: str
    operation: str | None
    headers: Mapping[str, str]
    content: bytes
    status: int
    response_headers: Mapping[str, str]
    response_content: bytes
    seconds: float
    fault: str | None = None

    def __repr__(self) -> str:
        fault = f" ({self.fault})" if self.fault else ""
        return f"<Exchange {self.number}: {self.method} {self.target} {self.status}{fault}>"

    @property
    def body(self) -> Any:
        """The body of the request: the value if it is JSON, else text, None without one."""
        return _parsed(self.content)

    @property
    def response_body(self) -> Any:
        """The body of the response: the value if it is JSON, else text, None without one."""
        return _parsed(self.response_content)


def _parsed(content: bytes) -> Any:
    if not content:
        return None
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return content.decode("utf-8", "replace")


class Exchanges:
    """The latest exchanges, up to a number of them and of bytes. Any thread may read it.

    Args:
        limit: Exchanges to keep.
        max_bytes: Bytes of bodies to keep. The latest exchange is kept whatever its size.
    """

    def __init__(self, limit: int = MAX_EXCHANGES, max_bytes: int = MAX_BYTES) -> None:
        self._limit = limit
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._kept: deque[Exchange] = deque()
        self._bytes = 0
        self._last = 0
        self._cleared = 0

    @property
    def dropped(self) -> int:
        """How many exchanges it had to drop since it was last cleared."""
        with self._lock:
            return self._last - len(self._kept)

    @property
    def cleared(self) -> int:
        """How often it was cleared. Numbers begin with 1 again each time."""
        with self._lock:
            return self._cleared

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[Exchange]:
        """Iterate over what it has now, oldest first."""
        return iter(self.since(0))

    def since(self, number: int) -> list[Exchange]:
        """Return the exchanges with a higher number, oldest first.

        Args:
            number: Number of an exchange; 0 for all that are kept.
        """
        with self._lock:
            fewer = min(self._last - number, len(self._kept))
            if fewer == len(self._kept):
                return list(self._kept)
            # A reader that polls wants the last few of many.
            backwards = reversed(self._kept)
            return [next(backwards) for _ in range(fewer)][::-1]

    def add(self, make: Callable[[int], Exchange]) -> Exchange:
        """Add the exchange that a function makes of its number, and return it."""
        with self._lock:
            self._last += 1
            exchange = make(self._last)
            self._kept.append(exchange)
            self._bytes += _size(exchange)
            while len(self._kept) > self._limit or (
                self._bytes > self._max_bytes and len(self._kept) > 1
            ):
                self._bytes -= _size(self._kept.popleft())
        return exchange

    def complete(self, begun: Exchange, done: Exchange) -> None:
        """Put an exchange in the place of the one that it was when it began.

        Nothing is stored if that was dropped in the meantime.
        """
        with self._lock:
            index = begun.number - 1 - (self._last - len(self._kept))
            if 0 <= index < len(self._kept) and self._kept[index] is begun:
                self._kept[index] = done
                self._bytes += _size(done) - _size(begun)

    def clear(self) -> None:
        """Forget all exchanges, and number the next one 1."""
        with self._lock:
            self._kept.clear()
            self._bytes = self._last = 0
            self._cleared += 1


def _size(exchange: Exchange) -> int:
    return len(exchange.content) + len(exchange.response_content)
