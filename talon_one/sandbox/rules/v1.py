"""Compile rulesets V1 and `passthrough` blocks: Talang conditions, effects and bindings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from talon_one.sandbox.rules.calls import (
    CONDITION_CALLS,
    EFFECT_CALLS,
    FEATURES,
    Applying,
    EffectRefused,
    calls_effect,
)
from talon_one.sandbox.rules.compiled import (
    Action,
    Block,
    Condition,
    EffectFailed,
    EvaluationError,
    Rule,
    Ruleset,
    RulesetError,
    Value,
    WrongType,
)
from talon_one.sandbox.rules.context import Context
from talon_one.sandbox.rules.effects import with_feature
from talon_one.sandbox.rules.entities import ROOTS, Bindings
from talon_one.sandbox.rules.expressions import Names
from talon_one.sandbox.rules.findings import program_explainer
from talon_one.sandbox.rules.programs import ProgramError, compile_program, program_of
from talon_one.sandbox.rules.run import Run
from talon_one.sandbox.rules.scope import Scope
from talon_one.sandbox.talang import TalangError
from talon_one.sandbox.talang import compile_program as compile_talang

Json: TypeAlias = Mapping[str, Any]

BINDING_TYPES: Final = ("bundle", "cartItemFilter", "subledgerBalance", "templateParameter")
_ALL_CALLS: Final = {**CONDITION_CALLS, **EFFECT_CALLS}


def compile_rules(ruleset: Json) -> Ruleset:
    """Compile a ruleset in the form of `getRuleset`.

    Raises:
        RulesetError: If a part of it cannot be evaluated. It lists every such part.
    """
    context = Context(names=Names(functions=CONDITION_CALLS))
    names: dict[str, Value] = {}
    bundles = _compile_bindings(ruleset, context, names, ())
    known = frozenset(names)
    rules: list[Rule] = []
    for index, rule in enumerate(context.elements(ruleset, "rules")):
        place = context.at("rules", index)
        if isinstance(rule, Mapping):
            rules.append(_compile_rule(rule, place, index, known))
        else:
            place.refuse("must be a rule")
    ruleset_id = context.integer(ruleset, "id", default=0)
    if context.mistakes:
        raise RulesetError(context.mistakes)
    return Ruleset(ruleset_id, tuple(rules), names, frozenset(bundles))


def _compile_bindings(
    owner: Json, context: Context, names: dict[str, Value], outer: tuple[str, ...] | frozenset[str]
) -> set[str]:
    """Compile bindings in their order: each sees those before it. Return which are bundles."""
    bundles: set[str] = set()
    for index, binding in enumerate(context.elements(owner, "bindings", required=False)):
        place = context.at("bindings", index)
        if not isinstance(binding, Mapping):
            place.refuse("must be a binding")
            continue
        name = place.text(binding, "name")
        kind = ""
        if binding.get("type"):
            kind = place.choice(binding, "type", BINDING_TYPES)
        if name in names or name in ROOTS:
            place.at("name").refuse(f"{name!r} already names something else")
        if "expression" not in binding:
            place.refuse("expression is missing: it must be a Talang program")
            continue
        expression = binding["expression"]
        if kind == "templateParameter" and isinstance(expression, list) and len(expression) == 1:
            expression = expression[0]
        reach = Names({*outer, *names}, CONDITION_CALLS)
        value = _program(expression, place.at("expression").with_names(reach))
        if value is not None:
            names[name] = value
        if kind == "bundle":
            bundles.add(name)
    return bundles


def _compile_rule(rule: Json, context: Context, index: int, outer: frozenset[str]) -> Rule:
    bindings: dict[str, Value] = {}
    _compile_bindings(rule, context, bindings, outer)
    names = Names(outer | frozenset(bindings), CONDITION_CALLS)
    place = context.with_names(names)
    blocks: list[Block] = []
    for source, at in _conditions(rule.get("condition"), place.at("condition")):
        condition, explain = _condition(source, at), program_explainer(source, at)
        blocks.append(Block("", "passthrough", at.pointer, condition=condition, explain=explain))
    for source, at in _effects(rule, place):
        action = _action(source, at)
        if action is not None:
            explain = program_explainer(source, at, effect=True)
            blocks.append(Block("", "passthrough", at.pointer, action=action, explain=explain))
    return Rule(
        place.text(rule, "id", ""),
        index,
        place.text(rule, "title", ""),
        tuple(blocks),
        coupon="couponvalid" in names.called,
        referral="referralvalid" in names.called,
        bindings=bindings,
    )


def _conditions(condition: Any, context: Context) -> list[tuple[Any, Context]]:
    """Return the parts of an `and` one by one, so that a failure names the part."""
    if condition is None or condition == []:
        return []
    if (
        isinstance(condition, list)
        and isinstance(condition[0], str)
        and condition[0].lower() == "and"
    ):
        return [(part, context.at(index)) for index, part in enumerate(condition[1:], start=1)]
    return [(condition, context)]


def _effects(rule: Json, context: Context) -> list[tuple[Any, Context]]:
    """Return the effects of a rule; a single one may stand without the list around it."""
    place = context.at("effects")
    effects = context.elements(rule, "effects", required=False)
    if effects and isinstance(effects[0], str):
        return [(list(effects), place)]
    return [(effect, place.at(index)) for index, effect in enumerate(effects)]


def _program(source: Any, context: Context) -> Value | None:
    program, path = source, ""
    if isinstance(source, list):
        if not source:
            context.refuse("must not be empty")
            return None
        program, path = program_of(source)
    try:
        return compile_program(program, context.names)
    except ProgramError as error:
        context.beyond(path + error.path).refuse(error.message)
        return None


def _condition(source: Any, context: Context) -> Condition:
    value = _program(source, context)

    def holds(scope: Scope) -> bool:
        found = None if value is None else value(scope)
        if isinstance(found, bool):
            return found
        raise WrongType("a condition must give true or false")

    return holds


def compile_passthrough_effect(block: Json, context: Context) -> Action | None:
    """Compile a `passthrough` block that calls an effect; None if it is a condition."""
    expression = block.get("expression")
    if not isinstance(expression, list) or not calls_effect(expression):
        return None
    return _action(expression, context.at("expression"))


def _action(source: Any, context: Context) -> Action | None:
    if not isinstance(source, list) or not source:
        context.refuse("an effect must be a call")
        return None
    expression, path = program_of(source)
    try:
        program = compile_talang(expression, functions=_ALL_CALLS, strict=True)
    except TalangError as error:
        context.beyond(path + (error.path or "")).refuse(error.message)
        return None
    names = context.names
    called = {call.name for call in program.calls}
    names.called.update(called)
    for read in program.reads:
        root = read.names[0]
        if root in names.known:
            names.used.add(root)
        elif root not in ROOTS and not read.guarded:
            context.beyond(path + read.path).refuse(f"nothing is named {root}")

    def apply(run: Run, scope: Scope) -> None:
        try:
            program.evaluate(Bindings(scope), context=Applying(run, scope))
        except EffectRefused as cause:
            raise EffectFailed(cause.message) from cause
        except TalangError as cause:
            raise EvaluationError(str(cause)) from cause

    features = [FEATURES[name] for name in sorted(called) if name in FEATURES]
    return with_feature(apply, features[0]) if features else apply
