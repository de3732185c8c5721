"""Decide whether a failed attempt is retried, and after which pause. No I/O."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Collection
from enum import Enum, auto
from typing import Any, NamedTuple

from talon_one._core.constructors import checks_fields

_OVERLOADED = frozenset({502, 503, 504})
_TOO_MANY_REQUESTS = 429
_CONFLICT = 409


class Outcome(Enum):
    """How an attempt ended, as far as the server is concerned."""

    NOT_SENT = auto()
    """The server has not seen the request."""
    NO_RESPONSE = auto()
    """It may have executed the request; nothing usable came back."""
    RESPONDED = auto()


class Attempt(NamedTuple):
    """A failed attempt, in the terms that decide whether it is retried."""

    outcome: Outcome
    idempotent: bool
    """Executing the request twice has the same effect as executing it once."""
    status: int | None = None
    has_idempotency_key: bool = False
    """The request has an ``Idempotency-Key``, by which the server recognizes a retry."""
    conflict_is_transient: bool = False
    """A 409 of this operation with this message means "too many requests", not "name taken"."""
    retry_after: float | None = None
    """Seconds that the server asked to wait."""
    replayable: bool = True
    """The body can be sent again from its start; a pipe that was partly read cannot."""

    @property
    def is_refusal(self) -> bool:
        """Whether the server says that it has not executed the request, for now."""
        return self.status in (_TOO_MANY_REQUESTS, _CONFLICT)

    @property
    def shows_health(self) -> bool:
        """Whether the server rejected the content of the request, and so is up and well."""
        return self.status is not None and 400 <= self.status < 500 and not self.is_refusal


@checks_fields("(retries=2, backoff=0.25)")
class RetryPolicy(NamedTuple):
    """How often a failed call is retried, and after which pauses.

    Exponential backoff with full jitter: a pause is random between 0 and `backoff`, which doubles
    with every attempt, and at least as long as the server asked for.
    """

    retries: int = 2
    """Number of further attempts after the first."""
    backoff: float = 0.25
    """Maximum pause before the first retry, in seconds; doubled before each further one."""
    backoff_max: float = 8.0
    """Maximum pause before any retry, in seconds."""
    retry_after_max: float = 60.0
    """If the server asks for a longer pause, in seconds, there is no retry."""
    statuses: Collection[int] = _OVERLOADED
    """Statuses that are retried where that is safe; 429 always is."""

    def pause(
        self,
        attempt: Attempt,
        made: int,
        remaining: float | None = None,
        draw: Callable[[], float] = random.random,
    ) -> float | None:
        """Return the seconds to wait before the next attempt, or ``None`` to give up.

        Args:
            attempt: How the last attempt ended.
            made: How many attempts have been made.
            remaining: Seconds until the deadline of the call; ``None`` if it has none.
            draw: Source of random numbers from 0 to 1.
        """
        if made > self.retries or not self._may_retry(attempt):
            return None
        # The exponent is limited so that the float cannot overflow.
        limit = min(self.backoff_max, self.backoff * 2.0 ** min(made - 1, 64))
        seconds = limit * draw()
        if attempt.retry_after is not None:
            if attempt.retry_after > self.retry_after_max:
                return None
            seconds = max(seconds, attempt.retry_after)
        # Waiting for an attempt that the deadline rules out is pointless.
        return None if remaining is not None and seconds >= remaining else seconds

    def _may_retry(self, attempt: Attempt) -> bool:
        if not attempt.replayable:
            return False
        if attempt.outcome is Outcome.NOT_SENT:
            return True
        safe = attempt.idempotent or attempt.has_idempotency_key
        if attempt.outcome is Outcome.NO_RESPONSE:
            return safe
        status = attempt.status
        if status == _TOO_MANY_REQUESTS:
            return True
        if status == _CONFLICT:
            return attempt.conflict_is_transient
        if status in self.statuses:
            return safe
        return status is not None and 500 <= status <= 599 and attempt.has_idempotency_key


NO_RETRIES = RetryPolicy(retries=0)


class RetryBudget:
    """What a client may spend on retries, so that an outage does not become a retry storm.

    A retry costs what two responses earn, and at most 20 retries can be saved up. A client that
    mostly succeeds therefore always retries: three attempts per call stay within the budget while
    up to a third of them fails. During an outage nothing is earned, and retries end when the
    savings do. Half of the savings is reserved for requests with an ``Idempotency-Key``, such as
    the update that closes an order, so that failing reads cannot use them up. Both kinds of clients
    start with full savings, whatever the size of their connection pool.

    Args:
        retries: How many retries can be saved up.
        reserved: How many of them only requests with a key may use.
        price: How many responses pay for a retry.
    """

    def __init__(self, retries: int = 20, reserved: int = 10, price: int = 2) -> None:
        self.retries = retries
        self.reserved = reserved
        self.price = price
        self._limit = self._saved = retries * price
        self._lock = threading.Lock()

    def spend(self, *, has_key: bool = False, stale_connection: bool = False) -> bool:
        """Pay for a retry; return ``False`` if there is not enough left.

        Args:
            has_key: Whether the request has an ``Idempotency-Key``.
            stale_connection: Whether the attempt failed on a reused connection. Its retry is always
                granted, for what is left: a server that restarts breaks all pooled connections in
                the same moment, but each only once, so that the pool size bounds these retries.
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
        """Note a response that shows that the server is up."""
        # The savings are full nearly always; then no lock is needed.
        if self._saved < self._limit:
            with self._lock:
                self._saved = min(self._limit, self._saved + 1)


def as_policy(retries: Any, default: RetryPolicy | None = None) -> RetryPolicy:
    """Return the policy that a setting stands for.

    Args:
        retries: A policy, a number of retries, ``False`` for none, ``None`` for the default,
            or a `urllib3.Retry`, as the vendor's packages accept it.
        default: Policy for ``None``; a number replaces only its `retries`.

    Raises:
        TypeError: *retries* is none of these.
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
    # Operations decide which requests may be retried, whatever methods the object allows.
    return default._replace(
        retries=max(map(int, counts), default=default.retries),
        backoff=float(retry.backoff_factor) or default.backoff,
        backoff_max=float(retry.backoff_max),
        statuses=frozenset({*(retry.status_forcelist or ()), *default.statuses}),
    )
