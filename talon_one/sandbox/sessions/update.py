"""Move a session to its next state: merge the request, evaluate, and carry out or undo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from talon_one.sandbox.attributes import check_session, merge_attributes
from talon_one.sandbox.call import Call
from talon_one.sandbox.consequences import Occasion, carry_out, settle_event, undo
from talon_one.sandbox.errors import Problem, invalid
from talon_one.sandbox.events import record_event
from talon_one.sandbox.profiles import visit
from talon_one.sandbox.rules.evaluate import evaluate
from talon_one.sandbox.rules.outcome import Evaluation
from talon_one.sandbox.sessions.cart import price_items
from talon_one.sandbox.sessions.evaluations import record_of
from talon_one.sandbox.sessions.sales import count_sale
from talon_one.sandbox.sessions.situations import situation_of
from talon_one.sandbox.sessions.totals import add_totals
from talon_one.sandbox.state.documents import Document

OPEN: Final = "open"
CLOSED: Final = "closed"
CANCELLED: Final = "cancelled"
PARTIALLY_RETURNED: Final = "partially_returned"

# The transitions that a PUT may cause, each with its built-in event.
_EVENTS: Final = (
    ("", OPEN, "talon_session_created"),
    ("", CLOSED, "talon_session_closed"),
    (OPEN, OPEN, "talon_session_updated"),
    (OPEN, CLOSED, "talon_session_closed"),
    (OPEN, CANCELLED, "talon_session_cancelled"),
    (CLOSED, CANCELLED, "talon_session_revoked"),
    (PARTIALLY_RETURNED, CANCELLED, "talon_session_revoked"),
)


@dataclass(frozen=True, slots=True)
class Update:
    """A session update, in the form that both API versions share.

    Attributes:
        session_id: Integration ID of the session.
        profile_id: Integration ID of the customer; empty if anonymous, None to keep the stored one.
        state: New state. A request without one means `open`, which a closed session refuses.
        content: Properties to replace, under their V2 names; attributes are merged.
        pointer: JSON pointer to the session in the body, for error messages.
        params: The request as the event records it.
        evaluable: IDs of the only campaigns to evaluate.
    """

    session_id: str
    profile_id: str | None
    state: str
    content: Mapping[str, Any]
    pointer: str
    params: Mapping[str, Any]
    evaluable: frozenset[int] | None = None


@dataclass(slots=True)
class Outcome:
    """The result of an update of a session or profile, or of an event.

    Attributes:
        session: The session, stored; None for a request about a profile alone.
        profile: Its profile, None for an anonymous session.
        event: The event that the request caused.
        evaluation: Effects that hold now, failures and triggered campaigns.
        occasion: What carrying out the consequences created and awarded.
    """

    session: Document | None
    profile: Document | None
    event: Document
    evaluation: Evaluation
    occasion: Occasion


def advance(call: Call, update: Update) -> Outcome:
    """Move a session to its next state, creating it if it is new.

    Raises:
        ApiError: If the transition is not allowed, the session belongs to another profile, or
            names are used that are not defined.
    """
    stored = stored_session(call, update.session_id)
    event_type = _transition(stored, update)
    session = _merged(call, stored, update)
    profile = visit(call, session["profileId"])
    if not session.get("id"):
        session = call.state.sessions.add({**session, "_effects": []})
        if session["state"] == CLOSED:
            record_event(call, "talon_session_created", session, _facts(stored, update))
    event = record_event(call, event_type, session, _facts(stored, update))
    occasion = Occasion(call, session, event, profile, closing=session["state"] == CLOSED)
    evaluation = Evaluation()
    if stored is not None and stored["state"] in (CLOSED, PARTIALLY_RETURNED):
        evaluation.effects = undo(occasion, call.state.journal.standing(session["id"]))
    elif session["state"] == CANCELLED:
        session["_effects"] = []
    else:
        evaluation = evaluate(situation_of(call, session, event, evaluable=update.evaluable))
        carry_out(occasion, evaluation)
        session["_effects"] = evaluation.effects
        call.state.save_evaluation(session["id"], record_of(event, evaluation))
        if session["state"] == CLOSED:
            count_sale(occasion)
    call.state.sessions.save(session)
    settle_event(occasion, evaluation.effects)
    return Outcome(session, visit(call, session["profileId"]), event, evaluation, occasion)


def stored_session(call: Call, session_id: str) -> Document | None:
    """Return a session of the Application by its integration ID."""
    return call.state.sessions.first(applicationId=call.application_id, integrationId=session_id)


def blank(call: Call, session_id: str) -> Document:
    """Return a new session, which is not stored."""
    return add_totals(
        {
            "id": None,
            "created": call.now,
            "updated": call.now,
            "integrationId": session_id,
            "applicationId": call.application_id,
            "profileId": "",
            "state": OPEN,
            "couponCodes": [],
            "referralCode": "",
            "cartItems": [],
            "additionalCosts": {},
            "identifiers": [],
            "attributes": {},
            "firstSession": True,
            "updateCount": 0,
        }
    )


def is_first(call: Call, profile_id: str, session_id: str) -> bool:
    """Return whether a profile has no other session; anonymous sessions are always the first."""
    if not profile_id:
        return True
    others = call.state.sessions.each(profileId=profile_id, limit=2)
    return all(other["integrationId"] == session_id for other in others)


def _facts(stored: Document | None, update: Update) -> dict[str, Any]:
    return {"isNew": stored is None, "params": update.params}


def _transition(stored: Document | None, update: Update) -> str:
    before = stored["state"] if stored else ""
    for origin, target, event_type in _EVENTS:
        if (origin, target) == (before, update.state):
            return event_type
    details = f"a {before or 'new'} session cannot become {update.state}"
    raise invalid(Problem("Illegal state", details, f"{update.pointer}/state"))


def _merged(call: Call, stored: Document | None, update: Update) -> Document:
    base = blank(call, update.session_id) if stored is None else dict(stored)
    if base["state"] in (CLOSED, PARTIALLY_RETURNED):
        # Only the state may change, so the rest of the request is ignored.
        update = replace(update, content={})
    profile_id = base["profileId"] if update.profile_id is None else update.profile_id
    if base["profileId"] and profile_id != base["profileId"]:
        details = "the session belongs to another profile"
        raise invalid(Problem("Illegal profile", details, f"{update.pointer}/profileId"))
    if profile_id != base["profileId"]:
        base["firstSession"] = is_first(call, profile_id, update.session_id)
    if call.dry and update.state == CLOSED:
        # A dry request that closes a session evaluates its own content alone.
        base = {**blank(call, update.session_id), "id": base["id"], "created": base["created"]} | {
            name: base[name] for name in ("firstSession", "updateCount")
        }
        profile_id = update.profile_id or ""
    check_session(call, update.content, update.pointer)
    session: Document = {
        **base,
        **update.content,
        "profileId": profile_id,
        "state": update.state,
        "updated": call.now,
        "updateCount": base["updateCount"] + 1,
        "attributes": merge_attributes(base["attributes"], update.content.get("attributes")),
    }
    if "cartItems" in update.content:
        session["cartItems"] = price_items(
            call, session["cartItems"], f"{update.pointer}/cartItems"
        )
    return add_totals(session)
