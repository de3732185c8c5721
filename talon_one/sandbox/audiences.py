"""Membership of profiles in audiences."""

from __future__ import annotations

from talon_one.sandbox.state.state import State


def join(state: State, audience_id: int, profile_id: str) -> bool:
    """Put a profile into an audience; return whether it was not a member."""
    if state.memberships.count(audienceId=audience_id, profileId=profile_id):
        return False
    state.memberships.add({"audienceId": audience_id, "profileId": profile_id})
    return True


def leave(state: State, audience_id: int, profile_id: str) -> bool:
    """Take a profile out of an audience; return whether it was a member."""
    return bool(state.memberships.delete(audienceId=audience_id, profileId=profile_id))
