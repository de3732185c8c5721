"""Audiences that effects change, and attributes that they set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from talon_one.sandbox.audiences import join, leave
from talon_one.sandbox.consequences.occasion import Occasion
from talon_one.sandbox.profiles import ensure_profile
from talon_one.sandbox.rules.outcome import Consequence
from talon_one.sandbox.state.documents import Document, Documents


def add_to_audience(occasion: Occasion, consequence: Consequence) -> Mapping[str, Any]:
    """Put a profile into an audience."""
    profile = _profile(occasion, consequence)
    join(occasion.call.state, int(consequence.target), profile["integrationId"])
    return {}


def remove_from_audience(occasion: Occasion, consequence: Consequence) -> Mapping[str, Any]:
    """Take a profile out of an audience."""
    profile = _profile(occasion, consequence)
    leave(occasion.call.state, int(consequence.target), profile["integrationId"])
    return {}


def _profile(occasion: Occasion, consequence: Consequence) -> Document:
    props = consequence.effect["props"]
    named = props.get("profileIntegrationId") or occasion.profile_id
    profile = ensure_profile(occasion.call.state, named, occasion.call.now)
    props["profileId"] = profile["id"]
    return profile


def update_attribute(occasion: Occasion, consequence: Consequence) -> Mapping[str, Any]:
    """Set an attribute of a profile, a session, a cart item, a coupon or a referral."""
    details = consequence.details
    name, value, identity = details["name"], consequence.effect["props"]["value"], details["id"]
    state, session = occasion.call.state, occasion.session
    match details["entity"]:
        case "Session" if session is not None and consequence.position is not None:
            _set(session["cartItems"][consequence.position], name, value)
        case "Session" if session is not None:
            _set(session, name, value)
        case "Coupon" | "Referral" as entity:
            table: Documents = state.coupons if entity == "Coupon" else state.referrals
            found = table.get(int(identity))
            if found is not None:
                table.save(_set(found, name, value))
        case "Profile" | "Advocate":
            profile = ensure_profile(state, identity, occasion.call.now)
            state.profiles.save(_set(profile, name, value))
    return {}


def _set(entity: Document, name: str, value: Any) -> Document:
    entity["attributes"] = {**(entity.get("attributes") or {}), name: value}
    return entity
