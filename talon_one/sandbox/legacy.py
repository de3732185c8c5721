"""The V1 operations: flat request bodies, and an `IntegrationState` with effect tuples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from talon_one.sandbox import views
from talon_one.sandbox.call import Call, Result
from talon_one.sandbox.effects import NO_CAMPAIGN, v1_discounts, v1_tuples
from talon_one.sandbox.errors import Problem, invalid
from talon_one.sandbox.profiles import write_profile
from talon_one.sandbox.records import OPEN, Event, Profile, Session
from talon_one.sandbox.sessions import Update, advance, assess, blank, record_event, visit
from talon_one.sandbox.values import ZERO


def update_session(call: Call) -> Result:
    """Handle updateCustomerSession."""
    sent = call.body
    content = {
        name: sent[name]
        for name in ("cartItems", "identifiers", "total", "attributes")
        if name in sent
    }
    if "coupon" in sent:
        content["couponCodes"] = [sent["coupon"]] if sent["coupon"] else []
    if "referral" in sent:
        content["referralCode"] = sent["referral"]
    outcome = advance(
        call,
        Update(
            session_id=call.ids[0],
            profile_id=sent.get("profileId"),
            state=sent.get("state", OPEN),
            content=content,
            discard=(),
            pointer="",
            params=sent,
            at=call.now,
        ),
    )
    effects = outcome.evaluation.effects
    return Result(200, _state(call, outcome.session, outcome.profile, outcome.event, effects))


def update_profile(call: Call) -> Result:
    """Handle updateCustomerProfile, which always runs the rules."""
    change = write_profile(call, call.ids[0], call.body.get("attributes", {}))
    # A V1 response always has a session; that of a profile update is empty.
    session = replace(blank(call, ""), profile_id=change.profile.integration_id)
    evaluation = assess(call.store, session, call.now)
    event = record_event(call, change.event_type, session, {})
    return Result(200, _state(call, session, change.profile, event, evaluation.effects))


def track_event(call: Call) -> Result:
    """Handle trackEvent: record the event, and return the effects that hold for its session."""
    sent, store = call.body, call.store
    session = store.session(sent["sessionId"])
    profile_id = sent.get("profileId")
    if session is None:
        session = store.save_session(
            replace(
                blank(call, sent["sessionId"]),
                profile_id=profile_id or "",
                update_count=1,
                first_session=not (
                    profile_id and store.has_other_session(profile_id, sent["sessionId"])
                ),
            )
        )
    elif profile_id not in (None, session.profile_id):
        details = "the session belongs to another profile"
        raise invalid(Problem("Illegal profile", details, "/profileId"))
    profile = visit(call, session.profile_id)
    effects = session.effects
    if session.state == OPEN:
        effects = assess(store, session, call.now).effects
        session = store.save_session(replace(session, effects=effects))
    event = record_event(call, sent["type"], session, sent["attributes"])
    return Result(201, _state(call, session, profile, event, effects))


def _state(
    call: Call,
    session: Session,
    profile: Profile | None,
    event: Event,
    effects: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Return the `IntegrationState` that every V1 operation returns."""
    # A V1 response always has a profile; that of an anonymous session is empty.
    anonymous = Profile(
        id=0,
        integration_id="",
        created=call.now,
        last_activity=call.now,
        closed_sessions=0,
        total_sales=ZERO,
        attributes={},
    )
    state = {
        "session": views.session_v1(session, v1_discounts(session.effects)),
        "profile": views.profile(call.store, profile or anonymous),
        "event": views.event(event, v1_tuples(effects), _meta(call, effects)),
    }
    coupon = call.store.coupon(next(iter(session.coupon_codes), ""))
    if coupon is not None:
        state["coupon"] = views.coupon(coupon)
    return state


def _meta(call: Call, effects: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the reasons of rejected codes, which V1 effects do not have."""
    meta: dict[str, Any] = {}
    for made in effects:
        reason = made["props"].get("rejectionReason")
        if made["effectType"] == "rejectCoupon":
            meta["couponRejectionReason"] = {
                "campaignId": made["campaignId"],
                "couponId": made.get("triggeredByCoupon", NO_CAMPAIGN),
                "reason": reason,
            }
        elif made["effectType"] == "rejectReferral":
            referral = call.store.referral(made["props"]["value"])
            meta["referralRejectionReason"] = {
                "campaignId": made["campaignId"],
                "referralId": referral.id if referral else NO_CAMPAIGN,
                "reason": reason,
            }
    return meta
