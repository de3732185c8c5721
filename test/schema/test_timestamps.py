"""Timestamps and days that are sent: what the platform reads, by one rule wherever they stand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.every import for_every
from support.server import RecordingServer
from support.shells import Shell
from talon_one import (
    ApiValueError,
    Configuration,
    Coupon,
    ModelValidationError,
    NewCustomerSessionV2,
    Risk,
    UpdateCoupon,
)
from talon_one._core.operation import Column
from talon_one._schema.dates import read_datetime, timestamp_error, write_datetime
from talon_one._schema.validation import violations
from talon_one._utils.quoting import quoted
from talon_one.tables.cells import checker_for, to_cell
from talon_one.tables.checks import _is_after

UTC = timezone.utc
MOMENTS = Column("startdate", "datetime", False, (), "", {})

GOOD = [
    "2090-03-01T10:00:00Z",
    "2090-03-01T10:00:00+02:00",
    "2090-03-01T10:00:00-00:00",
    "2090-03-01T10:00:00+00:00",
    "2090-03-01T10:00:00-23:59",
    "2090-03-01T10:00:00.1Z",
    "2090-03-01T10:00:00.123456Z",
    "2090-03-01T10:00:00.123456789012+02:00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999-12:00",
    "2024-02-29T00:00:00Z",
]

CORRECTED = {
    "2090-03-01": "2090-03-01T00:00:00Z",
    "2090-03-01T10:00Z": "2090-03-01T10:00:00Z",
    "2090-03-01T10:00+02:00": "2090-03-01T10:00:00+02:00",
    "2090-03-01T10:00:00+0200": "2090-03-01T10:00:00+02:00",
    "2090-03-01T10:00:00+02": "2090-03-01T10:00:00+02:00",
    "2090-03-01T10:00:00-0330": "2090-03-01T10:00:00-03:30",
    "2090-03-01T10:00:00 UTC": "2090-03-01T10:00:00Z",
    "2090-03-01T10:00:00 GMT": "2090-03-01T10:00:00Z",
    "2090-03-01T10:00:00 Z": "2090-03-01T10:00:00Z",
    "2090-03-01T10:00:00 +02:00": "2090-03-01T10:00:00+02:00",
    "2090-03-01 10:00:00Z": "2090-03-01T10:00:00Z",
    "2090-03-01 10:00:00 UTC": "2090-03-01T10:00:00Z",
    "2090-03-01  10:00:00.5+0200": "2090-03-01T10:00:00.5+02:00",
    "2090-03-01t10:00:00Z": "2090-03-01T10:00:00Z",
    "2090-03-01T10:00:00z": "2090-03-01T10:00:00Z",
    "2090-03-01T10:00:00,25Z": "2090-03-01T10:00:00.25Z",
    "2090-03-01T24:00:00Z": "2090-03-02T00:00:00Z",
    "2090-12-31T24:00:00.000+01:00": "2091-01-01T00:00:00.000+01:00",
    "2090-03-01T9:00:00Z": "2090-03-01T09:00:00Z",
    " 2090-03-01T10:00:00Z": "2090-03-01T10:00:00Z",
    "2090-03-01T10:00:00Z\n": "2090-03-01T10:00:00Z",
}

ZONELESS = ["2090-03-01T10:00:00", "2090-03-01 10:00", "2090-03-01T10:00:00.5"]

BAD = [
    "",
    "tomorrow",
    "2090-02-30",
    "2090-02-30T10:00:00Z",
    "2023-02-29T00:00:00Z",
    "2090-13-01T10:00:00Z",
    "2090-00-01T10:00:00Z",
    "2090-03-00T10:00:00Z",
    "0000-01-01T00:00:00Z",
    "2090-03-01T23:59:60Z",
    "2090-03-01T10:60:00Z",
    "2090-03-01T25:00:00Z",
    "2090-03-01T24:00:01Z",
    "2090-03-01T24:00:00.5Z",
    "9999-12-31T24:00:00Z",
    "2090-03-01T10:00:00+24:00",
    "2090-03-01T10:00:00+02:60",
    "2090-03-01T10:00:00+2400",
    "2090-03-01T10:00:00.Z",
    "2090-03-01T10:00:00 CET",
    "2090-03-01T10:00:00Z+02:00",
    "2090-03-01T",
    "2090-3-1T10:00:00Z",
    "02090-03-01T10:00:00Z",
    "+2090-03-01T10:00:00Z",
    "20900301T100000Z",
    "2090-W09-3T10:00:00Z",
    "2090-060T10:00:00Z",
    "01.03.2090",
    "1772359200",
    "٢٠٩٠-03-01T10:00:00Z",
    "2090-03-01T10:00:00\u2212" + "02:00",
    "2090-03-01T10:00:00Z\x00",
    "unlimited",
]


def messages(text: Any) -> dict[str, str]:
    """Return what is said of a text in each place where a timestamp may stand; nothing if good."""
    checker = checker_for(MOMENTS)
    found = violations(UpdateCoupon(start_date=text))
    nested = violations(NewCustomerSessionV2.from_dict({"created": text}))
    assert nested == [], "an undeclared property is any text"
    return {
        "model": found[0].message if found else "",
        # An empty cell is none.
        "cell": checker(text) if text else found[0].message,
    }


@for_every("text", GOOD)
def test_rfc_3339_with_a_zone_is_sent(text: str) -> None:
    assert messages(text) == {"model": "", "cell": ""}


@for_every("text", CORRECTED)
def test_a_spelling_that_is_almost_right_is_refused_with_the_right_one(text: str) -> None:
    correct = CORRECTED[text]
    found = messages(text)
    assert found["model"] == found["cell"]
    assert found["model"].startswith(("must be an RFC 3339 timestamp", "must have a time as well"))
    assert f": write {correct} rather than {text!r}" in found["model"]
    assert messages(correct) == {"model": "", "cell": ""}


@for_every("text", ZONELESS)
def test_a_timestamp_without_a_zone_is_refused(text: str) -> None:
    found = messages(text)
    assert found["model"] == found["cell"]
    assert found["model"].startswith("must have a time zone at its end, such as Z or +01:00")
    assert "write" not in found["model"], "nobody knows which zone is meant"


@for_every("text", BAD)
def test_a_text_that_is_not_a_timestamp_is_refused_without_a_guess(text: str) -> None:
    found = messages(text)
    if "\x00" not in text:  # Cells say first that they cannot hold it.
        assert found["model"] == found["cell"]
    assert found["model"].startswith(("must be an RFC 3339 timestamp", "is not an existing date"))
    assert "write" not in found["model"]


@given(st.text() | st.from_regex(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]?[0-9:.,+\-zZ UTC]*\Z"))
def test_a_correction_is_always_correct_and_every_accepted_text_can_be_read(text: str) -> None:
    fault = timestamp_error(text)
    if not fault:
        assert isinstance(read_datetime(text), datetime)
    if "write " in fault:
        correct = fault.partition("write ")[2].partition(" rather")[0]
        assert timestamp_error(correct) == ""


def test_a_long_text_is_not_quoted_as_a_whole() -> None:
    assert len(timestamp_error("x" * 100_000)) < 200
    assert quoted("x" * 58) == f"'{'x' * 58}'"
    assert quoted("x" * 59) == f"'{'x' * 56}..."


def test_words_may_stand_in_for_a_timestamp_where_a_column_says_so() -> None:
    checker = checker_for(MOMENTS._replace(words=("unlimited", "immediate")))
    assert checker("unlimited") == checker("immediate") == ""
    assert ", or unlimited, or immediate" in checker("2090-03-01")
    assert ", or unlimited, or immediate" in checker("now")


@pytest.fixture(scope="module")
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


def test_parameters_follow_the_same_rule(server: RecordingServer, shell: Shell) -> None:
    configuration = Configuration(host=server.url, api_key={"api_key_v1": "k"})
    with shell.new_client(configuration) as client:
        api = shell.api("IntegrationApi", client)
        for text in [*CORRECTED, *ZONELESS, *BAD]:
            with pytest.raises(ModelValidationError) as caught:
                api.update_customer_session_v2("a", {"customerSession": {}}, now=text)
            assert [each.message for each in caught.value.violations] == [timestamp_error(text)]
        assert server.requests == []
        api.update_customer_session_v2("a", {"customerSession": {}}, now=GOOD[1])
        assert server.last.query == "now=2090-03-01T10%3A00%3A00%2B02%3A00"
        server.requests.clear()


def day(value: Any) -> list[str]:
    risk = Risk.from_dict({})
    risk.feature_date = value
    return [each.message for each in violations(risk) if each.path == ("featureDate",)]


@pytest.mark.parametrize("value", ["2090-03-01", "0001-01-01", "9999-12-31", date(2090, 3, 1)])
def test_a_day_is_sent(value: Any) -> None:
    assert day(value) == []


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("2090-03-01T00:00:00Z", "must be a date without a time: write 2090-03-01 rather than"),
        ("2090-03-01 ", "must be a date without a time: write 2090-03-01 rather than"),
        ("2090-02-30", "must be a date such as 2026-01-31, not '2090-02-30'"),
        ("20900301", "must be a date such as 2026-01-31"),
        ("", "must be a date such as 2026-01-31"),
        (datetime(2090, 3, 1, tzinfo=UTC), "must be a date, not datetime"),
        (20900301, "must be a date, not int"),
    ],
)
def test_a_text_that_is_not_a_day_is_refused(value: Any, message: str) -> None:
    (found,) = day(value)
    assert found.startswith(message)


# -- Moments at the ends of time ---------------------------------------------------------------

OFFSETS = [timedelta(hours=14), timedelta(hours=-12), timedelta(hours=23, minutes=59), timedelta()]
ODD = [timedelta(seconds=3208), timedelta(hours=-5, seconds=-17), timedelta(microseconds=1)]
ENDS = [
    edge.replace(tzinfo=timezone(offset))
    for edge in (datetime.min, datetime.max, datetime(1, 1, 1, 12), datetime(9999, 12, 31, 12))
    for offset in [*OFFSETS, *ODD]
]


@for_every("moment", ENDS)
def test_far_off_moments_are_written_read_compared_and_sent(moment: datetime) -> None:
    text = write_datetime(moment)
    assert timestamp_error(text) == ""
    again = read_datetime(text)
    assert isinstance(again, datetime)
    assert again - moment == timedelta()
    coupon = UpdateCoupon(start_date=moment)
    coupon.validate()
    assert coupon == UpdateCoupon.from_json(coupon.to_json()) == coupon.copy()
    assert UpdateCoupon.from_json(coupon.to_json()).start_date == moment
    cell = to_cell(MOMENTS, moment)
    assert checker_for(MOMENTS)(cell) == ""
    later = "9999-12-31T23:59:59.999999-23:59"
    assert not _is_after(cell, later)
    assert repr(coupon)
    assert coupon.to_dict()["start_date"] == moment


@given(
    st.datetimes(
        timezones=st.timezones()
        | st.just(UTC)
        | st.builds(
            timezone,
            st.timedeltas(min_value=timedelta(hours=-23), max_value=timedelta(hours=23)),
        )
    )
)
def test_every_aware_datetime_is_written_as_the_moment_it_is(moment: datetime) -> None:
    text = write_datetime(moment)
    assert timestamp_error(text) == ""
    again = read_datetime(text)
    assert isinstance(again, datetime)
    # Python calls times that a change of clocks skips unequal to any other, so offsets are taken.
    offset, offset_again = moment.utcoffset(), again.utcoffset()
    assert offset is not None
    assert offset_again is not None
    difference = again.replace(tzinfo=None) - moment.replace(tzinfo=None)
    assert difference == offset_again - offset


def test_the_ends_of_time_are_asked_for_in_queries(server: RecordingServer, shell: Shell) -> None:
    configuration = Configuration(host=server.url, api_key={"api_key_v1": "k"})
    with shell.new_client(configuration) as client:
        api = shell.api("IntegrationApi", client)
        for moment in ENDS:
            api.update_customer_session_v2("a", {"customerSession": {}}, now=moment)
            assert server.last.query.startswith("now=")
        server.requests.clear()


def test_historical_offsets_are_written_in_whole_minutes() -> None:
    moment = datetime(1880, 1, 1, tzinfo=ZoneInfo("Europe/Berlin"))
    assert write_datetime(moment) == "1879-12-31T23:59:32+00:53"


class Broken(tzinfo):
    def __init__(self, offset: Any) -> None:
        self.offset = offset

    def utcoffset(self, moment: datetime | None) -> Any:
        if isinstance(self.offset, Exception):
            raise self.offset
        return self.offset

    def dst(self, moment: datetime | None) -> None: ...

    def tzname(self, moment: datetime | None) -> str:
        return "broken"


@pytest.mark.parametrize("offset", [RuntimeError("x"), KeyError(1), "2h", timedelta(days=2)])
def test_a_zone_that_fails_is_a_violation_and_its_exception_the_cause(offset: Any) -> None:
    moment = datetime(2026, 1, 1, tzinfo=Broken(offset))
    for model in (
        UpdateCoupon(start_date=moment),
        NewCustomerSessionV2(attributes={"x": [moment]}),
    ):
        (found,) = violations(model)
        assert found.message.startswith("must have a time zone that works")
        with pytest.raises(ApiValueError, match="does not say its time zone at") as caught:
            model.to_json()
        assert caught.value.__cause__ is not None
    with pytest.raises(ApiValueError, match="does not say its time zone"):
        to_cell(MOMENTS, moment)
    assert Coupon.from_dict({"startDate": moment}) is not None
