"""One evaluation of a program: its names, its budget and what the caller hands in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from talon_one.sandbox.talang.errors import TalangLimitError
from talon_one.sandbox.talang.values import Kind

MAXIMUM_DEPTH: Final = 64
MAXIMUM_STEPS: Final = 500_000
MAXIMUM_TEXT: Final = 100_000
MAXIMUM_LIST: Final = 10_000


class Run:
    """The state of one evaluation.

    Attributes:
        bindings: What the caller bound; never changed.
        names: What `set` and blocks have bound. A change replaces the mapping, so that the end
            of a block, and a failure inside `catch`, restore it.
        arguments: Arguments of the template that is being evaluated.
        templates: Templates by name.
        depth: Nesting of the calls of templates around the current one.
        context: An object of the caller, for functions from outside.
    """

    __slots__ = ("arguments", "bindings", "context", "depth", "names", "steps", "templates")

    def __init__(
        self,
        bindings: Mapping[str, Any],
        templates: Mapping[str, tuple[Any, ...]],
        context: Any,
    ) -> None:
        self.bindings: Mapping[str, Any] = bindings
        self.names: Mapping[str, Any] = {}
        self.arguments: tuple[Any, ...] = ()
        self.templates: Mapping[str, tuple[Any, ...]] = templates
        self.depth: int = 0
        self.context: Any = context
        self.steps: int = MAXIMUM_STEPS

    def spend(self, steps: int) -> None:
        """Take steps from the budget. One step is about a microsecond of work.

        Raises:
            TalangLimitError: If the budget is exhausted.
        """
        self.steps -= steps
        if self.steps < 0:
            raise TalangLimitError(f"the evaluation takes more than {MAXIMUM_STEPS} steps")

    def read_text(self, *texts: str) -> None:
        """Pay for reading texts."""
        self.spend(sum(map(len, texts)) >> 6)

    def make_list(self, length: int) -> None:
        """Pay for building a list.

        Raises:
            TalangLimitError: If the list is too long, or the budget is exhausted.
        """
        if length > MAXIMUM_LIST:
            raise TalangLimitError(f"a list has more than {MAXIMUM_LIST} elements")
        self.spend(length >> 4)

    def make_text(self, length: int) -> None:
        """Pay for building a text.

        Raises:
            TalangLimitError: If the text is too long, or the budget is exhausted.
        """
        if length > MAXIMUM_TEXT:
            raise TalangLimitError(f"a text has more than {MAXIMUM_TEXT} characters")
        self.spend(length >> 6)


Evaluate = Callable[[Run], Any]


class Expression:
    """A compiled part of a program.

    Attributes:
        evaluate: Computes the value in a run.
        kind: The kinds that the value can have.
        path: JSON pointer to the part.
        source: The part as it stands in the program.
        literal: Whether the part is a literal, so that `source` is its value.
        size: Number of calls and literals in it: the price of one evaluation.
        depth: Nesting of the calls in it.
    """

    __slots__ = ("depth", "evaluate", "kind", "literal", "path", "size", "source")

    def __init__(
        self,
        evaluate: Evaluate,
        kind: Kind,
        path: str,
        source: Any,
        *,
        literal: bool = False,
        parts: tuple[Expression, ...] = (),
    ) -> None:
        self.evaluate: Evaluate = evaluate
        self.kind: Kind = kind
        self.path: str = path
        self.source: Any = source
        self.literal: bool = literal
        self.size: int = 1 + sum([part.size for part in parts])
        self.depth: int = 1 + max([part.depth for part in parts], default=0)
