"""Figures of campaigns: read from the analytics of the Management API, and summed up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from talon_one._schema.dates import read_datetime
from talon_one.cli.daily import plain_object
from talon_one.cli.failures import CommandFailed, ExitCode

if TYPE_CHECKING:
    from talon_one import ManagementApi

GRANULARITIES = ("1 hour", "1 day", "1 week", "1 month", "1 year")
"""Lengths of intervals, from the shortest."""

MEASURES: Mapping[str, str] = {
    "revenue": "campaignRevenue",
    "discounts": "campaignDiscountCosts",
    "couponRedemptions": "couponRedemptions",
    "referralRedemptions": "referralRedemptions",
    "loyaltyPoints": "addedLoyaltyPoints",
}
"""Column of a report to the figure that it sums up."""

_DAYS = ((2, "1 hour"), (62, "1 day"), (730, "1 week"), (3660, "1 month"))
"""Number of days up to which an interval is chosen."""


class Figures(NamedTuple):
    """What a campaign achieved in a range of time.

    Attributes:
        id: ID of the campaign.
        name: Its name.
        state: Its state, as the Campaign Manager shows it.
        sums: Sum of each of `MEASURES`.
        dates: Beginning of each interval.
        trends: Each of `MEASURES`, interval by interval.
    """

    id: int
    name: str
    state: str
    sums: dict[str, float]
    dates: list[str]
    trends: dict[str, list[float]]


class Range(NamedTuple):
    """A range of time and the length of its intervals."""

    start: datetime
    end: datetime
    granularity: str

    def __str__(self) -> str:
        last = self.end - timedelta(microseconds=1)
        return f"{self.start:%Y-%m-%d} to {last:%Y-%m-%d}, by {self.granularity[2:]}"


def range_of(
    start: str | None, end: str | None, granularity: str | None, now: datetime | None = None
) -> Range:
    """Return the range that options ask for; by default the last 30 days.

    Args:
        start: Day or timestamp; a timestamp without a zone is in UTC.
        end: The same; a day is included.
        granularity: One of `GRANULARITIES`; by default one that gives a readable trend.
        now: The present moment.

    Raises:
        click.UsageError: One of them is no moment, or they are in the wrong order.
    """
    now = datetime.now(timezone.utc) if now is None else now
    last = now if end is None else _moment("--to", end, timedelta(days=1))
    first = last - timedelta(days=30) if start is None else _moment("--from", start, timedelta())
    if start is None:
        first = first.replace(hour=0, minute=0, second=0, microsecond=0)
    if last <= first:
        given = f"{last:%Y-%m-%d}" if end is None else end
        raise click.UsageError(f"--to {given} is not after --from {start}")
    if granularity is None:
        days = (last - first).days
        granularity = next((each for most, each in _DAYS if days <= most), "1 year")
    return Range(first, last, granularity)


def _moment(option: str, text: str, end_of_day: timedelta) -> datetime:
    read = read_datetime(text)
    if isinstance(read, str):
        example = "2026-11-01 or 2026-11-01T09:00:00Z"
        raise click.UsageError(f"{option} takes a day or a timestamp, such as {example}: {text!r}")
    moment = read if read.tzinfo is not None else read.replace(tzinfo=timezone.utc)
    try:
        return moment + (end_of_day if len(text) <= len("2026-11-01") else timedelta())
    except OverflowError as cause:
        raise click.UsageError(f"{option} is too late: {text!r}") from cause


def read_figures(
    api: ManagementApi,
    application_id: int,
    campaigns: Iterable[Any],
    wanted: Range,
    settings: Mapping[str, Any],
) -> Iterator[Figures]:
    """Yield the figures of campaigns, at the pace that the platform allows.

    Args:
        api: Makes the calls.
        application_id: Application of the campaigns.
        campaigns: Campaigns as the API returns them.
        wanted: The range.
        settings: Keywords of each call.

    Raises:
        OpenApiException, CommandFailed: A call failed, or its response cannot be used.
    """
    for each in campaigns:
        campaign = plain_object(each)
        campaign_id = campaign.get("id")
        if not isinstance(campaign_id, int):
            raise CommandFailed("the response has a campaign without an ID", ExitCode.UNKNOWN)
        # An iteration of one page knows the rate limit.
        rows = api.iterate(
            api.get_campaign_analytics,
            application_id,
            campaign_id,
            wanted.start,
            wanted.end,
            **{**settings, "granularity": wanted.granularity},
        )
        yield _figures(campaign, [plain_object(row) for row in rows])


def _figures(campaign: Mapping[str, Any], rows: list[Mapping[str, Any]]) -> Figures:
    trends = {name: [_number(row.get(wire)) for row in rows] for name, wire in MEASURES.items()}
    return Figures(
        campaign["id"],
        str(campaign.get("name", "")),
        str(campaign.get("frontendState") or campaign.get("state") or ""),
        {name: _rounded(sum(values)) for name, values in trends.items()},
        [str(row.get("date", "")) for row in rows],
        trends,
    )


def _number(value: Any) -> float:
    usable = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if usable and abs(value) < float("inf") else 0


def _rounded(value: float) -> float:
    """Return a sum without the traces of binary fractions."""
    rounded = round(value, 6)
    return int(rounded) if rounded == int(rounded) else rounded
