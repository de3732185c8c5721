"""Explain a session: what it costs, which codes count, and why each rule applied or did not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from talon_one._utils.suggest import did_you_mean
from talon_one.sandbox.errors import ApiError
from talon_one.sandbox.page.effects import cart_of, codes_of, others_of
from talon_one.sandbox.page.points import points_of
from talon_one.sandbox.page.reasons import EXCLUSIONS
from talon_one.sandbox.rules.wording import cut
from talon_one.sandbox.shapes import frontend_state
from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.state.state import State
from talon_one.sandbox.world import World

MAX_CAMPAIGNS: Final = 100
"""Campaigns that are listed as not evaluated."""

MAX_EFFECTS: Final = 200
"""Effects that are listed, besides discounts and those about codes."""

NO_RECORD: Final = (
    "The sandbox has no record of an evaluation of this session, so it cannot say which rules "
    "failed. Update the session to get one."
)

_SESSION: Final = (
    "integrationId",
    "profileId",
    "state",
    "created",
    "updated",
    "updateCount",
    "firstSession",
    "storeIntegrationId",
    "loyaltyCards",
    "identifiers",
    "attributes",
)
# IDs that a misspelled one is compared with.
_CANDIDATES: Final = 500


def find_session(state: State, session_id: str, application_id: int | None) -> Document:
    """Return a session by its integration ID.

    Args:
        state: The state.
        session_id: Integration ID.
        application_id: Its Application; needed only if several have such a session.

    Raises:
        ApiError: 404 if there is none, 409 if several Applications have one.
    """
    where: dict[str, Any] = {}
    if application_id is not None:
        where["applicationId"] = application_id
    found = state.sessions.find(integrationId=session_id, **where)
    if len(found) == 1:
        return found[0]
    shown = cut(session_id, 60)
    if found:
        listed = ", ".join(str(each["applicationId"]) for each in found)
        raise ApiError(
            409,
            f"The Applications {listed} each have a session {shown!r}: say which one is meant, "
            "with applicationId",
        )
    known = [each["integrationId"] for each in state.sessions.newest(_CANDIDATES, **where)]
    place = "" if application_id is None else f" in the Application {application_id}"
    hint = did_you_mean(session_id, known)
    raise ApiError(404, f"The sandbox has no session {shown!r}{place}.{hint}")


def explain(state: State, world: World, session: Document) -> dict[str, Any]:
    """Return the explanation of a session as JSON.

    Returns:
        `session`, `application`, `cart`, `codes`, `rules`, `effects` and `points`. `evaluation`
        says when the rules ran and why; it is None if that is not known, and `note` says so.
        `notEvaluated` has the campaigns that had no part in it, with the reason as of now.
    """
    now = world.clock.text()
    application = state.application(session["applicationId"])
    campaigns = state.campaigns.find(applicationId=session["applicationId"])
    names = {each["id"]: each.get("name") or "" for each in campaigns}
    effects = session.get("_effects") or []
    record = state.evaluation(session["id"])
    traces = (record or {}).get("campaigns") or []
    others = others_of(effects, names)
    missing = _missing(campaigns, {each["id"] for each in traces}, session, state, now)
    return {
        "session": {name: session[name] for name in _SESSION if session.get(name) is not None},
        "application": {
            name: application[name] for name in ("id", "name", "currency") if name in application
        },
        "now": now,
        "cart": cart_of(session, effects, names),
        "codes": codes_of(session, effects, names),
        "evaluation": record and {"event": record["event"], "created": record["created"]},
        **({} if record else {"note": NO_RECORD}),
        "rules": [_with_sentence(each) for each in traces],
        "notEvaluated": missing[:MAX_CAMPAIGNS],
        "notEvaluatedOmitted": max(len(missing) - MAX_CAMPAIGNS, 0),
        "effects": others[:MAX_EFFECTS],
        "effectsOmitted": max(len(others) - MAX_EFFECTS, 0),
        "points": points_of(state, world, session),
    }


def _with_sentence(trace: Mapping[str, Any]) -> dict[str, Any]:
    sentence = EXCLUSIONS.get(trace.get("excluded", ""))
    return {**trace, "sentence": sentence} if sentence else dict(trace)


def _missing(
    campaigns: Iterable[Document],
    evaluated: set[Any],
    session: Document,
    state: State,
    now: str,
) -> list[dict[str, Any]]:
    store = None
    if session.get("storeIntegrationId"):
        store = state.stores.first(
            applicationId=session["applicationId"], integrationId=session["storeIntegrationId"]
        )
    return [
        {"id": each["id"], "name": each.get("name") or "", "reason": _reason(each, store, now)}
        for each in campaigns
        if each["id"] not in evaluated
    ]


def _reason(campaign: Document, store: Document | None, now: str) -> str:
    state = frontend_state(campaign, now)
    if state == "scheduled":
        return f"It starts at {campaign['startTime']}."
    if state == "expired":
        return f"It ended at {campaign['endTime']}."
    if state != "running":
        return f"It is {state}."
    stores = campaign.get("linkedStoreIds")
    if stores and (store is None or store["id"] not in stores):
        return "It runs in other stores only."
    return "It was no part of that evaluation, though it runs now."
