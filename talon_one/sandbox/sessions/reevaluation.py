"""Evaluate campaigns again after a return: keep what still holds, undo the rest, add the new."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from talon_one.sandbox.consequences import Occasion, carry_out, undo
from talon_one.sandbox.rules.evaluate import evaluate
from talon_one.sandbox.rules.outcome import Consequence, Evaluation
from talon_one.sandbox.sessions.situations import situation_of
from talon_one.sandbox.sessions.totals import remaining
from talon_one.sandbox.state.journal import Entry
from talon_one.sandbox.values import ZERO

# A code stays redeemed, whatever comes back.
_REDEMPTIONS: Final = frozenset({"redeemCoupon", "redeemReferral"})
_UNDONE: Final = frozenset(
    {"setDiscount", "createLoyaltyPoints", "redeemLoyaltyPoints", "increaseProgress"}
)


def reevaluate(occasion: Occasion) -> Evaluation:
    """Evaluate the campaigns that want it, of those that gave an effect when the session closed.

    Returns:
        The effects that this rolls back and adds; those that hold as before are not among them.
    """
    call, session = occasion.call, occasion.session
    assert session is not None  # noqa: S101  only sessions have returns
    standing = call.state.journal.standing(session["id"])
    gave = {each["campaignId"] for each in session["_effects"]} | {
        each.campaign_id for each in standing
    }
    wanted = frozenset(
        each["id"]
        for each in call.state.campaigns.each(applicationId=call.application_id)
        if each.get("reevaluateOnReturn") and each["id"] in gave
    )
    mine = [each for each in standing if each.campaign_id in wanted]
    evaluation = evaluate(
        situation_of(
            # What the session would have had if it had been closed with what remains.
            replace(call, now=min((each.created for each in mine), default=call.now)),
            # Effects have to hold, as they do when a session is closed.
            {**remaining(session), "state": "closed"},
            occasion.event,
            evaluable=wanted,
            own=_counted(mine),
        )
    )
    return _reconcile(occasion, mine, evaluation)


def _counted(entries: list[Entry]) -> dict[str, Decimal]:
    counted: dict[str, Decimal] = {}
    for entry in entries:
        for key, moved in entry.counters.items():
            counted[key] = counted.get(key, ZERO) + moved
    return counted


def _reconcile(occasion: Occasion, mine: list[Entry], evaluation: Evaluation) -> Evaluation:
    session = occasion.session
    assert session is not None  # noqa: S101  only sessions have returns
    old: dict[Any, list[Entry]] = {}
    for entry in mine:
        if entry.kind in _UNDONE:
            old.setdefault(_key(entry), []).append(entry)
    new: list[Consequence] = []
    redeemed = {(each.kind, each.target) for each in mine if each.kind in _REDEMPTIONS}
    for each in evaluation.consequences:
        same = old.get(_key(each))
        if same:
            same.pop(0)
        elif (each.kind, each.target) not in redeemed and each.kind in _UNDONE:
            new.append(each)
    done: list[dict[str, Any]] = []
    stuck: set[tuple[str, str]] = set()
    for entries in old.values():
        for entry in entries:
            effects = undo(occasion, [entry])
            if not effects:
                stuck.add((entry.kind, entry.target))
            done += effects
    # Where the return policy leaves points with the customer, there are none to add instead.
    new = [each for each in new if (each.kind, each.target) not in stuck]
    added = Evaluation(
        effects=[each.effect for each in new],
        consequences=new,
        failures=evaluation.failures,
        triggered=evaluation.triggered,
        traces=evaluation.traces,
    )
    carry_out(occasion, added)
    session["_effects"] += added.effects
    added.effects = done + added.effects
    return added


def _key(each: Entry | Consequence) -> tuple[Any, ...]:
    effect: Mapping[str, Any] = each.effect or {}
    return (
        each.kind,
        each.target,
        each.campaign_id,
        each.position,
        each.sub_position,
        each.amount,
        effect.get("ruleIndex"),
    )
