"""Timestamps and dates as the platform writes them, read leniently and written as RFC 3339."""

from __future__ import annotations

import re
import sys
from datetime import date, datetime, timedelta, timezone, tzinfo

from talon_one.exceptions import ApiValueError

# Numbers and words ("unlimited", "20200101", "2020") are no dates here, whatever parsers make of
# them: the text must at least begin like one.
_BEGINS_LIKE_A_DATE = re.compile(r"\d{4}-\d\d-\d\d(?![\d-])")


def read_datetime(text: str) -> datetime | str:
    """Return the timestamp that *text* holds, or *text* itself when it holds none."""
    if _BEGINS_LIKE_A_DATE.match(text) is None:
        return text
    written = text
    if sys.version_info < (3, 11) and text[10:11] == "T" and text[-1] == "Z":
        # Python 3.10 does not know the Z that the timestamps of the platform end with.
        written = f"{text[:-1]}+00:00"
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        return _read_unusual(text)


def read_date(text: str) -> date | str:
    """Return the day that *text* names, or *text* itself when it names none."""
    if _BEGINS_LIKE_A_DATE.match(text) is None:
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
        ApiValueError: *moment* has no time zone, so the server could not tell when it is.
    """
    offset = moment.utcoffset()
    if offset is None:
        raise ApiValueError(
            f"{moment!r} has no time zone; use an aware datetime, such as"
            " datetime.now(timezone.utc)"
        )
    # RFC 3339 knows no offsets with seconds, which historical zones have.
    if offset.total_seconds() % 60:
        moment = moment.astimezone(timezone.utc)
    text = moment.isoformat()
    return text[:-6] + "Z" if text.endswith("+00:00") else text


def _read_unusual(text: str) -> datetime | str:
    from dateutil import parser

    try:
        return parser.parse(text, tzinfos=_zone)
    except (ValueError, ArithmeticError, TypeError):
        return text


def _zone(name: str | None, offset: int | None) -> tzinfo | None:
    # Left to itself, the parser warns about zones it does not know and calls the time naive.
    if offset is not None:
        return timezone(timedelta(seconds=offset))
    raise ValueError(f"{name!r} is no known time zone")
