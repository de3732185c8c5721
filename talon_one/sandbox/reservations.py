"""Reservations of coupons by profiles."""

from __future__ import annotations

import re

from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.state.state import State

_KEY = re.compile(r"coupon:(\d+):reservations")


def reservations_of(key: str) -> int | None:
    """Return the ID of the coupon whose reservations a counter counts, None for other counters."""
    found = _KEY.fullmatch(key)
    return int(found[1]) if found else None


def reserve(state: State, coupon: Document, profile_id: str) -> bool:
    """Reserve a coupon for a profile; return whether the reservation is new."""
    if state.reservations.count(couponId=coupon["id"], profileId=profile_id):
        return False
    state.reservations.add({"couponId": coupon["id"], "profileId": profile_id})
    _count(state, coupon)
    return True


def release(state: State, coupon: Document, profile_id: str) -> None:
    """Delete the reservation that a profile holds of a coupon, if any."""
    state.reservations.delete(couponId=coupon["id"], profileId=profile_id)
    _count(state, coupon)


def _count(state: State, coupon: Document) -> None:
    coupon["reservationCounter"] = state.reservations.count(couponId=coupon["id"])
    state.coupons.save(coupon)
