"""What happened and how often: wait and try again, or give up? Decides only; sends nothing."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Collection, Mapping
from enum import Enum
from typing import Any, NamedTuple

_OVERLOADED = frozenset({502, 503, 504})
_TOO_MANY_REQUESTS = 429
_CONFLICT = 409


class Outcome(Enum):
    """How an attempt ended, as far as the server is concerned."""

    NOT_SENT = "not sent"
    """The server has not seen the request."""
    NO_RESPONSE = "no answer"
    """It may have carried the request out; nothing usable came back."""
    RESPONDED = "answered"


class Attempt(NamedTuple):
    """One attempt that did not succeed, in the terms in which it is judged."""

    outcome: Outcome
    repeatable: bool
    """Carrying the request out twice does no more than carrying it out once."""
    status: int | None = None
    keyed: bool = False
    """The request bears an ``Idempotency-Key``, so the server itself recognises a repetition."""
    conflict_is_passing: bool = False
    """A 409 of this operation, with this message, says "too many at once", not "name taken"."""
    retry_after: float | None = None
    """Seconds that the server asked to wait."""
    replayable: bool = True
    """The body can be sent once more from its beginning; not so a pipe of which some was read."""

    @property
    def is_refusal(self) -> bool:
        """Whether the server said that it has not carried the request out, for now."""
        return self.status in (_TOO_MANY_REQUESTS, _CONFLICT)

    @property
    def shows_health(self) -> bool:
        """Whether the server refused the request for what it says, so that it is up and well."""
        return self.status is not None and 400 <= self.status < 500 and not self.is_refusal


class RetryPolicy(NamedTuple):
    """How often, and after which pauses, a failed call is tried again.

    A pause is drawn at random between nothing and `backoff` doubled with every attempt (so that
    many clients do not come back in step), and at least as long as the server asked for.
    """

    retries: int = 2
    """Further attempts after the first."""
    backoff: float = 0.25
    """Longest pause before the first repetition, in seconds; doubled with every further one."""
    backoff_max: float = 8.0
    """Longest pause of all, in seconds."""
    retry_after_max: float = 60.0
    """A server that asks for a longer pause, in seconds, is not asked again."""
    statuses: Collection[int] = _OVERLOADED
    """Statuses of overload, repeated where that is safe; 429 always is."""

    def pause(
        self,
        attempt: Attempt,
        made: int,
        remaining: float | None = None,
        draw: Callable[[], float] = random.random,
    ) -> float | None:
        """Return the seconds to wait before the next attempt, or ``None`` to give up.

        Args:
            attempt: How the latest attempt ended.
            made: How many attempts have been made.
            remaining: Seconds until the deadline of the call; ``None`` if it has none.
            draw: Source of random numbers from 0 to 1.
        """
        if made > self.retries or not self._may_repeat(attempt):
            return None
        # As a float, and to a power that it can hold: it is far beyond any sensible pause.
        longest = min(self.backoff_max, self.backoff * 2.0 ** min(made - 1, 64))
        seconds = longest * draw()
        if attempt.retry_after is not None:
            if attempt.retry_after > self.retry_after_max:
                return None
            seconds = max(seconds, attempt.retry_after)
        # There is no point in waiting for an attempt that could not be made any more.
        return None if remaining is not None and seconds >= remaining else seconds

    def _may_repeat(self, attempt: Attempt) -> bool:
        if not attempt.replayable:
            return False
        if attempt.outcome is Outcome.NOT_SENT:
            return True
        safe = attempt.repeatable or attempt.keyed
        if attempt.outcome is Outcome.NO_RESPONSE:
            return safe
        status = attempt.status
        if status == _TOO_MANY_REQUESTS:
            return True
        if status == _CONFLICT:
            return attempt.conflict_is_passing
        if status in self.statuses:
            return safe
        return status is not None and 500 <= status <= 599 and attempt.keyed


NO_RETRIES = RetryPolicy(retries=0)


class RetryBudget:
    """What a client may spend on retries, so that an outage does not become a retry storm.

    A retry costs as much as two responses earn, and no more than 20 retries can be saved up. So a
    client that mostly succeeds always retries: three independent attempts per call stay within the
    budget while up to a third of them is lost. During an outage nothing is earned, and retries end
    when the savings do. Half of the savings is reserved for requests with an ``Idempotency-Key``,
    such as the update that closes an order, so that failing reads cannot use them up. Both kinds
    of clients start with full savings, whatever the size of their connection pool.

    Args:
        retries: How many retries can be saved up.
        reserved: How many of them are for requests with a key alone.
        price: How many responses pay for a retry.
    """

    def __init__(self, retries: int = 20, reserved: int = 10, price: int = 2) -> None:
        self.retries = retries
        self.reserved = reserved
        self.price = price
        self._limit = self._saved = retries * price
        self._lock = threading.Lock()

    def spend(self, *, has_key: bool = False, stale_connection: bool = False) -> bool:
        """Pay for a retry; ``False`` if there is not enough left.

        Args:
            has_key: Whether the request has an ``Idempotency-Key``.
            stale_connection: Whether the attempt failed on a connection that had served others.
                Its retry is always granted, for what is left: each connection can fail like this
                once, so that the size of the pool bounds these, and a server that restarts breaks
                all of them in the same moment.
        """
        with self._lock:
            left = self._saved - self.price
            if left < (0 if has_key else self.reserved * self.price):
                if not stale_connection:
                    return False
                left = max(0, left)
            self._saved = left
            return True

    def earn(self) -> None:
        """Note a response that shows that the server is well."""
        # Nearly always the savings are full, and nothing has to be locked.
        if self._saved < self._limit:
            with self._lock:
                self._saved = min(self._limit, self._saved + 1)


def as_policy(retries: Any, default: RetryPolicy | None = None) -> RetryPolicy:
    """Return the policy that a setting stands for.

    Args:
        retries: A policy, a number of repetitions, ``False`` for none, ``None`` for the default,
            or a `urllib3.Retry`, as the vendor's packages accept it.
        default: Policy for ``None``, and what a number leaves as it is.

    Raises:
        TypeError: *retries* is nothing of the kind.
    """
    default = default or RetryPolicy()
    if retries is None or retries is True:
        return default
    if isinstance(retries, RetryPolicy):
        return retries
    if retries is False:
        return NO_RETRIES
    if isinstance(retries, int):
        return default._replace(retries=max(0, retries))
    if hasattr(retries, "status_forcelist"):
        return _from_urllib3(retries, default)
    raise TypeError(f"retries are a number or a RetryPolicy, not {retries!r}")


def _from_urllib3(retry: Any, default: RetryPolicy) -> RetryPolicy:
    counts = [retry.total]
    if retry.total is None or retry.total is True:
        counts = [each for each in (retry.connect, retry.read, retry.status) if each is not None]
    # Which methods may be repeated is settled by the operations, whatever the object allows.
    return default._replace(
        retries=max(map(int, counts), default=default.retries),
        backoff=float(retry.backoff_factor) or default.backoff,
        backoff_max=float(retry.backoff_max),
        statuses=frozenset({*(retry.status_forcelist or ()), *default.statuses}),
    )


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds that ``Retry-After`` asks to wait, given as a number or as a date.

    Args:
        headers: Headers of the answer.
        now: Seconds since the epoch.
    """
    text = (headers.get("Retry-After") or "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        from email.utils import parsedate_to_datetime

        try:
            seconds = parsedate_to_datetime(text).timestamp() - now
        except (ValueError, OverflowError):
            return None
    # NaN and infinity are words that float() knows and HTTP does not.
    return max(0.0, seconds) if seconds == seconds and seconds != float("inf") else None
