"""Operations on audiences: create, rename, delete, and who belongs to them."""

from __future__ import annotations

from typing import Final

from talon_one.sandbox.attributes import check_attributes, merge_attributes
from talon_one.sandbox.audiences import join, leave
from talon_one.sandbox.call import NO_CONTENT, Call, Result
from talon_one.sandbox.errors import ApiError, not_found
from talon_one.sandbox.profiles import ACCOUNT_ID, ensure_profile, known_profile
from talon_one.sandbox.state.documents import Document


def known_audience(call: Call) -> Document:
    """Return the audience that the path names.

    Raises:
        ApiError: 404 if there is none.
    """
    audience = call.state.audiences.get(call.ids["audienceId"])
    if audience is None:
        raise not_found("Audience")
    return audience


def create_audience(call: Call) -> Result:
    """Handle createAudienceV2."""
    sent = call.body
    integration, integration_id = sent.get("integration"), sent.get("integrationId")
    if integration_id and call.state.audiences.first(
        integration=integration, integrationId=integration_id
    ):
        raise ApiError(409, "An audience with this integration and integration ID exists already")
    audience = call.state.audiences.add(
        {"accountId": ACCOUNT_ID, "created": call.now, "sandbox": True, **sent}
    )
    return Result(201, audience)


def update_audience(call: Call) -> Result:
    """Handle updateAudienceV2: the name, and nothing else."""
    return Result(200, call.state.audiences.save({**known_audience(call), **call.body}))


def delete_audience(call: Call) -> Result:
    """Handle deleteAudienceV2: the audience and its memberships."""
    audience = known_audience(call)
    call.state.memberships.delete(audienceId=audience["id"])
    call.state.audiences.delete(id=audience["id"])
    return NO_CONTENT


def delete_memberships(call: Call) -> Result:
    """Handle deleteAudienceMembershipsV2."""
    call.state.memberships.delete(audienceId=known_audience(call)["id"])
    return NO_CONTENT


def update_members(call: Call) -> Result:
    """Handle updateCustomerProfileAudiences: all actions, or none if one fails."""
    for entry in call.body["data"]:
        audience_id, profile_id = entry["audienceId"], entry["profileIntegrationId"]
        if call.state.audiences.get(audience_id) is None:
            raise not_found(f"Audience {audience_id}")
        if entry["action"] == "add":
            ensure_profile(call.state, profile_id, call.now)
            join(call.state, audience_id, profile_id)
        else:
            known_profile(call, profile_id)
            leave(call.state, audience_id, profile_id)
    return NO_CONTENT


def update_attributes(call: Call) -> Result:
    """Handle updateAudienceCustomersAttributes: the attributes of all members."""
    sent = call.body.get("attributes")
    check_attributes(call, "CustomerProfile", sent)
    audience = known_audience(call)
    members = [each["profileId"] for each in call.state.memberships.each(audienceId=audience["id"])]
    for profile in call.state.profiles.each(integrationId=members):
        merged = merge_attributes(profile["attributes"], sent)
        call.state.profiles.save({**profile, "attributes": merged})
    return NO_CONTENT


OPERATIONS: Final = {
    "createAudienceV2": create_audience,
    "updateAudienceV2": update_audience,
    "deleteAudienceV2": delete_audience,
    "deleteAudienceMembershipsV2": delete_memberships,
    "updateCustomerProfileAudiences": update_members,
    "updateAudienceCustomersAttributes": update_attributes,
}
