"""Conditions about what the session, its profile and its event have to do with the account."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, TypeAlias

from talon_one.sandbox.rules.attribute_checks import (
    compile_attribute_check,
    negate,
    never,
    positive_of,
)
from talon_one.sandbox.rules.comparisons import ORDERS
from talon_one.sandbox.rules.compiled import Condition, MissingValue
from talon_one.sandbox.rules.context import Context
from talon_one.sandbox.rules.predicates import compile_all, compile_passthrough
from talon_one.sandbox.rules.scope import Scope
from talon_one.sandbox.values import ZERO, amount

Json: TypeAlias = Mapping[str, Any]

PROFILES: Final = ("Current", "Advocate")
BALANCES: Final = ("current", "pending", "negative", "tentativeCurrent")
BUILT_IN: Final = "talon_"


def event_types(event_type: str) -> frozenset[str]:
    """Return the types of events that an `eventType` stands for.

    Built-in events are written without their prefix and in camel case: `profileCreated` for
    `talon_profile_created`.
    """
    snake = re.sub(r"(?<!^)([A-Z])", r"_\1", event_type).lower()
    return frozenset({event_type, f"{BUILT_IN}{snake}"})


def _check_event(block: Json, context: Context) -> Condition:
    types = event_types(context.text(block, "eventType"))
    matchers = compile_all(
        context.elements(block, "matchers", required=False), context.at("matchers"), CONDITIONS
    )

    def holds(scope: Scope) -> bool:
        return scope.situation.event.get("type") in types and all(
            matcher(scope) for matcher in matchers
        )

    return holds


def _check_audience(block: Json, context: Context) -> Condition:
    operator = context.choice(
        block, "operator", ("member", "not(member)", "justJoined", "justLeft")
    )
    profile = context.choice(block, "profile", PROFILES)
    audience = context.reference(block, "audience")
    if operator.startswith("just"):
        joined = operator == "justJoined"
        return lambda scope: scope.situation.facts.audience_changes(profile).get(audience) is joined
    return _signed(operator, lambda scope: scope.situation.facts.in_audience(profile, audience))


def _check_tier(block: Json, context: Context) -> Condition:
    operator = context.choice(block, "operator", ("member", "not(member)"))
    subledger = context.text(block, "subledger")
    tier_id = context.reference(block, "tier")

    def member(scope: Scope) -> bool:
        facts = scope.situation.facts
        program = facts.program_of_tier(tier_id)
        if program is None:
            raise MissingValue(f"no loyalty program has the tier {tier_id}")
        tier = facts.tier(program, subledger)
        return tier is not None and tier.get("id") == tier_id

    return _signed(operator, member)


def _check_loyalty_balance(block: Json, context: Context) -> Condition:
    operator = context.choice(block, "operator", {*ORDERS, "not(equals)"})
    program = context.reference(block, "program")
    subledger = context.text(block, "subledger")
    balance = context.choice(block, "balance", BALANCES)
    value = context.value(block, "value", "number")
    if not operator:
        return never
    compare = ORDERS[positive_of(operator)]
    tentative = balance == "tentativeCurrent"
    kind = "current" if tentative else balance
    key = f"{program}:{subledger}"

    def holds(scope: Scope) -> bool:
        points = scope.situation.facts.balance(program, subledger, kind)
        if tentative:
            points += scope.tentative.get(key, ZERO)
        return compare(points, value(scope))

    return _signed(operator, holds)


def _check_loyalty_card(block: Json, context: Context) -> Condition:
    return _signed(context.choice(block, "operator", ("linked", "not(linked)")), _card_is_linked)


def _card_is_linked(scope: Scope) -> bool:
    """Return whether the current profile is linked to a card of the session."""
    profile = scope.situation.facts.profile("Current")
    if profile is None:
        return False
    wanted = profile.get("integrationId")
    return any(
        linked.get("integrationId") == wanted
        for card in scope.situation.facts.cards()
        for linked in card.get("profiles") or ()
    )


def _progress(scope: Scope, achievement_id: int) -> tuple[bool, Decimal, Decimal, bool]:
    """Return whether there is progress, how much, the target, and whether it was completed."""
    achievement = scope.situation.facts.achievement(achievement_id)
    if achievement is None:
        raise MissingValue(f"there is no achievement {achievement_id}")
    current = achievement.get("currentProgress") or {}
    status = current.get("status", "not_started")
    added = scope.progress.get(achievement_id, ZERO)
    reached = added
    if status in {"inprogress", "completed"}:
        reached += amount(current.get("progress", 0))
    started = status in {"inprogress", "completed"} or added > 0
    return started, reached, amount(achievement.get("target", 0)), status == "completed"


def _started(scope: Scope, achievement_id: int) -> bool:
    return _progress(scope, achievement_id)[0]


def _completed(scope: Scope, achievement_id: int) -> bool:
    started, reached, target, before = _progress(scope, achievement_id)
    return before or (started and reached >= target)


def _just_completed(scope: Scope, achievement_id: int) -> bool:
    started, reached, target, before = _progress(scope, achievement_id)
    return started and not before and reached >= target


def _in_progress(scope: Scope, achievement_id: int) -> bool:
    return _started(scope, achievement_id) and not _completed(scope, achievement_id)


_ACHIEVEMENT_STATES: Final[Mapping[str, Callable[[Scope, int], bool]]] = {
    "started": _started,
    "inProgress": _in_progress,
    "completed": _completed,
    "justCompleted": _just_completed,
}


def _check_achievement(block: Json, context: Context) -> Condition:
    allowed = {*_ACHIEVEMENT_STATES, "not(started)", "not(inProgress)", "not(completed)"}
    operator = context.choice(block, "operator", allowed)
    achievement = context.reference(block, "achievement")
    if not operator:
        return never
    holds = _ACHIEVEMENT_STATES[positive_of(operator)]
    return _signed(operator, lambda scope: holds(scope, achievement))


def _signed(operator: str, condition: Condition) -> Condition:
    return condition if positive_of(operator) == operator else negate(condition)


CONDITIONS: Final[Mapping[str, Callable[[Json, Context], Condition]]] = {
    "checkAttribute": compile_attribute_check,
    "checkEvent": _check_event,
    "checkAudience": _check_audience,
    "checkTier": _check_tier,
    "checkLoyaltyBalance": _check_loyalty_balance,
    "checkLoyaltyCard": _check_loyalty_card,
    "checkAchievement": _check_achievement,
    "passthrough": compile_passthrough,
}
"""Compilers of conditions that need no run, by the type of their block."""
