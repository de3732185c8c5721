"""Timestamps and dates: parse leniently, write RFC 3339, validate text before it is sent."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from datetime import date, datetime, timedelta, timezone, tzinfo

from talon_one._utils.guard import raised_by_signal
from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiValueError

# Parsers accept numbers and words ("20200101", "2020") as dates. Here a text must at least begin
# like one.
_STARTS_LIKE_A_DATE = re.compile(r"\d{4}-\d\d-\d\d(?![\d-])")
_MINUTE = timedelta(minutes=1)

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# The format that the platform accepts: RFC 3339 with capital letters.
_TIMESTAMP = re.compile(
    r"(?P<local>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?"
    r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
# Formats that are unambiguous, except for a missing time zone.
_OTHER_SPELLING = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})(?:T|\s+)(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]+))?)?"
    r"\s*(?P<zone>Z|UTC|GMT|(?P<sign>[+-])(?P<hours>[0-9]{2})(?::?(?P<minutes>[0-9]{2}))?)?",
    re.IGNORECASE,
)


def read_datetime(text: str) -> datetime | str:
    """Return *text* as a datetime, or unchanged if it is not a timestamp."""
    if _STARTS_LIKE_A_DATE.match(text) is None:
        return text
    written = text
    if sys.version_info < (3, 11) and text[10:11] == "T" and text[-1] == "Z":
        # Python 3.10 does not know the Z at the end of the platform's timestamps.
        written = f"{text[:-1]}+00:00"
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        return _read_unusual(text)


def read_date(text: str) -> date | str:
    """Return *text* as a date, or unchanged if it is not one."""
    if _STARTS_LIKE_A_DATE.match(text) is None:
        return text
    if len(text) == len("2020-01-01"):
        try:
            return date.fromisoformat(text)
        except ValueError:
            return text
    moment = read_datetime(text)
    return moment.date() if isinstance(moment, datetime) else text


def write_datetime(moment: datetime) -> str:
    """Return *moment* as RFC 3339 text.

    Raises:
        ApiValueError: *moment* has no time zone, which makes it ambiguous, or one without an
            offset.
    """
    offset = offset_of(moment)
    if offset is None:
        raise ApiValueError(
            f"{moment!r} has no time zone; use an aware datetime, such as"
            " datetime.now(timezone.utc)"
        )
    # RFC 3339 has no offsets with seconds, unlike historical time zones.
    seconds = offset % _MINUTE
    if seconds:
        moment = _with_whole_minutes(moment.replace(tzinfo=None), offset, seconds)
    text = moment.isoformat()
    return text[:-6] + "Z" if text.endswith("+00:00") else text


def in_utc(moment: datetime) -> datetime:
    """Return an aware datetime in UTC, or unchanged if UTC would leave the years 1 to 9999."""
    try:
        return moment.astimezone(timezone.utc)
    except OverflowError:
        return moment


def offset_of(moment: datetime) -> timedelta | None:
    """Return the offset from UTC, or ``None`` for a naive datetime.

    Raises:
        ApiValueError: The time zone class fails, or the value is missing, as in pandas.
    """
    try:
        return moment.utcoffset()
    except Exception as cause:  # A time zone class of the caller may raise anything.
        if raised_by_signal(cause):
            raise
        raise ApiValueError(f"{type(moment).__name__} does not say its time zone") from cause


def timestamp_error(text: str, words: tuple[str, ...] = ()) -> str:
    """Return why the platform rejects *text* as a timestamp; an empty string if it does not.

    The message continues the name of the property, and has the corrected text where the meaning is
    clear.

    Args:
        text: The text to send.
        words: Words that are allowed in place of a timestamp.
    """
    if text in words:
        return ""
    match = _TIMESTAMP.fullmatch(text)
    if match is not None and _exists(match["local"]):
        return ""
    also = "".join(f", or {word}" for word in words)
    correct = _corrected(text.strip())
    if match is not None and correct is None:
        return f"is not an existing date: {quoted(text)}{also}"
    if correct is None:
        example = "2026-12-31T23:59:59Z"
        return f"must be an RFC 3339 timestamp such as {example}{also}, not {quoted(text)}"
    instead = f"write {correct} rather than {quoted(text)}{also}"
    if _TIMESTAMP.fullmatch(correct) is None:
        return f"must have a time zone at its end, such as Z or +01:00: {quoted(text)}{also}"
    if _DAY.fullmatch(text.strip()) is not None:
        return f"must have a time as well: {instead}"
    return f"must be an RFC 3339 timestamp: {instead}"


def date_error(text: str) -> str:
    """Return why the platform rejects *text* as a date; an empty string if it does not."""
    if _DAY.fullmatch(text) is not None and _exists(f"{text}T00:00:00"):
        return ""
    day = read_date(text.strip())
    if isinstance(day, str):
        return f"must be a date such as 2026-01-31, not {quoted(text)}"
    return f"must be a date without a time: write {day.isoformat()} rather than {quoted(text)}"


def _exists(local: str) -> bool:
    try:
        return datetime.fromisoformat(local).isoformat() == local
    except ValueError:
        return False


def _corrected(text: str) -> str | None:
    """Return the corrected timestamp, without a zone if *text* has none."""
    if _DAY.fullmatch(text) is not None:
        text = f"{text}T00:00:00Z"
    match = _OTHER_SPELLING.fullmatch(text)
    if match is None:
        return None
    hour, second = match["hour"].zfill(2), match["second"] or "00"
    local = f"{match['day']}T{hour}:{match['minute']}:{second}"
    if local.endswith("T24:00:00") and not (match["fraction"] or "").strip("0"):
        local = _next_midnight(local)
    if not _exists(local):
        return None
    fraction = f".{match['fraction']}" if match["fraction"] else ""
    zone = match["zone"] or ""
    if match["sign"]:
        zone = f"{match['sign']}{match['hours']}:{match['minutes'] or '00'}"
    correct = f"{local}{fraction}{'Z' if zone.isalpha() else zone}"
    return correct if not zone or _TIMESTAMP.fullmatch(correct) else None


def _next_midnight(local: str) -> str:
    try:
        day = date.fromisoformat(local[:10]) + timedelta(days=1)
    except (ValueError, OverflowError):
        return local
    return f"{day.isoformat()}T00:00:00"


def _with_whole_minutes(local: datetime, offset: timedelta, seconds: timedelta) -> datetime:
    """Return the same moment in a zone near its own.

    Not in UTC, which cannot represent the first and the last hours of the calendar.
    """
    # One of the two may exceed the range of datetimes or offsets.
    for step in (-seconds, _MINUTE - seconds):
        with suppress(OverflowError, ValueError):
            return (local + step).replace(tzinfo=timezone(offset + step))
    raise ApiValueError(f"{local!r} with the offset {offset} cannot be written as RFC 3339")


def _read_unusual(text: str) -> datetime | str:
    from dateutil import parser

    try:
        return parser.parse(text, tzinfos=_zone)
    except (ValueError, ArithmeticError, TypeError):
        return text


def _zone(name: str | None, offset: int | None) -> tzinfo | None:
    # By default, the parser warns about unknown zones and returns a naive time.
    if offset is not None:
        return timezone(timedelta(seconds=offset))
    raise ValueError(f"{name!r} is no known time zone")
