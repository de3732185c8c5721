"""Management operations that read events and export their effects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Final

from talon_one.sandbox.call import Call, Result
from talon_one.sandbox.operations.lists import contains, respond, within
from talon_one.sandbox.operations.transfers import export_rows, moment
from talon_one.sandbox.sessions.totals import worth
from talon_one.sandbox.state.documents import Document

_Finder = Callable[[str], Document]


def _finders(call: Call) -> tuple[_Finder, _Finder]:
    """Return how to find sessions and profiles of events by their integration IDs."""

    @cache
    def session_of(integration_id: str) -> Document:
        return (
            call.state.sessions.first(
                applicationId=call.application_id, integrationId=integration_id
            )
            or {}
        )

    @cache
    def profile_of(integration_id: str) -> Document:
        return call.state.profiles.first(integrationId=integration_id) or {}

    return session_of, profile_of


def _of_application(call: Call) -> list[Document]:
    return [
        each for each in call.state.events.each() if each["applicationId"] == call.application_id
    ]


def get_events(call: Call) -> Result:
    """Handle getApplicationEvents and getApplicationEventsWithoutTotalCount."""
    session_of, profile_of = _finders(call)
    found = []
    for each in _of_application(call):
        session = session_of(each.get("sessionId") or "")
        profile = profile_of(each.get("profileId") or "")
        if _passes(call, each, session, profile):
            ids = {"sessionId": session.get("id"), "profileId": profile.get("id")}
            found.append({**each, **ids})
    return respond(call, found)


def _passes(
    call: Call, event: Document, session: Mapping[str, Any], profile: Mapping[str, Any]
) -> bool:
    query = call.query
    types = [part.strip() for part in (query.get("type") or "").split(",") if part.strip()]
    own = profile.get("attributes") or {}
    effects = event.get("effects") or []
    return (
        (not types or event["type"] in types)
        and within(call, "created", event["created"])
        and query.get("session") in (None, "", event.get("sessionId"))
        and query.get("profile") in (None, "", event.get("profileId"))
        and contains(call, "customerName", own.get("Name"))
        and contains(call, "customerEmail", own.get("Email"))
        and query.get("couponCode") in (None, "", *(session.get("couponCodes") or ()))
        and query.get("referralCode") in (None, "", session.get("referralCode"))
        and query.get("effectType") in (None, "", *(each["effectType"] for each in effects))
        and _any(call, "ruleQuery", [each["ruleName"] for each in effects])
        and _any(call, "campaignQuery", [_campaign(call, each) for each in effects])
    )


def _any(call: Call, name: str, texts: list[str]) -> bool:
    return not call.query.get(name) or any(contains(call, name, each) for each in texts)


def _campaign(call: Call, effect: Mapping[str, Any]) -> str:
    found = call.state.campaigns.get(effect["campaignId"])
    return str(found["name"]) if found else ""


def get_types(call: Call) -> Result:
    """Handle getApplicationEventTypes: the types of the events that were recorded."""
    wanted = call.query.get("sort") or ""
    names = sorted({each["type"] for each in _of_application(call)}, reverse=wanted.startswith("-"))
    # A list of texts has no properties to sort by.
    return respond(replace(call, query={**call.query, "sort": None}), names)


def export_effects(call: Call) -> Result:
    """Handle exportEffects with its filters."""
    session_of, profile_of = _finders(call)
    rows = []
    for event in _of_application(call):
        session = session_of(event.get("sessionId") or "")
        profile = profile_of(event.get("profileId") or "")
        for effect in event.get("effects") or ():
            if call.query.get("campaignId") in (None, effect["campaignId"]) and within(
                call, "created", event["created"]
            ):
                rows.append(_row(call, event, effect, session, profile))
    return export_rows(call, rows, entity="Effect")


def _row(
    call: Call,
    event: Document,
    effect: Mapping[str, Any],
    session: Mapping[str, Any],
    profile: Mapping[str, Any],
) -> dict[str, Any]:
    return {
        "applicationid": call.application_id,
        "campaignid": effect["campaignId"],
        "couponid": effect.get("triggeredByCoupon"),
        "created": moment(event["created"]),
        "event_type": event["type"],
        "eventid": event["id"],
        "name": effect["effectType"],
        "profileintegrationid": profile.get("integrationId"),
        "props": effect["props"],
        "ruleindex": effect["ruleIndex"],
        "rulesetid": effect["rulesetId"],
        "sessionid": session.get("id"),
        "profileid": profile.get("id"),
        "sessionintegrationid": session.get("integrationId"),
        "total_revenue": worth(session) if session else None,
        "store_integration_id": session.get("storeIntegrationId"),
    }


OPERATIONS: Final = {
    "getApplicationEvents": get_events,
    "getApplicationEventsWithoutTotalCount": get_events,
    "getApplicationEventTypes": get_types,
    "exportEffects": export_effects,
}
