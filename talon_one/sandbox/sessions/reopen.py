"""Reopen a closed session: what closing it did is rolled back, and it is an open one again."""

from __future__ import annotations

from talon_one.sandbox.call import Call
from talon_one.sandbox.consequences import Occasion, settle_event, undo
from talon_one.sandbox.errors import Problem, invalid
from talon_one.sandbox.events import record_event
from talon_one.sandbox.profiles import visit
from talon_one.sandbox.rules.outcome import Evaluation
from talon_one.sandbox.sessions.update import CLOSED, OPEN, Outcome
from talon_one.sandbox.state.documents import Document


def reopen(call: Call, session: Document) -> Outcome:
    """Move a closed session back to `open`, and roll back what closing it did.

    Raises:
        ApiError: 400 if the session is not closed.
    """
    if session["state"] != CLOSED:
        details = f"a session that is {session['state']} cannot be reopened"
        raise invalid(Problem("Illegal state", details, "/state"))
    session["state"] = OPEN
    session["updated"] = call.now
    session["updateCount"] += 1
    profile = visit(call, session["profileId"])
    event = record_event(call, "talon_session_reopened", session, {})
    occasion = Occasion(call, session, event, profile)
    effects = undo(occasion, call.state.journal.standing(session["id"]))
    call.state.sessions.save(session)
    settle_event(occasion, effects)
    return Outcome(session, profile, event, Evaluation(effects=effects), occasion)
