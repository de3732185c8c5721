"""Search with regular expressions of RE2 in linear time.

The automaton follows all ways through a pattern together, as RE2 does, so that no pattern
backtracks. Its states are built when a text first leads to them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from talon_one.sandbox.talang.errors import TalangError
from talon_one.sandbox.talang.regex_classes import CharacterClass, is_word
from talon_one.sandbox.talang.regex_syntax import Anchor, Choice, Node, Repeat, Sequence, parse

MAXIMUM_INSTRUCTIONS: Final = 5000
MAXIMUM_CACHE: Final = 20_000

Spend = Callable[[int], None]


class _State:
    """Instructions that wait for the next character, behind a character of some sort."""

    __slots__ = ("instructions", "moves", "previous")

    def __init__(self, instructions: frozenset[int], previous: str) -> None:
        self.instructions = instructions
        self.previous = previous
        self.moves: dict[str, _State] = {}


_MATCHED: Final = _State(frozenset(), "")


class Pattern:
    """A compiled regular expression.

    Attributes:
        size: Number of its instructions.
    """

    def __init__(self, pattern: str) -> None:
        # Each instruction: a class or an anchor that must hold, or nothing, and what follows.
        self._tests: list[CharacterClass | Anchor | None] = []
        self._targets: list[tuple[int, ...]] = []
        self._end = self._add(None, ())
        self._start = self._build(parse(pattern), self._end)
        self.size: int = len(self._tests)
        self._clear()

    def search(self, text: str, spend: Spend) -> bool:
        """Return whether the pattern matches somewhere in a text.

        Args:
            text: The text.
            spend: Receives the steps that the search takes, and may raise.
        """
        spend(1 + (len(text) >> 3))
        state = self._first
        for char in text:
            state = state.moves.get(char) or self._move(state, char, spend)
            if state is _MATCHED:
                return True
        return (state.moves.get("") or self._move(state, "", spend)) is _MATCHED

    def _clear(self) -> None:
        self._states: dict[tuple[frozenset[int], str], _State] = {}
        self._cached = 0
        self._first = _State(frozenset(), "start")

    def _move(self, state: _State, char: str, spend: Spend) -> _State:
        """Compute the state behind a character; the empty text is the end of the text."""
        reached = self._follow(state, char)
        spend(1 + (len(reached) >> 2))
        if self._end in reached:
            target = _MATCHED
        else:
            following: set[int] = set()
            if char:
                for index in reached:
                    test = self._tests[index]
                    if isinstance(test, CharacterClass) and test.has(char):
                        following.update(self._targets[index])
            target = self._state(frozenset(following), _sort_of(char))
        self._cached += 1
        state.moves[char] = target
        return target

    def _state(self, instructions: frozenset[int], previous: str) -> _State:
        if self._cached > MAXIMUM_CACHE:
            self._clear()
        key = instructions, previous
        state = self._states.get(key)
        if state is None:
            state = self._states[key] = _State(instructions, previous)
            self._cached += len(instructions)
        return state

    def _follow(self, state: _State, char: str) -> set[int]:
        """Return all instructions that are reached before the next character."""
        holding = _holding(state.previous, _sort_of(char))
        waiting = [self._start, *state.instructions]
        reached = set(waiting)
        while waiting:
            index = waiting.pop()
            test = self._tests[index]
            if isinstance(test, CharacterClass):
                continue
            if test is not None and test.condition not in holding:
                continue
            for target in self._targets[index]:
                if target not in reached:
                    reached.add(target)
                    waiting.append(target)
        return reached

    def _add(self, test: CharacterClass | Anchor | None, targets: tuple[int, ...]) -> int:
        if len(self._tests) >= MAXIMUM_INSTRUCTIONS:
            raise TalangError("the regular expression is too large")
        self._tests.append(test)
        self._targets.append(targets)
        return len(self._tests) - 1

    def _build(self, node: Node, following: int) -> int:
        """Add the instructions of a node, and return the first of them."""
        if isinstance(node, (CharacterClass, Anchor)):
            return self._add(node, (following,))
        if isinstance(node, Sequence):
            for part in reversed(node.parts):
                following = self._build(part, following)
            return following
        if isinstance(node, Choice):
            return self._add(None, tuple([self._build(part, following) for part in node.parts]))
        return self._build_repeat(node, following)

    def _build_repeat(self, node: Repeat, following: int) -> int:
        if node.maximum is None:
            loop = self._add(None, ())
            self._targets[loop] = (self._build(node.part, loop), following)
            following = loop
        else:
            end = following
            for _ in range(node.maximum - node.minimum):
                following = self._add(None, (self._build(node.part, following), end))
        for _ in range(node.minimum):
            following = self._build(node.part, following)
        return following


def _sort_of(char: str) -> str:
    if not char:
        return "end"
    if char == "\n":
        return "newline"
    return "word" if is_word(char) else "other"


@lru_cache(maxsize=64)
def _holding(previous: str, following: str) -> frozenset[str]:
    """Return the conditions that hold between two sorts of characters."""
    found = {"word" if (previous == "word") is not (following == "word") else "no word"}
    if previous == "start":
        found |= {"text start", "line start"}
    if previous == "newline":
        found.add("line start")
    if following == "end":
        found |= {"text end", "line end"}
    if following == "newline":
        found.add("line end")
    return frozenset(found)


@lru_cache(maxsize=128)
def compile_pattern(pattern: str) -> Pattern:
    """Compile a pattern in the syntax of RE2.

    Raises:
        TalangError: If the pattern is malformed or too large.
    """
    return Pattern(pattern)
