"""Operations on customer sessions (V2): update, read, reopen, return items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from talon_one.sandbox.call import Call, Result
from talon_one.sandbox.content import integration_state
from talon_one.sandbox.errors import Problem, invalid, not_found
from talon_one.sandbox.sessions.reopen import reopen
from talon_one.sandbox.sessions.returns import return_items
from talon_one.sandbox.sessions.update import OPEN, Update, advance, stored_session
from talon_one.sandbox.state.documents import Document

_APART: Final = ("profileId", "state", "evaluableCampaignIds")


def at_moment(call: Call) -> Call:
    """Return a request as it would be at the moment that `now` names, if it does.

    Raises:
        ApiError: 400 if `now` is not for a dry run, or lies in the past.
    """
    at: str | None = call.query.get("now")
    if at is None:
        return call
    if not call.dry:
        raise invalid(Problem("Invalid", "now can only be used with dry=true", parameter="now"))
    if at < call.now:
        raise invalid(Problem("Invalid", "now must lie in the future", parameter="now"))
    return replace(call, now=at)


def evaluable_campaigns(call: Call, sent: Mapping[str, Any]) -> frozenset[int] | None:
    """Return the IDs of the campaigns that a dry request selects; other requests cannot."""
    ids = sent.get("evaluableCampaignIds")
    return frozenset(ids) if call.dry and ids is not None else None


def known_session(call: Call) -> Document:
    """Return the session that the path names.

    Raises:
        ApiError: 404 if there is none.
    """
    session = stored_session(call, call.ids["customerSessionId"])
    if session is None:
        raise not_found("Customer session")
    return session


def update_session(call: Call) -> Result:
    """Handle updateCustomerSessionV2."""
    call = at_moment(call)
    sent = call.body["customerSession"]
    # A V2 update discards the total that a V1 caller computed.
    content = {name: value for name, value in sent.items() if name not in _APART}
    outcome = advance(
        call,
        Update(
            session_id=call.ids["customerSessionId"],
            profile_id=sent.get("profileId"),
            state=sent.get("state", OPEN),
            content={**content, "_total": None},
            pointer="/customerSession",
            params=sent,
            evaluable=evaluable_campaigns(call, sent),
        ),
    )
    return Result(200, integration_state(call, outcome, call.body.get("responseContent", ())))


def get_session(call: Call) -> Result:
    """Handle getCustomerSession: the session and the effects that still hold."""
    session = known_session(call)
    return Result(200, {"customerSession": session, "effects": session["_effects"]})


def reopen_session(call: Call) -> Result:
    """Handle reopenCustomerSession: the effects that were rolled back."""
    return Result(200, {"effects": reopen(call, known_session(call)).evaluation.effects})


def return_cart_items(call: Call) -> Result:
    """Handle returnCartItems."""
    outcome, returned = return_items(call, known_session(call), call.body["return"])
    wanted = call.body.get("responseContent", ())
    return Result(200, integration_state(call, outcome, wanted, {"return": returned}))


OPERATIONS: Final = {
    "updateCustomerSessionV2": update_session,
    "getCustomerSession": get_session,
    "reopenCustomerSession": reopen_session,
    "returnCartItems": return_cart_items,
}
