"""Durations of the platform, such as `30D` or `1M_U`, added to moments in a time zone."""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from talon_one.sandbox.values import format_time

IMMEDIATE: Final = "immediate"
ON_ACTION: Final = "on_action"
UNLIMITED: Final = "unlimited"

_LIMIT: Final = 10**12
_PATTERN: Final = re.compile(r"(\d{1,9})([smhDWMY])(?:_([DU]))?", re.ASCII)
_EXACT: Final[Mapping[str, str]] = {"s": "seconds", "m": "minutes", "h": "hours"}


class Duration(NamedTuple):
    """A parsed duration.

    Attributes:
        number: How many units.
        unit: `s`, `m`, `h`, `D`, `W`, `M` or `Y`.
        rounding: `D` for down to the start of the day, `U` for up to the end of the unit, or empty.
    """

    number: int
    unit: str
    rounding: str


def parse_duration(text: str) -> Duration:
    """Parse a duration.

    Raises:
        ValueError: If it is none. Only days are rounded down; seconds to hours are not rounded.
    """
    found = _PATTERN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a duration such as 30D or 1M_U")
    number, unit, rounding = int(found[1]), found[2], found[3] or ""
    if (rounding == "D" and unit != "D") or (rounding and unit in _EXACT):
        raise ValueError(f"{text!r} is rounded in a way that its unit does not allow")
    return Duration(number, unit, rounding)


def add_duration(moment: str, text: str, zone: str = "UTC", times: int = 1) -> str:
    """Return the moment that a duration, or several times it, leads to, both in canonical form.

    Months and years keep the day of the month, or end with the month. Clock time is kept over
    changes to and from daylight saving time, except by hours, minutes and seconds.

    Raises:
        ValueError: If the text is no duration, or leads beyond the year 9999.
    """
    number, unit, rounding = parse_duration(text)
    duration = Duration(number * times, unit, rounding)
    try:
        return format_time(_added(_read(moment), duration, find_zone(zone)))
    except OverflowError as cause:
        raise ValueError(f"{text} after {moment} lies beyond the year 9999") from cause


def moment_after(moment: str, text: str, zone: str = "UTC") -> str | None:
    """Return the moment that a duration of a definition leads to, None for never.

    A definition may name a duration that leads beyond the calendar.
    """
    try:
        return add_duration(moment, text, zone)
    except ValueError:
        return None


def next_boundary(origin: str, period: str, after: str, zone: str = "UTC") -> str:
    """Return the first moment after another that lies a number of periods after an origin.

    Raises:
        ValueError: If the text is no duration or an empty one, or leads beyond the year 9999.
    """
    if origin > after:
        return origin
    times = 1
    while add_duration(origin, period, zone, times) <= after:
        if times > _LIMIT:
            raise ValueError(f"{period} is too short to be repeated since {origin}")
        times *= 2
    # The boundary lies in the second half of the last step: periods never get shorter.
    low, high = times // 2, times
    while high - low > 1:
        middle = (low + high) // 2
        if add_duration(origin, period, zone, middle) <= after:
            low = middle
        else:
            high = middle
    return add_duration(origin, period, zone, high)


def _read(moment: str) -> datetime:
    return datetime.fromisoformat(moment.removesuffix("Z") + "+00:00")


@lru_cache(maxsize=256)
def known_zone(name: str) -> tzinfo | None:
    """Return a time zone by its name, None if there is none."""
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:
        # Slim machines have no time zones. Older releases of dateutil bring their own.
        from dateutil import tz

        return tz.gettz(name)
    except (ValueError, OSError):
        return None


def find_zone(name: str) -> tzinfo:
    """Return a time zone by its name, UTC if there is none."""
    return known_zone(name) or timezone.utc


def _added(moment: datetime, duration: Duration, zone: tzinfo) -> datetime:
    number, unit, rounding = duration
    if unit in _EXACT:
        return moment + timedelta(**{_EXACT[unit]: number})
    local = moment.astimezone(zone)
    if unit in "DW":
        reached = local + timedelta(days=number * (7 if unit == "W" else 1))
    else:
        reached = _months_later(local, number * (12 if unit == "Y" else 1))
    midnight = reached.replace(hour=0, minute=0, second=0, microsecond=0)
    if rounding == "D":
        return midnight
    if rounding == "U":
        return _next_start(midnight, unit)
    return reached


def _months_later(moment: datetime, months: int) -> datetime:
    years, month = divmod(moment.month - 1 + months, 12)
    year = moment.year + years
    if year > 9999:
        raise OverflowError
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def _next_start(midnight: datetime, unit: str) -> datetime:
    """Return the start of the day, week, month or year that follows."""
    if unit == "D":
        return midnight + timedelta(days=1)
    if unit == "W":
        return midnight + timedelta(days=7 - midnight.weekday())
    if unit == "M":
        return _months_later(midnight.replace(day=1), 1)
    return _months_later(midnight.replace(month=1, day=1), 12)
