"""Tiers of loyalty programs: which one active points give, how long it lasts, what follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from talon_one.sandbox.loyalty.durations import moment_after, next_boundary
from talon_one.sandbox.values import amount

ONE_DOWN: Final = "one_down"
_ROUNDS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Standing:
    """The tier that somebody has.

    Attributes:
        tier_id: ID of the tier, None for none.
        start: Moment at which it began.
        expiry: Moment at which it is looked at again, None for never.
    """

    tier_id: int | None = None
    start: str | None = None
    expiry: str | None = None


def tiers_of(program: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the tiers of a program, lowest first."""
    return sorted(program.get("tiers") or (), key=lambda tier: amount(tier["minPoints"]))


def tier_for(tiers: Sequence[Mapping[str, Any]], points: Decimal) -> Mapping[str, Any] | None:
    """Return the highest tier that a number of active points gives."""
    reached = [tier for tier in tiers if amount(tier["minPoints"]) <= points]
    return reached[-1] if reached else None


def next_tier(tiers: Sequence[Mapping[str, Any]], points: Decimal) -> Mapping[str, Any] | None:
    """Return the lowest tier that needs more points."""
    return next((tier for tier in tiers if amount(tier["minPoints"]) > points), None)


def standing_now(
    program: Mapping[str, Any],
    before: Standing,
    steps: Sequence[tuple[str, Decimal]],
    now: str,
    *,
    joined: str | None = None,
) -> Standing:
    """Return the tier at a moment.

    More points give a higher tier immediately. Fewer points take it away when it expires, or
    immediately in a program whose tiers do not expire.

    Args:
        program: The program.
        before: The tier as it was stored last.
        steps: Active points at the moment at which the tier was stored, and at each later moment
            that changed them.
        now: The moment, not before any of the steps.
        joined: Moment at which the program was joined.
    """
    course = _Course(program, before, joined)
    for index, (moment, points) in enumerate(steps):
        course.points_change(moment, points)
        following = steps[index + 1][0] if index + 1 < len(steps) else None
        course.time_passes(now, following)
    return course.standing


class _Course:
    """The tiers of somebody, from moment to moment."""

    def __init__(self, program: Mapping[str, Any], before: Standing, joined: str | None) -> None:
        self._program = program
        self._joined = joined
        self._tiers = tiers_of(program)
        self._expires = bool(program.get("tiersExpirationPolicy"))
        self._earned = -1
        ranks = {tier["id"]: rank for rank, tier in enumerate(self._tiers)}
        self._held = -1 if before.tier_id is None else ranks.get(before.tier_id, -1)
        self.standing = before if self._held >= 0 else Standing()

    def points_change(self, moment: str, points: Decimal) -> None:
        """Take note of the active points from a moment on."""
        self._earned = (
            len([tier for tier in self._tiers if amount(tier["minPoints"]) <= points]) - 1
        )
        if self._earned > self._held or (self._earned < self._held and not self._expires):
            self._hold(self._earned, moment)

    def time_passes(self, until: str, following: str | None) -> None:
        """Let tiers expire up to a moment, and before the points change again."""
        for _ in range(_ROUNDS):
            expiry = self.standing.expiry
            if expiry is None or expiry > until or (following is not None and expiry >= following):
                return
            self._hold(self._after_expiry(), expiry)
        # Tiers that last for moments only: the present one began just now.
        self._hold(self._held, until)

    def _after_expiry(self) -> int:
        if self._earned < self._held and self._program.get("tiersDowngradePolicy") == ONE_DOWN:
            return self._held - 1
        return self._earned

    def _hold(self, rank: int, start: str) -> None:
        self._held = rank
        self.standing = Standing()
        if rank >= 0:
            expiry = _expiry(self._program, start, self._joined)
            self.standing = Standing(self._tiers[rank]["id"], start, expiry)


def _expiry(program: Mapping[str, Any], start: str, joined: str | None) -> str | None:
    policy, lasts = program.get("tiersExpirationPolicy"), program.get("tiersExpireIn")
    if not policy or not lasts:
        return None
    # The program does not say which attribute `customer_attribute` means.
    begin = {
        "program_join_date": joined,
        "absolute_expiration": program.get("tierCycleStartDate"),
    }.get(policy)
    zone = program.get("timezone") or "UTC"
    if begin is None:
        return moment_after(start, lasts, zone)
    try:
        return next_boundary(begin, lasts, start, zone)
    except ValueError:
        # A cycle of no length, or one that ends beyond the calendar.
        return None
