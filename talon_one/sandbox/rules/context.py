"""Where a part of a ruleset is compiled: its place, the names in reach, the mistakes so far.

The methods read one property each. What is missing or wrong is recorded as a mistake, and a
harmless value is returned, so that one pass finds all mistakes of a ruleset.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from talon_one._utils.suggest import did_you_mean
from talon_one.sandbox.rules.compiled import EvaluationError, Mistake, Value, WrongType
from talon_one.sandbox.rules.expressions import Names
from talon_one.sandbox.rules.operands import (
    CHECKS,
    KINDS,
    Operand,
    OperandError,
    read_operand,
    read_value,
)

MAXIMUM_DEPTH: Final = 100


def _no_value(scope: Any) -> Any:
    raise EvaluationError("a mistake in the ruleset")


@dataclass(frozen=True, slots=True)
class Context:
    """A place in a ruleset that is being compiled.

    Attributes:
        pointer: JSON pointer of the place.
        names: Names in reach, besides those of entities.
        mistakes: Mistakes of the whole ruleset, shared by all contexts.
        bundles: Which of the names are bundles.
        depth: How deep the place is nested.
    """

    pointer: str = ""
    names: Names = field(default_factory=Names)
    mistakes: list[Mistake] = field(default_factory=list)
    bundles: frozenset[str] = frozenset()
    depth: int = 0

    def at(self, *steps: str | int) -> Context:
        """Return the context of a part of this place."""
        pointer = self.pointer + "".join(f"/{_escape(str(step))}" for step in steps)
        return replace(self, pointer=pointer, depth=self.depth + 1)

    def beyond(self, path: str) -> Context:
        """Return the context of a part that a JSON pointer leads to."""
        return replace(self, pointer=self.pointer + path)

    def with_names(self, names: Names) -> Context:
        """Return the context with other names in reach."""
        return replace(self, names=names)

    def refuse(self, message: str) -> None:
        """Record that something at this place cannot be evaluated."""
        self.mistakes.append(Mistake(self.pointer, message))

    def is_too_deep(self) -> bool:
        """Return whether the place is nested too deeply, and record it as a mistake."""
        if self.depth <= MAXIMUM_DEPTH:
            return False
        self.refuse("blocks nest too deeply")
        return True

    def text(self, block: Mapping[str, Any], name: str, default: str | None = None) -> str:
        """Return a property that is a constant text; required without a default."""
        found = block.get(name, default)
        if isinstance(found, str):
            return found
        self._refuse_property(block, name, "a text")
        return default or ""

    def choice(
        self,
        block: Mapping[str, Any],
        name: str,
        allowed: Collection[str],
        default: str | None = None,
    ) -> str:
        """Return a property that is one of a few words; empty if it is not."""
        found = block.get(name, default)
        if isinstance(found, str) and found in allowed:
            return found
        if isinstance(found, str):
            hint = did_you_mean(found, allowed)
            self.at(name).refuse(f"{found!r} is none of {', '.join(sorted(allowed))}.{hint}")
        else:
            self._refuse_property(block, name, "a text")
        return ""

    def integer(
        self,
        block: Mapping[str, Any],
        name: str,
        minimum: int | None = None,
        default: int | None = None,
    ) -> int:
        """Return a property that is a constant integer; required without a default."""
        found = block.get(name, default)
        if isinstance(found, float) and found.is_integer():
            found = int(found)
        if not isinstance(found, int) or isinstance(found, bool):
            self._refuse_property(block, name, "an integer")
        elif minimum is not None and found < minimum:
            self.at(name).refuse(f"must be at least {minimum}")
        else:
            return found
        return default or minimum or 0

    def flag(self, block: Mapping[str, Any], name: str, default: bool | None = None) -> bool:
        """Return a property that is true or false; required without a default."""
        found = block.get(name, default)
        if isinstance(found, bool):
            return found
        self._refuse_property(block, name, "true or false")
        return bool(default)

    def elements(
        self, block: Mapping[str, Any], name: str, *, required: bool = True
    ) -> Sequence[Any]:
        """Return a property that is a list."""
        found = block.get(name)
        if isinstance(found, list):
            return found
        if required or found is not None:
            self._refuse_property(block, name, "a list")
        return ()

    def mapping(
        self, block: Mapping[str, Any], name: str, *, required: bool = True
    ) -> Mapping[str, Any]:
        """Return a property that is an object."""
        found = block.get(name)
        if isinstance(found, Mapping):
            return found
        if required or found is not None:
            self._refuse_property(block, name, "an object")
        return {}

    def reference(self, block: Mapping[str, Any], name: str) -> int:
        """Return the ID of the object that a property refers to."""
        found = block.get(name)
        if not isinstance(found, Mapping):
            self._refuse_property(block, name, "an object with an id, or in a seed with a name")
            return 0
        return self.at(name).integer(found, "id")

    def operand(self, block: Mapping[str, Any], name: str, kind: str = "any") -> Operand:
        """Return a required property that may be computed, for an operator that checks types.

        Args:
            block: The block.
            name: The property.
            kind: What a constant must be: `any`, `scalar`, `number`, `quantity` (a number, or a
                text that is one), `boolean`, `text`, `time` or `list`.
        """
        if block.get(name) is None:
            self._refuse_property(block, name, KINDS[kind])
            return Operand(_no_value)
        return self.at(name)._read(lambda: read_operand(block[name], kind, self.names))

    def value(self, block: Mapping[str, Any], name: str, kind: str = "any") -> Value:
        """Return a required property that may be computed.

        The kinds are those of `operand`. The compiled value checks the type of what it computes,
        and raises `WrongType`; kind `text` turns numbers and times into texts.
        """
        return typed(self.operand(block, name, kind).value, kind, name)

    def optional(self, block: Mapping[str, Any], name: str, kind: str = "any") -> Value | None:
        """Return a property that may be computed, None if it is absent or null."""
        return None if block.get(name) is None else self.value(block, name, kind)

    def attribute(self, block: Mapping[str, Any], name: str) -> Value:
        """Return a property that is a bare path, one placeholder or a Talang program."""
        if block.get(name) is None:
            self._refuse_property(block, name, "a path")
            return _no_value
        return self.at(name).own_value(block[name])

    def own_value(self, raw: Any) -> Value:
        """Compile what stands at this place: a bare path, one placeholder or a Talang program."""
        return self._read(lambda: Operand(read_value(raw, self.names))).value

    def _read(self, read: Callable[[], Operand]) -> Operand:
        try:
            return read()
        except OperandError as error:
            self.beyond(error.path).refuse(error.message)
            return Operand(_no_value)

    def _refuse_property(self, block: Mapping[str, Any], name: str, wanted: str) -> None:
        if block.get(name) is None:
            self.refuse(f"{name} is missing: it must be {wanted}")
        else:
            self.at(name).refuse(f"must be {wanted}")


def typed(value: Value, kind: str, name: str) -> Value:
    """Return a value that raises `WrongType` if it does not give a value of a kind."""
    check = CHECKS.get(kind)
    if check is None:
        return value

    def read(scope: Any) -> Any:
        found = check(value(scope))
        if found is None:
            raise WrongType(f"{name} must be {KINDS[kind]}")
        return found

    return read


def _escape(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
