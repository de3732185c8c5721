"""Compile rulesets: every block, name and operand is checked, and all mistakes are listed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

from talon_one.sandbox.rules.bundles import compile_bundle, compile_parameter
from talon_one.sandbox.rules.calls import CONDITION_CALLS
from talon_one.sandbox.rules.checks import compile_check
from talon_one.sandbox.rules.compiled import (
    Action,
    Block,
    Condition,
    Mistake,
    Rule,
    Ruleset,
    RulesetError,
    Value,
)
from talon_one.sandbox.rules.conditions import CONDITIONS
from talon_one.sandbox.rules.context import Context
from talon_one.sandbox.rules.effects import compile_effect
from talon_one.sandbox.rules.entities import ROOTS
from talon_one.sandbox.rules.expressions import Names
from talon_one.sandbox.rules.findings import explainer
from talon_one.sandbox.rules.predicates import GROUPS
from talon_one.sandbox.rules.selectors import compile_selector
from talon_one.sandbox.rules.v1 import compile_passthrough_effect, compile_rules

Json: TypeAlias = Mapping[str, Any]

CHECKS: Final = frozenset({"checkBudget", "checkCoupon", "checkReferral"})
"""Conditions that belong to the runner."""

EFFECTS: Final = frozenset(
    {
        "awardDiscount",
        "awardGiveaway",
        "awardItem",
        "awardLoyaltyPoints",
        "createCoupon",
        "createReferral",
        "redeemLoyaltyPoints",
        "reserveCoupon",
        "showNotification",
        "triggerCustomEffect",
        "triggerWebhook",
        "updateAchievementProgress",
        "updateAttributeValue",
        "updateAudienceMembership",
    }
)
"""Blocks that are effects; `awardLoyaltyPoints` comes after release 26.17."""

PROMOTION_TYPES: Final = frozenset(CONDITIONS) | CHECKS | EFFECTS | {"group"}
STRIKETHROUGH_TYPES: Final = frozenset({"group", "checkAttribute", "awardDiscount", "passthrough"})


def compile_ruleset(ruleset: Json) -> Ruleset:
    """Compile a ruleset in the form of `getRulesetV2` or of `getRuleset`.

    Strikethrough rules are checked like all others, but not evaluated.

    Raises:
        RulesetError: If a part of it cannot be evaluated. It lists every such part.
    """
    if isinstance(ruleset, Mapping) and "promotionRules" not in ruleset and "rules" in ruleset:
        return compile_rules(ruleset)
    if not isinstance(ruleset, Mapping):
        raise RulesetError([Mistake("", "must be a ruleset")])
    context = Context()
    names, bundle_names, context = _compile_names(ruleset, context)
    rules = _compile_rules(ruleset, "promotionRules", PROMOTION_TYPES, context)
    if ruleset.get("strikethroughRules") is not None:
        _compile_rules(ruleset, "strikethroughRules", STRIKETHROUGH_TYPES, context)
    ruleset_id = context.integer(ruleset, "id", default=0)
    if context.mistakes:
        raise RulesetError(context.mistakes)
    return Ruleset(ruleset_id, tuple(rules), names, bundle_names)


_NAMED: Final[Mapping[str, Callable[[Json, Context], Value]]] = {
    "selectors": compile_selector,
    "bundles": compile_bundle,
    "parameters": compile_parameter,
}


def _compile_names(
    ruleset: Json, context: Context
) -> tuple[dict[str, Value], frozenset[str], Context]:
    """Compile what has a name, and return the context in which all these names are in reach."""
    found: list[tuple[str, str, Json, Context]] = []
    known: set[str] = set()
    for section in _NAMED:
        for index, part in enumerate(context.elements(ruleset, section, required=False)):
            place = context.at(section, index)
            if not isinstance(part, Mapping):
                place.refuse("must be an object")
                continue
            name = place.text(part, "name")
            if name.startswith("$") or part.get("name") == "":
                place.at("name").refuse("must be a name, without the $ of a path")
            elif name and (name in known or name in ROOTS):
                place.at("name").refuse(f"{name!r} already names something else")
            known.add(name)
            found.append((section, name, part, place))
    bundles = frozenset(name for section, name, _, _ in found if section == "bundles")
    values: dict[str, Value] = {}
    needs: dict[str, set[str]] = {}
    places: dict[str, Context] = {}
    for section, name, part, place in found:
        inner = place.with_names(Names(known, CONDITION_CALLS))
        values[name] = _NAMED[section](part, inner)
        needs[name] = inner.names.used
        places[name] = place
    for name in _in_circles(needs):
        places[name].refuse(f"${name} needs its own value")
    return values, bundles, replace(context, names=Names(known, CONDITION_CALLS), bundles=bundles)


def _in_circles(needs: Mapping[str, set[str]]) -> list[str]:
    """Return the names that need themselves, directly or through others."""
    found = []
    for name in needs:
        reached: set[str] = set()
        waiting = list(needs[name])
        while waiting:
            needed = waiting.pop()
            if needed not in reached:
                reached.add(needed)
                waiting.extend(needs.get(needed, ()))
        if name in reached:
            found.append(name)
    return found


def _compile_rules(
    ruleset: Json, section: str, types: frozenset[str], context: Context
) -> list[Rule]:
    rules = []
    for index, rule in enumerate(context.elements(ruleset, section)):
        place = context.at(section, index)
        if not isinstance(rule, Mapping):
            place.refuse("must be a rule")
            continue
        rule_id = place.text(rule, "id", "")
        title = place.text(rule, "title")
        raw = place.elements(rule, "blocks")
        # Functions that the rule calls are its own, names that it uses are everybody's.
        names = replace(context.names, called=set())
        blocks = compile_blocks(raw, place.with_names(names).at("blocks"), types)
        rules.append(
            Rule(
                rule_id,
                index,
                title,
                blocks,
                coupon=bool(_all_of_type(raw, "checkCoupon")) or "couponvalid" in names.called,
                referral=bool(_all_of_type(raw, "checkReferral"))
                or "referralvalid" in names.called,
                redeems_coupon=_redeems(raw, "checkCoupon") or "couponvalid" in names.called,
                redeems_referral=_redeems(raw, "checkReferral") or "referralvalid" in names.called,
            )
        )
    return rules


def _all_of_type(blocks: Any, kind: str) -> list[Json]:
    """Return the blocks of a type in a list and in its groups."""
    found: list[Json] = []
    waiting = list(blocks) if isinstance(blocks, (list, tuple)) else []
    while waiting:
        block = waiting.pop(0)
        if isinstance(block, Mapping):
            if block.get("type") == kind:
                found.append(block)
            children = block.get("blocks")
            if isinstance(children, list):
                waiting.extend(children)
    return found


def _redeems(blocks: Any, kind: str) -> bool:
    return any(block.get("redeem") is True for block in _all_of_type(blocks, kind))


def compile_blocks(
    blocks: Sequence[Any], context: Context, types: frozenset[str] = PROMOTION_TYPES
) -> tuple[Block, ...]:
    """Compile a list of blocks."""
    compiled = (
        compile_block(block, context.at(index), types) for index, block in enumerate(blocks)
    )
    return tuple(block for block in compiled if block is not None)


def compile_block(
    block: Any, context: Context, types: frozenset[str] = PROMOTION_TYPES
) -> Block | None:
    """Compile a block, a group with all its children.

    Args:
        block: The block.
        context: Its place.
        types: Types that blocks may have there.

    Returns:
        The block, None if it has no type that is known.
    """
    if context.is_too_deep():
        return None
    if not isinstance(block, Mapping):
        context.refuse("must be a block")
        return None
    kind = context.choice(block, "type", types)
    if not kind:
        return None
    condition: Condition | None = None
    action: Action | None = None
    operator = ""
    children: tuple[Block, ...] = ()
    if kind == "group":
        operator = context.choice(block, "operator", GROUPS)
        children = compile_blocks(context.elements(block, "blocks"), context.at("blocks"), types)
    elif kind in EFFECTS:
        action = compile_effect(block, context)
    elif kind in CHECKS:
        condition = compile_check(block, context)
    elif (
        kind == "passthrough" and (effect := compile_passthrough_effect(block, context)) is not None
    ):
        action = effect
    else:
        condition = CONDITIONS[kind](block, context)
    return Block(
        id=context.text(block, "id", ""),
        type=kind,
        pointer=context.pointer,
        condition=condition,
        action=action,
        operator=operator,
        blocks=children,
        on_failure=_on_failure(block, context, types),
        on_error=_on_error(block, context, types),
        explain=explainer(block, context, effect=action is not None),
    )


def _on_failure(block: Json, context: Context, types: frozenset[str]) -> tuple[Block, ...] | None:
    if block.get("onFailure") is None:
        return None
    raw = context.elements(block, "onFailure")
    return compile_blocks(raw, context.at("onFailure"), types)


def _on_error(block: Json, context: Context, types: frozenset[str]) -> dict[str, tuple[Block, ...]]:
    handlers = context.mapping(block, "onError", required=False)
    place = context.at("onError")
    return {
        name: compile_blocks(place.elements(handlers, name), place.at(name), types)
        for name in handlers
    }
