"""Hooks that observe calls, or respond in place of the server, and a log line per attempt."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from talon_one._core.headers import HARMLESS, check_header
from talon_one._core.operation import Operation
from talon_one._core.request import Request
from talon_one._core.response import RawResponse, is_success
from talon_one._core.secret import hidden
from talon_one._utils.guard import guarded, safe_repr
from talon_one.exceptions import NotSentError

if TYPE_CHECKING:
    from talon_one.configuration import Configuration
    from talon_one.exceptions import ApiException

logger = logging.getLogger("talon_one")


class CallEvent:
    """A call, or one of its attempts, as hooks see it.

    Attributes:
        operation_id: Operation that is called, such as ``updateCustomerSessionV2``.
        method: HTTP method.
        path: Path of the operation, with the names of its parameters in place of their values.
        url: URL of the request without its query.
        attempt: Number of the attempt, counted from 1; 0 where the call as a whole is meant.
        status: HTTP status, once there is one.
        headers: Headers of the response, once there is one.
        failure: What went wrong, in `Hooks.on_error`: an `ApiException`, unless something else
            ended the call, such as Ctrl-C.
        seconds: Time since the attempt, or the call, began.
        intercepted: Whether a hook responded to the attempt, or refused it, so that nothing was
            sent.
        context: For the hook's own use; the same dict throughout a call.
    """

    __slots__ = (
        "_request",
        "attempt",
        "context",
        "failure",
        "headers",
        "intercepted",
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
        self.intercepted = False
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
    """Base class of hooks; override the methods of interest.

    Every method is called for the call as a whole (`CallEvent.attempt` is 0) and for each of its
    attempts. The methods are plain functions, also for the asyncio client, and must not block. An
    exception in one of them is logged and goes no further: a hook never costs a response. The one
    exception that counts is a `NotSentError` of `on_request`.
    """

    def on_request(self, event: CallEvent) -> RawResponse | None:
        """Note that a call, or an attempt, begins.

        Returns:
            ``None``, or, for an attempt, a response that is used as if the server had sent it:
            nothing is sent, and its status decides between success, retry and failure. If several
            hooks return one, the first counts. This is the place for caches and fallbacks.

        Raises:
            NotSentError: The hook refuses the attempt, unless another hook responds to it. Nothing
                is sent, and the call ends without a retry.
        """
        return None

    def on_response(self, event: CallEvent) -> None:
        """Note that an attempt, or the call, succeeded."""

    def on_error(self, event: CallEvent) -> None:
        """Note that an attempt, or the call, failed."""


class Observation:
    """Reports one call to the hooks and to the log."""

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
        self._notify("on_request", self._call)

    def attempt_started(self, number: int) -> RawResponse | None:
        """Report that an attempt begins; return the response of a hook, if there is one.

        Raises:
            NotSentError: A hook refuses the attempt.
        """
        self._attempt = event = CallEvent(self._operation, self._request, self._call.context)
        event.attempt = number
        self._attempt_began = time.perf_counter()
        refusals: list[NotSentError] = []
        results = self._notify("on_request", event, refusals)
        response = next(filter(None, map(_checked, results)), None)
        event.intercepted = response is not None or bool(refusals)
        if refusals and response is None:
            raise refusals[0]
        return response

    def succeeded(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        """Report that an attempt, and the call with it, succeeded."""
        for event in self._events(final=True):
            event.status = status
            event.headers = headers
            self._notify("on_response", event)
        self._log(status, headers, body, status)

    def attempt_failed(self, failure: ApiException, final: ApiException | None) -> None:
        """Report how an attempt failed, and how the call did if that was its last."""
        for event in self._events(final is not None):
            shown = final if event is self._call and final is not None else failure
            event.status = shown.status
            event.headers = shown.headers
            event.failure = shown
            self._notify("on_error", event)
        outcome = " ".join(str(part) for part in (failure.status, type(failure).__name__) if part)
        self._log(outcome, failure.headers or {}, failure.raw_data or b"")
        self._attempt = self._call

    def aborted(self, cause: BaseException) -> None:
        """Report that something other than a failed attempt ended the call, such as Ctrl-C."""
        for event in self._events(final=True):
            event.failure = cause
            self._notify("on_error", event)
        self._log(type(cause).__name__, {}, b"")

    def _events(self, final: bool) -> list[CallEvent]:
        now = time.perf_counter()
        self._attempt.seconds = now - self._attempt_began
        self._call.seconds = now - self._call_began
        if self._attempt is self._call:  # Between two attempts.
            return [self._call] if final else []
        return [self._attempt, self._call] if final else [self._attempt]

    def _notify(
        self, method: str, event: CallEvent, refusals: list[NotSentError] | None = None
    ) -> list[Any]:
        """Call a method of every hook; return what they return.

        Args:
            method: Name of the method.
            event: Its argument.
            refusals: Takes the exceptions that refuse the attempt, where hooks may do so.
        """
        results = []
        for hook in self._hooks:
            try:
                results.append(getattr(hook, method)(event))
            except Exception as failure:  # Whatever it is: a hook never costs a response.
                if refusals is not None and isinstance(failure, NotSentError):
                    refusals.append(failure)
                    continue
                logger.exception("the hook %s failed in %s", safe_repr(hook), method)
        return results

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
        if status is not None and is_success(status):
            received = operation.result_type(status)
        logger.debug(
            "sent %r, received %r",
            masked(self._request.body, sent, operation.models),
            masked(body, received, operation.models),
        )


def observe(
    configuration: Configuration, operation: Operation, request: Request
) -> Observation | None:
    """Return the observation of a call, or ``None`` if neither hooks nor the log need it."""
    if configuration.hooks or logger.isEnabledFor(logging.DEBUG):
        return Observation(configuration, operation, request)
    return None


def _checked(result: Any) -> RawResponse | None:
    """Return a response that a hook returned; anything else is logged and ignored."""
    if result is None or isinstance(result, RawResponse):
        return result
    logger.error("on_request returns a RawResponse or None, not %s", type(result).__name__)
    return None


def _shown(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in headers.items() if name.lower() in HARMLESS}
