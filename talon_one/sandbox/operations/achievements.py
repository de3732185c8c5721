"""Operations on the achievements of a profile (Integration API)."""

from __future__ import annotations

from typing import Any, Final

from talon_one.sandbox.call import Call, Result
from talon_one.sandbox.errors import not_found
from talon_one.sandbox.holders import achievement_view, achievements_in
from talon_one.sandbox.loyalty.achievements import progress_at, status_of
from talon_one.sandbox.operations.lists import with_total
from talon_one.sandbox.profiles import known_profile

PAGE_SIZE: Final = 50


def _numbers(values: list[str] | None) -> set[str] | None:
    return {value.strip() for value in values} if values else None


def get_achievements(call: Call) -> Result:
    """Handle getCustomerAchievements: by default those that are active now."""
    profile, query = known_profile(call, call.ids["integrationId"]), call.query
    campaigns, ids = _numbers(query.get("campaignIds")), _numbers(query.get("achievementIds"))
    statuses = query.get("achievementStatus") or ["active"]
    progress = query.get("currentProgressStatus")
    found = []
    for each in achievements_in(call):
        view = achievement_view(call, each, profile["integrationId"])
        if (
            (campaigns is None or str(each.get("campaignId")) in campaigns)
            and (ids is None or str(each["id"]) in ids)
            and status_of(each, call.now) in statuses
            and (not progress or view["currentProgress"]["status"] in progress)
        ):
            found.append(view)
    return with_total(call, found, PAGE_SIZE)


def get_history(call: Call) -> Result:
    """Handle getCustomerAchievementHistory: every iteration, newest first."""
    profile, query = known_profile(call, call.ids["integrationId"]), call.query
    wanted = call.ids["achievementId"]
    definition = next((each for each in achievements_in(call) if each["id"] == wanted), None)
    if definition is None:
        raise not_found("Achievement")
    records = call.state.progress.find(
        achievementId=definition["id"], profileId=profile["integrationId"]
    )
    statuses = query.get("progressStatus")
    found: list[dict[str, Any]] = [
        shown
        for each in reversed(records)
        if (shown := progress_at(each, call.now))
        and (not statuses or shown["status"] in statuses)
        and (query.get("startDate") or "") <= each["startDate"]
        and each["startDate"] <= query.get("endDate", "9999")
    ]
    return with_total(call, found, PAGE_SIZE)


OPERATIONS: Final = {
    "getCustomerAchievements": get_achievements,
    "getCustomerAchievementHistory": get_history,
}
