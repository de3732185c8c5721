"""Timeout: limits for the steps of a call and for the call as a whole."""

from __future__ import annotations

from typing import Any, NamedTuple

from talon_one._core.constructors import checks_fields
from talon_one.exceptions import ApiTypeError

# The maximum timeout of sockets, in seconds: 24 days.
_LONGEST = (2**31 - 1) / 1000


@checks_fields("(connect=5, read=30)")
class Timeout(NamedTuple):
    """Limits for a call in seconds; ``None`` means no limit.

    Name resolution has its own timeout, which is that of the system.
    """

    connect: float | None = 5.0
    """Time to get a connection, per attempt, for all addresses of the host together."""
    read: float | None = 30.0
    """Time to wait for each part of the response, per attempt."""
    deadline: float | None = None
    """Time for the whole call: all attempts, pauses, and reading the response."""

    def within(self, remaining: float | None) -> Timeout:
        """Return the timeout of an attempt when *remaining* seconds are left."""
        if remaining is None:
            return self
        parts = (_least(self.connect, remaining), _least(self.read, remaining), remaining)
        # Every attempt with a deadline comes here; `_make` leaves out the check of the arguments.
        return Timeout._make(parts)


DEFAULT_TIMEOUT = Timeout()
NO_TIMEOUT = Timeout(None, None)


def as_timeout(timeout: Any, default: Timeout) -> Timeout:
    """Return the timeout that a setting stands for.

    Args:
        timeout: A `Timeout`; seconds to connect and to read; a pair of both; a `urllib3.Timeout`,
            whose total becomes the deadline; ``None`` for *default*.
        default: Values for what is not set, its deadline included.

    Raises:
        ApiTypeError: *timeout* is none of these, not above 0, or longer than 24 days.
    """
    if timeout is None:
        return default
    if isinstance(timeout, Timeout):
        found = timeout
        if found.deadline is None:
            found = found._replace(deadline=default.deadline)
    elif isinstance(timeout, (tuple, list)) and len(timeout) == 2:
        found = default._replace(connect=timeout[0], read=timeout[1])
    elif hasattr(timeout, "connect_timeout"):
        found = _from_urllib3(timeout, default)
    else:
        found = default._replace(connect=timeout, read=timeout)
    for seconds in found:
        if seconds is not None and not _is_positive(seconds):
            raise ApiTypeError(
                f"a timeout is a number of seconds, above 0 and up to {_LONGEST:.0f}, a pair of"
                f" them to connect and to read, or a talon_one.Timeout, not {timeout!r}"
            )
    return found


def as_deadline(name: str, seconds: Any) -> Any:
    """Return the seconds that a call may take in all.

    Args:
        name: Name of the setting, for the message.
        seconds: Its value.

    Raises:
        ApiTypeError: It is not a number, not above 0, or longer than 24 days.
    """
    if not _is_positive(seconds):
        raise ApiTypeError(
            f"{name} is a number of seconds for the whole call, above 0 and up to {_LONGEST:.0f},"
            f" not {seconds!r}"
        )
    return seconds


def _is_positive(seconds: Any) -> bool:
    return _is_number(seconds) and 0 < seconds <= _LONGEST


def _is_number(seconds: Any) -> bool:
    return isinstance(seconds, (int, float)) and not isinstance(seconds, bool)


def _from_urllib3(timeout: Any, default: Timeout) -> Timeout:
    # Its properties do not distinguish a value that was not given from ``None``.
    connect, read = (
        part if part is None or _is_number(part) else known
        for part, known in ((timeout._connect, default.connect), (timeout._read, default.read))
    )
    return Timeout(connect, read, default.deadline if timeout.total is None else timeout.total)


def _least(seconds: float | None, remaining: float) -> float:
    return remaining if seconds is None else min(seconds, remaining)
