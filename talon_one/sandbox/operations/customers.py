"""Management operations that read customers, of the account and of Applications."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from talon_one.sandbox.call import Call, Result
from talon_one.sandbox.errors import not_found
from talon_one.sandbox.operations.lists import has_attributes, respond
from talon_one.sandbox.profiles import known_profile
from talon_one.sandbox.shapes import profile_facts
from talon_one.sandbox.state.documents import Document

_REDEEMED: Final = "redeemReferral"


def sought(call: Call, profile: Mapping[str, Any]) -> bool:
    """Return whether a profile is what the body of a search describes."""
    wanted = call.body or {}
    ids, numbers = wanted.get("integrationIDs"), wanted.get("profileIDs")
    return (
        has_attributes(profile, wanted.get("attributes"))
        and (not ids or profile["integrationId"] in ids)
        and (not numbers or profile["id"] in numbers)
        and call.query.get("sandbox") in (None, bool(profile.get("sandbox")))
    )


def get_profiles(call: Call) -> Result:
    """Handle getCustomerProfiles and getCustomersByAttributes."""
    found = (each for each in call.state.profiles.each() if sought(call, each))
    return respond(call, (profile_facts(call.state, each) for each in found))


def get_profile(call: Call) -> Result:
    """Handle getCustomerProfile."""
    profile = call.state.profiles.get(call.ids["customerId"])
    if profile is None:
        raise not_found("Customer profile")
    return Result(200, profile_facts(call.state, profile))


def customers_of(call: Call) -> Iterator[Document]:
    """Yield the profiles that the Application has seen in a session, an event or an update."""
    for profile in call.state.profiles.each():
        if call.application_id in (profile.get("_applications") or ()):
            yield profile


def known_customer(call: Call) -> Document:
    """Return the customer of the Application that the path names.

    Raises:
        ApiError: 404 if there is none.
    """
    for profile in customers_of(call):
        if profile["id"] == call.ids["customerId"]:
            return profile
    raise not_found("Customer")


def _view(call: Call, profile: Document) -> Document:
    shown = profile_facts(call.state, profile)
    for entry in call.state.journal.of_profile(profile["integrationId"], _REDEEMED):
        referral = call.state.referrals.get(int(entry.target))
        if referral is not None and referral["_applicationId"] == call.application_id:
            shown["advocateIntegrationId"] = referral["advocateProfileIntegrationId"]
    return shown


def get_customers(call: Call) -> Result:
    """Handle getApplicationCustomers and getApplicationCustomersByAttributes."""
    named = call.query.get("integrationId")
    return respond(
        call,
        (
            _view(call, each)
            for each in customers_of(call)
            if named in (None, "", each["integrationId"]) and sought(call, each)
        ),
    )


def get_customer(call: Call) -> Result:
    """Handle getApplicationCustomer."""
    return Result(200, _view(call, known_customer(call)))


def get_friends(call: Call) -> Result:
    """Handle getApplicationCustomerFriends: who redeemed a referral of an advocate."""
    advocate = known_profile(call, call.ids["integrationId"])["integrationId"]
    found = []
    for referral in call.state.referrals.each(
        _applicationId=call.application_id, advocateProfileIntegrationId=advocate
    ):
        for entry in call.state.journal.of_target(_REDEEMED, str(referral["id"])):
            session = call.state.sessions.get(entry.session_id or 0) or {}
            found.append(
                {
                    "applicationId": call.application_id,
                    "sessionId": session.get("integrationId", ""),
                    "advocateIntegrationId": advocate,
                    "friendIntegrationId": entry.profile_id,
                    "code": referral["code"],
                    "created": entry.created,
                }
            )
    return respond(call, found)


OPERATIONS: Final = {
    "getCustomerProfiles": get_profiles,
    "getCustomersByAttributes": get_profiles,
    "getCustomerProfile": get_profile,
    "getApplicationCustomers": get_customers,
    "getApplicationCustomersByAttributes": get_customers,
    "getApplicationCustomer": get_customer,
    "getApplicationCustomerFriends": get_friends,
}
