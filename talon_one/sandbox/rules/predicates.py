"""Conditions made of conditions: groups, matchers of events, and predicates of filters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from talon_one.sandbox.rules.attribute_checks import compile_attribute_check, never
from talon_one.sandbox.rules.compiled import Condition, MissingValue, WrongType
from talon_one.sandbox.rules.context import Context
from talon_one.sandbox.rules.programs import ProgramError, compile_program, program_of
from talon_one.sandbox.rules.scope import Scope

Json: TypeAlias = Mapping[str, Any]
Compile: TypeAlias = Callable[[Json, Context], Condition]


def _none(results: Iterable[bool]) -> bool:
    return not any(results)


GROUPS: Final[Mapping[str, Callable[[Iterable[bool]], bool]]] = {
    "all": all,
    "atLeastOne": any,
    "none": _none,
}
"""What makes the result of a group out of those of its blocks. They stop at the first that
decides, so blocks that are evaluated lazily behind it do not run."""


def compile_predicate(block: Any, context: Context, checks: Mapping[str, Compile]) -> Condition:
    """Compile a block that must be a condition without effects.

    Args:
        block: The block.
        context: Its place.
        checks: Compilers of the conditions that are allowed, by type, besides groups.
    """
    if context.is_too_deep():
        return never
    if not isinstance(block, Mapping):
        context.refuse("must be a block")
        return never
    for handler in ("onFailure", "onError"):
        if block.get(handler):
            context.at(handler).refuse("a condition inside a filter or matcher has no handlers")
    kind = context.choice(block, "type", {"group", *checks})
    if kind == "group":
        return _compile_group(block, context, checks)
    return checks[kind](block, context) if kind else never


def compile_all(
    blocks: Sequence[Any], context: Context, checks: Mapping[str, Compile]
) -> list[Condition]:
    """Compile a list of blocks that must be conditions."""
    return [
        compile_predicate(block, context.at(index), checks) for index, block in enumerate(blocks)
    ]


def _compile_group(block: Json, context: Context, checks: Mapping[str, Compile]) -> Condition:
    operator = context.choice(block, "operator", GROUPS)
    blocks = context.elements(block, "blocks")
    conditions = compile_all(blocks, context.at("blocks"), checks)
    if not operator:
        return never
    combine = GROUPS[operator]
    return lambda scope: combine(condition(scope) for condition in conditions)


def compile_passthrough(block: Json, context: Context) -> Condition:
    """Compile a `passthrough` block whose Talang program is a condition."""
    expression = context.elements(block, "expression")
    if not expression:
        if isinstance(block.get("expression"), list):
            context.at("expression").refuse("must not be empty")
        return never
    source, place = program_of(expression)
    try:
        value = compile_program(source, context.names)
    except ProgramError as error:
        context.at("expression").beyond(place + error.path).refuse(error.message)
        return never

    def holds(scope: Scope) -> bool:
        result = value(scope)
        if isinstance(result, bool):
            return result
        raise WrongType("the program of a condition must give true or false")

    return holds


def _compile_item_check(block: Json, context: Context) -> Condition:
    """Compile a `checkAttribute` of a filter: an item without the attribute does not pass."""
    condition = compile_attribute_check(block, context)

    def holds(scope: Scope) -> bool:
        try:
            return condition(scope)
        except MissingValue:
            return False

    return holds


FILTER_CHECKS: Final[Mapping[str, Compile]] = {
    "checkAttribute": _compile_item_check,
    "passthrough": compile_passthrough,
}
"""Conditions of filters."""
