"""Call, one call of an operation but for its I/O: the shells send, and sleep, where it says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from talon_one._core.response import result
from talon_one._core.secret import forget_locals
from talon_one.api_response import ApiResponse

if TYPE_CHECKING:
    from talon_one._core.attempts import Attempts
    from talon_one._core.entity_queues import EntityQueues, Ticket
    from talon_one._core.hooks import Observation
    from talon_one._core.operation import Operation
    from talon_one._core.request import CallOptions, Request
    from talon_one._core.response import RawResponse
    from talon_one._core.timeout import Timeout
    from talon_one.configuration import Configuration
    from talon_one.exceptions import ApiException, ClientClosedError


class Call:
    """What happens in a call before and after each attempt.

    A shell does `start`, then, for each attempt, `begin`, the sending, and `answered` or `opened`.
    It hands an `ApiException` to `failed`, which says how long to pause, or raises; and any other
    exception to `ended`.

    Attributes:
        request: What is sent.
        preload: Whether the answer is read; otherwise the caller wants it with its body unread.
        stream: Whether a good answer is read piece by piece.
    """

    __slots__ = (
        "_attempts",
        "_configuration",
        "_full",
        "_late",
        "_observation",
        "_operation",
        "_turn",
        "_turns",
        "preload",
        "request",
        "stream",
    )

    def __init__(
        self,
        operation: Operation,
        request: Request,
        options: CallOptions,
        attempts: Attempts,
        configuration: Configuration,
        turns: EntityQueues | None = None,
    ) -> None:
        self.request = request
        self.preload = options.preload
        self.stream = options.stream
        self._operation = operation
        self._full = options.full
        self._attempts = attempts
        self._configuration = configuration
        self._observation: Observation | None = None
        self._turns = turns if request.entities else None
        self._turn: Ticket | None = None
        self._late = "the deadline has passed"

    def start(self) -> None:
        """Tell the hooks that the call begins, in the thread or task that carries it out."""
        # Here, because it brings logging, which making a client does not need.
        from talon_one._core.hooks import observe

        self._observation = observe(self._configuration, self._operation, self.request)

    @property
    def queues(self) -> bool:
        """Whether it may have to wait for other calls about the same session or profile."""
        return self._turns is not None

    @property
    def remaining(self) -> float | None:
        """Seconds until the deadline, if there is one."""
        return self._attempts.remaining

    def enter(self, wake: Callable[[], object]) -> bool:
        """Queue up, if the call queues; say whether it may be sent at once.

        Args:
            wake: Called, in whichever thread, when it may be sent; see `Ticket`.
        """
        from talon_one._core.entity_queues import Ticket

        if self._turns is None:
            return True
        self._turn = Ticket(self.request.entities, wake)
        return self._turns.enter(self._turn)

    def passed_over(self) -> None:
        """Note that time was up before it was the turn of this call."""
        self._late = "the deadline has passed in the queue of its profile or session"

    def leave(self) -> None:
        """Let those go on who wait for this call; once is enough.

        If an exception comes between, the place is free when nothing holds this call any more.
        """
        turn, self._turn = self._turn, None
        if self._turns is not None and turn is not None:
            self._turns.leave(turn)

    def begin(self) -> Timeout:
        """Note that an attempt begins and return the time it may take.

        Raises:
            ConnectTimeoutError: The deadline has passed; this attempt is not made.
        """
        timeout = self._attempts.begin(self._late)
        if self._observation is not None:
            self._observation.begins(self._attempts.made)
        return timeout

    def answered(self, answer: RawResponse) -> Any:
        """Return what the caller gets for a complete answer.

        Raises:
            ApiException: Its status is not 2xx, or it is not what was promised.
        """
        data = result(self._operation, self.request, answer)
        self._attempts.succeeded()
        if self._observation is not None:
            self._observation.answered(answer.status, answer.headers, answer.data)
        if self._full:
            return ApiResponse(answer.status, answer.headers, data, answer.data)
        return data

    def opened(self, status: int, headers: Mapping[str, str]) -> None:
        """Note that an answer has begun whose body is read by the caller."""
        if 200 <= status <= 299:
            self._attempts.succeeded()
        if self._observation is not None:
            self._observation.answered(status, headers)

    def failed(self, failure: ApiException) -> float:
        """Note how an attempt failed and return the seconds to wait before the next.

        Raises:
            ApiException: There is no next one.
        """
        forget_locals(failure)
        pause, final = self._attempts.failed(failure)
        if self._observation is not None:
            self._observation.failed(failure, final)
        if final is not None:
            raise final from failure.__cause__
        return pause

    def closed(self, cause: ClientClosedError) -> ApiException | None:
        """Note that the client was closed before the next attempt.

        Returns:
            What to raise instead of *cause*, which says that nothing was sent, if something was.
        """
        failure = self._attempts.given_up("the client was closed")
        self.ended(failure or cause)
        return failure

    def ended(self, cause: BaseException) -> None:
        """Note that the call ends for a reason of its own, so that what hooks began ends too."""
        forget_locals(cause)
        if self._observation is not None:
            self._observation.ended(cause)
