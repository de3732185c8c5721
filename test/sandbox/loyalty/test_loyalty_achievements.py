"""Achievements: when iterations end, what progress is worth, and when a new one begins."""

from __future__ import annotations

from typing import Any

from talon_one.sandbox.loyalty.achievements import (
    current_progress,
    is_active,
    iteration_end,
)


def moment(text: str) -> str:
    """Complete a timestamp that ends with the minute."""
    return f"{text}:00.000000Z"


NIGHT = {"hour": 0, "minute": 0, "second": 0}
START = "2024-02-10T12:00"  # A Saturday.

ENDS: list[tuple[dict[str, Any], str, str | None]] = [
    ({}, "UTC", None),
    ({"period": "1D"}, "UTC", "2024-02-11T12:00"),
    ({"period": "1M_U"}, "UTC", "2024-04-01T00:00"),
    ({"period": "1M_U"}, "America/New_York", "2024-04-01T04:00"),
    ({"period": "1Y", "endDate": moment("2024-03-01T00:00")}, "UTC", "2024-03-01T00:00"),
    (
        {
            "period": "1W",
            "activationPolicy": "fixed_schedule",
            "fixedStartDate": moment("2024-01-01T06:00"),
        },
        "UTC",
        "2024-02-12T06:00",
    ),
    (
        {
            "period": "1M",
            "activationPolicy": "fixed_schedule",
            "fixedStartDate": moment("2023-01-31T00:00"),
        },
        "UTC",
        "2024-02-29T00:00",
    ),
    (
        {"activationPolicy": "fixed_schedule", "endDate": moment("2025-01-01T00:00")},
        "UTC",
        "2025-01-01T00:00",
    ),
    ({"periodEndOverride": {"hour": 18, "minute": 30, "second": 0}}, "UTC", "2024-02-10T18:30"),
    ({"periodEndOverride": {"hour": 6, "minute": 0, "second": 0}}, "UTC", "2024-02-11T06:00"),
    ({"periodEndOverride": {"dayOfWeek": 1, **NIGHT}}, "UTC", "2024-02-12T00:00"),
    ({"periodEndOverride": {"dayOfWeek": 7, **NIGHT}}, "UTC", "2024-02-11T00:00"),
    ({"periodEndOverride": {"dayOfMonth": 31, **NIGHT}}, "UTC", "2024-02-29T00:00"),
    ({"periodEndOverride": {"dayOfMonth": 1, **NIGHT}}, "Europe/Berlin", "2024-02-29T23:00"),
    ({"periodEndOverride": {"month": 2, "dayOfMonth": 29, **NIGHT}}, "UTC", "2024-02-29T00:00"),
    ({"periodEndOverride": {"month": 1, "dayOfMonth": 5, **NIGHT}}, "UTC", "2025-01-05T00:00"),
    (
        {"periodEndOverride": {"month": 7, "dayOfMonth": 1, **NIGHT}},
        "Europe/Berlin",
        "2024-06-30T22:00",
    ),
]


def test_iterations_end_as_the_achievement_says() -> None:
    wrong = []
    for definition, zone, expected in ENDS:
        found = iteration_end(definition, moment(START), zone)
        if found != (expected and moment(expected)):
            wrong.append((definition, zone, found))
    assert not wrong


def record(status: str, end: str | None = "2024-03-01T00:00", **more: Any) -> dict[str, Any]:
    """Return a stored iteration."""
    return {"id": 1, "status": status, "progress": 1, "endDate": end and moment(end), **more}


PROGRESS = [
    # Policy, stored status, day; status now.
    ("no_recurrence", "inprogress", "2024-02-29", "inprogress"),
    ("no_recurrence", "inprogress", "2024-03-01", "expired"),
    ("no_recurrence", "completed", "2024-02-29", "completed"),
    ("no_recurrence", "completed", "2024-03-01", "completed"),
    ("on_expiration", "inprogress", "2024-02-29", "inprogress"),
    ("on_expiration", "inprogress", "2024-03-01", "not_started"),
    ("on_expiration", "completed", "2024-02-29", "completed"),
    ("on_expiration", "completed", "2024-03-01", "not_started"),
    ("on_completion", "inprogress", "2024-02-29", "inprogress"),
    ("on_completion", "inprogress", "2024-03-01", "not_started"),
    ("on_completion", "completed", "2024-02-29", "not_started"),
    ("on_completion", "completed", "2024-03-01", "not_started"),
]


def test_the_recurrence_policy_says_what_follows_an_iteration() -> None:
    wrong = []
    for policy, status, day, expected in PROGRESS:
        definition = {"recurrencePolicy": policy}
        found = current_progress(definition, [record(status)], moment(f"{day}T00:00"))
        if found["status"] != expected or ("id" in found) != (expected != "not_started"):
            wrong.append((policy, status, day, found))
    assert not wrong


def test_the_latest_iteration_counts_and_nobody_has_begun_without_one() -> None:
    now = moment("2024-02-29T00:00")
    both = [record("completed", progress=9), record("inprogress", None, progress=2)]
    assert current_progress({"recurrencePolicy": "on_completion"}, both, now)["progress"] == 2
    assert current_progress({}, [], now) == {"status": "not_started", "progress": 0}


def test_an_achievement_is_active_from_its_start_until_before_its_end() -> None:
    definition = {
        "fixedStartDate": moment("2024-02-01T00:00"),
        "endDate": moment("2024-03-01T00:00"),
    }
    days = ("2024-01-31T23:59", "2024-02-01T00:00", "2024-02-29T23:59", "2024-03-01T00:00")
    found = [is_active(definition, moment(day)) for day in days]
    assert found == [False, True, True, False]


def test_iterations_of_no_length_or_beyond_the_calendar_do_not_end() -> None:
    schedule = {"activationPolicy": "fixed_schedule", "fixedStartDate": moment("2020-01-01T00:00")}
    for definition in ({"period": "9999Y"}, {"period": "0D", **schedule}):
        assert iteration_end(definition, moment(START)) is None
