"""Customer profiles: updates, audiences, inventory and erasure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from talon_one.sandbox import views
from talon_one.sandbox.call import NO_CONTENT, Call, Result
from talon_one.sandbox.errors import Problem, invalid, not_found
from talon_one.sandbox.fixed_rules import Evaluation
from talon_one.sandbox.records import Profile
from talon_one.sandbox.sessions import (
    assess,
    blank,
    evaluable_campaigns,
    integration_state,
    merge_attributes,
    record_event,
    shared_extras,
    visit,
)


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """A profile after an update, and the type of the built-in event of that update."""

    profile: Profile
    event_type: str


def write_profile(call: Call, integration_id: str, attributes: Mapping[str, Any]) -> ProfileChange:
    """Merge attributes into a profile, creating it if it is new."""
    known = call.store.profile(integration_id) is not None
    profile = visit(call, integration_id) or known_profile(call, integration_id)
    merged = merge_attributes(profile.attributes, attributes)
    profile = call.store.save_profile(replace(profile, attributes=merged))
    return ProfileChange(profile, f"talon_profile_{'updated' if known else 'created'}")


def known_profile(call: Call, integration_id: str) -> Profile:
    """Return a stored profile.

    Raises:
        ApiError: 404 if there is none.
    """
    profile = call.store.profile(integration_id)
    if profile is None:
        raise not_found("Customer profile")
    return profile


def update_profile(call: Call) -> Result:
    """Handle updateCustomerProfileV2."""
    store, sent = call.store, call.body
    change = write_profile(call, call.ids[0], sent.get("attributes", {}))
    _change_audiences(call, change.profile, sent.get("audiencesChanges"))
    session = replace(blank(call, ""), profile_id=change.profile.integration_id)
    # Callers of 2020 send no responseContent and expect the profile in the response.
    wanted = sent.get("responseContent", ["customerProfile"])
    if call.query.flag("runRuleEngine"):
        evaluation = assess(store, session, call.now, evaluable_campaigns(call, sent))
        event = record_event(call, change.event_type, session, {})
        extras = shared_extras(store, change.profile, event, evaluation)
    else:
        evaluation = Evaluation()
        extras = {"customerProfile": lambda: views.profile(store, change.profile)}
    return Result(200, integration_state(evaluation.effects, wanted, extras))


def _change_audiences(
    call: Call, profile: Profile, changes: Mapping[str, list[int]] | None
) -> None:
    if changes is None:
        return
    for verb, apply in (("adds", call.store.join_audience), ("deletes", call.store.leave_audience)):
        for index, audience_id in enumerate(changes[verb]):
            if call.store.audience(audience_id) is None:
                pointer = f"/audiencesChanges/{verb}/{index}"
                raise invalid(Problem("Unknown", f"no audience has ID {audience_id}", pointer))
            apply(audience_id, profile.integration_id)


def update_profiles(call: Call) -> Result:
    """Handle updateCustomerProfilesV2, which never runs rules."""
    silent = call.query.one_of("silent", "yes", "no", default="yes")
    profiles = [
        write_profile(call, entry["integrationId"], entry.get("attributes", {})).profile
        for entry in call.body["customerProfiles"]
    ]
    if silent == "yes":
        return NO_CONTENT
    states = [{"customerProfile": views.profile(call.store, one)} for one in profiles]
    return Result(200, {"integrationStates": states})


def update_audiences(call: Call) -> Result:
    """Handle updateCustomerProfileAudiences: all actions, or none if one fails."""
    for entry in call.body["data"]:
        audience_id, profile_id = entry["audienceId"], entry["profileIntegrationId"]
        if call.store.audience(audience_id) is None:
            raise not_found(f"Audience {audience_id}")
        if entry["action"] == "add":
            call.store.ensure_profile(profile_id, call.now)
            call.store.join_audience(audience_id, profile_id)
        else:
            known_profile(call, profile_id)
            call.store.leave_audience(audience_id, profile_id)
    return NO_CONTENT


def get_inventory(call: Call) -> Result:
    """Handle getCustomerInventory with the sections that the flags select."""
    store = call.store
    profile = known_profile(call, call.ids[0])
    profile_id = profile.integration_id
    sections: dict[str, Callable[[], Any]] = {
        "profile": lambda: views.profile(store, profile),
        "referrals": lambda: [
            views.inventory_referral(store, one) for one in store.referrals_of_profile(profile_id)
        ],
        "coupons": lambda: [
            views.inventory_coupon(store, one, profile_id, call.now)
            for one in store.coupons_of_profile(profile_id)
        ],
        # The built-in campaign has no loyalty program, giveaways or achievements.
        "loyalty": lambda: {"cards": [], "programs": {}},
        "giveaways": list,
        "achievements": list,
    }
    return Result(
        200, {name: section() for name, section in sections.items() if call.query.flag(name)}
    )


def delete_customer_data(call: Call) -> Result:
    """Handle deleteCustomerData: erase the attributes of a profile, its sessions and its events."""
    store = call.store
    profile = known_profile(call, call.ids[0])
    store.save_profile(replace(profile, attributes={}))
    for session in store.sessions_of_profile(profile.integration_id):
        items = [
            {name: value for name, value in item.items() if name != "attributes"}
            for item in session.content.get("cartItems", ())
        ]
        content = {**session.content, "attributes": {}, "cartItems": items}
        store.save_session(replace(session, content=content))
    store.clear_event_attributes(profile.integration_id)
    return NO_CONTENT
