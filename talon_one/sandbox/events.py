"""Events: what happened to a session or a profile, and to which rules may react."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from talon_one.sandbox.call import Call
from talon_one.sandbox.state.documents import Document


def record_event(
    call: Call,
    event_type: str,
    session: Mapping[str, Any],
    attributes: Mapping[str, Any],
    **more: Any,
) -> Document:
    """Store an event of a session and of the profile it belongs to.

    Args:
        call: The request that caused it.
        event_type: Type of the event.
        session: Session it belongs to, or one that is not stored and names the profile alone.
        attributes: Attributes of the event.
        **more: Further properties.
    """
    return call.state.events.add(
        {
            "created": call.now,
            "applicationId": call.application_id,
            "type": event_type,
            "profileId": session["profileId"],
            "sessionId": session["integrationId"],
            "attributes": dict(attributes),
            "effects": [],
            "ledgerEntries": [],
            "meta": {},
            **more,
        }
    )
