"""Exchange: the state of one attempt: what was sent, the time left, its slot in the pool."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from talon_one._core.timeout import Timeout
    from talon_one._http.fair_queue import Lease

# Seconds that a step may take too long, so that a fast call does not set each timeout anew.
_SLACK = 0.002


class Exchange:
    """One attempt, handed from the transport to the pool, the connection and the response.

    There is no other way to it: state that is looked up by thread is mixed up by greenlets, and by
    signal handlers that make calls.

    The timeouts of a socket bound each step by itself, and a server that trickles can take any
    number of steps. With a deadline, each step therefore gets no more time than is left.

    Args:
        timeout: Time for the steps; its deadline counts from now.
        fresh: No connection that was used before will do.

    Attributes:
        sent: Whether any of the request may have reached the server. ``True`` until a connection of
            ours is asked for: something that stands in for it does not say.
        connecting: Whether a connection is being made; a proxy is spoken to, the server is not.
        reused: Whether the connection had served other calls before.
        lease: Slot of the pool that it holds, once it has one.
        ends: When the deadline passes, as `time.monotonic` counts, if there is one.
        patience: Seconds to wait for a slot of the pool.
    """

    __slots__ = ("connecting", "ends", "fresh", "lease", "patience", "reused", "sent")

    def __init__(self, timeout: Timeout, fresh: bool = False) -> None:
        self.sent = True
        self.connecting = False
        self.reused = False
        self.fresh = fresh
        self.lease: Lease | None = None
        self.patience = timeout.connect
        deadline = timeout.deadline
        self.ends = None if deadline is None else time.monotonic() + deadline

    @property
    def time_is_up(self) -> bool:
        """Whether the deadline has passed."""
        return self.ends is not None and time.monotonic() >= self.ends

    def within(self, seconds: float | None) -> float | None:
        """Return how long a step may take that would otherwise get so many seconds.

        Raises:
            TimeoutError: The deadline has passed.
        """
        if self.ends is None:
            return seconds
        left = self.ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left if seconds is None else min(seconds, left)

    def release(self) -> None:
        """Free the slot of the pool, if it holds one."""
        if self.lease is not None:
            self.lease.release()


class BoundedSocket:
    """A socket for `http.client` to read a response from, within the deadline of an exchange.

    Args:
        sock: Any socket, or what urllib3 takes for one.
        exchange: The exchange; when it has no deadline any more, nor have those who read.
        seconds: How long to wait for each piece otherwise.
    """

    def __init__(self, sock: Any, exchange: Exchange, seconds: float | None) -> None:
        self._sock = sock
        self._exchange = exchange
        self._seconds = seconds

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return a file to read from, as `socket.socket.makefile` does."""
        raw = self._sock.makefile(mode, buffering=0)
        return io.BufferedReader(_BoundedReader(raw, self._sock, self._exchange, self._seconds))


class _BoundedReader(io.RawIOBase):
    def __init__(
        self, raw: io.RawIOBase, sock: Any, exchange: Exchange, seconds: float | None
    ) -> None:
        # Only to be closed: it keeps the socket open when the connection has been closed before.
        self._raw = raw
        self._sock = sock
        self._exchange = exchange
        self._seconds = seconds
        self._latest: float | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        seconds = self._exchange.within(self._seconds)
        latest = self._latest
        if seconds is None or latest is None or not 0 <= latest - seconds < _SLACK:
            self._sock.settimeout(seconds)
            self._latest = seconds
        received: int = self._sock.recv_into(buffer)
        return received

    def close(self) -> None:
        try:
            self._raw.close()
        finally:
            super().close()
