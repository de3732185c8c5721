"""Customer profiles as other entities meet them: created on first sight, with their sales."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from talon_one.sandbox.attributes import check_attributes, merge_attributes
from talon_one.sandbox.call import Call
from talon_one.sandbox.errors import not_found
from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.state.state import State

# There is one account, and it is that of the sandbox.
ACCOUNT_ID = 1
USER_ID = 1


def ensure_profile(state: State, integration_id: str, now: str) -> Document:
    """Return a profile, creating it empty if it is new."""
    profile = state.profiles.first(integrationId=integration_id)
    if profile is None:
        profile = state.profiles.add(
            {
                "integrationId": integration_id,
                "created": now,
                "lastActivity": now,
                "attributes": {},
                "accountId": ACCOUNT_ID,
                "loyaltyMemberships": None,
                "sandbox": True,
            }
        )
    return profile


def visit(call: Call, profile_id: str | None) -> Document | None:
    """Return the profile of a request, creating it if it is new; None for an anonymous one.

    From then on, it is a customer of the Application.
    """
    if not profile_id:
        return None
    profile = ensure_profile(call.state, profile_id, call.now)
    known = profile.get("_applications") or []
    new = call.application_id not in known
    if not call.dry and (new or profile["lastActivity"] != call.now):
        profile["lastActivity"] = call.now
        profile["_applications"] = [*known, call.application_id] if new else known
        call.state.profiles.save(profile)
    return profile


def known_profile(call: Call, integration_id: str) -> Document:
    """Return a stored profile.

    Raises:
        ApiError: 404 if there is none.
    """
    profile = call.state.profiles.first(integrationId=integration_id)
    if profile is None:
        raise not_found("Customer profile")
    return profile


def write_profile(
    call: Call, integration_id: str, attributes: Mapping[str, Any] | None, pointer: str = ""
) -> tuple[Document, bool]:
    """Merge attributes into a profile; return it, and whether it is new.

    Raises:
        ApiError: 400 for attributes that are not defined.
    """
    check_attributes(call, "CustomerProfile", attributes, pointer)
    new = call.state.profiles.first(integrationId=integration_id) is None
    profile = visit(call, integration_id) or known_profile(call, integration_id)
    profile["attributes"] = merge_attributes(profile["attributes"], attributes)
    return call.state.profiles.save(profile), new


def sales_key(integration_id: str) -> str:
    """Return the key of the counter of a profile's sales."""
    return f"profile:{integration_id}:totalSales"


def sessions_key(integration_id: str) -> str:
    """Return the key of the counter of a profile's closed sessions."""
    return f"profile:{integration_id}:closedSessions"
