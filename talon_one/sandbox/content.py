"""What responses of the Integration API carry on request: `responseContent`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from talon_one.sandbox import holders
from talon_one.sandbox.call import Call
from talon_one.sandbox.codes import distinct, find_coupon, find_referral
from talon_one.sandbox.contract.responses import Complete
from talon_one.sandbox.sessions.update import Outcome
from talon_one.sandbox.shapes import (
    campaign_facts,
    inventory_referral,
    profile_facts,
    redeemable_coupon,
)


def integration_state(
    call: Call, outcome: Outcome, wanted: Sequence[str], more: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return an `IntegrationStateV2` with the requested content that exists.

    Args:
        call: The request.
        outcome: Its result.
        wanted: Values of `responseContent`.
        more: Properties that are always there.
    """
    state: dict[str, Any] = {
        "effects": Complete(outcome.evaluation.effects),
        "createdCoupons": outcome.occasion.created_coupons,
        "createdReferrals": outcome.occasion.created_referrals,
        **(more or {}),
    }
    for name in wanted:
        make = _CONTENT.get(name)
        value = make(call, outcome) if make else None
        if value is not None:
            state[name] = value
    return state


def _session(call: Call, outcome: Outcome) -> Any:
    return outcome.session


def _profile(call: Call, outcome: Outcome) -> Any:
    return outcome.profile and profile_facts(call.state, outcome.profile)


def _event(call: Call, outcome: Outcome) -> Any:
    return outcome.event


def _coupons(call: Call, outcome: Outcome) -> Any:
    session = outcome.session or {}
    codes = distinct(call.application, session.get("couponCodes") or ())
    found = [find_coupon(call, code) for code in codes]
    profile_id = session.get("profileId", "")
    return [redeemable_coupon(call.state, each, profile_id) for each in found if each]


def _referral(call: Call, outcome: Outcome) -> Any:
    code = (outcome.session or {}).get("referralCode")
    found = find_referral(call, code) if code else None
    return inventory_referral(call.state, found) if found else None


def _campaigns(call: Call, outcome: Outcome) -> Any:
    found = call.state.campaigns.find(id=outcome.evaluation.triggered)
    return [campaign_facts(call.state, each, call.now) for each in found]


def _loyalty(call: Call, outcome: Outcome) -> Any:
    return holders.loyalty_of(call, outcome.session, outcome.profile, outcome.evaluation)


def _giveaways(call: Call, outcome: Outcome) -> Any:
    return outcome.occasion.awarded_giveaways


def _failures(call: Call, outcome: Outcome) -> Any:
    return outcome.evaluation.failures


def _eligibility(call: Call, outcome: Outcome) -> Any:
    return outcome.evaluation.eligibility if call.dry else None


def _achievements(call: Call, outcome: Outcome) -> Any:
    return holders.achievements_of(call, outcome.profile)


def _returns(call: Call, outcome: Outcome) -> Any:
    found = call.state.returns.find(sessionId=(outcome.session or {}).get("id"))
    # The return that the response is about is not one before it.
    return [each for each in found if each["eventId"] != outcome.event.get("id")]


_CONTENT: Mapping[str, Callable[[Call, Outcome], Any]] = {
    "customerSession": _session,
    "customerProfile": _profile,
    "coupons": _coupons,
    "triggeredCampaigns": _campaigns,
    "referral": _referral,
    "loyalty": _loyalty,
    "event": _event,
    "advancedEvent": _event,
    "awardedGiveaways": _giveaways,
    "ruleFailureReasons": _failures,
    "previousReturns": _returns,
    "campaignEligibility": _eligibility,
    "achievements": _achievements,
}
