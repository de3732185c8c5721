"""Timestamps and dates, read leniently and written as RFC 3339."""

from __future__ import annotations

import signal
from datetime import date, datetime, timedelta, timezone, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.every import for_every
from talon_one import ApiValueError, Coupon
from talon_one._schema.dates import date_error, read_date, read_datetime, write_datetime

UTC = timezone.utc


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2020-06-10T09:05:27Z", datetime(2020, 6, 10, 9, 5, 27, tzinfo=UTC)),
        ("2020-06-10T09:05:27.993483Z", datetime(2020, 6, 10, 9, 5, 27, 993483, tzinfo=UTC)),
        ("2020-06-10T09:05:27.9Z", datetime(2020, 6, 10, 9, 5, 27, 900000, tzinfo=UTC)),
        ("2020-06-10T09:05:27.123456789Z", datetime(2020, 6, 10, 9, 5, 27, 123456, tzinfo=UTC)),
        (
            "2020-06-10T11:05:27+02:00",
            datetime(2020, 6, 10, 11, 5, 27, tzinfo=timezone(timedelta(hours=2))),
        ),
        ("2020-06-10 09:05:27 UTC", datetime(2020, 6, 10, 9, 5, 27, tzinfo=UTC)),
        ("2020-06-10t09:05:27z", datetime(2020, 6, 10, 9, 5, 27, tzinfo=UTC)),
        ("2020-06-10", datetime(2020, 6, 10)),
    ],
)
def test_a_timestamp_in_any_usual_spelling_becomes_a_datetime(text: str, moment: datetime) -> None:
    assert read_datetime(text) == moment


@for_every(
    "text",
    [
        "immediate",
        "unlimited",
        "on_action",
        "",
        "2020",
        "20200610",
        "12345678",
        "2020-13-45T00:00:00Z",
        "2020-06-10T25:61:00Z",
        "2020-06-10T09:05:27 Mars/Olympus",
        "2020-06-10 09:05:27 XYZ",
        "2020-06-10-garbage",
        "0000-00-00T00:00:00Z",
    ],
)
def test_text_that_is_no_timestamp_is_handed_over_unchanged(text: str) -> None:
    assert read_datetime(text) == text
    assert Coupon.from_dict({"startDate": text}).start_date == text


@given(st.text())
def test_no_text_whatever_makes_reading_fail(text: str) -> None:
    read_datetime(text)
    read_date(text)
    read_datetime("2020-06-10" + text)


@given(
    st.datetimes(
        min_value=datetime(2, 1, 1),
        max_value=datetime(9998, 1, 1),
        timezones=st.timezones() | st.just(UTC),
    )
)
def test_a_datetime_that_was_written_reads_as_the_same_moment(moment: datetime) -> None:
    read = read_datetime(write_datetime(moment))
    assert isinstance(read, datetime)
    # In UTC, because Python calls times that a change of clocks skips unequal to any other.
    assert read.astimezone(UTC) == moment.astimezone(UTC)


def test_utc_is_written_with_a_z() -> None:
    assert write_datetime(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "2026-01-02T03:04:05Z"


def test_a_datetime_without_time_zone_is_refused_with_advice() -> None:
    with pytest.raises(ApiValueError, match=r"time zone; use an aware datetime"):
        write_datetime(datetime(2026, 1, 2))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-01-31", date(2026, 1, 31)),
        ("2026-01-31T23:00:00Z", date(2026, 1, 31)),
        ("2026-02-31", "2026-02-31"),
        ("tomorrow", "tomorrow"),
    ],
)
def test_a_day_is_read_as_a_date_if_it_is_one(text: str, day: date | str) -> None:
    assert read_date(text) == day


def test_a_day_that_is_sent_exists_and_has_no_time() -> None:
    assert date_error("2024-02-29") == ""
    for text in ("2026-02-29", "20260131", "2026-1-31", "2026-01-31T00:00:00", "", "soon"):
        assert date_error(text), text


def test_a_moment_before_the_first_minute_of_the_calendar_is_refused() -> None:
    nearly_a_day = timezone(timedelta(hours=23, minutes=59, seconds=30))
    with pytest.raises(ApiValueError, match="cannot be written as RFC 3339"):
        write_datetime(datetime(1, 1, 1, tzinfo=nearly_a_day))


class Interrupted(tzinfo):
    """A time zone during whose work a signal arrives."""

    def utcoffset(self, _: datetime | None) -> timedelta:
        signal.raise_signal(signal.SIGTERM)
        return timedelta(0)

    def dst(self, _: datetime | None) -> None:
        return None

    def tzname(self, _: datetime | None) -> None:
        return None


def test_an_exception_of_a_signal_handler_passes_through_a_time_zone() -> None:
    class Stop(Exception):
        pass

    class Application:
        def stop(self, *_: object) -> None:
            raise Stop

    def stop(*_: object) -> None:
        raise Stop

    before = signal.getsignal(signal.SIGTERM)
    try:
        for handler in (stop, Application().stop):
            signal.signal(signal.SIGTERM, handler)
            with pytest.raises(Stop):
                write_datetime(datetime(2026, 1, 2, tzinfo=Interrupted()))
    finally:
        signal.signal(signal.SIGTERM, before)
