"""Which block a rule failed on, and the values that it had found.

A block is compiled to a condition that is quick to evaluate and says no more than true or false.
When it has failed, its operands are read again, in the same scope, to show their values. So rules
that succeed pay nothing for it. What reads the operands is compiled at the first failure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from talon_one.sandbox.rules.budgets import room
from talon_one.sandbox.rules.codes import check_coupon, check_referral
from talon_one.sandbox.rules.compiled import (
    Condition,
    EvaluationError,
    Explain,
    Finding,
    Value,
)
from talon_one.sandbox.rules.conditions import CONDITIONS
from talon_one.sandbox.rules.context import Context
from talon_one.sandbox.rules.expressions import OPEN, Names
from talon_one.sandbox.rules.operands import OperandError, read_operand, read_value
from talon_one.sandbox.rules.predicates import compile_predicate
from talon_one.sandbox.rules.programs import ProgramError, compile_program
from talon_one.sandbox.rules.scope import Scope
from talon_one.sandbox.rules.wording import (
    condition_text,
    cut,
    operand_text,
    program_text,
    shown,
)
from talon_one.sandbox.values import ZERO

Json: TypeAlias = Mapping[str, Any]

MAX_VALUES: Final = 8
MAX_BLOCKS: Final = 20
_OPERANDS: Final = ("attribute", "value", "min", "max", "start", "end", "values", "count")


class _Reading(NamedTuple):
    name: str
    value: Value


def explainer(block: Json, context: Context, *, effect: bool = False) -> Explain:
    """Return what finds the values of a block of a rule.

    Args:
        block: The block. What is in a group is left out, because effects may be among it.
        context: Its place.
        effect: Whether it is an effect, whose values are not read.
    """
    names, pointer = context.names, context.pointer
    bare = effect or block.get("type") == "group"
    return _lazily(lambda: _bare(block, pointer) if bare else _explained(block, names, pointer))


def program_explainer(source: Any, context: Context, *, effect: bool = False) -> Explain:
    """Return what finds the values of a Talang program, such as a condition of rules in V1."""
    return explainer({"type": "passthrough", "expression": [source]}, context, effect=effect)


def _lazily(make: Callable[[], Explain]) -> Explain:
    made: list[Explain] = []

    def explain(scope: Scope) -> Finding:
        if not made:
            made.append(make())
        return made[0](scope.apart())

    return explain


def _facts(block: Json, pointer: str) -> Finding:
    return {"type": block["type"], "pointer": pointer, "condition": condition_text(block)}


def _bare(block: Json, pointer: str) -> Explain:
    facts = _facts(block, pointer)
    return lambda scope: dict(facts)


def _explained(block: Json, names: Names, pointer: str) -> Explain:
    # Compiling notes which names are used; that of the ruleset is done.
    own = Names(names.known, names.functions)
    facts = _facts(block, pointer)
    facts_of = _FACTS.get(block["type"])
    readings = _readings(block, own)
    inner = _inner(block, own, pointer)

    def explain(scope: Scope) -> Finding:
        values = facts_of(block, scope) if facts_of else []
        values += [_read(each, scope) for each in readings]
        blocks = inner(scope)
        found: Finding = dict(facts)
        if values:
            found["values"] = values[:MAX_VALUES]
        if blocks:
            found["blocks"] = blocks[:MAX_BLOCKS]
        return found

    return explain


def _read(reading: _Reading, scope: Scope) -> dict[str, Any]:
    try:
        return {"name": reading.name, "value": shown(reading.value(scope))}
    except EvaluationError as error:
        return {"name": reading.name, "missing": cut(str(error))}


def _readings(block: Json, names: Names) -> list[_Reading]:
    if block["type"] == "passthrough":
        return list(_parts_of(block.get("expression"), names))
    found = []
    for name in _OPERANDS:
        raw = block.get(name)
        value = _operand(name, raw, names) if raw is not None else None
        if value is not None:
            text = program_text(raw) if _is_program(name, raw) else operand_text(raw)
            found.append(_Reading(cut(text), value))
    return found


def _operand(name: str, raw: Any, names: Names) -> Value | None:
    """Compile an operand that is computed; constants stand in the condition already."""
    try:
        if name == "attribute":
            return read_value(raw, names)
        if isinstance(raw, str) and OPEN not in raw:
            return None
        if not isinstance(raw, (str, list)):
            return None
        operand = read_operand(raw, "list" if name == "values" else "any", names)
    except OperandError:
        return None
    return None if operand.constant is not None else operand.value


def _is_program(name: str, raw: Any) -> bool:
    return isinstance(raw, list) and name != "values"


def _parts_of(expression: Any, names: Names) -> Iterator[_Reading]:
    """Yield the parts of a Talang condition whose values decide it."""
    if not isinstance(expression, list) or not expression:
        return
    single = len(expression) == 1 and not isinstance(expression[0], str)
    waiting: list[Any] = [expression[0] if single else expression]
    seen: set[str] = set()
    while waiting and len(seen) < MAX_VALUES:
        part = waiting.pop(0)
        if not isinstance(part, list) or not part or not isinstance(part[0], str):
            continue
        if part[0].lower() in _LOGIC:
            waiting = part[1:] + waiting
            continue
        for each in [part] if part[0] == "." or len(part) == 1 else part[1:]:
            value = _compiled(each, names)
            text = program_text(each)
            if value is not None and text not in seen:
                seen.add(text)
                yield _Reading(cut(text), value)


_LOGIC: Final = frozenset({"and", "or", "not"})


def _compiled(source: Any, names: Names) -> Value | None:
    """Compile a part of a program; None for constants, and for what reads local names."""
    if not isinstance(source, list) or not source or not isinstance(source[0], str):
        return None
    try:
        return compile_program(source, names)
    except ProgramError:
        return None


def _inner(block: Json, names: Names, pointer: str) -> Callable[[Scope], list[Finding]]:
    """Return what finds the conditions inside a condition that decided it."""
    if block["type"] == "checkEvent":
        children, key, operator = block.get("matchers") or (), "matchers", "all"
    elif block["type"] == "group":
        children, key = block.get("blocks") or (), "blocks"
        operator = block.get("operator", "")
    else:
        return lambda scope: []
    tests: list[tuple[Condition, Explain]] = [
        (
            compile_predicate(each, Context(names=names), CONDITIONS),
            _explained(each, names, f"{pointer}/{key}/{index}"),
        )
        for index, each in enumerate(children)
    ]

    def inner(scope: Scope) -> list[Finding]:
        failed = []
        for condition, explain in tests:
            try:
                held = condition(scope)
            except EvaluationError as error:
                return [{**explain(scope), "error": cut(str(error))}]
            if held != (operator != "none"):
                failed.append(explain(scope))
                if operator != "atLeastOne":
                    return failed
        return failed

    return inner


def _value(name: str, value: Any) -> dict[str, Any]:
    return {"name": name, "value": shown(value)}


def _of_event(block: Json, scope: Scope) -> list[dict[str, Any]]:
    return [_value("event", scope.situation.event.get("type"))]


def _of_audience(block: Json, scope: Scope) -> list[dict[str, Any]]:
    facts, audience = scope.situation.facts, block["audience"]["id"]
    if block["operator"].startswith("just"):
        change = facts.audience_changes(block["profile"]).get(audience)
        words = {True: "joined", False: "left", None: "neither joined nor left"}
        return [_value("in this request", words[change])]
    return [_value("member", facts.in_audience(block["profile"], audience))]


def _of_tier(block: Json, scope: Scope) -> list[dict[str, Any]]:
    facts = scope.situation.facts
    program = facts.program_of_tier(block["tier"]["id"])
    tier = None if program is None else facts.tier(program, block["subledger"])
    return [_value("tier of the profile", None if tier is None else tier.get("name"))]


def _of_balance(block: Json, scope: Scope) -> list[dict[str, Any]]:
    tentative = block["balance"] == "tentativeCurrent"
    program, subledger = int(block["program"]["id"]), block["subledger"]
    kind = "current" if tentative else block["balance"]
    points = scope.situation.facts.balance(program, subledger, kind)
    if tentative:
        points += scope.tentative.get(f"{program}:{subledger}", ZERO)
    return [_value("points", points)]


def _of_card(block: Json, scope: Scope) -> list[dict[str, Any]]:
    cards = [each.get("identifier") for each in scope.situation.facts.cards()]
    return [_value("loyalty cards of the session", cards)]


def _of_achievement(block: Json, scope: Scope) -> list[dict[str, Any]]:
    achievement = scope.situation.facts.achievement(block["achievement"]["id"])
    if achievement is None:
        return [{"name": "progress", "missing": "there is no such achievement"}]
    current = achievement.get("currentProgress") or {}
    return [
        _value("status", current.get("status", "not_started")),
        _value("progress", current.get("progress", 0)),
        _value("target", achievement.get("target")),
    ]


def _of_budget(block: Json, scope: Scope) -> list[dict[str, Any]]:
    left = room(scope, block["action"])
    return [_value("left", "unlimited" if left is None else left)]


def _of_coupon(block: Json, scope: Scope) -> list[dict[str, Any]]:
    if scope.coupon is None:
        return [_value("coupon of this campaign", None)]
    rejection = check_coupon(scope)
    reason = [_value("reason", rejection.reason)] if rejection else []
    return [_value("coupon", scope.coupon.get("value")), *reason]


def _of_referral(block: Json, scope: Scope) -> list[dict[str, Any]]:
    entry = scope.situation.referral
    if scope.referral is None or entry is None:
        return [_value("referral of this campaign", None)]
    rejection = check_referral(scope, entry)
    reason = [_value("reason", rejection.reason)] if rejection else []
    return [_value("referral", scope.referral.get("code")), *reason]


_FACTS: Final[Mapping[str, Callable[[Json, Scope], list[dict[str, Any]]]]] = {
    "checkEvent": _of_event,
    "checkAudience": _of_audience,
    "checkTier": _of_tier,
    "checkLoyaltyBalance": _of_balance,
    "checkLoyaltyCard": _of_card,
    "checkAchievement": _of_achievement,
    "checkBudget": _of_budget,
    "checkCoupon": _of_coupon,
    "checkReferral": _of_referral,
}
