"""Classify failures: whether the server saw the request, and may have acted."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from talon_one._core.retry import Attempt, Outcome
from talon_one._utils.retry_after import retry_after
from talon_one.exceptions import ApiException, NoResponseError, NotSentError

if TYPE_CHECKING:
    from talon_one._core.operation import Operation
    from talon_one._core.request import Request

_TRANSIENT_CONFLICT = "too many requests"


def classify(failure: ApiException, operation: Operation, request: Request) -> Attempt:
    """Return what a failure says of its attempt.

    Args:
        failure: How the attempt failed.
        operation: What was called.
        request: What was sent, or was to be sent.
    """
    if isinstance(failure, NotSentError):
        outcome = Outcome.NOT_SENT
    elif isinstance(failure, NoResponseError):
        outcome = Outcome.NO_RESPONSE
    else:
        outcome = Outcome.RESPONDED
    return Attempt(
        outcome,
        idempotent=operation.idempotent,
        status=failure.status,
        has_idempotency_key=request.has_idempotency_key,
        conflict_is_transient=bool(operation.serialised)
        and (failure.message or "").lower().startswith(_TRANSIENT_CONFLICT),
        retry_after=retry_after(failure.headers, time.time()) if failure.headers else None,
        replayable=request.replayable,
    )


def may_have_acted(failure: ApiException) -> bool:
    """Return whether the server may have executed the request."""
    return isinstance(failure, NoResponseError) or (failure.status or 0) >= 500
