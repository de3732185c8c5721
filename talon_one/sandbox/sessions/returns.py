"""Return cart items: unit by unit, with what closing the session did for those units undone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from talon_one.sandbox.call import Call
from talon_one.sandbox.consequences import Occasion, settle_event, take_back, undo
from talon_one.sandbox.errors import Problem, invalid
from talon_one.sandbox.events import record_event
from talon_one.sandbox.profiles import ACCOUNT_ID, USER_ID, visit
from talon_one.sandbox.rules.outcome import Effect, Evaluation
from talon_one.sandbox.sessions.evaluations import merged, record_of
from talon_one.sandbox.sessions.reevaluation import reevaluate
from talon_one.sandbox.sessions.sales import count_return
from talon_one.sandbox.sessions.update import CLOSED, PARTIALLY_RETURNED, Outcome
from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.state.journal import Entry
from talon_one.sandbox.values import ZERO, amount, cents, json_number

POINTER = "/return/returnedCartItems"


def return_items(
    call: Call, session: Document, wanted: Mapping[str, Any]
) -> tuple[Outcome, Document]:
    """Return units of a closed session; also return the `Return`.

    Units of an item go back from sub-position 0 upwards. Points and discounts of those units are
    undone; codes stay redeemed. On request, campaigns that want it are evaluated again.

    Raises:
        ApiError: 400 if the session is not closed, or does not have the units.
    """
    if session["state"] not in (CLOSED, PARTIALLY_RETURNED):
        details = f"items of a session that is {session['state']} cannot be returned"
        raise invalid(Problem("Illegal state", details, "/state"))
    before = {item["position"]: _remaining(item) for item in session["cartItems"]}
    units = _units(session, wanted["returnedCartItems"])
    items = session["cartItems"]
    price = sum((amount(items[position]["price"]) for position, _ in units), ZERO)
    session["state"] = PARTIALLY_RETURNED
    session["updated"] = call.now
    session["updateCount"] += 1
    profile = visit(call, session["profileId"])
    event = record_event(
        call, "talon_session_partially_returned", session, {"returnedCartItems": _lines(units)}
    )
    occasion = Occasion(call, session, event, profile, closing=True)
    standing = call.state.journal.standing(session["id"])
    if call.application.get("enableFlattenedCartItems") is False:
        effects = _undo_shares(occasion, standing, units, before)
    else:
        gone = [each for each in standing if (each.position, each.sub_position) in units]
        effects = undo(occasion, gone)
    evaluation = Evaluation(effects=effects)
    if call.query.get("runRuleEngine"):
        evaluation = reevaluate(occasion)
        kept = call.state.evaluation(session["id"])
        call.state.save_evaluation(session["id"], merged(kept, record_of(event, evaluation)))
        evaluation.effects = effects + evaluation.effects
    count_return(occasion, Decimal(price))
    call.state.sessions.save(session)
    settle_event(occasion, evaluation.effects)
    returned = call.state.returns.add(
        {
            "created": call.now,
            "applicationId": call.application_id,
            "accountId": ACCOUNT_ID,
            "returnedCartItems": _lines(units),
            "eventId": event["id"],
            "sessionId": session["id"],
            "sessionIntegrationId": session["integrationId"],
            "profileId": profile["id"] if profile else None,
            "profileIntegrationId": session["profileId"] or None,
            "createdBy": USER_ID,
        }
    )
    return Outcome(session, profile, event, evaluation, occasion), returned


def _remaining(item: Mapping[str, Any]) -> int:
    return int(item["quantity"]) - int(item.get("returnedQuantity") or 0)


def _undo_shares(
    occasion: Occasion,
    standing: Iterable[Entry],
    units: set[tuple[int | None, int | None]],
    before: Mapping[int, int],
) -> list[Effect]:
    """Undo the share of the returned units in what was given for whole lines.

    A row is replaced by one about what is left of its line.
    """
    effects: list[Effect] = []
    returned = [position for position, _ in units]
    for entry in standing:
        quantity = returned.count(entry.position)
        if entry.position is None or not quantity or not entry.reversible:
            continue
        share = Decimal(quantity) / before[entry.position]
        part = entry.amount if share == 1 else cents(entry.amount * share)
        if part:
            effects += _undo_part(occasion, entry, part)
    return effects


def _undo_part(occasion: Occasion, entry: Entry, part: Decimal) -> list[Effect]:
    journal = occasion.call.state.journal
    journal.reverse(entry, occasion.call.now)
    effects = take_back(occasion, _part(entry, part))
    left = _part(entry, entry.amount - part)
    held = (occasion.session or {}).get("_effects") or []
    if effects and entry.effect in held:
        held.remove(entry.effect)
        if left.amount:
            held.append(dict(left.effect or {}))
    if left.amount:
        journal.write(left)
    return effects


def _part(entry: Entry, part: Decimal) -> Entry:
    """Return a row about a part of what another is about."""
    effect = dict(entry.effect or {})
    props = dict(effect.get("props") or {})
    if "value" in props:
        props["value"] = json_number(part)
    # What counts how often something happened does not depend on how much it was.
    counters = {
        key: moved if key.endswith(":times") or "Effect:" in key else part
        for key, moved in entry.counters.items()
    }
    return replace(entry, amount=part, counters=counters, effect={**effect, "props": props})


def _units(session: Document, lines: list[Mapping[str, Any]]) -> set[tuple[int | None, int | None]]:
    """Choose the units of each line, and count them as returned."""
    items: list[Document] = session["cartItems"]
    units: set[tuple[int | None, int | None]] = set()
    if not lines:
        raise invalid(Problem("Invalid", "there is nothing to return", POINTER))
    for index, line in enumerate(lines):
        pointer = f"{POINTER}/{index}"
        item = _item(items, line, pointer)
        returned = item.get("returnedQuantity") or 0
        left = item["quantity"] - returned
        quantity = line.get("quantity")
        quantity = left if quantity is None else quantity
        if not 0 < quantity <= left:
            details = f"{quantity} units cannot be returned: {left} of {item['quantity']} are left"
            raise invalid(Problem("Invalid", details, f"{pointer}/quantity"))
        units |= {(item["position"], returned + unit) for unit in range(quantity)}
        item["returnedQuantity"] = returned + quantity
        item["remainingQuantity"] = left - quantity
    return units


def _item(items: list[Document], line: Mapping[str, Any], pointer: str) -> Document:
    position: int | None = line.get("position")
    sku = line.get("sku")
    if (position is None) == (sku is None):
        raise invalid(Problem("required", "either position or sku is required", pointer))
    if position is not None:
        if 0 <= position < len(items):
            return items[position]
        details = f"the session has no cart item at position {position}"
        raise invalid(Problem("Unknown", details, f"{pointer}/position"))
    for item in items:
        if item["sku"] == sku and item["quantity"] > (item.get("returnedQuantity") or 0):
            return item
    details = f"the session has no cart item left with the SKU {sku!r}"
    raise invalid(Problem("Unknown", details, f"{pointer}/sku"))


def _lines(units: set[tuple[int | None, int | None]]) -> list[dict[str, Any]]:
    positions = [position for position, _ in units]
    return [
        {"position": position, "quantity": positions.count(position)}
        for position in sorted({each for each in positions if each is not None})
    ]
