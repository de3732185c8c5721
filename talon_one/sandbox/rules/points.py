"""Compile effects on loyalty points: award them, redeem them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeAlias

from talon_one.sandbox.loyalty.durations import IMMEDIATE, ON_ACTION, UNLIMITED, add_duration
from talon_one.sandbox.rules.amounts import positive_amount
from talon_one.sandbox.rules.budgets import claim, profile_id
from talon_one.sandbox.rules.cart import discounted
from talon_one.sandbox.rules.compiled import Action, EffectFailed, Value
from talon_one.sandbox.rules.context import Context
from talon_one.sandbox.rules.payloads import json_of
from talon_one.sandbox.rules.rewards import PROFILES, integration_id, require
from talon_one.sandbox.rules.run import Run
from talon_one.sandbox.rules.scope import Scope, Unit
from talon_one.sandbox.rules.targets import ITEMS, Target, compile_target
from talon_one.sandbox.values import ZERO, json_number

Json: TypeAlias = Mapping[str, Any]

_DATES: Final = {
    "startDate": "time",
    "expiryDate": "time",
    "validityDuration": "text",
    "pendingDuration": "text",
}


@dataclass(frozen=True, slots=True)
class Award:
    """Points as a rule awards them.

    Attributes:
        name: Why they are awarded.
        program_id: ID of the loyalty program.
        subledger: Name of the ledger; empty for the main one.
        recipient: `Current` or `Advocate`.
        value: Computes how many.
        partial: Whether they may be cut to the budget; None for the default of the Application.
        dates: `startDate`, `expiryDate`, `validityDuration` and `pendingDuration`, as given.
        awaits_activation: Whether they wait for an action of the customer.
    """

    name: Value
    program_id: int
    subledger: str
    recipient: str
    value: Value
    partial: bool | None
    dates: Mapping[str, Value]
    awaits_activation: bool = False


def ledger_of(program_id: int, subledger: str) -> str:
    """Return the key of a ledger in `Run.tentative`, and the target of consequences."""
    return f"{program_id}:{subledger}"


def card_of(scope: Scope, program_id: int) -> str | None:
    """Return the identifier of the session's first card of a program."""
    for card in scope.situation.facts.cards():
        if card.get("programId", card.get("programID")) == program_id:
            identifier: str = card["identifier"]
            return identifier
    return None


def _card_to_use(scope: Scope, program_id: int, subledger: str) -> str | None:
    """Return the card whose points a program counts, None for a program without cards.

    Raises:
        EffectFailed: If there is no such program or ledger, or it needs a card that the session
            lacks.
    """
    program = scope.situation.facts.loyalty_program(program_id)
    if program is None:
        raise EffectFailed(f"there is no loyalty program {program_id}")
    if subledger and not program.get("allowSubledger", True):
        raise EffectFailed(f"the loyalty program {program_id} has no subledgers")
    card = card_of(scope, program_id)
    if card is None and program.get("cardBased"):
        raise EffectFailed(f"the session has no active card of the loyalty program {program_id}")
    return card


def _check_durations(details: Mapping[str, Any], now: str) -> None:
    """Check the durations that a rule has computed.

    Raises:
        EffectFailed: If one is none, or leads beyond the calendar.
    """
    for name, word in (("pendingDuration", IMMEDIATE), ("validityDuration", UNLIMITED)):
        duration = details.get(name)
        if duration in (None, word) or (name, duration) == ("pendingDuration", ON_ACTION):
            continue
        try:
            add_duration(now, str(duration))
        except ValueError as cause:
            raise EffectFailed(f"{name}: {cause}") from cause


def compile_award(block: Json, context: Context) -> Action:
    """Compile an `awardLoyaltyPoints` block, which comes after release 26.17."""
    dates: dict[str, Value] = {}
    for name, kind in _DATES.items():
        value = context.optional(block, name, kind)
        if value is not None:
            dates[name] = value
    award = Award(
        name=context.value(block, "name", "text"),
        program_id=context.reference(block, "program"),
        subledger=context.text(block, "subledger", ""),
        recipient=context.choice(block, "recipient", PROFILES, "Current"),
        value=context.value(block, "value", "number"),
        partial=context.flag(block, "partial") if block.get("partial") is not None else None,
        dates=dates,
        awaits_activation=context.flag(block, "awaitsActivation", False),
    )
    raw = context.mapping(block, "target", required=False) or {"type": "cart"}
    target = compile_target(raw, context.at("target"), ("cart", *ITEMS, "bundle"))
    return _for_target(target, award)


def _for_target(target: Target, award: Award) -> Action:
    units, bundles = target.units, target.bundles
    if bundles is not None:
        find_bundles: Callable[[Scope], Sequence[tuple[Unit, ...]]] = bundles

        def award_for_bundles(run: Run, scope: Scope) -> None:
            for index, bundle in enumerate(find_bundles(scope)):
                where = {"bundleIndex": index, "bundleName": target.name}
                for unit in bundle:
                    award_points(run, scope.at(unit), award, where)

        return award_for_bundles
    if units is None:
        return lambda run, scope: award_points(run, scope, award, {})
    find_units: Callable[[Scope], Sequence[Unit]] = units

    def award_for_units(run: Run, scope: Scope) -> None:
        for unit in find_units(scope):
            award_points(run, scope.at(unit), award, {})

    return award_for_units


def award_points(run: Run, scope: Scope, award: Award, where: Mapping[str, Any]) -> None:
    """Award points, for the unit at hand if there is one. No points give no effect.

    Raises:
        EffectFailed: If there is no recipient, or a budget is too small.
    """
    unit = scope.unit
    if unit is not None and not run.allows(unit.position):
        return
    require(scope, "loyaltyProgram", award.program_id)
    wanted = positive_amount(award.value(discounted(run, scope)), "the number of points")
    card = _card_to_use(scope, award.program_id, award.subledger)
    if card is not None and award.recipient != "Current":
        raise EffectFailed("the points of a card-based loyalty program belong to its card")
    recipient = integration_id(scope, award.recipient) if card is None else profile_id(scope)
    if wanted == ZERO:
        return
    partial = run.settings.partial if award.partial is None else award.partial
    grant = claim(
        scope,
        "createLoyaltyPoints",
        wanted,
        times="createLoyaltyPointsEffect",
        partial=partial,
    )
    props: dict[str, Any] = {
        "name": award.name(scope),
        "programId": award.program_id,
        "subLedgerId": award.subledger,
        "value": json_number(grant.amount),
        "recipientIntegrationId": recipient,
        "transactionUUID": "",
    }
    if grant.amount < wanted:
        props["desiredValue"] = json_number(wanted)
    details = {name: json_of(value(scope)) for name, value in award.dates.items()}
    _check_durations(details, scope.situation.now)
    for name in ("startDate", "expiryDate", "validityDuration"):
        if name in details:
            props[name] = details[name]
    if card is not None:
        props["cardIdentifier"] = card
    if award.awaits_activation:
        props["awaitsActivation"] = True
    if unit is not None:
        props["cartItemPosition"] = unit.position
        props["cartItemSubPosition"] = unit.sub_position
    props |= where
    ledger = ledger_of(award.program_id, award.subledger)
    pending = award.awaits_activation or "pendingDuration" in details or "startDate" in details
    if award.recipient == "Current" and not pending:
        run.add(run.tentative, ledger, grant.amount)
    effect = run.emit("addLoyaltyPoints", props)
    run.record(
        "createLoyaltyPoints",
        ledger,
        grant.amount,
        effect,
        grant.counters,
        {**details, "recipientIntegrationId": recipient, "cardIdentifier": card},
        position=None if unit is None else unit.position,
        sub_position=None if unit is None else unit.sub_position,
    )


def compile_redemption(block: Json, context: Context) -> Action:
    """Compile a `redeemLoyaltyPoints` block."""
    program_id = context.reference(block, "program")
    subledger = context.text(block, "subledger")
    value = context.value(block, "value", "number")
    name = context.optional(block, "name", "text")

    def redeem(run: Run, scope: Scope) -> None:
        label = run.rule_title if name is None else name(scope)
        redeem_points(run, scope, program_id, subledger, value(discounted(run, scope)), label)

    return redeem


def redeem_points(
    run: Run, scope: Scope, program_id: int, subledger: str, points: Decimal, name: str
) -> None:
    """Spend points that the profile, or the card of the session, has now.

    Points that this evaluation awards cannot be spent by it: they are not in the ledger yet.

    Raises:
        EffectFailed: If there is no profile, too few points, or too small a budget.
    """
    require(scope, "loyaltyProgram", program_id)
    wanted = positive_amount(points, "the number of points")
    card = _card_to_use(scope, program_id, subledger)
    recipient = integration_id(scope, "Current") if card is None else profile_id(scope)
    if wanted == ZERO:
        return
    ledger = ledger_of(program_id, subledger)
    spent = f"points spent in this run:{ledger}"
    balance = scope.situation.facts.balance(program_id, subledger, "current")
    left = balance - run.used.get(spent, ZERO)
    if left < wanted:
        raise EffectFailed(f"the balance is {left} points, not {wanted}")
    grant = claim(scope, "redeemLoyaltyPoints", wanted, times="redeemLoyaltyPointsEffect")
    props: dict[str, Any] = {
        "ruleTitle": run.rule_title,
        "programId": program_id,
        "subLedgerId": subledger,
        "value": json_number(wanted),
        "transactionUUID": "",
        "name": name,
    }
    if card is not None:
        props["cardIdentifier"] = card
    run.add(run.used, spent, wanted)
    run.add(run.tentative, ledger, -wanted)
    effect = run.emit("deductLoyaltyPoints", props)
    details = {"recipientIntegrationId": recipient, "cardIdentifier": card}
    run.record("redeemLoyaltyPoints", ledger, wanted, effect, grant.counters, details)
