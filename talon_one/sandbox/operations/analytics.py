"""Figures of a campaign over time, computed from what its sessions and events had as effects."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from talon_one.sandbox.call import Call, Result
from talon_one.sandbox.errors import Problem, invalid
from talon_one.sandbox.operations.campaigns import CAMPAIGNS
from talon_one.sandbox.sessions.totals import worth
from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.state.journal import Entry
from talon_one.sandbox.values import ZERO, json_number

_MOST_INTERVALS: Final = 10_000

_COUNTS: Final = {
    "campaignFreeItems": "addFreeItemEffect",
    "couponRedemptions": "redeemCoupon",
    "referralRedemptions": "redeemReferral",
    "couponsCreated": "createCoupon",
    "referralsCreated": "createReferral",
}
_SUMS: Final = {
    "campaignDiscountCosts": "setDiscount",
    "addedLoyaltyPoints": "createLoyaltyPoints",
    "deductedLoyaltyPoints": "redeemLoyaltyPoints",
}
# What was undone leaves the figures, as if it had not happened.
_ZERO: Final = ("campaignRefund", "campaignRefundedDiscounts", "couponRolledbackRedemptions")
_REVENUE: Final = frozenset({"setDiscount", "redeemCoupon"})


def get_campaign_analytics(call: Call) -> Result:
    """Handle getCampaignAnalytics."""
    campaign = CAMPAIGNS.known(call)
    start, end = _moment(call.query["rangeStart"]), _moment(call.query["rangeEnd"])
    if end < start:
        details = "rangeEnd must not be before rangeStart"
        raise invalid(Problem("Invalid", details, parameter="rangeEnd"))
    entries = call.state.journal.of_campaign(campaign["id"])
    before = _figures(call, (each for each in entries if _moment(each.created) < start))
    rows: list[Document] = []
    totals = before
    for begin, until in _intervals(start, end, call.query.get("granularity") or "1 day"):
        inside = [each for each in entries if begin <= _moment(each.created) < until]
        own = _figures(call, inside)
        totals = {name: totals[name] + value for name, value in own.items()}
        rows.append(
            {
                "date": _text(begin),
                **{name: json_number(value) for name, value in own.items()},
                **{_total(name): json_number(value) for name, value in totals.items()},
            }
        )
    return Result(200, {"totalResultSize": len(rows), "data": rows})


def _figures(call: Call, entries: Iterable[Entry]) -> dict[str, Decimal]:
    """Return the figures of entries of one campaign."""
    found = dict.fromkeys(["campaignRevenue", *_ZERO, *_COUNTS, *_SUMS], ZERO)
    kinds = {kind: name for name, kind in (*_COUNTS.items(), *_SUMS.items())}
    sessions = set()
    for each in entries:
        if each.kind in kinds:
            found[kinds[each.kind]] += each.amount if each.kind in _SUMS.values() else 1
        if each.kind in _REVENUE and each.session_id is not None:
            sessions.add(each.session_id)
    for session_id in sessions:
        session = call.state.sessions.get(session_id)
        if session is not None:
            found["campaignRevenue"] += worth(session)
    return found


def _total(name: str) -> str:
    return f"total{name[0].upper()}{name[1:]}"


def _intervals(
    start: datetime, end: datetime, granularity: str
) -> Iterable[tuple[datetime, datetime]]:
    """Yield intervals from the beginning of the one that the range begins in."""
    following = _FOLLOWING[granularity]
    begin = _beginning(start, granularity)
    for _ in range(_MOST_INTERVALS):
        if begin > end or (begin == end and end != start):
            return
        until = following(begin)
        yield max(begin, start), min(until, end)
        begin = until
    raise invalid(Problem("Invalid", "the range has too many intervals", parameter="granularity"))


def _beginning(moment: datetime, granularity: str) -> datetime:
    moment = moment.replace(minute=0, second=0, microsecond=0)
    if granularity == "1 hour":
        return moment
    day = moment.replace(hour=0)
    if granularity == "1 week":
        return day - timedelta(days=day.weekday())
    if granularity == "1 month":
        return day.replace(day=1)
    return day.replace(month=1, day=1) if granularity == "1 year" else day


_FOLLOWING: Final[dict[str, Callable[[datetime], datetime]]] = {
    "1 hour": lambda begin: begin + timedelta(hours=1),
    "1 day": lambda begin: begin + timedelta(days=1),
    "1 week": lambda begin: begin + timedelta(weeks=1),
    "1 month": lambda begin: (begin + timedelta(days=32)).replace(day=1),
    "1 year": lambda begin: begin.replace(year=begin.year + 1),
}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.removesuffix("Z") + "+00:00")


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


OPERATIONS: Final = {"getCampaignAnalytics": get_campaign_analytics}
