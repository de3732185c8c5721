"""Management operations that read and export customer sessions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from talon_one.sandbox.call import Call, Result
from talon_one.sandbox.errors import not_found
from talon_one.sandbox.operations.customers import sought
from talon_one.sandbox.operations.lists import respond, within
from talon_one.sandbox.operations.transfers import export_rows, moment
from talon_one.sandbox.sessions.totals import worth
from talon_one.sandbox.sessions.update import CANCELLED, CLOSED, PARTIALLY_RETURNED
from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.values import ZERO, amount, json_number

SHORTEST_PART: Final = 3
"""Length from which `partialMatch` looks for parts of a value."""

_DISCOUNT: Final = "setDiscount"


def discounts_of(call: Call, session: Mapping[str, Any]) -> dict[str, Decimal]:
    """Return the discounts of a session by name; what was returned or cancelled has none left."""
    if session["state"] in (CLOSED, PARTIALLY_RETURNED):
        standing = call.state.journal.standing(session["id"])
        effects = [each.effect for each in standing if each.effect]
    else:
        effects = session.get("_effects") or []
    found: dict[str, Decimal] = {}
    for effect in effects:
        if effect["effectType"].startswith(_DISCOUNT):
            props = effect["props"]
            name = props.get("name") or ""
            found[name] = found.get(name, ZERO) + amount(props.get("value") or 0)
    return found


def _view(call: Call, session: Document, profile_ids: Mapping[str, int]) -> Document:
    discounts = discounts_of(call, session)
    codes = session.get("couponCodes") or [""]
    return {
        **session,
        "profileId": profile_ids.get(session["profileId"]),
        "profileintegrationid": session["profileId"],
        "coupon": codes[0],
        "referral": session.get("referralCode") or "",
        "discounts": {name: json_number(value) for name, value in discounts.items()},
        "totalDiscounts": json_number(sum(discounts.values(), ZERO)),
        "total": json_number(worth(session)),
    }


def _matches(call: Call, name: str, *values: str | None) -> bool:
    """Return whether one of the values is what a filter asks for."""
    wanted = call.query.get(name)
    if not wanted:
        return True
    if call.query.get("partialMatch") and len(wanted) >= SHORTEST_PART:
        return any(wanted.casefold() in (each or "").casefold() for each in values)
    return wanted in values


def _passes(call: Call, session: Mapping[str, Any]) -> bool:
    return (
        call.query.get("state") in (None, session["state"])
        and within(call, "created", session["created"])
        and _matches(call, "profile", session["profileId"])
        and _matches(call, "coupon", *(session.get("couponCodes") or ()))
        and _matches(call, "referral", session.get("referralCode"))
        and _matches(call, "integrationId", session["integrationId"])
        and _matches(call, "storeIntegrationId", session.get("storeIntegrationId"))
    )


def _listed(call: Call, sessions: Iterator[Document]) -> Result:
    profiles = {each["integrationId"]: each for each in call.state.profiles.each()}
    ids = {name: each["id"] for name, each in profiles.items()}
    searched = call.body is not None
    # Lists have no sum of the discounts, as on the platform.
    return respond(
        call,
        (
            {**_view(call, each, ids), "totalDiscounts": 0}
            for each in sessions
            if not searched
            or (each["profileId"] in profiles and sought(call, profiles[each["profileId"]]))
        ),
    )


def get_sessions(call: Call) -> Result:
    """Handle getApplicationSessions and getApplicationSessionsByCustomerAttributes."""
    owned = call.state.sessions.each(applicationId=call.application_id)
    return _listed(call, (each for each in owned if _passes(call, each)))


def get_session(call: Call) -> Result:
    """Handle getApplicationSession."""
    session = call.state.sessions.first(id=call.ids["sessionId"], applicationId=call.application_id)
    if session is None:
        raise not_found("Session")
    profile = call.state.profiles.first(integrationId=session["profileId"])
    ids = {profile["integrationId"]: profile["id"]} if profile else {}
    return Result(200, _view(call, session, ids))


def export_sessions(call: Call) -> Result:
    """Handle exportCustomerSessions with its filters."""
    query = call.query
    ids = {each["integrationId"]: each["id"] for each in call.state.profiles.each()}
    rows = [
        _row(call, _view(call, each, ids))
        for each in call.state.sessions.each(applicationId=call.application_id)
        if within(call, "created", each["created"])
        and within(call, "updated", each["updated"])
        and query.get("profileIntegrationId") in (None, "", each["profileId"])
        and query.get("customerSessionState") in (None, each["state"])
    ]
    return export_rows(call, rows, entity="CustomerSession")


def _row(call: Call, session: Document) -> dict[str, Any]:
    times = {
        each["type"]: each["created"]
        for each in call.state.events.each(sessionId=session["integrationId"])
        if each["applicationId"] == call.application_id
    }
    ended = times.get("talon_session_cancelled", times.get("talon_session_revoked"))
    return {
        "id": session["id"],
        "firstsession": session.get("firstSession"),
        "integrationid": session["integrationId"],
        "applicationid": session["applicationId"],
        "profileid": session["profileId"],
        "profileintegrationid": session["profileintegrationid"],
        "created": moment(session["created"]),
        "state": session["state"],
        "cartitems": session.get("cartItems") or [],
        "discounts": session["discounts"],
        "total": session["total"],
        "attributes": session.get("attributes") or {},
        "closedat": moment(times.get("talon_session_closed")),
        "cancelledat": moment(ended if session["state"] == CANCELLED else None),
        "referral": session["referral"],
        "identifiers": session.get("identifiers") or [],
        "additional_costs": session.get("additionalCosts") or {},
        "updated": moment(session["updated"]),
        "store_integration_id": session.get("storeIntegrationId"),
        "coupons": session.get("couponCodes") or [],
    }


OPERATIONS: Final = {
    "getApplicationSessions": get_sessions,
    "getApplicationSessionsByCustomerAttributes": get_sessions,
    "getApplicationSession": get_session,
    "exportCustomerSessions": export_sessions,
}
