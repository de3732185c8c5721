"""What the errors of both transports share: limits, messages, details of the call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from talon_one._core.request import Request

MAX_REASON = 300
"""Maximum number of characters that an exception quotes from a library."""

MAX_INTERIM_RESPONSES = 16
"""Maximum number of 1xx responses before the response itself."""

POOL_IN_USE = "no connection became free in time: all are in use by other calls"
"""Message for a call that timed out waiting for a pooled connection."""


def call_details(request: Request) -> dict[str, Any]:
    """Return what an exception says of the call that it ends."""
    return {
        "operation_id": request.operation_id,
        "method": request.method,
        "url": request.url_without_query,
    }
