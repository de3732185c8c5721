"""Carry out consequences and write them to the journal; undo rows of the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from talon_one.sandbox.consequences import (
    creations,
    memberships,
    points,
    progress,
    redemptions,
    webhooks,
)
from talon_one.sandbox.consequences.occasion import Occasion
from talon_one.sandbox.errors import ApiError
from talon_one.sandbox.rules.outcome import Consequence, Effect, Evaluation
from talon_one.sandbox.shapes import tallies
from talon_one.sandbox.state.journal import Entry


class Kind(NamedTuple):
    """How a kind of consequence is carried out and undone.

    Attributes:
        carry: Changes the state, completes the effect, and returns what undoing needs.
        undo: Reverses the change and returns the effects of that; None if only counters move.
        again: Whether it is carried out however often it happens, because its rule names a state
            rather than something that is given.
    """

    carry: Callable[[Occasion, Consequence], Mapping[str, Any]] | None = None
    undo: Callable[[Occasion, Entry], list[Effect]] | None = None
    again: bool = False


KINDS: Mapping[str, Kind] = {
    "redeemCoupon": Kind(undo=redemptions.undo_coupon),
    "redeemReferral": Kind(undo=redemptions.undo_referral),
    "setDiscount": Kind(undo=redemptions.undo_discount),
    "createCoupon": Kind(creations.create_coupon),
    "createReferral": Kind(creations.create_referral),
    "reserveCoupon": Kind(creations.reserve_coupon, again=True),
    "awardGiveaway": Kind(creations.award_giveaway),
    "addToAudience": Kind(memberships.add_to_audience, again=True),
    "removeFromAudience": Kind(memberships.remove_from_audience, again=True),
    "updateAttribute": Kind(memberships.update_attribute, again=True),
    "createLoyaltyPoints": Kind(points.add, points.undo_add),
    "redeemLoyaltyPoints": Kind(points.spend, points.undo_spend),
    "callApi": Kind(webhooks.queue),
    "increaseProgress": Kind(progress.increase, progress.undo_increase),
}


def carry_out(occasion: Occasion, evaluation: Evaluation) -> None:
    """Carry out the consequences of an evaluation, those once that an open session had before.

    Effects that carrying them out has, such as a new tier, join those of the evaluation.
    """
    journal = occasion.call.state.journal
    session = occasion.session
    occasion.effects = evaluation.effects
    before: dict[tuple[str, str, int], list[Entry]] = {}
    for entry in journal.standing(session["id"]) if session else ():
        if not entry.reversible:
            before.setdefault((entry.kind, entry.target, entry.campaign_id), []).append(entry)
    for each in evaluation.consequences:
        if not (occasion.closing or each.early):
            continue
        kind = KINDS.get(each.kind, Kind())
        done = before.get((each.kind, each.target, each.campaign_id))
        if done:
            earlier = done.pop(0)
            if kind.again and kind.carry:
                kind.carry(occasion, each)
            else:
                # What stays when a session is reopened, as a new coupon does, is not done again.
                each.effect["props"].update((earlier.effect or {}).get("props", {}))
            continue
        try:
            details = kind.carry(occasion, each) if kind.carry else each.details
        except ApiError as cause:
            # Only the attempt shows that a pattern has no code left.
            message = "; ".join(one.details for one in cause.problems) or cause.message
            each.effect.update({"effectType": "error", "props": {"message": message}})
            continue
        journal.write(
            Entry(
                kind=each.kind,
                target=each.target,
                amount=each.amount,
                created=occasion.call.now,
                counters={
                    **each.counters,
                    **tallies(each.campaign_id, each.kind, each.amount),
                },
                session_id=session["id"] if session else None,
                event_id=occasion.event.get("id"),
                profile_id=occasion.profile_id,
                campaign_id=each.campaign_id,
                effect=each.effect,
                details=details,
                position=each.position,
                sub_position=each.sub_position,
                reversible=each.reversible,
            )
        )
    points.settle_tiers(occasion)


def undo(occasion: Occasion, entries: Iterable[Entry]) -> list[Effect]:
    """Undo rows of the journal that can be undone, and return the effects of that.

    Effects that are rolled back no longer hold for the session.
    """
    effects: list[Effect] = []
    for entry in entries:
        if not entry.reversible:
            continue
        occasion.call.state.journal.reverse(entry, occasion.call.now)
        effects += take_back(occasion, entry)
    points.settle_tiers(occasion)
    return effects


def take_back(occasion: Occasion, entry: Entry) -> list[Effect]:
    """Take back what a row did, and return the effects of that; its counters are left alone."""
    kind = KINDS.get(entry.kind, Kind())
    effects = kind.undo(occasion, entry) if kind.undo else []
    held = (occasion.session or {}).get("_effects") or []
    if effects and entry.effect in held:
        held.remove(entry.effect)
    return effects


def settle_event(occasion: Occasion, effects: list[Effect]) -> None:
    """Store what the event of a request had: its effects, and the points that they moved."""
    event = occasion.event
    event["effects"] = effects
    event["ledgerEntries"] = points.movements(occasion, effects)
    occasion.call.state.events.save(event)
