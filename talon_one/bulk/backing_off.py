"""BackOff: a retry policy that passes on how long the server asks to wait."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from talon_one._core.retry import Attempt, RetryPolicy
from talon_one._core.settings import checked_policy
from talon_one.limiter import Limiter

TOO_MANY_REQUESTS = 429
_STATUSES = frozenset({TOO_MANY_REQUESTS, 503})
# Pause after a 429 that asks for none, in seconds: the limits of the platform are by the second.
_DEFAULT_PAUSE = 1.0
# A job does not wait longer than this for its next request.
_MAX_PAUSE = 3600.0


class BackOff(RetryPolicy):
    """Hold back all requests of a job after a 429, or a 503 that says for how long.

    A call that retries a 429 by itself would hold back no other, neither of the job nor of other
    processes with the same limiter. So it fails, and the job sends its rows again.
    """

    @classmethod
    def of(cls, client: Any, retries: Any, limiter: Limiter, endpoint: str) -> BackOff:
        """Return the policy of the calls of a job.

        Args:
            client: Client of the job, for the default of *retries*.
            retries: Policy for all other failures, see `talon_one._core.retry.as_policy`.
            limiter: Limiter of the job.
            endpoint: Name that the limiter has for the endpoint of the job.

        Raises:
            ApiTypeError: *retries* is none.
        """
        default = checked_policy("retries", client.configuration.retries)
        policy = checked_policy("_retries", retries, default)
        own = cls(*policy)
        own._policy, own._limiter, own._endpoint = policy, limiter, endpoint
        return own

    _policy: RetryPolicy
    _limiter: Limiter
    _endpoint: str

    def pause(self, attempt: Attempt, *args: Any, **kwargs: Any) -> float | None:
        """Return the seconds to wait before the next attempt; ``None`` after a 429."""
        limited = attempt.status == TOO_MANY_REQUESTS
        if attempt.status in _STATUSES:
            seconds = attempt.retry_after
            # A date is in the past where clocks differ; without a pause, rows would soon fail.
            if not seconds and limited:
                seconds = _DEFAULT_PAUSE
            if seconds:
                # The limiter may be code of the caller, and the failure of the call goes first.
                with suppress(Exception):
                    self._limiter.back_off(self._endpoint, min(seconds, _MAX_PAUSE))
        return None if limited else self._policy.pause(attempt, *args, **kwargs)
