"""Operations on customer profiles: updates, inventory, erasure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from talon_one.sandbox import holders
from talon_one.sandbox.audiences import join, leave
from talon_one.sandbox.call import NO_CONTENT, Call, Result
from talon_one.sandbox.consequences import Occasion, carry_out, settle_event
from talon_one.sandbox.content import integration_state
from talon_one.sandbox.errors import Problem, invalid
from talon_one.sandbox.events import record_event
from talon_one.sandbox.operations.sessions import evaluable_campaigns
from talon_one.sandbox.profiles import known_profile, visit, write_profile
from talon_one.sandbox.rules.evaluate import evaluate
from talon_one.sandbox.rules.outcome import Evaluation
from talon_one.sandbox.sessions.situations import situation_of
from talon_one.sandbox.sessions.update import Outcome, blank
from talon_one.sandbox.shapes import (
    coupon_state,
    inventory_referral,
    profile_facts,
    redeemable_coupon,
)
from talon_one.sandbox.state.documents import Document


def update_profile(call: Call) -> Result:
    """Handle updateCustomerProfileV2."""
    sent = call.body
    profile, new = write_profile(call, call.ids["integrationId"], sent.get("attributes"))
    joined = _change_audiences(call, profile, sent.get("audiencesChanges"))
    # Callers of 2020 send no responseContent and expect the profile in the response.
    wanted = sent.get("responseContent", ["customerProfile"])
    if not call.query.get("runRuleEngine"):
        occasion = Occasion(call, None, {}, profile)
        outcome = Outcome(None, profile, {}, Evaluation(), occasion)
        kept = [name for name in wanted if name == "customerProfile"]
        return Result(200, integration_state(call, outcome, kept))
    outcome = evaluate_profile(
        call, profile, new=new, audiences=joined, evaluable=evaluable_campaigns(call, sent)
    )
    return Result(200, integration_state(call, outcome, wanted))


def evaluate_profile(
    call: Call,
    profile: Document,
    *,
    new: bool,
    audiences: Mapping[int, bool] | None = None,
    evaluable: frozenset[int] | None = None,
) -> Outcome:
    """Run the rules over a profile that was created or updated."""
    session = {**blank(call, ""), "profileId": profile["integrationId"]}
    event_type = f"talon_profile_{'created' if new else 'updated'}"
    event = record_event(call, event_type, session, {})
    evaluation = evaluate(
        situation_of(call, session, event, evaluable=evaluable, audiences=audiences)
    )
    occasion = Occasion(call, None, event, profile, closing=True)
    carry_out(occasion, evaluation)
    settle_event(occasion, evaluation.effects)
    return Outcome(None, visit(call, profile["integrationId"]), event, evaluation, occasion)


def _change_audiences(
    call: Call, profile: Document, changes: Mapping[str, list[int]] | None
) -> dict[int, bool]:
    joined: dict[int, bool] = {}
    for verb, change in (("adds", join), ("deletes", leave)):
        for index, audience_id in enumerate((changes or {}).get(verb, ())):
            if call.state.audiences.get(audience_id) is None:
                pointer = f"/audiencesChanges/{verb}/{index}"
                raise invalid(Problem("Unknown", f"no audience has ID {audience_id}", pointer))
            if change(call.state, audience_id, profile["integrationId"]):
                joined[audience_id] = verb == "adds"
    return joined


def update_profiles(call: Call) -> Result:
    """Handle updateCustomerProfilesV2, which never runs rules."""
    profiles = [
        write_profile(
            call, entry["integrationId"], entry.get("attributes"), f"/customerProfiles/{index}"
        )[0]
        for index, entry in enumerate(call.body["customerProfiles"])
    ]
    if call.query.get("silent", "yes") == "yes":
        return NO_CONTENT
    states = [{"customerProfile": profile_facts(call.state, each)} for each in profiles]
    return Result(200, {"integrationStates": states})


def get_inventory(call: Call) -> Result:
    """Handle getCustomerInventory with the sections that the flags select."""
    state = call.state
    profile = known_profile(call, call.ids["integrationId"])
    sections: dict[str, Callable[[], Any]] = {
        "profile": lambda: profile_facts(state, profile),
        "referrals": lambda: [
            inventory_referral(state, each)
            for each in state.referrals.each(advocateProfileIntegrationId=profile["integrationId"])
        ],
        "coupons": lambda: _coupons(call, profile["integrationId"]),
        "loyalty": lambda: holders.loyalty_of(call, None, profile, None),
        "giveaways": lambda: state.giveaways.find(profileIntegrationId=profile["integrationId"]),
        "achievements": lambda: holders.achievements_of(call, profile),
    }
    return Result(
        200, {name: section() for name, section in sections.items() if call.query.get(name)}
    )


def _coupons(call: Call, profile_id: str) -> list[Document]:
    """Return the coupons that a profile has reserved, redeemed or been given."""
    state = call.state
    redeemed = state.journal.of_profile(profile_id, "redeemCoupon")
    ids = {int(entry.target) for entry in redeemed}
    ids |= {each["couponId"] for each in state.reservations.each(profileId=profile_id)}
    ids |= {each["id"] for each in state.coupons.each(recipientIntegrationId=profile_id)}
    ids |= {each["id"] for each in state.coupons.each(implicitlyReserved=True)}
    return [
        {**found, "state": coupon_state(state, found, call.now)}
        for each in state.coupons.find(id=sorted(ids))
        if (found := redeemable_coupon(state, each, profile_id))
    ]


def delete_customer_data(call: Call) -> Result:
    """Handle deleteCustomerData: erase the attributes of a profile, its sessions and its events."""
    state = call.state
    profile = known_profile(call, call.ids["integrationId"])
    state.profiles.save({**profile, "attributes": {}})
    for session in state.sessions.each(profileId=profile["integrationId"]):
        for item in session["cartItems"]:
            item.pop("attributes", None)
        state.sessions.save({**session, "attributes": {}})
    for event in state.events.each(profileId=profile["integrationId"]):
        state.events.save({**event, "attributes": {}})
    return NO_CONTENT


OPERATIONS: Final = {
    "updateCustomerProfileV2": update_profile,
    "updateCustomerProfilesV2": update_profiles,
    "getCustomerInventory": get_inventory,
    "deleteCustomerData": delete_customer_data,
}
