"""Compile effects on the progress of achievements."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, TypeAlias

from talon_one.sandbox.rules.amounts import MAXIMUM
from talon_one.sandbox.rules.codes import has_begun, has_passed
from talon_one.sandbox.rules.compiled import Action, EffectFailed
from talon_one.sandbox.rules.context import Context
from talon_one.sandbox.rules.rewards import integration_id
from talon_one.sandbox.rules.run import Run
from talon_one.sandbox.rules.scope import Scope
from talon_one.sandbox.values import ZERO, amount, json_number

Json: TypeAlias = Mapping[str, Any]

_UNDER_WAY: Final = frozenset({"inprogress", "completed"})
MAXIMUM_ITERATIONS: Final = 1000


def compile_progress(block: Json, context: Context) -> Action:
    """Compile an `updateAchievementProgress` block."""
    achievement_id = context.reference(block, "achievement")
    context.choice(block, "operator", ("increaseBy",))
    value = context.value(block, "value", "quantity")
    return lambda run, scope: increase_progress(run, scope, achievement_id, value(scope))


def increase_progress(run: Run, scope: Scope, achievement_id: int, delta: Decimal) -> None:
    """Increase the progress of the current profile in an achievement.

    An achievement that is completed or has expired for good stays as it is, without an effect. One
    that starts over on completion gives one effect for each iteration that the increase reaches.

    Raises:
        EffectFailed: If there is no profile or achievement, or its time is not now.
    """
    integration_id(scope, "Current")
    achievement = scope.situation.facts.achievement(achievement_id)
    if achievement is None:
        raise EffectFailed(f"there is no achievement {achievement_id}")
    now = scope.situation.now
    if not has_begun(achievement, "fixedStartDate", now) or has_passed(achievement, "endDate", now):
        raise EffectFailed(f"the achievement {achievement_id} is not active now")
    if not ZERO < delta <= MAXIMUM:
        raise EffectFailed(f"progress cannot increase by {delta}")
    target = amount(achievement.get("target") or 1)
    current = achievement.get("currentProgress") or {}
    if current.get("status") == "expired":
        return
    repeats = achievement.get("recurrencePolicy") == "on_completion"
    made = run.progress.get(achievement_id, ZERO)
    started = made > ZERO or current.get("status") in _UNDER_WAY
    progress = made
    if current.get("status") in _UNDER_WAY:
        progress += amount(current.get("progress") or 0)
    if repeats:
        iteration, progress = divmod(progress, target)
        started = started and (progress > ZERO or iteration == ZERO)
        if (delta + progress) / target > MAXIMUM_ITERATIONS:
            raise EffectFailed(f"progress cannot increase by {delta} at once")
    elif progress >= target:
        return
    run.add(run.progress, achievement_id, delta)
    step = _Step(run, achievement, achievement_id, target)
    left = delta
    while left > ZERO:
        if not started:
            step.start(now)
        part = min(left, target - progress)
        progress += part
        # Progress beyond the target belongs to the next iteration, or to none.
        step.increase(part, progress, starts=not started)
        left = left - part if repeats else ZERO
        progress, started = ZERO, False


class _Step:
    """Effects on one achievement."""

    def __init__(self, run: Run, achievement: Json, achievement_id: int, target: Decimal) -> None:
        self._run = run
        self._id = achievement_id
        self._target = target
        self._props: dict[str, Any] = {
            "achievementId": achievement_id,
            "achievementName": achievement.get("name") or "",
            "progressTrackerId": 0,
            "target": json_number(target),
        }

    def start(self, now: str) -> None:
        self._run.emit("startAchievementProgress", {**self._props, "startDate": now})

    def increase(self, delta: Decimal, value: Decimal, *, starts: bool) -> None:
        completed = value >= self._target
        props = {
            **self._props,
            "delta": json_number(delta),
            "value": json_number(value),
            "isJustCompleted": completed,
        }
        effect = self._run.emit("increaseAchievementProgress", props)
        details = {"value": json_number(value), "starts": starts, "completes": completed}
        self._run.record("increaseProgress", str(self._id), delta, effect, {}, details)
