"""Run the blocks of one rule: in order, with groups, and with what handles failures and errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from talon_one.sandbox.rules.compiled import (
    Action,
    Block,
    EffectFailed,
    EvaluationError,
    Finding,
    MissingEntity,
    Rule,
)
from talon_one.sandbox.rules.run import Run
from talon_one.sandbox.rules.scope import Scope

# Blocks that the finding about a rule has.
_MAX_BLOCKS: Final = 50


class Failure(NamedTuple):
    """Why a rule failed.

    Attributes:
        condition_index: Place of the condition among those of the rule, from 0.
        effect_index: Place of the effect among those of the rule, from 0.
        details: What happened, empty if a condition is false.
        finding: The block that failed, with the values that it had found.
    """

    condition_index: int | None = None
    effect_index: int | None = None
    details: str = ""
    finding: Finding | None = None


class _Handler(NamedTuple):
    top: int
    blocks: tuple[Block, ...]


class RuleRun:
    """One run of a rule.

    Args:
        run: The evaluation.
        scope: What is at hand.
        rule: The rule.
    """

    __slots__ = (
        "_culprits",
        "_current",
        "_found_blocks",
        "_handlers",
        "_rule",
        "_run",
        "_scope",
        "_top",
    )

    def __init__(self, run: Run, scope: Scope, rule: Rule) -> None:
        self._run = run
        self._scope = scope
        self._rule = rule
        self._top = 0
        self._current: Block | None = None
        self._handlers: list[_Handler] = []
        # The block in a group that decided that the group fails, by the identity of the group.
        self._culprits: dict[int, Block] = {}
        self._found_blocks = 0

    def execute(self) -> Failure | None:
        """Run the rule. If it fails, only the effects of what handles the failure stay.

        Returns:
            Why the rule failed, None if it succeeded.
        """
        run = self._run
        mark = run.mark()
        error = ""
        try:
            failure = self._run_rule()
        except EffectFailed as cause:
            details = str(cause)
            failure = Failure(None, self._effect_index(), details, self._found_by_error(details))
        except MissingEntity as cause:
            failure = self._failure_of_error(str(cause))
        except EvaluationError as cause:
            error = str(cause)
            failure = self._failure_of_error(error)
        if failure is not None:
            run.rewind(mark)
            if error:
                run.emit("error", {"message": error})
        if self._handlers:
            self._run_handlers()
        return failure

    def _run_rule(self) -> Failure | None:
        for top, block in enumerate(self._rule.blocks):
            self._top = top
            if not self._run_block(block):
                return Failure(self._condition_index(top), finding=self._found(block))
        return None

    def _found(self, block: Block) -> Finding | None:
        """Return what a block that failed is about, and what failed in it."""
        if block.explain is None or self._found_blocks >= _MAX_BLOCKS:
            return None
        self._found_blocks += 1
        found = block.explain(self._scope)
        culprit = self._culprits.get(id(block))
        if culprit is not None:
            inner = [culprit]
        else:
            # All of them failed; groups of the other kinds have one that decided.
            inner = list(block.blocks) if block.operator == "atLeastOne" else []
        findings = [each for each in map(self._found, inner) if each is not None]
        return {**found, "blocks": findings} if findings else found

    def _found_by_error(self, details: str) -> Finding | None:
        block = self._current
        if block is None or block.explain is None:
            return None
        return {**block.explain(self._scope), "error": details}

    def _run_block(self, block: Block) -> bool:
        """Run a block and return whether it passed."""
        return self._run_guarded(block) if block.on_error else self._run_bare(block)

    def _run_bare(self, block: Block) -> bool:
        condition = block.condition
        if condition is not None:
            self._current = block
            passed = condition(self._scope)
        elif block.action is not None:
            self._apply(block, block.action)
            return True
        else:
            passed = self._run_group(block)
        if not passed and block.on_failure:
            self._handlers.append(_Handler(self._top, block.on_failure))
        return passed

    def _run_guarded(self, block: Block) -> bool:
        mark = self._run.mark()
        handlers = len(self._handlers)
        try:
            return self._run_bare(block)
        except EvaluationError as error:
            replacement = block.on_error.get(error.name)
            if replacement is None:
                raise
            self._run.rewind(mark)
            del self._handlers[handlers:]
            return self._has_no_culprit(block, replacement, passing=False)

    def _run_group(self, block: Block) -> bool:
        if block.operator == "atLeastOne":
            return any(self._run_block(child) for child in block.blocks)
        return self._has_no_culprit(block, block.blocks, passing=block.operator != "all")

    def _has_no_culprit(self, block: Block, blocks: Sequence[Block], *, passing: bool) -> bool:
        """Run blocks up to the first that passes or fails, and remember it."""
        for child in blocks:
            if self._run_block(child) == passing:
                self._culprits[id(block)] = child
                return False
        return True

    def _apply(self, block: Block, action: Action) -> None:
        self._current = block
        run = self._run
        mark = run.mark()
        try:
            action(run, self._scope)
        except EffectFailed:
            run.rewind(mark)
            if block.on_failure is None:
                raise
            for each in block.on_failure:
                if not self._run_block(each):
                    break

    def _run_handlers(self) -> None:
        run = self._run
        # What handles a failure is not handled in turn: the new list is never read.
        handlers, self._handlers = self._handlers, []
        envelope = run.envelope
        for handler in handlers:
            run.envelope = {**envelope, "conditionIndex": self._condition_index(handler.top)}
            mark = run.mark()
            try:
                for block in handler.blocks:
                    if not self._run_block(block):
                        break
            except EffectFailed:
                run.rewind(mark)
            except EvaluationError as error:
                run.rewind(mark)
                run.emit("error", {"message": str(error)})
        run.envelope = envelope

    def _failure_of_error(self, details: str) -> Failure:
        if self._current is not None and self._current.action is not None:
            index = self._effect_index()
            return Failure(None, index, details, self._found_by_error(details))
        condition_index = self._condition_index(self._top)
        return Failure(condition_index, None, details, self._found_by_error(details))

    def _condition_index(self, top: int) -> int:
        return sum(_has_condition(block) for block in self._rule.blocks[:top])

    def _effect_index(self) -> int:
        index = 0
        for block in _effects(self._rule.blocks):
            if block is self._current:
                break
            index += 1
        return index


def _has_condition(block: Block) -> bool:
    if block.action is not None:
        return False
    return block.condition is not None or any(_has_condition(child) for child in block.blocks)


def _effects(blocks: Sequence[Block]) -> Iterator[Block]:
    for block in blocks:
        if block.action is not None:
            yield block
        else:
            yield from _effects(block.blocks)
