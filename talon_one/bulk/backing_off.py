"""BackOff: a hook that passes on how long the server asks to wait."""

from __future__ import annotations

import time

from talon_one._core.hooks import CallEvent, Hooks
from talon_one._utils.retry_after import retry_after
from talon_one.limiter import Limiter

TOO_MANY_REQUESTS = 429
_STATUSES = frozenset({TOO_MANY_REQUESTS, 503})
# Pause after a 429 that names none, in seconds: the limits of the platform are by the second.
_DEFAULT_PAUSE = 1.0


class BackOff(Hooks):
    """Hold back the requests of a job after a 429, or a 503 that says for how long.

    The client waits, too, but only the call that was refused. The others of a job, and those of
    other processes with the same limiter, would be refused as well.

    Args:
        limiter: Limiter of the job.
        operation_id: Operation of the job. Other calls of the client are not its business.
    """

    def __init__(self, limiter: Limiter, operation_id: str) -> None:
        self._limiter = limiter
        self._operation_id = operation_id

    def on_error(self, event: CallEvent) -> None:
        """Note that an attempt was refused."""
        if not event.attempt or event.operation_id != self._operation_id:
            return
        if event.status not in _STATUSES:
            return
        seconds = retry_after(event.headers or {}, time.time())
        if seconds is None and event.status == TOO_MANY_REQUESTS:
            seconds = _DEFAULT_PAUSE
        if seconds:
            self._limiter.back_off(event.operation_id, seconds)
