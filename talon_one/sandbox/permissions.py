"""What the settings of a key allow, and how they change the requests that carry it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from talon_one._core.operation import Operation
from talon_one.sandbox.errors import ApiError
from talon_one.sandbox.state.state import Key
from talon_one.sandbox.values import format_time, read_time

_STAGED: Final = frozenset(
    {"trackEventV2", "trackEventV3", "updateCustomerProfileV2", "updateCustomerSessionV2"}
)
"""Operations that a staging key works with; a profile only if the rules run."""


def check_permissions(
    key: Key, operation: Operation, ids: Mapping[str, Any], query: Mapping[str, Any]
) -> None:
    """Check whether a key may be used for a request.

    Raises:
        ApiError: 403 if the settings of the key do not allow it.
    """
    settings = key.document
    endpoints = settings.get("endpoints")
    # The API shows such paths as `/coupons`, and does not say how they match.
    if endpoints and not any(operation.path.endswith(each["path"]) for each in endpoints):
        raise ApiError(403, f"The key does not allow {operation.method} {operation.path}")
    allowed = settings.get("allowedApplicationIds")
    named = ids.get("applicationId")
    if allowed and named is not None and named not in allowed:
        raise ApiError(403, f"The key does not allow the Application {named}")
    if is_staging(key) and (
        operation.id not in _STAGED
        or (operation.id == "updateCustomerProfileV2" and not query.get("runRuleEngine"))
    ):
        raise ApiError(403, f"A staging key does not work with {operation.id}")


def is_staging(key: Key) -> bool:
    """Return whether every request with a key is a dry one."""
    return key.document.get("type") == "staging"


def moment_of(key: Key, now: str) -> str:
    """Return the moment of a request: now, shifted by the time offset of its key."""
    offset = key.document.get("timeOffset")
    if not offset:
        return now
    try:
        # The API has nanoseconds, and moments have microseconds.
        return format_time(read_time(now) + timedelta(microseconds=offset // 1000))
    except OverflowError as cause:
        raise ApiError(400, "the time offset of the key leads outside the calendar") from cause
