"""Health check: one cheap read with a short deadline, for the health endpoint of an application."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from talon_one._core.hooks import Hooks
from talon_one._utils.guard import guarded
from talon_one._utils.quoting import quoted
from talon_one.api_response import ApiResponse
from talon_one.exceptions import ApiException, ApiTypeError, OpenApiException
from talon_one.resilience.breaker import CircuitBreaker
from talon_one.resilience.circuit import CircuitState
from talon_one.resilience.numbers import seconds

PROFILE_ID = "talon-one-health-check"
"""Profile that the check of an Integration API key asks for. It need not exist."""

_NOT_FOUND = 404


class Health(NamedTuple):
    """Result of a health check. It is true if the check passed, and holds no secret."""

    ok: bool
    """Whether the server responded in time and accepted the credential."""
    seconds: float
    """How long the check took."""
    status: int | None
    """HTTP status of the response, if there was one. A `read` of your own returns none if it
    succeeds, unless it is called with ``_return_http_data_only=False``."""
    error: str | None
    """Class of the exception, such as ``ReadTimeoutError``, if the check failed."""
    breaker: CircuitState | None
    """State of the circuit breaker of the client after the check, if it has one."""

    def __bool__(self) -> bool:
        return self.ok

    def as_dict(self) -> dict[str, Any]:
        """Return the result as a dict for a JSON response."""
        return self._asdict()


def check_health(
    api: Any, *, read: Callable[..., object] | None = None, deadline: float = 1.0
) -> Health:
    """Make one read without retries and say how it went. It raises no failure of a call.

    ::

        def health(request):  # Django
            result = check_health(integration)
            return JsonResponse(result.as_dict(), status=200 if result else 503)

    An `talon_one.IntegrationApi` asks for the inventory of a profile that need not exist: 200 and
    404 both show that the server works and knows the key, or the signature. A
    `talon_one.ManagementApi` lists one Application, with its key or the token of its user session.

    Args:
        api: A blocking API.
        read: What to call instead, such as ``partial(management.get_campaign, 1, 2)``. It must
            accept the settings of a call. Give it for a Management API key that may not list
            Applications, which fails with 403.
        deadline: Seconds that the check may take.

    Raises:
        ApiTypeError: *api* is no blocking API, *read* is no function, or *deadline* no number.
    """
    check = _Check(api, read, deadline, asynchronous=False)
    try:
        response = check.read(_deadline=check.deadline, _retries=False)
    except OpenApiException as failure:
        return check.failed(failure)
    return check.passed(response)


async def check_health_async(
    api: Any, *, read: Callable[..., Awaitable[object]] | None = None, deadline: float = 1.0
) -> Health:
    """Make one read with an API of `talon_one.aio`; the twin of `check_health`."""
    check = _Check(api, read, deadline, asynchronous=True)
    try:
        response = await check.read(_deadline=check.deadline, _retries=False)
    except OpenApiException as failure:
        return check.failed(failure)
    return check.passed(response)


class _Check:
    """What both twins do around the read."""

    def __init__(self, api: Any, read: Any, deadline: object, asynchronous: bool) -> None:
        with guarded("an argument of a health check"):
            client: Any = getattr(api, "api_client", None)
            found = getattr(client, "asynchronous", None)
            self.deadline = seconds("deadline", deadline)
        if found is not asynchronous:
            kind, twin = ("asyncio", "") if asynchronous else ("blocking", "_async")
            raise ApiTypeError(
                f"api is one of the {kind} APIs (the others: check_health{twin}), not {quoted(api)}"
            )
        if read is not None and not callable(read):
            raise ApiTypeError(f"read is a function, not {quoted(read)}")
        # A 404 says that a profile does not exist, but of a method of the caller that it is wrong.
        self._may_be_missing = False
        if read is None:
            read, self._may_be_missing = _default_read(api)
        self.read: Callable[..., Any] = read
        self._hooks: list[Hooks] = client.configuration.hooks
        self._began = time.monotonic()

    def passed(self, response: object) -> Health:
        status = response.status_code if isinstance(response, ApiResponse) else None
        return self._result(True, status, None)

    def failed(self, failure: OpenApiException) -> Health:
        status = failure.status if isinstance(failure, ApiException) else None
        if status == _NOT_FOUND and self._may_be_missing:
            return self._result(True, status, None)
        return self._result(False, status, type(failure).__name__)

    def _result(self, ok: bool, status: int | None, error: str | None) -> Health:
        elapsed = time.monotonic() - self._began
        breakers = (each for each in self._hooks if isinstance(each, CircuitBreaker))
        breaker = next(breakers, None)
        state = None if breaker is None else breaker.state
        return Health(ok, elapsed, status, error, state)


def _default_read(api: Any) -> tuple[Callable[..., Any], bool]:
    """Return the cheapest read of an API, and whether what it reads may be missing."""
    if hasattr(api, "get_customer_inventory"):
        # The one read by ID that a signature may authenticate as well as a key.
        def inventory(**settings: Any) -> Any:
            return api.get_customer_inventory(PROFILE_ID, _return_http_data_only=False, **settings)

        return inventory, True

    def applications(**settings: Any) -> Any:
        return api.get_applications(page_size=1, _return_http_data_only=False, **settings)

    return applications, False
