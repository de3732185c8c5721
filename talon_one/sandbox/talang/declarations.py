"""How functions are declared: eager functions, lazy functions and macros.

An eager function receives values, a lazy function the compiled arguments, and a macro the
arguments as they stand in the program.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from talon_one.sandbox.talang.errors import TalangError
from talon_one.sandbox.talang.run import Expression, Run
from talon_one.sandbox.talang.values import ANY, Kind, describe, kind_of


class Compiler(Protocol):
    """What a macro can ask of the compiler."""

    def compile(self, source: Any, path: str, kind: Kind = ANY) -> Expression:
        """Compile a part, and refuse it if it never gives a value of that kind."""

    def compile_guarded(self, source: Any, path: str, kind: Kind = ANY) -> Expression:
        """Compile a part whose errors are caught: what is wrong with it fails when it runs."""

    def compile_block(self, name: str, source: Any, path: str, kind: Kind = ANY) -> Expression:
        """Compile the body of a block that binds a name."""

    def compile_template(self, name: str, parameters: int, source: Any, path: str) -> Expression:
        """Compile the body of a template."""

    def note_read(self, names: tuple[str, ...], path: str) -> None:
        """Record that the program reads a path of the bindings."""

    def note_set(self, name: str) -> None:
        """Record that the program binds a name with `set`."""

    def note_template_call(self, name: str, path: str) -> None:
        """Record the call of a template, to be checked when all are known."""

    def parameter_count(self) -> int | None:
        """Return the number of parameters of the template around the part, if there is one."""

    def nesting(self) -> int:
        """Return how deep the part is nested in the program."""


@dataclass(frozen=True)
class Overload:
    """One signature of an eager function.

    Attributes:
        parameters: The kinds of the arguments.
        call: Receives the run and the values, returns the value.
        returns: The kinds of the result.
        rest: The kind of further arguments; `None` if there are none.
        optional: How many of the last parameters may be missing.
        check: Receives the expressions at compile time, to refuse literals that never work.
            Returns how many parts of the program the check costs, usually 0.
    """

    parameters: tuple[Kind, ...]
    call: Callable[..., Any]
    returns: Kind = ANY
    rest: Kind | None = None
    optional: int = 0
    check: Callable[[Sequence[Expression]], int] | None = None

    def takes(self, count: int) -> bool:
        """Return whether the function takes so many arguments."""
        minimum = len(self.parameters) - self.optional
        return minimum <= count and (self.rest is not None or count <= len(self.parameters))

    def kinds(self, count: int) -> tuple[Kind, ...]:
        """Return the kinds of so many arguments."""
        missing = count - len(self.parameters)
        if missing <= 0 or self.rest is None:
            return self.parameters[:count]
        return self.parameters + (self.rest,) * missing


class Function:
    """An eager function: all arguments are evaluated, in their order, before it is called.

    Args:
        overloads: The signatures. The kinds of the arguments choose between them.
    """

    def __init__(self, *overloads: Overload) -> None:
        self.overloads = overloads


@dataclass(frozen=True)
class Lazy:
    """A function that evaluates its arguments itself, with `expression.evaluate(run)`.

    Attributes:
        call: Receives the run and the compiled arguments, returns the value.
        minimum: The smallest number of arguments.
        maximum: The largest number of arguments; `None` if there is no limit.
        returns: The kinds of the result.
        check: Receives the compiled arguments at compile time, to refuse what never works.
            Returns how many parts of the program the check costs, usually 0.
    """

    call: Callable[[Run, tuple[Expression, ...]], Any]
    minimum: int = 0
    maximum: int | None = None
    returns: Kind = ANY
    check: Callable[[Sequence[Expression]], int] | None = None


@dataclass(frozen=True)
class Macro:
    """A function that compiles its arguments itself.

    Attributes:
        build: Receives the compiler, the whole call (the name first) and its path, and returns
            the expression.
        minimum: The smallest number of arguments.
        maximum: The largest number of arguments; `None` if there is no limit.
    """

    build: Callable[[Compiler, Sequence[Any], str], Expression]
    minimum: int = 0
    maximum: int | None = None


Declaration = Function | Lazy | Macro


def expect(value: Any, kind: Kind, path: str | None = None) -> Any:
    """Return the value if it is of that kind.

    Raises:
        TalangError: If it is not.
    """
    if kind_of(value) & kind:
        return value
    raise TalangError(f"expected {describe(kind)}, not {describe(kind_of(value))}", path)


def check_count(name: str, count: int, minimum: int, maximum: int | None, path: str) -> None:
    """Refuse a wrong number of arguments.

    Raises:
        TalangError: If there are too few or too many.
    """
    if count >= minimum and (maximum is None or count <= maximum):
        return
    if maximum is None:
        wanted = f"at least {minimum}"
    else:
        wanted = str(minimum) if minimum == maximum else f"{minimum} to {maximum}"
    noun = "argument" if wanted.endswith(" 1") or wanted == "1" else "arguments"
    raise TalangError(f"{name} takes {wanted} {noun}, not {count}", path)
