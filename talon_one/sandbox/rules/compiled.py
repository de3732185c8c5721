"""A ruleset ready to be evaluated, and the mistakes that keep one from being compiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from talon_one.sandbox.rules.scope import Condition as Condition
from talon_one.sandbox.rules.scope import Value as Value

if TYPE_CHECKING:
    from talon_one.sandbox.rules.run import Run
    from talon_one.sandbox.rules.scope import Scope

Action: TypeAlias = "Callable[[Run, Scope], None]"
"""A compiled effect: adds effects and consequences to the run, or raises `EffectFailed`."""

Finding: TypeAlias = "dict[str, Any]"
"""A block on which a rule failed, as JSON.

- `type`, `pointer`: type of the block, and its place in the ruleset.
- `condition`: the block in words.
- `values`: what its operands were: `name` with `value` or, if there is none, with `missing`.
- `error`: why it could not be evaluated or applied.
- `blocks`: of a group, the blocks that decided; of an event, the matcher that failed.
"""

Explain: TypeAlias = "Callable[[Scope], Finding]"
"""Reads the operands of a block that failed once more, in the scope in which it failed."""


class Mistake(NamedTuple):
    """Something in a ruleset that the sandbox cannot evaluate."""

    pointer: str
    message: str


class RulesetError(ValueError):
    """A ruleset cannot be compiled.

    Attributes:
        mistakes: Every mistake, with its JSON pointer inside the ruleset.
    """

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("; ".join(f"{each.pointer}: {each.message}" for each in mistakes))
        self.mistakes: tuple[Mistake, ...] = tuple(mistakes)


class EvaluationError(Exception):
    """An expression has no value: a missing attribute, a wrong type, a place out of range.

    Attributes:
        name: Name under which `onError` of a block handles it.
    """

    def __init__(self, message: str, name: str = "evaluationError") -> None:
        super().__init__(message)
        self.name = name


class MissingValue(EvaluationError):
    """An attribute has no value, or a list has no element at a place."""

    def __init__(self, message: str, name: str = "missingValue") -> None:
        super().__init__(message, name)


class MissingEntity(MissingValue):
    """A rule asks for something that the request is not about, such as a session or a store.

    The rule does not apply then. That is no error for which an effect would be returned.
    """


class WrongType(EvaluationError):
    """A value has a type that an operator, an expression or an effect cannot take."""

    def __init__(self, message: str, name: str = "wrongType") -> None:
        super().__init__(message, name)


class EffectFailed(Exception):
    """An effect cannot be applied: a budget, a pool or a balance is used up."""


@dataclass(frozen=True, slots=True)
class Block:
    """A compiled block of a rule.

    Attributes:
        id: ID of the block, empty in V1 rules.
        type: Type of the block, such as `checkAttribute`; `passthrough` for Talang.
        pointer: JSON pointer of the block inside the ruleset.
        condition: The condition, for blocks that are one.
        action: The effect, for blocks that are one.
        operator: `all`, `atLeastOne` or `none`, for groups.
        blocks: Blocks of a group.
        on_failure: Blocks that run when the condition is false or the effect fails; None if the
            block does not handle failures.
        on_error: Blocks that run in place of this one, by the name of the error.
        explain: Finds the values on which it failed.
    """

    id: str
    type: str
    pointer: str
    condition: Condition | None = None
    action: Action | None = None
    operator: str = ""
    blocks: tuple[Block, ...] = ()
    on_failure: tuple[Block, ...] | None = None
    on_error: Mapping[str, tuple[Block, ...]] = field(default_factory=dict)
    explain: Explain | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A compiled rule.

    Attributes:
        id: ID of the rule.
        index: Position in the ruleset.
        title: Name that effects carry as `ruleName`.
        blocks: Conditions and effects in the order in which they run.
        coupon: Whether a block of the rule checks the coupon at hand: it runs once per coupon.
        referral: Whether a block of the rule checks the referral at hand.
        redeems_coupon: Whether a valid coupon is redeemed when the session closes.
        redeems_referral: Whether a valid referral is redeemed when the session closes.
        bindings: Values that the rule names, evaluated on first use (V1).
    """

    id: str
    index: int
    title: str
    blocks: tuple[Block, ...]
    coupon: bool = False
    referral: bool = False
    redeems_coupon: bool = True
    redeems_referral: bool = True
    bindings: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ruleset:
    """A compiled ruleset.

    Attributes:
        id: ID of the ruleset.
        rules: Its rules from top to bottom.
        names: Selectors, bundles, parameters and bindings by name; evaluated on first use, once
            per evaluation. A selector gives a list of units, a bundle a list of tuples of units.
        bundle_names: Which of the names are bundles.
    """

    id: int
    rules: tuple[Rule, ...] = ()
    names: Mapping[str, Value] = field(default_factory=dict)
    bundle_names: frozenset[str] = frozenset()
