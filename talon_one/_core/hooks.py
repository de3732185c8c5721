"""What the application is told of its calls: hooks, and one line of log for each attempt."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from talon_one._core.headers import HARMLESS, check_header
from talon_one._core.operation import Operation
from talon_one._core.request import Request
from talon_one._core.secret import hidden
from talon_one._utils.guard import guarded, shown

if TYPE_CHECKING:
    from talon_one.configuration import Configuration
    from talon_one.exceptions import ApiException

logger = logging.getLogger("talon_one")


class CallEvent:
    """What a hook is told.

    Attributes:
        operation_id: Operation that is called, such as ``updateCustomerSessionV2``.
        method: HTTP method.
        path: Path of the operation, with the names of its parameters in place of their values.
        url: URL of the request without its query.
        attempt: Number of the attempt, counted from 1; 0 where the call as a whole is meant.
        status: HTTP status, once there is one.
        headers: Headers of the answer, once there is one.
        failure: What went wrong, in `Hooks.on_error`: an `ApiException`, unless something other
            than the API put an end to the call, such as Ctrl-C.
        seconds: Time since the attempt, or the call, began.
        context: For the hook's own use; the same dict throughout a call.
    """

    __slots__ = (
        "_request",
        "attempt",
        "context",
        "failure",
        "headers",
        "method",
        "operation_id",
        "path",
        "seconds",
        "status",
        "url",
    )

    def __init__(self, operation: Operation, request: Request, context: dict[Any, Any]) -> None:
        self.operation_id = operation.id
        self.method = request.method
        self.path = operation.path
        self.url = request.url_without_query
        self.attempt = 0
        self.status: int | None = None
        self.headers: Mapping[str, str] | None = None
        self.failure: BaseException | None = None
        self.seconds = 0.0
        self.context = context
        self._request = request

    def add_header(self, name: str, value: str) -> None:
        """Add a header to the request, such as ``traceparent``; for `Hooks.on_request`."""
        with guarded("a header"):
            check_header(name, value)
            self._request.headers[str(name)] = hidden(value)

    def __repr__(self) -> str:
        return f"<CallEvent {self.operation_id} attempt={self.attempt} status={self.status}>"


class Hooks:
    """Base class of what wants to be told of calls; override what is of interest.

    Every method is called for the call as a whole (`CallEvent.attempt` is 0) and for each of its
    attempts. The methods are plain functions, also where the client is asynchronous, and must not
    block. An exception in one is logged and goes no further: it must not cost anyone an answer.
    """

    def on_request(self, event: CallEvent) -> None:
        """Take note that a call, or an attempt, begins."""

    def on_response(self, event: CallEvent) -> None:
        """Take note of a good end."""

    def on_error(self, event: CallEvent) -> None:
        """Take note of a failure."""


class Observation:
    """Tells hooks and log of one call."""

    def __init__(
        self, configuration: Configuration, operation: Operation, request: Request
    ) -> None:
        self._hooks = tuple(configuration.hooks)
        self._bodies = configuration.log_bodies
        self._operation = operation
        self._request = request
        self._call = CallEvent(operation, request, {})
        self._attempt = self._call
        self._call_began = self._attempt_began = time.perf_counter()
        self._tell("on_request", self._call)

    def begins(self, number: int) -> None:
        """Note that an attempt begins."""
        self._attempt = CallEvent(self._operation, self._request, self._call.context)
        self._attempt.attempt = number
        self._attempt_began = time.perf_counter()
        self._tell("on_request", self._attempt)

    def answered(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        """Note that an attempt, and the call with it, came to a good end."""
        for event in self._events(final=True):
            event.status = status
            event.headers = headers
            self._tell("on_response", event)
        self._log(status, headers, body, status)

    def failed(self, failure: ApiException, final: ApiException | None) -> None:
        """Note that an attempt failed, and how the call did if that was its last."""
        for event in self._events(final is not None):
            told = final if event is self._call and final is not None else failure
            event.status = told.status
            event.headers = told.headers
            event.failure = told
            self._tell("on_error", event)
        outcome = " ".join(str(part) for part in (failure.status, type(failure).__name__) if part)
        self._log(outcome, failure.headers or {}, failure.raw_data or b"")
        self._attempt = self._call

    def ended(self, cause: BaseException) -> None:
        """Note that the call is given up for a reason of its own: the client closed, Ctrl-C."""
        for event in self._events(final=True):
            event.failure = cause
            self._tell("on_error", event)
        self._log(type(cause).__name__, {}, b"")

    def _events(self, final: bool) -> list[CallEvent]:
        now = time.perf_counter()
        self._attempt.seconds = now - self._attempt_began
        self._call.seconds = now - self._call_began
        if self._attempt is self._call:  # Between two attempts.
            return [self._call] if final else []
        return [self._attempt, self._call] if final else [self._attempt]

    def _tell(self, method: str, event: CallEvent) -> None:
        for hook in self._hooks:
            try:
                getattr(hook, method)(event)
            except Exception:  # Whatever it is: the promise is that hooks cost nobody an answer.
                logger.exception("the hook %s failed in %s", shown(hook), method)

    def _log(
        self,
        outcome: object,
        headers: Mapping[str, str],
        body: bytes,
        status: int | None = None,
    ) -> None:
        if not logger.isEnabledFor(logging.DEBUG):
            return
        event = self._attempt
        logger.debug(
            "%s %s -> %s in %.0f ms, attempt %d; sent %s, received %s",
            event.method,
            event.path,
            outcome,
            event.seconds * 1000,
            event.attempt,
            _shown(self._request.headers),
            _shown(headers),
        )
        if self._bodies:
            self._log_bodies(status, body)

    def _log_bodies(self, status: int | None, body: bytes) -> None:
        from talon_one._core.masking import masked

        operation = self._operation
        sent, received = operation.body.type if operation.body else None, None
        if status is not None and 200 <= status <= 299:
            received = operation.result_type(status)
        logger.debug(
            "sent %r, received %r",
            masked(self._request.body, sent, operation.models),
            masked(body, received, operation.models),
        )


def observe(
    configuration: Configuration, operation: Operation, request: Request
) -> Observation | None:
    """Return the observation of a call, or ``None`` if nobody wants to know of it."""
    if configuration.hooks or logger.isEnabledFor(logging.DEBUG):
        return Observation(configuration, operation, request)
    return None


def _shown(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in headers.items() if name.lower() in HARMLESS}
