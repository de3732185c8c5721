"""The V1 operations: flat request bodies, and an `IntegrationState` with effect tuples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from talon_one.sandbox import holders
from talon_one.sandbox.call import Call, Result
from talon_one.sandbox.codes import find_coupon, find_referral
from talon_one.sandbox.consequences import Occasion, carry_out, settle_event
from talon_one.sandbox.errors import Problem, invalid
from talon_one.sandbox.events import record_event
from talon_one.sandbox.operations.events import check_event
from talon_one.sandbox.operations.profiles import evaluate_profile
from talon_one.sandbox.profiles import visit, write_profile
from talon_one.sandbox.rules.evaluate import evaluate
from talon_one.sandbox.rules.outcome import NO_CAMPAIGN, Evaluation
from talon_one.sandbox.sessions.situations import situation_of
from talon_one.sandbox.sessions.totals import worth
from talon_one.sandbox.sessions.update import (
    OPEN,
    Outcome,
    Update,
    advance,
    blank,
    is_first,
    stored_session,
)
from talon_one.sandbox.shapes import coupon_facts, profile_facts
from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.values import json_number

_COPIED: Final = ("cartItems", "identifiers", "attributes")

# Rejections carry the code alone: V1 has the reason in the `meta` of the event.
_CODE_ALONE: Final = frozenset({"rejectCoupon", "rejectReferral"})
# Reasons that came after V1, by those that it has for them.
_REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "CouponLimitReached": "CampaignLimitReached",
        "ReferralCustomerAlreadyReferred": "ProfileLimitReached",
        "AdvocateNotFound": "ReferralNotFound",
    }
)
# The order of the arguments, where it is not that of the properties.
_ARGUMENTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "setDiscountPerAdditionalCost": ("name", "additionalCostId", "additionalCost", "value"),
        "setDiscountPerItem": ("name", "value", "position"),
        "addFreeItem": ("sku", "name"),
    }
)


def update_session(call: Call) -> Result:
    """Handle updateCustomerSession."""
    sent = call.body
    content = {name: sent[name] for name in _COPIED if name in sent}
    if "coupon" in sent:
        content["couponCodes"] = [sent["coupon"]] if sent["coupon"] else []
    if "referral" in sent:
        content["referralCode"] = sent["referral"]
    if "total" in sent:
        content["_total"] = sent["total"]
    outcome = advance(
        call,
        Update(
            session_id=call.ids["customerSessionId"],
            profile_id=sent.get("profileId"),
            state=sent.get("state", OPEN),
            content=content,
            pointer="",
            params=sent,
        ),
    )
    return Result(200, _state(call, outcome))


def update_profile(call: Call) -> Result:
    """Handle updateCustomerProfile, which always runs the rules."""
    profile, new = write_profile(call, call.ids["integrationId"], call.body.get("attributes"))
    return Result(200, _state(call, evaluate_profile(call, profile, new=new)))


def track_event(call: Call) -> Result:
    """Handle trackEvent: record the event, and return the effects that hold for its session."""
    sent = call.body
    check_event(call, sent)
    session = stored_session(call, sent["sessionId"])
    profile_id = sent.get("profileId")
    if session is None:
        session = call.state.sessions.add(
            {
                **blank(call, sent["sessionId"]),
                "profileId": profile_id or "",
                "updateCount": 1,
                "firstSession": is_first(call, profile_id or "", sent["sessionId"]),
                "_effects": [],
            }
        )
    elif profile_id not in (None, session["profileId"]):
        details = "the session belongs to another profile"
        raise invalid(Problem("Illegal profile", details, "/profileId"))
    profile = visit(call, session["profileId"])
    event = record_event(call, sent["type"], session, sent["attributes"])
    occasion = Occasion(call, session, event, profile)
    evaluation = Evaluation(effects=session["_effects"])
    if session["state"] == OPEN:
        evaluation = evaluate(situation_of(call, session, event))
        carry_out(occasion, evaluation)
        session["_effects"] = evaluation.effects
        call.state.sessions.save(session)
    settle_event(occasion, evaluation.effects)
    return Result(201, _state(call, Outcome(session, profile, event, evaluation, occasion)))


def _state(call: Call, outcome: Outcome) -> dict[str, Any]:
    """Return the `IntegrationState` that every V1 operation returns."""
    # A V1 response always has a session and a profile; that of an anonymous one is empty.
    session = outcome.session or blank(call, "")
    anonymous = {"id": 0, "integrationId": "", "created": call.now, "lastActivity": call.now}
    profile = outcome.profile or {**anonymous, "attributes": {}, "accountId": 1}
    effects = outcome.evaluation.effects
    state = {
        "session": _session(session),
        "profile": profile_facts(call.state, profile),
        "event": {
            **outcome.event,
            "effects": _tuples(effects),
            "meta": _meta(call, effects),
        },
    }
    loyalty = holders.loyalty_of(call, outcome.session, outcome.profile, outcome.evaluation)
    if any(loyalty.values()):
        state["loyalty"] = loyalty
    code = next(iter(session.get("couponCodes") or ()), "")
    coupon = find_coupon(call, code) if code else None
    if coupon is not None:
        state["coupon"] = coupon_facts(call.state, coupon)
    return state


def _session(session: Document) -> Document:
    """Return a `CustomerSession`: single codes, the total of the caller, discounts by label."""
    return {
        **session,
        "coupon": next(iter(session.get("couponCodes") or ()), ""),
        "referral": session.get("referralCode") or "",
        "total": json_number(worth(session)),
        "discounts": {
            each["props"]["name"]: each["props"]["value"]
            for each in session.get("_effects") or ()
            if each["effectType"].startswith("setDiscount")
        },
    }


def _tuples(effects: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    """Return effects of V1: `[campaignId, rulesetId, ruleIndex, [name, argument, ...]]`."""
    return [
        [
            made["campaignId"],
            made["rulesetId"],
            made["ruleIndex"],
            [made["effectType"], *_arguments(made["effectType"], made["props"])],
        ]
        for made in effects
    ]


def _arguments(effect_type: str, props: Mapping[str, Any]) -> list[Any]:
    if effect_type in _CODE_ALONE:
        return [props["value"]]
    names = _ARGUMENTS.get(effect_type, tuple(props))
    return [props[name] for name in names if name in props]


def _meta(call: Call, effects: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the reasons of rejected codes, which V1 effects do not have."""
    meta: dict[str, Any] = {}
    for made in effects:
        reason = made["props"].get("rejectionReason", "")
        reason = _REASONS.get(reason, reason)
        if made["effectType"] == "rejectCoupon":
            meta["couponRejectionReason"] = {
                "campaignId": made["campaignId"],
                "couponId": made.get("triggeredByCoupon", NO_CAMPAIGN),
                "reason": reason,
            }
        elif made["effectType"] == "rejectReferral":
            referral = find_referral(call, made["props"]["value"])
            meta["referralRejectionReason"] = {
                "campaignId": made["campaignId"],
                "referralId": referral["id"] if referral else NO_CAMPAIGN,
                "reason": reason,
            }
    return meta


OPERATIONS: Final = {
    "updateCustomerSession": update_session,
    "updateCustomerProfile": update_profile,
    "trackEvent": track_event,
}
