"""Progress in achievements that effects make, and what undoing it takes away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from talon_one.sandbox.consequences.occasion import Occasion
from talon_one.sandbox.consequences.redemptions import rolled_back
from talon_one.sandbox.loyalty.achievements import (
    COMPLETED,
    IN_PROGRESS,
    current_progress,
    iteration_end,
)
from talon_one.sandbox.rules.outcome import Consequence, Effect
from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.state.journal import Entry
from talon_one.sandbox.values import ZERO, amount, json_number


def increase(occasion: Occasion, consequence: Consequence) -> Mapping[str, Any]:
    """Store progress, in the present iteration or a new one, and number it in the effect."""
    state, now = occasion.call.state, occasion.call.now
    achievement_id = int(consequence.target)
    definition = state.achievements.get(achievement_id) or {}
    records = state.progress.find(achievementId=achievement_id, profileId=occasion.profile_id)
    latest = current_progress(definition, records, now)
    record = latest if "id" in latest else _begin(occasion, definition, achievement_id)
    done = amount(record["progress"]) + consequence.amount
    record["progress"] = json_number(done)
    if done >= amount(definition.get("target") or 1):
        record |= {"status": COMPLETED, "completionDate": now}
    state.progress.save(record)
    props = consequence.effect["props"]
    props["progressTrackerId"] = record["id"]
    if consequence.details.get("starts"):
        _number_start(occasion, achievement_id, record["id"])
    return {"progress": record["id"]}


def _number_start(occasion: Occasion, achievement_id: int, number: int) -> None:
    """Number the effect that says that the iteration starts."""
    for effect in occasion.effects:
        props = effect["props"]
        mine = (effect["effectType"], props.get("achievementId")) == (
            "startAchievementProgress",
            achievement_id,
        )
        if mine and not props.get("progressTrackerId"):
            props["progressTrackerId"] = number
            return


def undo_increase(occasion: Occasion, entry: Entry) -> list[Effect]:
    """Take progress back; that of a completed achievement only if its definition allows it."""
    state = occasion.call.state
    record = state.progress.get(entry.details["progress"])
    definition = state.achievements.get(int(entry.target))
    if record is None or definition is None:
        return []
    if record["status"] == COMPLETED and not _reopens(definition):
        return []
    left = max(amount(record["progress"]) - entry.amount, ZERO)
    target = amount(definition.get("target") or 1)
    record["progress"] = json_number(left)
    if left < target:
        record["status"] = IN_PROGRESS
        record.pop("completionDate", None)
    if left:
        state.progress.save(record)
    else:
        # Nothing is left of the iteration, so it has not begun.
        state.progress.delete(id=record["id"])
        _forget_start(occasion, definition["id"], record["id"])
    shown = {
        "achievementId": definition["id"],
        "achievementName": definition["name"],
        "progressTrackerId": record["id"],
        "decreaseProgressBy": json_number(entry.amount),
        "currentProgress": record["progress"],
        "target": json_number(target),
    }
    return [rolled_back(entry, "rollbackIncreasedAchievementProgress", shown)]


def _forget_start(occasion: Occasion, achievement_id: int, number: int) -> None:
    """Drop the effect that says that an iteration starts: it no longer holds."""
    held = (occasion.session or {}).get("_effects") or []
    held[:] = [
        each
        for each in held
        if each["effectType"] != "startAchievementProgress"
        or each["props"].get("achievementId") != achievement_id
        or each["props"].get("progressTrackerId") != number
    ]


def _reopens(definition: Document) -> bool:
    """Return whether a completed achievement can be undone: one that starts over cannot."""
    starts_over = definition.get("recurrencePolicy") == "on_completion"
    return bool(definition.get("allowRollbackAfterCompletion")) and not starts_over


def _begin(occasion: Occasion, definition: Document, achievement_id: int) -> Document:
    now = occasion.call.now
    zone = occasion.call.application.get("timezone") or "UTC"
    return occasion.call.state.progress.add(
        {
            "achievementId": achievement_id,
            "profileId": occasion.profile_id,
            "status": IN_PROGRESS,
            "progress": 0,
            "startDate": now,
            "endDate": iteration_end(definition, now, zone),
        }
    )
