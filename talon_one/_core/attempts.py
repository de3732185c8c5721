"""One call from its first attempt to its last: time left, what went wrong, what to do next."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from talon_one._core.request import has_key
from talon_one._core.retry import Attempt, Outcome, RetryBudget, RetryPolicy, retry_after
from talon_one.exceptions import (
    ApiException,
    ApiTimeoutError,
    ConnectTimeoutError,
    NoResponseError,
    NotSentError,
    ReadTimeoutError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from talon_one._core.operation import Operation
    from talon_one._core.request import Request
    from talon_one._core.timeout import Timeout

_PASSING_CONFLICT = "too many requests"
_SENT_BEFORE = "an attempt before had reached the server"


class Attempts:
    """The attempts of one call. No I/O: the shells send, sleep and ask here what comes next.

    Args:
        operation: What is called.
        request: What is sent, the same each time.
        timeout: Time for the steps and for the whole.
        policy: What is repeated, and after which pause.
        budget: What the client may spend on repetitions.
        clock: Seconds that only ever go forward.
    """

    def __init__(
        self,
        operation: Operation,
        request: Request,
        timeout: Timeout,
        policy: RetryPolicy,
        budget: RetryBudget,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.made = 0
        self._operation = operation
        self._request = request
        self._timeout = timeout
        self._policy = policy
        self._budget = budget
        self._clock = clock
        self._earlier: tuple[ApiException, ...] = ()
        self._ends = None if timeout.deadline is None else clock() + timeout.deadline

    def begin(self, late: str = "the deadline has passed") -> Timeout:
        """Note that an attempt begins and return the time it may take.

        Args:
            late: What is said if the deadline has passed.

        Raises:
            ConnectTimeoutError: The deadline has passed; this attempt is not made.
        """
        remaining = self.remaining
        if remaining is not None and remaining <= 0:
            raise self._told(self._failure(ConnectTimeoutError, late))
        self.made += 1
        return self._timeout.within(remaining)

    def succeeded(self) -> None:
        """Note a response that says that the server carried out the request."""
        self._budget.earn()

    def failed(self, failure: ApiException) -> tuple[float, ApiException | None]:
        """Note how an attempt failed, and decide what comes next.

        Returns:
            Seconds to wait before the next attempt, and ``None``; or, to give up, what is to be
            raised: *failure*, unless it would hide that an attempt before it was sent.
        """
        self._told(failure)
        attempt = self._judged(failure)
        if attempt.shows_health:
            self._budget.earn()
        pause = self._policy.pause(attempt, self.made, self.remaining)
        if pause is None:
            return 0.0, self._final(failure)
        # Patience with a server that is there, and asks for it, makes no storm.
        if not attempt.is_refusal and not self._budget.spend(
            has_key=attempt.keyed, stale_connection=failure.on_stale_connection
        ):
            final = self._final(failure)
            final.retry_budget_exhausted = True
            return 0.0, final
        self._earlier = (*self._earlier, failure)
        return pause, None

    def _final(self, failure: ApiException) -> ApiException:
        """Return what to raise in the end.

        That the last attempt has not reached the server says nothing of those before it.
        """
        if not isinstance(failure, NotSentError) or not any(map(may_have_acted, self._earlier)):
            return failure
        kind = ReadTimeoutError if isinstance(failure, ApiTimeoutError) else NoResponseError
        self._earlier = (*self._earlier, failure)
        return self._told(self._failure(kind, f"{failure.reason}; {_SENT_BEFORE}"))

    def given_up(self, reason: str) -> ApiException | None:
        """Return what to raise when no further attempt can be made.

        Args:
            reason: Why.

        Returns:
            ``None`` if the server has carried out none of the attempts so far.
        """
        if not any(map(may_have_acted, self._earlier)):
            return None
        failure = self._told(self._failure(NoResponseError, f"{reason}; {_SENT_BEFORE}"))
        failure.attempts = len(self._earlier)
        return failure

    def _failure(self, kind: type[ApiException], reason: str) -> ApiException:
        return kind(
            None,
            reason,
            operation_id=self._operation.id,
            method=self._request.method,
            url=self._request.url_without_query,
        )

    def _told(self, failure: ApiException) -> ApiException:
        failure.attempts = max(1, self.made)
        failure.earlier = self._earlier
        return failure

    @property
    def remaining(self) -> float | None:
        """Seconds until the deadline, if there is one."""
        return None if self._ends is None else self._ends - self._clock()

    def _judged(self, failure: ApiException) -> Attempt:
        if isinstance(failure, NotSentError):
            outcome = Outcome.NOT_SENT
        elif isinstance(failure, NoResponseError):
            outcome = Outcome.NO_RESPONSE
        else:
            outcome = Outcome.RESPONDED
        message = failure.message or ""
        return Attempt(
            outcome,
            repeatable=self._operation.idempotent,
            status=failure.status,
            keyed=has_key(self._request.headers),
            conflict_is_passing=bool(self._operation.serialised)
            and message.lower().startswith(_PASSING_CONFLICT),
            retry_after=retry_after(failure.headers, time.time()) if failure.headers else None,
            replayable=self._request.replayable,
        )


def may_have_acted(failure: ApiException) -> bool:
    """Say whether the server may have carried the request out."""
    return isinstance(failure, NoResponseError) or (failure.status or 0) >= 500
