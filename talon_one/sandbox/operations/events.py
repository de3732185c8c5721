"""Operations on events (V2 and V3): track one, and read it back."""

from __future__ import annotations

from typing import Any, Final

from talon_one.sandbox.attributes import accepts_undefined, check_attributes, defined
from talon_one.sandbox.call import NO_CONTENT, Call, Result
from talon_one.sandbox.consequences import Occasion, carry_out, settle_event
from talon_one.sandbox.content import integration_state
from talon_one.sandbox.errors import ApiError, Problem, invalid, not_found
from talon_one.sandbox.events import record_event
from talon_one.sandbox.operations.sessions import at_moment, evaluable_campaigns
from talon_one.sandbox.profiles import visit
from talon_one.sandbox.rules.evaluate import evaluate
from talon_one.sandbox.sessions.situations import situation_of
from talon_one.sandbox.sessions.update import (
    CLOSED,
    Outcome,
    blank,
    stored_session,
)
from talon_one.sandbox.state.documents import Document


def check_event(call: Call, sent: dict[str, Any]) -> None:
    """Check the type and the attributes of an event.

    Raises:
        ApiError: 400 if they are not defined.
    """
    types = {each.get("eventType") for each in defined(call, "Event").values()}
    types |= set(call.application.get("_eventTypes") or ())
    if sent["type"] not in types and not accepts_undefined(call):
        details = f'The event type "{sent["type"]}" is not defined.'
        raise invalid(Problem("Unknown", details, "/type"))
    check_attributes(call, "Event", sent.get("attributes"))


def _track(call: Call, connected: Document | None = None, **more: Any) -> Outcome:
    sent = call.body
    check_event(call, sent)
    profile = visit(call, sent["profileId"])
    session = {
        **blank(call, ""),
        "profileId": sent["profileId"],
        "loyaltyCards": sent.get("loyaltyCards") or [],
        "storeIntegrationId": sent.get("storeIntegrationId"),
    }
    if sent.get("referralCode"):
        session["referralCode"] = more["referralCode"] = sent["referralCode"]
    store = (
        {"storeIntegrationId": sent["storeIntegrationId"]} if sent.get("storeIntegrationId") else {}
    )
    event = record_event(call, sent["type"], session, sent.get("attributes") or {}, **store, **more)
    evaluation = evaluate(
        situation_of(
            call,
            # Its codes were redeemed when it was closed.
            session if connected is None else {**connected, **_own(session)},
            event,
            connected=connected is not None,
            evaluable=evaluable_campaigns(call, sent),
            ignore_groups=_ignores_groups(call),
        )
    )
    occasion = Occasion(call, None, event, profile, closing=True)
    carry_out(occasion, evaluation)
    settle_event(occasion, evaluation.effects)
    return Outcome(None, visit(call, sent["profileId"]), event, evaluation, occasion)


def _own(session: Document) -> Document:
    """Return what an event says itself, and does not take from the session it refers to."""
    names = ("profileId", "couponCodes", "referralCode", "loyaltyCards", "storeIntegrationId")
    return {name: session[name] for name in names}


def _ignores_groups(call: Call) -> bool:
    if not call.query.get("forceCompleteEvaluation"):
        return False
    if not call.dry:
        details = "forceCompleteEvaluation can only be used with dry=true"
        raise invalid(Problem("Invalid", details, parameter="forceCompleteEvaluation"))
    return True


def track_event_v2(call: Call) -> Result:
    """Handle trackEventV2: 204 unless the caller asks for the effects."""
    call = at_moment(call)
    if not call.body.get("profileId"):
        raise invalid(Problem("required", "profileId is required", "/profileId"))
    outcome = _track(call)
    if call.query.get("silent", "yes") == "yes":
        return NO_CONTENT
    return Result(200, integration_state(call, outcome, call.body.get("responseContent", ())))


def _stored(call: Call, integration_id: str) -> Document | None:
    """Return an event of the Application by its integration ID."""
    found = call.state.events.each(integrationId=integration_id)
    return next((each for each in found if each["applicationId"] == call.application_id), None)


def track_event_v3(call: Call) -> Result:
    """Handle trackEventV3: each ID once, optionally connected to a closed session."""
    call = at_moment(call)
    sent = call.body
    if _stored(call, sent["integrationId"]) is not None:
        raise ApiError(
            409, f"An event with the integration ID {sent['integrationId']!r} exists already"
        )
    connected = sent.get("connectedSessionId")
    session = None
    if connected:
        session = stored_session(call, connected)
        if session is None or session["state"] != CLOSED:
            details = "the connected session must be a closed one"
            raise invalid(Problem("Illegal state", details, "/connectedSessionId"))
    outcome = _track(
        call,
        session,
        integrationId=sent["integrationId"],
        **({"connectedSessionId": connected} if connected else {}),
    )
    if call.query.get("silent") == "yes":
        return NO_CONTENT
    return Result(200, integration_state(call, outcome, sent.get("responseContent", ())))


def get_event(call: Call) -> Result:
    """Handle getEventV3."""
    event = _stored(call, call.ids["integrationId"])
    if event is None:
        raise not_found("Event")
    return Result(200, event)


OPERATIONS: Final = {
    "trackEventV2": track_event_v2,
    "trackEventV3": track_event_v3,
    "getEventV3": get_event,
}
