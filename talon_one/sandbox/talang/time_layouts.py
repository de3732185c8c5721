"""Reading and writing times: RFC 3339, and layouts such as `YYYY-MM-DD HH:mm`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

from talon_one.sandbox.talang.errors import TalangError

MAXIMUM_LAYOUT: Final = 100

_RFC3339: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII
)
_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_WEEKDAYS: Final = (
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
)
_TOKEN: Final = re.compile(
    r"YYYY|YY|MMMM|MMM|MM|M|DD|D|dddd|ddd|HH|H|hh|h|mm|m|ss|s|SSS|A|a|ZZ|Z"
    r"|\[[^\[\]]*\]|[^A-Za-z\[\]{}]+"
)


def _zone(moment: datetime, separator: str) -> str:
    minutes = (moment.utcoffset() or timedelta()) // timedelta(minutes=1)
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02}{separator}{abs(minutes) % 60:02}"


# Each token: the regular expression that reads it, and the function that writes it.
_WRITERS: Final[dict[str, tuple[str, Callable[[datetime], str]]]] = {
    "YYYY": (r"(?P<year>\d{4})", lambda moment: f"{moment.year:04}"),
    "YY": (r"(?P<short_year>\d\d)", lambda moment: f"{moment.year % 100:02}"),
    "MMMM": (f"(?P<month_name>{'|'.join(_MONTHS)})", lambda moment: _MONTHS[moment.month - 1]),
    "MMM": (
        f"(?P<month_name>{'|'.join(name[:3] for name in _MONTHS)})",
        lambda moment: _MONTHS[moment.month - 1][:3],
    ),
    "MM": (r"(?P<month>\d\d)", lambda moment: f"{moment.month:02}"),
    "M": (r"(?P<month>\d\d?)", lambda moment: str(moment.month)),
    "DD": (r"(?P<day>\d\d)", lambda moment: f"{moment.day:02}"),
    "D": (r"(?P<day>\d\d?)", lambda moment: str(moment.day)),
    "dddd": (f"(?:{'|'.join(_WEEKDAYS)})", lambda moment: _WEEKDAYS[moment.weekday()]),
    "ddd": (
        f"(?:{'|'.join(name[:3] for name in _WEEKDAYS)})",
        lambda moment: _WEEKDAYS[moment.weekday()][:3],
    ),
    "HH": (r"(?P<hour>\d\d)", lambda moment: f"{moment.hour:02}"),
    "H": (r"(?P<hour>\d\d?)", lambda moment: str(moment.hour)),
    "hh": (r"(?P<half_hour>\d\d)", lambda moment: f"{(moment.hour + 11) % 12 + 1:02}"),
    "h": (r"(?P<half_hour>\d\d?)", lambda moment: str((moment.hour + 11) % 12 + 1)),
    "mm": (r"(?P<minute>\d\d)", lambda moment: f"{moment.minute:02}"),
    "m": (r"(?P<minute>\d\d?)", lambda moment: str(moment.minute)),
    "ss": (r"(?P<second>\d\d)", lambda moment: f"{moment.second:02}"),
    "s": (r"(?P<second>\d\d?)", lambda moment: str(moment.second)),
    "SSS": (r"(?P<millisecond>\d{3})", lambda moment: f"{moment.microsecond // 1000:03}"),
    "A": (r"(?P<half>AM|PM)", lambda moment: "PM" if moment.hour >= 12 else "AM"),
    "a": (r"(?P<half>am|pm)", lambda moment: "pm" if moment.hour >= 12 else "am"),
    "Z": (r"(?P<zone>Z|[+-]\d\d:\d\d)", lambda moment: _zone(moment, ":")),
    "ZZ": (r"(?P<zone>Z|[+-]\d{4})", lambda moment: _zone(moment, "")),
}


def parse_rfc3339(text: str) -> datetime:
    """Read an RFC 3339 timestamp. The time keeps its offset; digits beyond microseconds go.

    Raises:
        TalangError: If the text is not such a timestamp, or lies outside the calendar.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise TalangError("the text is not a time of RFC 3339")
    *parts, fraction, zone = match.groups()
    micros = int((fraction or "")[:6].ljust(6, "0"))
    return _make(list(map(int, parts)), micros, zone)


def _make(parts: list[int], micros: int, zone: str) -> datetime:
    year, month, day, hour, minute, second = parts
    try:
        offset = timedelta()
        if zone != "Z":
            hours, minutes = int(zone[1:3]), int(zone[-2:])
            if hours > 23 or minutes > 59:
                raise ValueError("no such offset")
            offset = timedelta(hours=hours, minutes=minutes)
        tz = timezone(-offset if zone[0] == "-" else offset)
        moment = datetime(year, month, day, hour, minute, second, micros, tz)
        # Comparison and subtraction need the same moment in UTC.
        moment.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        raise TalangError("the time does not exist") from None
    return moment


@lru_cache(maxsize=128)
def _tokens(layout: str) -> tuple[str, ...]:
    if len(layout) > MAXIMUM_LAYOUT:
        raise TalangError(f"a layout has more than {MAXIMUM_LAYOUT} characters")
    tokens: list[str] = []
    position = 0
    while position < len(layout):
        match = _TOKEN.match(layout, position)
        if match is None:
            raise TalangError(f"a layout knows nothing of {layout[position]!r}")
        tokens.append(match.group())
        position = match.end()
    return tuple(tokens)


def check_layout(layout: str) -> None:
    """Refuse a layout that is malformed.

    Raises:
        TalangError: If it holds letters that stand for no part of a time, or is too long.
    """
    _tokens(layout)


def format_layout(moment: datetime, layout: str) -> str:
    """Write a time by a layout.

    Raises:
        TalangError: If the layout is malformed.
    """
    parts: list[str] = []
    for token in _tokens(layout):
        known = _WRITERS.get(token)
        parts.append(known[1](moment) if known else token.strip("[]"))
    return "".join(parts)


@lru_cache(maxsize=128)
def _reader(layout: str) -> re.Pattern[str]:
    pattern: list[str] = []
    seen: set[str] = set()
    for token in _tokens(layout):
        known = _WRITERS.get(token)
        piece = known[0] if known else re.escape(token.strip("[]"))
        name = re.match(r"\(\?P<(\w+)>", piece)
        if known and name:
            if name[1] in seen:
                raise TalangError(f"a layout that is read has its {name[1]} once")
            seen.add(name[1])
        pattern.append(piece)
    return re.compile("".join(pattern), re.ASCII)


def parse_layout(text: str, layout: str) -> datetime:
    """Read a time by a layout. Parts that the layout lacks are those of 0001-01-01T00:00:00Z.

    Raises:
        TalangError: If the layout is malformed or the text does not follow it.
    """
    match = _reader(layout).fullmatch(text)
    if match is None:
        raise TalangError("the text does not follow the layout")
    found = {name: value for name, value in match.groupdict().items() if value is not None}
    year = int(found.get("year", 1))
    if "short_year" in found:
        year = 2000 + int(found["short_year"])
    month = int(found.get("month", 1))
    if "month_name" in found:
        month = [name[:3] for name in _MONTHS].index(found["month_name"][:3]) + 1
    hour = int(found.get("hour", 0))
    if "half_hour" in found:
        half = int(found["half_hour"])
        if not 1 <= half <= 12:
            raise TalangError("the time does not exist")
        hour = half % 12 + (12 if found.get("half", "").lower() == "pm" else 0)
    parts = [year, month, int(found.get("day", 1)), hour]
    parts += [int(found.get("minute", 0)), int(found.get("second", 0))]
    return _make(parts, int(found.get("millisecond", 0)) * 1000, found.get("zone", "Z"))
