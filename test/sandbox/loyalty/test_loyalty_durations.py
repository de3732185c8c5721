"""Durations of loyalty programs: their forms, the calendar, rounding, changes to summer time."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talon_one.sandbox.loyalty.durations import add_duration, next_boundary, parse_duration
from talon_one.sandbox.values import format_time

MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)).map(
    lambda moment: format_time(moment.replace(tzinfo=timezone.utc))
)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu"])


def moment(text: str) -> str:
    """Complete a timestamp that ends with the minute."""
    return f"{text}:00.000000Z"


TABLE = [
    # Elapsed time.
    ("2024-05-02T09:00", "120s", "UTC", "2024-05-02T09:02"),
    ("2024-05-02T09:00", "61m", "UTC", "2024-05-02T10:01"),
    ("2024-05-02T09:00", "36h", "UTC", "2024-05-03T21:00"),
    # Days and longer units keep the clock, and clip to the end of the month.
    ("2024-05-02T09:00", "30D", "UTC", "2024-06-01T09:00"),
    ("2024-05-02T09:00", "2W", "UTC", "2024-05-16T09:00"),
    ("2024-01-31T09:00", "1M", "UTC", "2024-02-29T09:00"),
    ("2023-01-31T09:00", "1M", "UTC", "2023-02-28T09:00"),
    ("2024-11-30T09:00", "14M", "UTC", "2026-01-30T09:00"),
    ("2024-02-29T09:00", "1Y", "UTC", "2025-02-28T09:00"),
    ("2024-02-29T09:00", "4Y", "UTC", "2028-02-29T09:00"),
    # Rounding down gives the start of the day; up gives the end of the unit, exclusively.
    ("2024-05-02T09:00", "5D_D", "UTC", "2024-05-07T00:00"),
    ("2024-05-02T09:00", "5D_U", "UTC", "2024-05-08T00:00"),
    ("2024-05-02T00:00", "1D_U", "UTC", "2024-05-04T00:00"),
    ("2024-05-02T09:00", "1W_U", "UTC", "2024-05-13T00:00"),
    ("2024-01-31T09:00", "1M_U", "UTC", "2024-03-01T00:00"),
    ("2024-12-31T09:00", "1M_U", "UTC", "2025-02-01T00:00"),
    ("2024-05-02T09:00", "1Y_U", "UTC", "2026-01-01T00:00"),
    # The zone decides what a day is.
    ("2024-05-02T23:00", "0D_D", "Europe/Berlin", "2024-05-02T22:00"),
    ("2024-05-02T23:00", "1D_U", "Europe/Berlin", "2024-05-04T22:00"),
    # Summer time: a day has 23 or 25 hours, 24 hours are 24 hours.
    ("2024-03-30T08:00", "1D", "Europe/Berlin", "2024-03-31T07:00"),
    ("2024-03-30T08:00", "24h", "Europe/Berlin", "2024-03-31T08:00"),
    ("2024-10-26T08:00", "1D", "Europe/Berlin", "2024-10-27T09:00"),
    # 02:30 does not exist on that day: the clock shows 03:30. Or it comes twice: the first.
    ("2024-03-30T01:30", "1D", "Europe/Berlin", "2024-03-31T01:30"),
    ("2024-10-26T00:30", "1D", "Europe/Berlin", "2024-10-27T00:30"),
    # An unknown zone stands for UTC.
    ("2024-05-02T23:00", "1D_U", "../Nowhere", "2024-05-04T00:00"),
]


def test_durations_are_added_by_the_calendar_of_the_zone() -> None:
    wrong = [
        (start, duration, zone, got, expected)
        for start, duration, zone, expected in TABLE
        if (got := add_duration(moment(start), duration, zone)) != moment(expected)
    ]
    assert not wrong


@pytest.mark.parametrize(
    "text",
    [
        *("", "D", "5", "-5D", "1.5D", "5d", "5H", " 5D", "5D ", "5D_X", "5D_", "1M_D", "1W_D"),
        *("1h_U", "5D_u", "immediate", "on_action", "unlimited", "٣D", "5D\n", "1" * 19 + "s"),
    ],
)
def test_other_texts_are_not_durations(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|rounded"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["999999999D", "999999999Y", "8000Y", "999999999h", "99999M_U"])
def test_a_result_after_the_year_9999_is_a_clear_error(text: str) -> None:
    with pytest.raises(ValueError, match="beyond the year 9999"):
        add_duration(moment("2024-05-02T09:00"), text)
    with pytest.raises(ValueError, match="beyond the year 9999"):
        add_duration("9999-12-31T23:30:00.000000Z", "1D_U", "Europe/Berlin")


@given(MOMENTS, st.integers(0, 5000), st.sampled_from(["h", "D", "W", "M", "Y_U", "D_U"]), ZONES)
def test_a_longer_duration_never_ends_earlier(start: str, count: int, unit: str, zone: str) -> None:
    shorter = add_duration(start, f"{count}{unit}", zone)
    assert start <= shorter < add_duration(start, f"{count + 1}{unit}", zone)


@given(MOMENTS, MOMENTS, st.integers(1, 40), st.sampled_from(["s", "h", "D", "M", "M_U", "Y"]))
def test_the_next_boundary_is_the_first_one_that_is_later(
    origin: str, after: str, count: int, unit: str
) -> None:
    boundary = next_boundary(origin, f"{count}{unit}", after, "Europe/Berlin")
    assert boundary > after
    if origin > after:
        assert boundary == origin
        return
    # The one before it is not later: an integer number of periods leads to both.
    low, high = 0, 10**10
    while high - low > 1:
        middle = (low + high) // 2
        try:
            reached = add_duration(origin, f"{count}{unit}", "Europe/Berlin", middle)
        except ValueError:
            reached = "9999"
        low, high = (low, middle) if reached > after else (middle, high)
    assert boundary == add_duration(origin, f"{count}{unit}", "Europe/Berlin", high)


def test_boundaries_of_months_return_to_the_last_day() -> None:
    boundaries = [moment("2024-01-31T09:00")]
    while len(boundaries) < 5:
        boundaries.append(next_boundary(boundaries[0], "1M", boundaries[-1]))
    days = [each[5:10] for each in boundaries]
    assert days == ["01-31", "02-29", "03-31", "04-30", "05-31"]


@pytest.mark.parametrize("period", ["0D", "0s", "0M_U"])
def test_an_empty_period_has_no_boundaries(period: str) -> None:
    with pytest.raises(ValueError, match="too short"):
        next_boundary(moment("2024-01-31T09:00"), period, moment("2025-01-31T09:00"))
