"""Budgets: limits of campaigns and coupons, what is left of them, and the keys of counters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from functools import lru_cache
from itertools import product
from typing import Final, NamedTuple

from talon_one.sandbox.loyalty.durations import find_zone
from talon_one.sandbox.rules.compiled import EffectFailed
from talon_one.sandbox.rules.scope import Scope
from talon_one.sandbox.rules.situation import Json
from talon_one.sandbox.values import CENT, ZERO, amount

_ALIASES: Final = {"addFreeItem": "addFreeItemEffect"}
ONE: Final = Decimal(1)

ACTIONS: Final = frozenset(
    {
        "addFreeItemEffect",
        "awardGiveaway",
        "callApi",
        "createCoupon",
        "createLoyaltyPoints",
        "createLoyaltyPointsEffect",
        "createReferral",
        "customEffect",
        "redeemCoupon",
        "redeemLoyaltyPoints",
        "redeemLoyaltyPointsEffect",
        "redeemReferral",
        "reserveCoupon",
        "setDiscount",
        "setDiscountEffect",
    }
)
"""Actions that a limit can be about. `addFreeItem` is read as `addFreeItemEffect`."""


def coupon_key(coupon_id: int) -> str:
    """Return the key of the redemptions of a coupon: its `usageCounter`."""
    return f"coupon:{coupon_id}"


def coupon_profile_key(coupon_id: int, profile: str) -> str:
    """Return the key of the redemptions of a coupon by a profile: `profileRedemptionCount`."""
    return f"coupon:{coupon_id}:profile:{profile}"


def coupon_discount_key(coupon_id: int) -> str:
    """Return the key of the money that a coupon has given: its `discountCounter`."""
    return f"coupon:{coupon_id}:discount"


def coupon_reservation_key(coupon_id: int) -> str:
    """Return the key of the reservations of a coupon: its `reservationCounter`."""
    return f"coupon:{coupon_id}:reservations"


def referral_key(referral_id: int) -> str:
    """Return the key of the redemptions of a referral: its `usageCounter`."""
    return f"referral:{referral_id}"


def limit_key(owner: str, action: str, period: str, entities: Iterable[str]) -> str:
    """Return the key of what a limit counts.

    Args:
        owner: `campaign:<id>` or `coupon:<id>`.
        action: Action of the limit.
        period: Period of the counter, see `period_of`; empty for all time.
        entities: `<entity>=<ID>` for each entity of the limit.
    """
    return ":".join((owner, action, period, ";".join(entities)))


@lru_cache(maxsize=1024)
def period_of(now: str, zone: str, period: str) -> str:
    """Return the period of a moment as a text: weeks are those that begin on Monday.

    Args:
        now: The moment in canonical form.
        zone: Name of the time zone of the Application.
        period: `daily`, `weekly`, `monthly`, `yearly`, or empty.
    """
    if not period:
        return ""
    day = (
        datetime.fromisoformat(now.removesuffix("Z") + "+00:00").astimezone(find_zone(zone)).date()
    )
    if period == "weekly":
        return f"week of {day - timedelta(days=day.weekday())}"
    return str(day)[: {"daily": 10, "monthly": 7, "yearly": 4}.get(period, 10)]


class Budget(NamedTuple):
    """A limit that is in force now.

    Attributes:
        limit: The limit.
        keys: Keys of the counters that may not exceed it: one, unless the limit is per identifier
            and the session has several. Empty if an entity is missing.
        entities: Entities for which the limit counts.
        missing: Entity that the limit needs and the request does not have.
        owner: `campaign:<id>` or `coupon:<id>`.
    """

    limit: Decimal
    keys: tuple[str, ...]
    entities: tuple[str, ...]
    missing: str
    owner: str


def budgets(scope: Scope, action: str) -> Sequence[Budget]:
    """Return the limits on an action of the campaign and the coupon at hand."""
    coupon, campaign = scope.coupon, scope.campaign
    own = coupon.get("limits") if coupon is not None else None
    limits = campaign.get("limits") if campaign is not None else None
    found: list[Budget] = []
    replaced = False
    if own and coupon is not None:
        for each in own:
            if action_of(each) == action:
                found.append(_budget(scope, f"coupon:{coupon['id']}", each, action))
                replaced = replaced or _is_per_profile(each)
    if limits and campaign is not None:
        for each in limits:
            # Limits per profile of the coupon stand in place of those of its campaign.
            if action_of(each) == action and not (replaced and _is_per_profile(each)):
                found.append(_budget(scope, f"campaign:{campaign['id']}", each, action))
    return found


def _is_per_profile(limit: Json) -> bool:
    return "Profile" in (limit.get("entities") or ())


def action_of(limit: Json) -> str:
    """Return the action of a limit as the counters spell it."""
    action: str = limit.get("action", "")
    return _ALIASES.get(action, action)


def _budget(scope: Scope, owner: str, limit: Json, action: str) -> Budget:
    situation = scope.situation
    entities = tuple(sorted(limit.get("entities") or ()))
    choices: list[list[str]] = []
    missing = ""
    for entity in entities:
        found = _identities(scope, entity)
        if not found:
            missing = entity
        choices.append([f"{entity}={each}" for each in found])
    zone = situation.application.get("timezone") or "UTC"
    period = period_of(situation.now, zone, limit.get("period") or "")
    keys = tuple(limit_key(owner, action, period, each) for each in product(*choices))
    return Budget(amount(limit.get("limit") or 0), keys, entities, missing, owner)


def _identities(scope: Scope, entity: str) -> list[str]:
    situation = scope.situation
    session = situation.session or {}
    if entity == "Profile":
        profile = profile_id(scope)
        return [profile] if profile else []
    if entity == "Identifier":
        return [str(each) for each in dict.fromkeys(session.get("identifiers") or ())]
    if entity == "Session":
        return [session["integrationId"]] if session.get("integrationId") else []
    if entity == "Store":
        return [str(situation.store["id"])] if situation.store else []
    found = {"Coupon": scope.coupon, "Referral": scope.referral}.get(entity)
    return [str(found["id"])] if found else []


def profile_id(scope: Scope) -> str:
    """Return the integration ID of the current profile, empty if there is none."""
    session = scope.situation.session
    if session is not None:
        return session.get("profileId") or ""
    profile = scope.situation.facts.profile("Current")
    return (profile or {}).get("integrationId") or ""


def room_of(scope: Scope, budget: Budget) -> Decimal | None:
    """Return what is left of a limit, None if it does not limit now.

    A limit per profile lets nothing through without a profile. One per coupon, referral or
    identifier needs it when the session closes. One per store or session needs neither.
    """
    if budget.missing:
        if budget.missing == "Profile":
            return ZERO
        session = scope.situation.session
        closing = session is not None and session.get("state") == "closed"
        needed = budget.missing in {"Coupon", "Referral", "Identifier"}
        return ZERO if closing and needed else None
    counter, used = scope.situation.facts.counter, scope.used
    return budget.limit - max(counter(key) + used.get(key, ZERO) for key in budget.keys)


def room(scope: Scope, action: str) -> Decimal | None:
    """Return what is left for an action, in money, points or times; None without a limit.

    That is the least of what limits of the campaign, the coupon and the referral at hand leave.
    """
    rooms = [room_of(scope, budget) for budget in budgets(scope, action)]
    rooms += [
        limit - scope.situation.facts.counter(key) - scope.used.get(key, ZERO)
        for key, limit in _own_limits(scope, action)
    ]
    return min((each for each in rooms if each is not None), default=None)


def _own_limits(scope: Scope, action: str) -> Iterator[tuple[str, Decimal]]:
    coupon, referral = scope.coupon, scope.referral
    if coupon is not None and action in _COUPON_LIMITS:
        name, key = _COUPON_LIMITS[action]
        limit = coupon.get(name)
        if limit:
            yield key(coupon["id"]), amount(limit)
    elif referral is not None and action == "redeemReferral" and referral.get("usageLimit"):
        yield referral_key(referral["id"]), amount(referral["usageLimit"])


_COUPON_LIMITS: Final = {
    "redeemCoupon": ("usageLimit", coupon_key),
    "setDiscount": ("discountLimit", coupon_discount_key),
    "reserveCoupon": ("reservationLimit", coupon_reservation_key),
}


class Grant(NamedTuple):
    """What budgets allow of something.

    Attributes:
        amount: How much.
        counters: What it counts, by the key of the counter.
    """

    amount: Decimal
    counters: Mapping[str, Decimal]


def claim(
    scope: Scope, action: str, wanted: Decimal, *, times: str = "", partial: bool = False
) -> Grant:
    """Return what the budgets allow.

    Args:
        scope: What is at hand.
        action: Action that counts the amount.
        wanted: The amount.
        times: Action that counts how often it happens, if there is one.
        partial: Whether less than the amount is enough.

    Raises:
        EffectFailed: If a budget is used up, or too small for an amount that may not be cut.
    """
    if _is_unlimited(scope, action) and (not times or _is_unlimited(scope, times)):
        return Grant(wanted, _NO_COUNTERS)
    granted = wanted
    left = room(scope, action)
    if left is not None:
        if left <= ZERO:
            raise EffectFailed(f"the budget of {action} is used up")
        if left < wanted:
            if not partial:
                raise EffectFailed(f"the budget of {action} allows {left}, not {wanted}")
            granted = left.quantize(CENT, ROUND_FLOOR)
            if granted <= ZERO:
                raise EffectFailed(f"the budget of {action} is used up")
    counters = counted(scope, action, granted)
    if times:
        left = room(scope, times)
        if left is not None and left < ONE:
            raise EffectFailed(f"the budget of {times} is used up")
        counters.update(counted(scope, times, ONE))
    return Grant(granted, counters)


_NO_COUNTERS: Final[Mapping[str, Decimal]] = {}


def _is_unlimited(scope: Scope, action: str) -> bool:
    """Return whether nothing at hand limits or counts an action: the common case."""
    coupon, campaign = scope.coupon, scope.campaign
    if campaign is not None and campaign.get("limits"):
        return False
    if coupon is not None and (
        coupon.get("limits")
        or action in _ALWAYS_COUNTED
        or (action == "setDiscount" and coupon.get("discountLimit"))
    ):
        return False
    return scope.referral is None or action != "redeemReferral"


_ALWAYS_COUNTED: Final = frozenset({"redeemCoupon", "reserveCoupon"})


def counted(scope: Scope, action: str, count: Decimal) -> dict[str, Decimal]:
    """Return what an action counts, by the key of the counter."""
    counters = {
        key: count for budget in budgets(scope, action) if not budget.missing for key in budget.keys
    }
    coupon, referral = scope.coupon, scope.referral
    if coupon is not None and action in _COUPON_LIMITS:
        name, key = _COUPON_LIMITS[action]
        if action != "setDiscount" or coupon.get(name):
            counters[key(coupon["id"])] = count
        if action == "redeemCoupon" and (profile := profile_id(scope)):
            counters[coupon_profile_key(coupon["id"], profile)] = count
    elif referral is not None and action == "redeemReferral":
        counters[referral_key(referral["id"])] = count
    return counters
