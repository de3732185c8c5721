"""Achievements: when an iteration begins and ends, and what progress is worth at a moment."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any, Final

from talon_one.sandbox.loyalty.durations import find_zone, moment_after, next_boundary
from talon_one.sandbox.values import format_time, read_time

IN_PROGRESS: Final = "inprogress"
COMPLETED: Final = "completed"
EXPIRED: Final = "expired"
NOT_STARTED: Final = "not_started"

NOTHING: Final[Mapping[str, Any]] = {"status": NOT_STARTED, "progress": 0}
"""Progress of somebody who has not begun."""


def iteration_end(definition: Mapping[str, Any], start: str, zone: str = "UTC") -> str | None:
    """Return the moment at which an iteration that starts at a moment ends, None for never.

    Args:
        definition: The achievement.
        start: The moment of the first progress.
        zone: Time zone of its Application.
    """
    ends = [_period_end(definition, start, zone), definition.get("endDate")]
    return min((end for end in ends if end is not None), default=None)


def _period_end(definition: Mapping[str, Any], start: str, zone: str) -> str | None:
    point, period = definition.get("periodEndOverride"), definition.get("period")
    if point:
        return _next_point(point, start, zone)
    if not period:
        return None
    if definition.get("activationPolicy") != "fixed_schedule":
        return moment_after(start, period, zone)
    # Iterations of a schedule follow one another from its start, whenever progress begins.
    try:
        return next_boundary(definition.get("fixedStartDate") or start, period, start, zone)
    except ValueError:
        return None


def progress_at(record: Mapping[str, Any], now: str) -> dict[str, Any]:
    """Return a stored iteration as it is at a moment: one that was not completed may expire."""
    end = record.get("endDate")
    if record["status"] == IN_PROGRESS and end is not None and end <= now:
        return {**record, "status": EXPIRED}
    return dict(record)


def current_progress(
    definition: Mapping[str, Any], records: Sequence[Mapping[str, Any]], now: str
) -> dict[str, Any]:
    """Return the progress of the present iteration.

    Args:
        definition: The achievement.
        records: Iterations of one profile, oldest first.
        now: The moment.
    """
    if not records:
        return dict(NOTHING)
    latest = progress_at(records[-1], now)
    policy = definition.get("recurrencePolicy") or "no_recurrence"
    ended = latest.get("endDate") is not None and latest["endDate"] <= now
    if policy == "on_expiration" and ended:
        return dict(NOTHING)
    if policy == "on_completion" and (latest["status"] == COMPLETED or ended):
        return dict(NOTHING)
    return latest


def is_active(definition: Mapping[str, Any], now: str) -> bool:
    """Return whether an achievement can be worked on at a moment."""
    start, end = definition.get("fixedStartDate"), definition.get("endDate")
    return (start is None or start <= now) and (end is None or now < end)


def status_of(definition: Mapping[str, Any], now: str) -> str:
    """Return whether an achievement is active, scheduled or expired at a moment."""
    if is_active(definition, now):
        return "active"
    start = definition.get("fixedStartDate")
    return "scheduled" if start is not None and start > now else "expired"


def _next_point(point: Mapping[str, Any], start: str, zone: str) -> str:
    """Return the first moment after a start that a point in time names."""
    begin = read_time(start).astimezone(find_zone(zone))
    clock = time(point.get("hour") or 0, point.get("minute") or 0, point.get("second") or 0)
    # The wall clock decides: a day of 23 or 25 hours is a day.
    day = datetime.combine(begin.date(), clock, begin.tzinfo)
    while day <= begin or not _is_day(point, day):
        day += timedelta(days=1)
    return format_time(day)


def _is_day(point: Mapping[str, Any], day: datetime) -> bool:
    month, month_day, week_day = (point.get(n) for n in ("month", "dayOfMonth", "dayOfWeek"))
    last = calendar.monthrange(day.year, day.month)[1]
    return (
        month in (None, day.month)
        and (month_day is None or min(month_day, last) == day.day)
        and week_day in (None, day.isoweekday())
    )
