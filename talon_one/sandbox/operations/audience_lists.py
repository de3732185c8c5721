"""Management operations on audiences: lists, memberships and their files."""

from __future__ import annotations

from typing import Any, Final

from talon_one.sandbox.audiences import join
from talon_one.sandbox.call import Call, Result
from talon_one.sandbox.errors import Problem, invalid
from talon_one.sandbox.operations.audiences import known_audience
from talon_one.sandbox.operations.entities import Kind, anywhere
from talon_one.sandbox.operations.lists import numbers, respond
from talon_one.sandbox.operations.transfers import export_rows, import_rows
from talon_one.sandbox.profiles import ensure_profile
from talon_one.sandbox.shapes import profile_facts
from talon_one.sandbox.state.documents import Document

AUDIENCES: Final = Kind("audiences", "Audience", "audienceId", owner=anywhere)


def _members(call: Call) -> list[str]:
    held = call.state.memberships.each(audienceId=known_audience(call)["id"])
    return [each["profileId"] for each in held]


def get_memberships(call: Call) -> Result:
    """Handle getAudienceMemberships."""
    wanted = (call.query.get("profileQuery") or "").casefold()
    ids = [each for each in _members(call) if wanted in each.casefold()]
    profiles = call.state.profiles.each(integrationId=ids)
    return respond(call, (profile_facts(call.state, each) for each in profiles))


def get_analytics(call: Call) -> Result:
    """Handle getAudiencesAnalytics: how many members audiences have."""
    wanted = numbers(call.query["audienceIds"])
    if not wanted:
        details = "audienceIds must be IDs that are separated by commas"
        raise invalid(Problem("Invalid", details, parameter="audienceIds"))
    counts = [
        {
            "audienceId": each["id"],
            "membersCount": call.state.memberships.count(audienceId=each["id"]),
        }
        for each in call.state.audiences.each(id=sorted(wanted))
    ]
    return respond(call, counts)


def import_memberships(call: Call) -> Result:
    """Handle importAudiencesMemberships: the profiles of the file are the only members."""
    audience = known_audience(call)
    call.state.memberships.delete(audienceId=audience["id"])

    def take(values: dict[str, Any], done: Document) -> bool | Problem:
        ensure_profile(call.state, values["profileintegrationid"], call.now)
        return join(call.state, audience["id"], values["profileintegrationid"])

    return import_rows(call, "AudienceMembership", take)


def export_memberships(call: Call) -> Result:
    """Handle exportAudiencesMemberships."""
    rows = [{"profileintegrationid": each} for each in _members(call)]
    return export_rows(call, rows, entity="AudienceMembership")


OPERATIONS: Final = {
    "getAudiences": AUDIENCES.list,
    "getAudienceMemberships": get_memberships,
    "getAudiencesAnalytics": get_analytics,
    "importAudiencesMemberships": import_memberships,
    "exportAudiencesMemberships": export_memberships,
}
