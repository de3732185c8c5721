"""Achievements: progress by rules, completion, recurrence, expiry, and undoing."""

from __future__ import annotations

from typing import Any

from sandbox.loyalty_shop import Shop, kinds, progress, props, shop

LIST = "/v1/customer_profiles/anna/achievements"


def current(api: Shop) -> Any:
    """Return status and progress of the achievement."""
    [found] = api.send("GET", LIST).json["data"]
    return found["currentProgress"]["status"], found["currentProgress"]["progress"]


def history(api: Shop, query: str = "") -> list[Any]:
    """Return status and progress of the iterations, newest first."""
    found = api.send("GET", f"{LIST}/5{query}").json["data"]
    return [(each["status"], each["progress"]) for each in found]


def test_orders_make_progress_until_the_target_is_reached_once() -> None:
    with shop(progress()) as api:
        assert current(api) == ("not_started", 0)
        first = api.order(1)
        assert kinds(first) == ["startAchievementProgress", "increaseAchievementProgress"]
        numbers = {props(first, kind)[0]["progressTrackerId"] for kind in kinds(first)}
        assert numbers == {1}
        api.order(1, order="order-2")
        assert current(api) == ("inprogress", 2)
        [last] = props(api.order(1, order="order-3"), "increaseAchievementProgress")
        assert (last["isJustCompleted"], last["value"], last["target"]) == (True, 3, 3)
        assert current(api) == ("completed", 3)
        assert kinds(api.order(1, order="order-4")) == []


def test_an_open_session_makes_no_progress() -> None:
    with shop(progress()) as api:
        assert "increaseAchievementProgress" in kinds(api.order(1, state="open"))
        assert current(api) == ("not_started", 0)


def test_progress_expires_and_starts_over_as_the_policy_says() -> None:
    found = {}
    for policy in ("no_recurrence", "on_expiration", "on_completion"):
        with shop(progress(), achievement={"period": "1M", "recurrencePolicy": policy}) as api:
            api.order(1)
            api.sandbox.clock.advance(days=31)
            states = [current(api)]
            api.order(1, order="order-2")
            found[policy] = [*states, current(api), history(api)]
    again = [("not_started", 0), ("inprogress", 1), [("inprogress", 1), ("expired", 1)]]
    assert found == {
        "no_recurrence": [("expired", 1), ("expired", 1), [("expired", 1)]],
        "on_expiration": again,
        "on_completion": again,
    }


def test_progress_beyond_the_target_begins_new_iterations() -> None:
    with shop(progress(7), achievement={"recurrencePolicy": "on_completion"}) as api:
        reply = api.order(1)
        steps = props(reply, "increaseAchievementProgress")
        assert [(each["delta"], each["isJustCompleted"]) for each in steps] == [
            *((3, True), (3, True), (1, False))
        ]
        assert [each["progressTrackerId"] for each in steps] == [1, 2, 3]
        starts = props(reply, "startAchievementProgress")
        assert [each["progressTrackerId"] for each in starts] == [1, 2, 3]
        assert history(api) == [("inprogress", 1), ("completed", 3), ("completed", 3)]


def test_a_cancelled_order_takes_its_progress_back() -> None:
    with shop(progress(1.5)) as api:
        api.order(1)
        api.order(1, order="order-2", state="open")
        [back] = props(api.cancel(), "rollbackIncreasedAchievementProgress")
        assert back == {
            "achievementId": 5,
            "achievementName": "orders",
            "progressTrackerId": 1,
            "decreaseProgressBy": 1.5,
            "currentProgress": 0,
            "target": 3,
        }
        assert (current(api), history(api)) == (("not_started", 0), [])


def test_a_completed_achievement_is_undone_only_if_it_allows_that() -> None:
    found = {}
    for allowed in (True, False):
        for policy in ("no_recurrence", "on_expiration", "on_completion"):
            achievement = {"recurrencePolicy": policy, "allowRollbackAfterCompletion": allowed}
            with shop(progress(3), achievement=achievement) as api:
                api.order(1)
                found[allowed, policy] = (kinds(api.cancel()), history(api))
    undone: Any = (["rollbackIncreasedAchievementProgress"], [])
    kept: Any = ([], [("completed", 3)])
    assert found == {
        (True, "no_recurrence"): undone,
        (True, "on_expiration"): undone,
        (True, "on_completion"): kept,
        (False, "no_recurrence"): kept,
        (False, "on_expiration"): kept,
        (False, "on_completion"): kept,
    }


def test_a_reopened_session_makes_its_progress_again() -> None:
    with shop(progress()) as api:
        api.order(1)
        api.send("PUT", "/v2/customer_sessions/order-1/reopen")
        assert (current(api), history(api)) == (("not_started", 0), [])
        api.order(1)
        assert current(api) == ("inprogress", 1)


def test_a_scheduled_achievement_makes_progress_in_its_time_only() -> None:
    schedule = {
        "activationPolicy": "fixed_schedule",
        "fixedStartDate": "2026-01-12T00:00:00.000000Z",
        "endDate": "2026-01-14T00:00:00.000000Z",
        "period": None,
    }
    with shop(progress(), achievement=schedule) as api:
        assert kinds(api.order(1)) == []
        assert api.send("GET", LIST).json["data"] == []
        assert len(api.send("GET", f"{LIST}?achievementStatus=scheduled").json["data"]) == 1
        api.sandbox.clock.advance(days=2)
        assert "increaseAchievementProgress" in kinds(api.order(1, order="order-2"))
        [record] = api.send("GET", f"{LIST}/5").json["data"]
        assert record["endDate"] == "2026-01-14T00:00:00.000000Z"
        api.sandbox.clock.advance(days=2)
        assert kinds(api.order(1, order="order-3")) == []
        assert history(api) == [("expired", 1)]


def test_the_zone_of_the_application_decides_when_a_month_ends() -> None:
    with shop(progress(), achievement={"period": "1M_U"}) as api:
        api.order(1)
        [found] = api.send("GET", LIST).json["data"]
        assert found["currentProgress"]["endDate"] == "2026-03-01T00:00:00.000000Z"


def test_lists_of_achievements_are_filtered() -> None:
    with shop(progress()) as api:
        api.order(1)
        count = {
            query: len(api.send("GET", f"{LIST}?{query}").json["data"])
            for query in (
                "campaignIds=12,13",
                "campaignIds=13",
                "achievementIds=5",
                "achievementIds=6,7",
                "currentProgressStatus=inprogress,completed",
                "currentProgressStatus=not_started",
                "pageSize=1&skip=1",
            )
        }
        assert list(count.values()) == [1, 0, 1, 0, 1, 0, 0]
        assert history(api, "?progressStatus=completed") == []
        assert history(api, "?startDate=2026-01-11T00:00:00Z") == []
        assert history(api, "?endDate=2026-01-11T00:00:00Z") == [("inprogress", 1)]
        assert api.send("GET", f"{LIST}/99").status == 404
        assert api.send("GET", "/v1/customer_profiles/nobody/achievements").status == 404
