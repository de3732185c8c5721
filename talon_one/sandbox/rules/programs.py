"""Talang programs inside rules: they see what paths see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from talon_one.sandbox import talang
from talon_one.sandbox.rules.compiled import EvaluationError, Value
from talon_one.sandbox.rules.entities import ROOTS, Bindings, restore_units
from talon_one.sandbox.rules.expressions import Names
from talon_one.sandbox.rules.scope import Scope
from talon_one.sandbox.talang import Run, TalangError, regex


class ProgramError(ValueError):
    """A Talang program that cannot be compiled.

    Attributes:
        message: What is wrong.
        path: JSON pointer of the place inside the program.
    """

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.path = path


def program_of(expression: Sequence[Any]) -> tuple[Any, str]:
    """Return the program of a `passthrough` block, and its JSON pointer in the expression.

    A call is the list itself; anything else is wrapped in a list of one element.
    """
    if len(expression) == 1 and not isinstance(expression[0], str):
        return expression[0], "/0"
    return list(expression), ""


def compile_pattern(expression: str) -> Callable[[str], bool]:
    """Compile an RE2 regular expression to a search that matches anywhere in a text.

    Raises:
        ProgramError: If it is not one.
    """
    try:
        pattern = regex.compile_pattern(expression)
    except TalangError as error:
        raise ProgramError(error.message) from error

    def search(text: str) -> bool:
        # The run has the budget of one evaluation of a program.
        run = Run({}, {}, None)
        try:
            return pattern.search(text, run.spend)
        except TalangError as error:
            raise EvaluationError(str(error)) from error

    return search


def compile_program(source: Any, names: Names) -> Value:
    """Compile a Talang program.

    Args:
        source: The program as JSON.
        names: Names in reach. Functions find the scope as `context` of their run.

    Raises:
        ProgramError: If it cannot be compiled, or reads a name that nothing has.
    """
    try:
        program = talang.compile_program(source, functions=names.functions, strict=True)
    except TalangError as error:
        raise ProgramError(error.message, error.path or "") from error
    names.called.update(call.name for call in program.calls)
    for read in program.reads:
        root = read.names[0]
        if root in names.known:
            names.used.add(root)
        elif root not in ROOTS and not read.guarded:
            raise ProgramError(f"nothing is named {root}", read.path)

    def evaluate(scope: Scope) -> Any:
        try:
            value = program.evaluate(Bindings(scope), context=scope)
        except TalangError as error:
            raise EvaluationError(str(error)) from error
        return restore_units(scope, value) if isinstance(value, (list, dict)) else value

    return evaluate
