"""Management operations on achievements, of campaigns (V1) and of the account (V2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from talon_one.sandbox.call import Call, Result
from talon_one.sandbox.errors import Problem, invalid
from talon_one.sandbox.holders import achievement_view, achievements_in, progress_of
from talon_one.sandbox.loyalty.achievements import NOT_STARTED, progress_at, status_of
from talon_one.sandbox.operations.entities import Kind, anywhere, of_campaign
from talon_one.sandbox.operations.lists import contains, respond
from talon_one.sandbox.operations.transfers import export_rows
from talon_one.sandbox.profiles import known_profile
from talon_one.sandbox.state.documents import Document

# V1 says of a definition what V2 says in other words.
_STATUS_V1: Final = {"active": "inprogress", "scheduled": "not_started", "expired": "expired"}
_FIXED: Final = "fixed_schedule"


def _passes(call: Call, achievement: Document) -> bool:
    application_id = call.query.get("applicationId")
    return contains(call, "title", achievement["title"]) and application_id in (
        None,
        achievement.get("applicationId"),
        *(achievement.get("subscribedApplications") or ()),
    )


def _has_progress(call: Call, achievement: Document) -> bool:
    return call.state.progress.first(achievementId=achievement["id"]) is not None


def _view(call: Call, achievement: Document) -> Document:
    status = _STATUS_V1[status_of(achievement, call.now)]
    return {**achievement, "hasProgress": _has_progress(call, achievement), "status": status}


def _view_v2(call: Call, achievement: Document) -> Document:
    campaign = call.state.campaigns.get(achievement.get("campaignId") or 0)
    references = (
        [{"campaignId": campaign["id"], "campaignName": campaign["name"]}] if campaign else []
    )
    own = achievement.get("applicationId")
    return {
        "timezone": "UTC",
        "subscribedApplications": [own] if own else [],
        **achievement,
        "hasProgress": _has_progress(call, achievement),
        "status": status_of(achievement, call.now),
        "referencedByCampaigns": references,
    }


def _prepare(call: Call, old: Document | None) -> Document:
    given: Document = {**(old or {}), **call.body}
    # The description of V2 requires none of these, but there is no achievement without.
    missing = [name for name in ("name", "title", "target") if given.get(name) is None]
    if missing:
        raise invalid(*(Problem("required", f"{each} is required", f"/{each}") for each in missing))
    if old is not None and given["name"] != old["name"]:
        raise invalid(Problem("Invalid", "the name cannot be changed", "/name"))
    if bool(given.get("period")) == bool(given.get("periodEndOverride")):
        details = "exactly one of period and periodEndOverride is required"
        raise invalid(Problem("required", details, "/period"))
    if given.get("activationPolicy") == _FIXED and not given.get("fixedStartDate"):
        details = f"fixedStartDate is required for {_FIXED}"
        raise invalid(Problem("required", details, "/fixedStartDate"))
    sent: Document = {"period": None, **call.body}
    return sent if given.get("periodEndOverride") else call.body


def _removed(call: Call, achievement: Document) -> None:
    call.state.progress.delete(achievementId=achievement["id"])


OF_CAMPAIGN: Final = Kind(
    table="achievements",
    label="Achievement",
    path_id="achievementId",
    owner=of_campaign,
    passes=_passes,
    view=_view,
    prepare=_prepare,
    removed=_removed,
    unique=("name", "title"),
)
OF_ACCOUNT: Final = replace(OF_CAMPAIGN, owner=anywhere, view=_view_v2)


def _exporter(kind: Kind) -> Callable[[Call], Result]:
    def export(call: Call) -> Result:
        """Handle the export of an achievement: each iteration of each profile."""
        definition = kind.known(call)
        rows = []
        for record in call.state.progress.each(achievementId=definition["id"]):
            row = {**definition, **progress_at(record, call.now)}
            row["profileIntegrationID"] = record["profileId"]
            rows.append({**row, "endDate": record.get("endDate")})
        return export_rows(call, rows)

    return export


def get_progress(call: Call) -> Result:
    """Handle getCustomerProfileAchievementProgress: what a profile has begun."""
    profile_id = known_profile(call, call.ids["integrationId"])["integrationId"]
    wanted = call.query.get("achievementId")
    found = []
    for each in achievements_in(call):
        progress = progress_of(call, each, profile_id)
        if (
            wanted in (None, each["id"])
            and contains(call, "title", each["title"])
            and progress["status"] != NOT_STARTED
        ):
            found.append({**_with_prefixes(achievement_view(call, each, profile_id)), **progress})
    return respond(call, found)


def _with_prefixes(definition: Document) -> Document:
    """Return a definition whose settings have names that do not clash with those of progress."""
    return {
        **{name: value for name, value in definition.items() if name not in _PREFIXED},
        **{f"achievement{name[0].upper()}{name[1:]}": definition.get(name) for name in _PREFIXED},
        "achievementId": definition["id"],
    }


_PREFIXED: Final = (
    "recurrencePolicy",
    "activationPolicy",
    "fixedStartDate",
    "endDate",
    "allowRollbackAfterCompletion",
)


OPERATIONS: Final = {
    "listAchievements": OF_CAMPAIGN.list,
    "createAchievement": OF_CAMPAIGN.create,
    "getAchievement": OF_CAMPAIGN.read,
    "updateAchievement": OF_CAMPAIGN.update,
    "deleteAchievement": OF_CAMPAIGN.delete,
    "exportAchievements": _exporter(OF_CAMPAIGN),
    "listAchievementsV2": OF_ACCOUNT.list,
    "createAchievementV2": OF_ACCOUNT.create,
    "getAchievementV2": OF_ACCOUNT.read,
    "updateAchievementV2": OF_ACCOUNT.update,
    "deleteAchievementV2": OF_ACCOUNT.delete,
    "exportAchievementV2": _exporter(OF_ACCOUNT),
    "getCustomerProfileAchievementProgress": get_progress,
}
