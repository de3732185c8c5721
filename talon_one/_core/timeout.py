"""Timeout: limits for the steps of a call and for the call as a whole."""

from __future__ import annotations

from typing import Any, NamedTuple

from talon_one.exceptions import ApiTypeError

# What sockets can wait, in seconds: 24 days.
_LONGEST = (2**31 - 1) / 1000


class Timeout(NamedTuple):
    """Seconds that a call may take; ``None`` means forever.

    Looking up the address of a host is left to the system, which has a timeout of its own.
    """

    connect: float | None = 5.0
    """To get a connection, for each attempt, whichever addresses the host has."""
    read: float | None = 30.0
    """To wait for each piece of the response, for each attempt."""
    deadline: float | None = None
    """For the whole call: all attempts, the pauses between them, and reading the response."""

    def within(self, remaining: float | None) -> Timeout:
        """Return the timeout of an attempt for which so many seconds are left."""
        if remaining is None:
            return self
        return Timeout(_least(self.connect, remaining), _least(self.read, remaining), remaining)


def as_timeout(timeout: Any, default: Timeout) -> Timeout:
    """Return the timeout that a setting stands for.

    Args:
        timeout: A `Timeout`; a number of seconds to connect and, anew, to read; a pair of the two;
            a `urllib3.Timeout`, whose total becomes the deadline; ``None`` for *default*.
        default: What is not said otherwise; its deadline holds unless there is another.

    Raises:
        ApiTypeError: *timeout* is nothing of the kind, not above 0, or longer than 24 days.
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
        name: What the setting is called, for the message.
        seconds: What it is set to.

    Raises:
        ApiTypeError: It is no number, not above 0, or longer than 24 days.
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
    # Its own properties do not tell what was not given, a placeholder, from ``None``.
    connect, read = (
        part if part is None or _is_number(part) else known
        for part, known in ((timeout._connect, default.connect), (timeout._read, default.read))
    )
    return Timeout(connect, read, default.deadline if timeout.total is None else timeout.total)


def _least(seconds: float | None, remaining: float) -> float:
    return remaining if seconds is None else min(seconds, remaining)
