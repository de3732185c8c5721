"""Customer sessions: states, merging, redemption and its rollback; the V2 operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from talon_one.sandbox import views
from talon_one.sandbox.call import Call, Result
from talon_one.sandbox.effects import rollbacks
from talon_one.sandbox.errors import Problem, invalid, not_found
from talon_one.sandbox.fixed_rules import (
    CouponEntry,
    Evaluation,
    ReferralEntry,
    Situation,
    evaluate,
)
from talon_one.sandbox.records import CANCELLED, CLOSED, OPEN, Event, Profile, Session
from talon_one.sandbox.store import Store

# The transitions that a PUT may cause, each with its built-in event.
_EVENTS: Final = (
    ("", OPEN, "talon_session_created"),
    ("", CLOSED, "talon_session_closed"),
    (OPEN, OPEN, "talon_session_updated"),
    (OPEN, CLOSED, "talon_session_closed"),
    (OPEN, CANCELLED, "talon_session_cancelled"),
    (CLOSED, CANCELLED, "talon_session_revoked"),
)


@dataclass(frozen=True, slots=True)
class Update:
    """A session update, in the form that both API versions share.

    Attributes:
        session_id: Integration id of the session.
        profile_id: Integration id of the customer; empty if anonymous, None to keep the stored one.
        state: New state. A request without one means `open`, which a closed session refuses.
        content: Properties to replace, under their V2 names; attributes are merged.
        discard: Stored properties to drop.
        pointer: JSON pointer to the session in the body, for error messages.
        params: The request as the event records it.
        evaluable: Ids of the only campaigns to evaluate.
        at: Moment of the evaluation.
    """

    session_id: str
    profile_id: str | None
    state: str
    content: Mapping[str, Any]
    discard: tuple[str, ...]
    pointer: str
    params: Mapping[str, Any]
    at: str
    evaluable: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of an update."""

    session: Session
    profile: Profile | None
    event: Event
    evaluation: Evaluation


def advance(call: Call, update: Update) -> Outcome:
    """Move a session to its next state, creating it if it is new.

    Raises:
        ApiError: If the transition is not allowed, or the session belongs to another profile.
    """
    store = call.store
    stored = store.session(update.session_id)
    event_type = _transition(stored, update)
    session = _merged(call, stored, update)
    profile = visit(call, session.profile_id)
    evaluation = Evaluation()
    if stored is not None and stored.state == CLOSED:
        evaluation.effects = rollbacks(stored.effects)
        store.give_back(stored)
        profile = _count_sale(store, profile, -1, -stored.worth())
        session = replace(session, effects=())
    elif session.state == CANCELLED:
        session = replace(session, effects=())
    else:
        evaluation = assess(store, session, update.at, update.evaluable)
        session = replace(session, effects=evaluation.effects)
    session = store.save_session(session)
    if session.state == CLOSED:
        for coupon in evaluation.coupons:
            store.redeem(session, "coupon", coupon.id)
        for referral in evaluation.referrals:
            store.redeem(session, "referral", referral.id)
        profile = _count_sale(store, profile, 1, session.worth())
    attributes = {"isNew": stored is None, "params": update.params}
    if stored is None and session.state == CLOSED:
        record_event(call, "talon_session_created", session, attributes)
    event = record_event(call, event_type, session, attributes)
    return Outcome(session, profile, event, evaluation)


def _transition(stored: Session | None, update: Update) -> str:
    before = stored.state if stored else ""
    for origin, target, event_type in _EVENTS:
        if (origin, target) == (before, update.state):
            return event_type
    details = f"a {before or 'new'} session cannot become {update.state}"
    raise invalid(Problem("Illegal state", details, f"{update.pointer}/state"))


def _merged(call: Call, stored: Session | None, update: Update) -> Session:
    store = call.store
    if stored is None:
        stored = blank(call, update.session_id)
    elif stored.state == CLOSED:
        # Only the state may change, so the rest of the request is ignored.
        update = replace(update, content={}, discard=())
    profile_id = stored.profile_id if update.profile_id is None else update.profile_id
    if stored.profile_id and profile_id != stored.profile_id:
        details = "the session belongs to another profile"
        raise invalid(Problem("Illegal profile", details, f"{update.pointer}/profileId"))
    first_session = stored.first_session
    if profile_id != stored.profile_id:
        first_session = not store.has_other_session(profile_id, update.session_id)
    # A dry request that closes a session evaluates its own content alone.
    kept = {} if call.dry and update.state == CLOSED else stored.content
    content = {name: value for name, value in kept.items() if name not in update.discard}
    attributes = merge_attributes(
        content.get("attributes", {}), update.content.get("attributes", {})
    )
    return replace(
        stored,
        profile_id=profile_id,
        state=update.state,
        updated=call.now,
        update_count=stored.update_count + 1,
        first_session=first_session,
        content={**content, **update.content, "attributes": attributes},
    )


def merge_attributes(stored: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """Merge attributes by name; `null` keeps the stored value."""
    return {**stored, **{name: value for name, value in sent.items() if value is not None}}


def blank(call: Call, session_id: str) -> Session:
    """Return a new session, which is not stored."""
    return Session(
        id=0,
        application_id=call.store.application().id,
        integration_id=session_id,
        profile_id="",
        state=OPEN,
        created=call.now,
        updated=call.now,
        update_count=0,
        first_session=True,
    )


def visit(call: Call, profile_id: str) -> Profile | None:
    """Return the profile of a request, creating it if it is new; None for an anonymous one."""
    if not profile_id:
        return None
    profile = call.store.ensure_profile(profile_id, call.now)
    if call.dry:
        return profile
    return call.store.save_profile(replace(profile, last_activity=call.now))


def _count_sale(
    store: Store, profile: Profile | None, sessions: int, sales: Decimal
) -> Profile | None:
    if profile is None:
        return None
    return store.save_profile(
        replace(
            profile,
            closed_sessions=profile.closed_sessions + sessions,
            total_sales=profile.total_sales + sales,
        )
    )


def assess(
    store: Store, session: Session, now: str, evaluable: frozenset[int] | None = None
) -> Evaluation:
    """Look up the codes of a session and run the rules over it."""
    coupons = []
    # A repeated code counts once.
    for code in dict.fromkeys(filter(None, session.coupon_codes)):
        coupon = store.coupon(code)
        reserved = coupon is not None and store.reserved(coupon.id, session.profile_id)
        coupons.append(CouponEntry(code, coupon, reserved))
    referral = None
    if code := session.referral_code:
        was_referred = store.was_referred(session.profile_id)
        referral = ReferralEntry(code, store.referral(code), was_referred)
    return evaluate(Situation(session, now, store.campaigns(), coupons, referral, evaluable))


def record_event(
    call: Call, event_type: str, session: Session, attributes: Mapping[str, Any]
) -> Event:
    """Store an event of a session and of the profile it belongs to."""
    return call.store.add_event(
        Event(
            id=0,
            application_id=session.application_id,
            created=call.now,
            type=event_type,
            profile_id=session.profile_id,
            session_id=session.integration_id,
            attributes=attributes,
        )
    )


def evaluable_campaigns(call: Call, sent: Mapping[str, Any]) -> frozenset[int] | None:
    """Return the ids of the campaigns that a dry request selects; other requests cannot."""
    ids = sent.get("evaluableCampaignIds")
    return frozenset(ids) if call.dry and ids is not None else None


def integration_state(
    effects: Sequence[Mapping[str, Any]],
    wanted: Sequence[str],
    extras: Mapping[str, Callable[[], Any]],
) -> dict[str, Any]:
    """Return an `IntegrationStateV2` with the requested extras that exist."""
    state: dict[str, Any] = {
        "effects": list(effects),
        "createdCoupons": [],
        "createdReferrals": [],
    }
    for name in wanted:
        value = extras[name]() if name in extras else None
        if value is not None:
            state[name] = value
    return state


def shared_extras(
    store: Store, profile: Profile | None, event: Event, evaluation: Evaluation
) -> dict[str, Callable[[], Any]]:
    """Return the `responseContent` that session and profile updates share."""
    return {
        "customerProfile": lambda: profile and views.profile(store, profile),
        "event": lambda: views.event(event, evaluation.effects),
        "ruleFailureReasons": lambda: evaluation.failures,
        "triggeredCampaigns": lambda: [
            views.campaign(store, one)
            for one in store.campaigns()
            if one.id in evaluation.triggered
        ],
        # The built-in campaign has no loyalty program, giveaways or achievements.
        "loyalty": lambda: {"cards": [], "programs": {}},
        "awardedGiveaways": list,
        "achievements": list,
    }


def _evaluation_time(call: Call) -> str:
    at = call.query.time("now")
    if at is None:
        return call.now
    if not call.dry:
        raise invalid(Problem("Invalid", "now can only be used with dry=true", parameter="now"))
    if at < call.now:
        raise invalid(Problem("Invalid", "now must lie in the future", parameter="now"))
    return at


def update_session(call: Call) -> Result:
    """Handle updateCustomerSessionV2."""
    sent = call.body["customerSession"]
    apart = ("profileId", "state", "evaluableCampaignIds")
    outcome = advance(
        call,
        Update(
            session_id=call.ids[0],
            profile_id=sent.get("profileId"),
            state=sent.get("state", OPEN),
            content={name: value for name, value in sent.items() if name not in apart},
            # A V2 update discards the total that a V1 caller computed.
            discard=("total",),
            pointer="/customerSession",
            params=sent,
            at=_evaluation_time(call),
            evaluable=evaluable_campaigns(call, sent),
        ),
    )
    store, session = call.store, outcome.session
    extras = {
        **shared_extras(store, outcome.profile, outcome.event, outcome.evaluation),
        "customerSession": lambda: views.session(session),
        "coupons": lambda: _coupons(store, session),
        "referral": lambda: _referral(store, session),
        "previousReturns": list,
    }
    wanted = call.body.get("responseContent", ())
    return Result(200, integration_state(outcome.evaluation.effects, wanted, extras))


def _coupons(store: Store, session: Session) -> list[dict[str, Any]]:
    found = [store.coupon(code) for code in dict.fromkeys(session.coupon_codes)]
    return [views.redeemable_coupon(store, one, session.profile_id) for one in found if one]


def _referral(store: Store, session: Session) -> dict[str, Any] | None:
    found = store.referral(session.referral_code)
    return views.inventory_referral(store, found) if found else None


def get_session(call: Call) -> Result:
    """Handle getCustomerSession: the session and the effects that still hold."""
    session = call.store.session(call.ids[0])
    if session is None:
        raise not_found("Customer session")
    return Result(200, {"customerSession": views.session(session), "effects": session.effects})
