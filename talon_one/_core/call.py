"""The life of one call: attempts, time left, retries, queueing, and hooks. No I/O."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from talon_one._core.auth import AUTHORIZATION, BEARER, NO_TOKEN_YET
from talon_one._core.failures import classify, may_have_acted
from talon_one._core.response import is_success, result
from talon_one._core.secret import clear_locals
from talon_one._core.transport import BufferedStream
from talon_one.api_response import ApiResponse
from talon_one.exceptions import (
    ApiException,
    ApiTimeoutError,
    ApiTypeError,
    ClientClosedError,
    ConnectTimeoutError,
    NoResponseError,
    NotSentError,
    ReadTimeoutError,
)

if TYPE_CHECKING:
    from talon_one._core.entity_queues import EntityQueues, Ticket
    from talon_one._core.hooks import Observation
    from talon_one._core.operation import Operation
    from talon_one._core.options import CallOptions
    from talon_one._core.request import Request
    from talon_one._core.response import RawResponse
    from talon_one._core.retry import RetryBudget, RetryPolicy
    from talon_one._core.timeout import Timeout
    from talon_one.configuration import Configuration

_UNAUTHORIZED = 401
_SENT_BEFORE = "an earlier attempt had reached the server"
_TOO_LATE = "the deadline has passed"
_TOO_LATE_IN_QUEUE = "the deadline has passed in the queue of its profile or session"


class Call:
    """One call of an operation, from its first attempt to its last.

    A client calls `start`, waits in the queue if there is one, and makes attempts: each begins with
    `attempt_started` and ends with `succeeded`, `stream_opened` or `attempt_failed`, which returns
    how long to pause, or raises. Any other exception goes to `aborted`.

    Attributes:
        request: What is sent.
        preload: Whether the body is read here; otherwise the caller gets it unread.
        stream: Whether the body of a 2xx response is read in chunks by the caller.
        async_req: Whether the call runs in a thread.
        needs_queue: Whether calls about the same session or profile are sent one after another.
        supplied: The response of a hook, which replaces sending the attempt.
        rejected: Value of ``Authorization`` that the client has to renew before the next attempt;
            ``None`` nearly always.
    """

    __slots__ = (
        "_attempts",
        "_budget",
        "_clock",
        "_configuration",
        "_earlier",
        "_ends",
        "_full",
        "_may_renew",
        "_observation",
        "_operation",
        "_policy",
        "_queues",
        "_refused",
        "_renewals",
        "_ticket",
        "_timeout",
        "_too_late",
        "async_req",
        "needs_queue",
        "preload",
        "rejected",
        "request",
        "stream",
        "supplied",
    )

    def __init__(
        self,
        operation: Operation,
        request: Request,
        options: CallOptions,
        timeout: Timeout,
        policy: RetryPolicy,
        budget: RetryBudget,
        configuration: Configuration,
        queues: EntityQueues | None = None,
        clock: Callable[[], float] = time.monotonic,
        renews: bool = False,
    ) -> None:
        self.request = request
        self.preload = options.preload
        self.stream = options.stream
        self.async_req = options.async_req
        self.supplied: RawResponse | None = None
        self._full = options.full
        self._operation = operation
        self._timeout = timeout
        self._policy = policy
        self._budget = budget
        self._configuration = configuration
        self._queues = queues if request.entities else None
        self.needs_queue = self._queues is not None
        self._ticket: Ticket | None = None
        self._observation: Observation | None = None
        self._clock = clock
        self._ends = None if timeout.deadline is None else clock() + timeout.deadline
        self._too_late = _TOO_LATE
        self._attempts = 0
        self._refused = False
        self._may_renew = renews
        self._renewals = 0
        self.rejected: str | None = None
        if renews and request.headers.get(AUTHORIZATION) == NO_TOKEN_YET:
            self.rejected = NO_TOKEN_YET
        self._earlier: tuple[ApiException, ...] = ()

    def start(self) -> None:
        """Notify the hooks that the call begins, in the thread or task that runs it."""
        # Imported here, because it loads logging, which creating a client does not need.
        from talon_one._core.hooks import observe

        self._observation = observe(self._configuration, self._operation, self.request)

    @property
    def remaining(self) -> float | None:
        """Seconds until the deadline, if there is one."""
        return None if self._ends is None else self._ends - self._clock()

    # -- Queue ---------------------------------------------------------------------------------

    def join_queue(self, wake: Callable[[], object]) -> bool:
        """Join the queues; return whether the call may be sent immediately.

        Args:
            wake: Called, in any thread, when the call may be sent; see `Ticket`.
        """
        from talon_one._core.entity_queues import Ticket

        if self._queues is None:
            return True
        self._ticket = Ticket(self.request.entities, wake)
        return self._queues.join(self._ticket)

    def queue_timed_out(self) -> None:
        """Note that the deadline passed in the queue."""
        self._too_late = _TOO_LATE_IN_QUEUE

    def leave_queue(self) -> None:
        """Let the next call go ahead. Harmless if called twice or interrupted.

        A place in the queue is also free when nothing refers to this call any more.
        """
        ticket, self._ticket = self._ticket, None
        if self._queues is not None and ticket is not None:
            self._queues.leave(ticket)

    # -- Attempts ------------------------------------------------------------------------------

    def attempt_started(self) -> Timeout:
        """Note that an attempt begins; return the time that it may take.

        Raises:
            ConnectTimeoutError: The deadline has passed; this attempt is not made.
            NotSentError: A hook refuses this attempt.
        """
        timeout = self._timeout
        if self._ends is not None:
            remaining = self._ends - self._clock()
            if remaining <= 0:
                raise self._failure(ConnectTimeoutError, self._too_late)
            timeout = timeout.within(remaining)
        self._attempts += 1
        if self._observation is not None:
            try:
                self.supplied = self._observation.attempt_started(self._attempts)
            except NotSentError:
                self._attempts -= 1
                self._refused = True
                raise
        return timeout

    def renew(self, authorization: str) -> None:
        """Replace the rejected value of ``Authorization``."""
        self.request.headers[AUTHORIZATION] = authorization
        self.rejected = None

    def succeeded(self, response: RawResponse) -> Any:
        """Return what the caller gets for a complete response.

        Raises:
            ApiException: The status is not 2xx, or the body is not what the operation promises.
        """
        data = result(self._operation, self.request, response)
        self._budget.earn()
        if self._observation is not None:
            self._observation.succeeded(response.status, response.headers, response.data)
        if self._full:
            return ApiResponse(response.status, response.headers, data, response.data)
        return data

    def stream_opened(self, status: int, headers: Mapping[str, str]) -> None:
        """Note that a response has begun whose body the caller reads."""
        if is_success(status):
            self._budget.earn()
        if self._observation is not None:
            self._observation.succeeded(status, headers)

    def supplied_result(self, response: RawResponse) -> Any:
        """Return what the caller gets for the response of a hook; raises the errors of `succeeded`.

        Raises:
            ApiTypeError: The caller wants the response unread.
        """
        if not self.preload:
            raise ApiTypeError("the response of a hook cannot be returned unread")
        if self.stream and is_success(response.status):
            self.stream_opened(response.status, response.headers)
            return BufferedStream(response)
        return self.succeeded(response)

    def attempt_failed(self, failure: ApiException) -> float:
        """Return the seconds to pause before the next attempt.

        Raises:
            ApiException: There is no next attempt. It is *failure*, unless that would hide that an
                earlier attempt was sent.
        """
        clear_locals(failure)
        pause = self._pause_after(failure)
        if pause is not None:
            if self._observation is not None:
                self._observation.attempt_failed(failure, None)
            self._earlier = (*self._earlier, failure)
            return pause
        final = self._final(failure)
        if self._observation is not None:
            self._observation.attempt_failed(failure, final)
        raise final from failure.__cause__

    def aborted(self, cause: BaseException) -> ApiException | None:
        """Note that the call ends for a reason of its own, such as Ctrl-C or a closed client.

        Returns:
            What to raise in place of a `ClientClosedError`, which would say that nothing was sent,
            if an earlier attempt was.
        """
        instead = None
        if isinstance(cause, ClientClosedError) and any(map(may_have_acted, self._earlier)):
            reason = f"the client was closed; {_SENT_BEFORE}"
            instead = self._failure(NoResponseError, reason)
            instead.attempts = len(self._earlier)
        else:
            clear_locals(cause)
        if self._observation is not None:
            self._observation.aborted(instead or cause)
        return instead

    def _pause_after(self, failure: ApiException) -> float | None:
        """Return the seconds to pause before a retry; ``None`` if there is none."""
        self._annotate(failure)
        if self._refused or self.rejected is not None:  # By a hook; or the renewal failed.
            return None
        if self._renews_after(failure):
            return 0.0
        attempt = classify(failure, self._operation, self.request)
        if attempt.shows_health:
            self._budget.earn()
        # The retry with a new token is none of those that the policy allows.
        made = self._attempts - self._renewals
        pause = self._policy.pause(attempt, made, self.remaining)
        # A server that asks for patience is up, so that its retries cannot become a storm.
        if pause is None or attempt.is_refusal:
            return pause
        if self._budget.spend(
            has_key=attempt.has_idempotency_key, stale_connection=failure.on_stale_connection
        ):
            return pause
        failure.retry_budget_exhausted = True
        return None

    def _renews_after(self, failure: ApiException) -> bool:
        """Return whether to send the request again with a new token, which happens once.

        A server that responds with 401 has not executed the request, so this is safe for every
        method. A body that was partly read, such as a pipe, cannot be sent again.
        """
        if not self._may_renew or self._renewals or failure.status != _UNAUTHORIZED:
            return False
        authorization = self.request.headers.get(AUTHORIZATION, "")
        if not authorization.startswith(BEARER) or not self.request.replayable:
            return False
        self._renewals = 1
        self.rejected = authorization
        return True

    def _final(self, failure: ApiException) -> ApiException:
        """Return what to raise in the end.

        An unsent last attempt does not rule out that an earlier one was executed.
        """
        if not isinstance(failure, NotSentError) or not any(map(may_have_acted, self._earlier)):
            return failure
        kind = ReadTimeoutError if isinstance(failure, ApiTimeoutError) else NoResponseError
        self._earlier = (*self._earlier, failure)
        final = self._failure(kind, f"{failure.reason}; {_SENT_BEFORE}")
        final.retry_budget_exhausted = failure.retry_budget_exhausted
        return final

    def _failure(self, kind: type[ApiException], reason: str) -> ApiException:
        return self._annotate(
            kind(
                None,
                reason,
                operation_id=self._operation.id,
                method=self.request.method,
                url=self.request.url_without_query,
            )
        )

    def _annotate(self, failure: ApiException) -> ApiException:
        failure.attempts = max(1, self._attempts)
        failure.earlier = self._earlier
        return failure
