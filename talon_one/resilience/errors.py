"""The exception of a circuit breaker, and which failures are outages."""

from __future__ import annotations

from typing import Any

from talon_one.exceptions import (
    ApiException,
    ApiTimeoutError,
    InvalidResponseError,
    NotSentError,
    TransportError,
)

_TOO_MANY_REQUESTS = 429


class CircuitOpenError(NotSentError):
    """A circuit breaker refused the attempt, because the server fails; nothing was sent.

    Attributes:
        retry_in: Seconds until the breaker lets a probe through; 0 if one is in progress.
    """

    def __init__(
        self,
        status: int | None = None,
        reason: str | None = "the circuit breaker is open",
        *args: Any,
        retry_in: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(status, reason, *args, **kwargs)
        self.retry_in = retry_in


def is_outage(failure: BaseException | None) -> bool:
    """Return whether a call failed because the service does not work, not because of its content.

    That is any `TransportError`, timeouts and `CircuitOpenError` included, any 5xx, a 429, and a
    2xx without a usable body. Another 4xx says that the call, or the credential, is wrong.

    Args:
        failure: The exception of the call.
    """
    if isinstance(failure, (TransportError, InvalidResponseError)):
        return True
    status = failure.status if isinstance(failure, ApiException) else None
    return status is not None and (status == _TOO_MANY_REQUESTS or 500 <= status <= 599)


def shows_health(failure: BaseException | None) -> bool | None:
    """Return whether the end of an attempt shows that the server works; ``None`` if unknown.

    A refusal with a 4xx shows that it does, even a 409. Unknown are: a 429, by which a server that
    works asks for fewer calls; a pooled connection that turns out to be closed; a redirect; a 2xx
    with an unusable body; and what ends a call from outside, such as Ctrl-C.

    Args:
        failure: The exception of the attempt; ``None`` if it succeeded.
    """
    if failure is None:
        return True
    if isinstance(failure, TransportError):
        # A server that restarts breaks all pooled connections in the same moment, each once.
        broken = failure.on_stale_connection and not isinstance(failure, ApiTimeoutError)
        return None if broken else False
    status = failure.status if isinstance(failure, ApiException) else None
    if status is None or status < 400 or status == _TOO_MANY_REQUESTS:
        return None
    return status < 500
