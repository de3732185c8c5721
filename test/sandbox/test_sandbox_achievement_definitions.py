"""Achievements of the Management API: of campaigns (V1), of the account (V2), and progress."""

from __future__ import annotations

from typing import Any

import pytest

V1 = "/v1/applications/3/campaigns/12/achievements"
V2 = "/v2/achievements"
NEW = {"name": "Five", "title": "Five orders", "description": "", "target": 5, "period": "1M"}
NEW_V2 = {**NEW, "sandbox": True, "timezone": "UTC", "subscribedApplications": [3]}
PLACES = pytest.mark.parametrize(("place", "new"), [(V1, NEW), (V2, NEW_V2)])


def rule_for(api: Any, achievement: Any) -> None:
    """Give the campaign a rule that moves an achievement by one per session."""
    campaign = api.send("GET", "/v1/applications/3/campaigns/12").json
    campaign["features"].append("achievements")
    assert api.send("PUT", "/v1/applications/3/campaigns/12", campaign).status == 200
    block = {
        "id": "b",
        "type": "updateAchievementProgress",
        "operator": "increaseBy",
        "value": "1",
        "achievement": {name: achievement[name] for name in ("id", "name", "title", "target")},
    }
    rules = [{"id": "r", "title": "Progress", "blocks": [block]}]
    reply = api.send("PUT", "/_sandbox/campaigns/12/ruleset", {"promotionRules": rules})
    assert reply.status == 200, reply.json


@PLACES
def test_an_achievement_is_created_changed_and_deleted(api: Any, place: str, new: Any) -> None:
    made = api.send("POST", place, new)
    assert made.status == 201, made.json
    target = f"{place}/{made.json['id']}"
    assert api.send("GET", target).json == made.json
    assert api.data(place) == [made.json]
    assert api.data(f"{place}?title=FIVE") == [made.json]
    assert api.data(f"{place}?title=six") == []
    changed = api.send("PUT", target, {**new, "target": 6})
    assert (changed.status, changed.json["target"], changed.json["period"]) == (200, 6, "1M")
    assert api.send("PUT", target, {**new, "name": "Six"}).status == 400
    assert api.send("POST", place, new).status == 409
    assert api.send("POST", place, {**new, "name": "Other"}).status == 409
    assert api.send("DELETE", target).status == 204
    assert api.send("GET", target).status == 404


def test_an_update_of_a_campaign_s_achievement_keeps_what_it_leaves_out(api: Any) -> None:
    made = api.send("POST", V1, NEW).json
    assert api.send("PUT", f"{V1}/{made['id']}", {"target": 9}).json == {**made, "target": 9}


def test_a_period_ends_after_a_time_or_at_a_point(api: Any) -> None:
    timeless = {name: value for name, value in NEW.items() if name != "period"}
    assert api.send("POST", V1, timeless).status == 400
    midnight = {"hour": 0, "minute": 0, "second": 0}
    assert api.send("POST", V1, {**NEW, "periodEndOverride": midnight}).status == 400
    made = api.send("POST", V1, {**timeless, "periodEndOverride": midnight}).json
    changed = api.send("PUT", f"{V1}/{made['id']}", {"period": "1W"})
    assert changed.status == 400


@PLACES
def test_an_achievement_has_a_name_a_title_and_a_target(api: Any, place: str, new: Any) -> None:
    for missing in ("name", "title", "target"):
        body = {name: value for name, value in new.items() if name != missing}
        reply = api.send("POST", place, body)
        sources = [each["source"] for each in reply.json["errors"]]
        assert (reply.status, sources) == (400, [{"pointer": f"/{missing}"}])


@PLACES
def test_a_fixed_schedule_needs_a_start(api: Any, place: str, new: Any) -> None:
    fixed = {**new, "name": "Fixed", "title": "F", "activationPolicy": "fixed_schedule"}
    assert api.send("POST", place, fixed).status == 400
    scheduled = api.send("POST", place, {**fixed, "fixedStartDate": "2090-01-01T00:00:00Z"})
    assert scheduled.json["status"] in ("not_started", "scheduled")


def test_the_lists_of_campaigns_have_pages_of_at_most_50(api: Any) -> None:
    for number in range(51):
        api.send("POST", V1, {**NEW, "name": f"A{number}", "title": f"T{number}"})
    first = api.send("GET", V1).json
    assert (len(first["data"]), first["hasMore"]) == (50, True)
    assert api.send("GET", f"{V1}?pageSize=51").status == 400
    assert len(api.data(V2)) == 51


@PLACES
def test_progress_is_read_and_exported(api: Any, place: str, new: Any) -> None:
    made = api.send("POST", place, new).json
    rule_for(api, made)
    api.session(profileId="anna", state="closed")
    progress = api.data("/v1/applications/3/achievement_progress/anna")
    shown = [(each["achievementId"], each["progress"], each["status"]) for each in progress]
    assert shown == [(made["id"], 1, "inprogress")]
    assert progress[0]["achievementRecurrencePolicy"] == "no_recurrence"
    none = api.data(f"/v1/applications/3/achievement_progress/anna?achievementId={made['id'] + 1}")
    assert none == []
    (row,) = api.rows(f"{place}/{made['id']}/export")
    assert (row["profileIntegrationID"], row["progress"], row["target"]) == ("anna", "1", "5")
    assert api.send("GET", f"{place}/{made['id']}").json["hasProgress"] is True
    (mine,) = api.data("/v1/customer_profiles/anna/achievements")
    assert mine["currentProgress"]["progress"] == 1
    assert api.send("GET", "/v1/applications/3/achievement_progress/bert").status == 404
