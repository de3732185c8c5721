"""The condition `checkAttribute`: an attribute, an operator and its operands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from talon_one.sandbox.rules.comparisons import (
    COMPARISONS,
    COUNTED,
    IN_LIST,
    as_text,
    between,
    is_empty,
    is_true,
    within,
)
from talon_one.sandbox.rules.compiled import (
    Condition,
    EvaluationError,
    MissingValue,
    Value,
    WrongType,
)
from talon_one.sandbox.rules.context import Context
from talon_one.sandbox.rules.expressions import text_of
from talon_one.sandbox.rules.programs import ProgramError, compile_pattern
from talon_one.sandbox.rules.scope import Scope

Json: TypeAlias = Mapping[str, Any]
Compile: TypeAlias = Callable[[Json, Context, Value], Condition]

_NEGATION: Final = "not("


def compile_attribute_check(block: Json, context: Context) -> Condition:
    """Compile a `checkAttribute` block."""
    operator = context.choice(block, "operator", OPERATORS)
    attribute = context.attribute(block, "attribute")
    if not operator:
        return never
    positive = positive_of(operator)
    condition = _COMPILERS[positive](block, context, attribute)
    return condition if positive == operator else negate(condition)


def positive_of(operator: str) -> str:
    """Return an operator without its negation: `equals` for `not(equals)`."""
    if operator.startswith(_NEGATION) and operator.endswith(")"):
        return operator[len(_NEGATION) : -1]
    return operator


def negate(condition: Condition) -> Condition:
    """Return the opposite of a condition; it fails where the condition fails."""
    return lambda scope: not condition(scope)


def never(scope: Scope) -> bool:
    """Stand in for a condition with a mistake; no ruleset that has one is evaluated."""
    return False


def _comparison(operator: str) -> Compile:
    holds, kind = COMPARISONS[operator]

    def compile_check(block: Json, context: Context, attribute: Value) -> Condition:
        operand = context.operand(block, "value", kind)
        other = operand.value
        if operand.constant is None:
            return lambda scope: holds(attribute(scope), other(scope))
        constant = operand.constant
        return lambda scope: holds(attribute(scope), constant)

    return compile_check


def _matches(block: Json, context: Context, attribute: Value) -> Condition:
    operand = context.operand(block, "value", "text")

    def text(scope: Scope) -> str:
        return as_text(attribute(scope), "matchesRegexp")

    if operand.constant is None:

        def match_computed(scope: Scope) -> bool:
            expression = operand.value(scope)
            if not isinstance(expression, str):
                raise WrongType("matchesRegexp takes a regular expression as text")
            try:
                return compile_pattern(expression)(text(scope))
            except ProgramError as error:
                raise EvaluationError(error.message) from error

        return match_computed
    try:
        search = compile_pattern(operand.constant)
    except ProgramError as error:
        context.at("value").refuse(error.message)
        return never
    return lambda scope: search(text(scope))


def _in_collection(block: Json, context: Context, attribute: Value) -> Condition:
    reference = _collection(block, context)

    def holds(scope: Scope) -> bool:
        wanted = reference(scope)
        items = scope.situation.facts.collection(wanted)
        if items is None:
            raise MissingValue(f"there is no collection {wanted!r}")
        return text_of(attribute(scope)) in items

    return holds


def _collection(block: Json, context: Context) -> Value:
    found = block.get("value")
    if isinstance(found, Mapping):
        # An object as other blocks refer to things: the ID decides, the name may be out of date.
        inner = context.at("value")
        key: Any = inner.integer(found, "id") if "id" in found else inner.text(found, "name")
        return lambda scope: key
    if isinstance(found, int) and not isinstance(found, bool):
        return lambda scope: found
    return context.value(block, "value", "text")


def _between(block: Json, context: Context, attribute: Value) -> Condition:
    low = context.operand(block, "min", "scalar").value
    high = context.operand(block, "max", "scalar").value
    return lambda scope: between(attribute(scope), low(scope), high(scope))


def _within(block: Json, context: Context, attribute: Value) -> Condition:
    start = context.operand(block, "start", "time").value
    end = context.operand(block, "end", "time").value
    with_start = context.flag(block, "startInclusive", True)
    with_end = context.flag(block, "endInclusive", False)
    wall_clock = context.flag(block, "timezoneInsensitive", False)
    return lambda scope: within(
        attribute(scope), start(scope), end(scope), with_start, with_end, wall_clock
    )


def _list_check(operator: str) -> Compile:
    holds = IN_LIST[operator]

    def compile_check(block: Json, context: Context, attribute: Value) -> Condition:
        values = context.operand(block, "values", "list").value
        return lambda scope: holds(attribute(scope), values(scope))

    return compile_check


def _counted_check(operator: str) -> Compile:
    holds = COUNTED[operator]

    def compile_check(block: Json, context: Context, attribute: Value) -> Condition:
        values = context.operand(block, "values", "list").value
        count = context.value(block, "count", "number")
        return lambda scope: holds(attribute(scope), values(scope), count(scope))

    return compile_check


def _exists(block: Json, context: Context, attribute: Value) -> Condition:
    def holds(scope: Scope) -> bool:
        try:
            attribute(scope)
        except MissingValue:
            return False
        return True

    return holds


def _empty(block: Json, context: Context, attribute: Value) -> Condition:
    def holds(scope: Scope) -> bool:
        try:
            value = attribute(scope)
        except MissingValue:
            return True
        return is_empty(value)

    return holds


def _is_true(block: Json, context: Context, attribute: Value) -> Condition:
    return lambda scope: is_true(attribute(scope))


def _is_false(block: Json, context: Context, attribute: Value) -> Condition:
    return lambda scope: not is_true(attribute(scope))


_COMPILERS: Final[Mapping[str, Compile]] = {
    **{operator: _comparison(operator) for operator in COMPARISONS},
    **{operator: _list_check(operator) for operator in IN_LIST},
    **{operator: _counted_check(operator) for operator in COUNTED},
    "matchesRegexp": _matches,
    "inCollection": _in_collection,
    "between": _between,
    "within": _within,
    "exists": _exists,
    "empty": _empty,
    "isTrue": _is_true,
    "isFalse": _is_false,
}

_NEGATED: Final = ("equals", "contains", "oneOf", "inCollection", "within", "exists", "empty")

OPERATORS: Final = frozenset(_COMPILERS) | {f"{_NEGATION}{each})" for each in _NEGATED}
"""The 31 operators. `in` and `not(in)`, of later releases, compare locations with shapes whose
meaning is not documented: they are refused."""
