"""Programs: compile once, evaluate often."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from talon_one.sandbox.talang.compiler import Call, ClosureCompiler, Read
from talon_one.sandbox.talang.declarations import Declaration
from talon_one.sandbox.talang.errors import TalangError
from talon_one.sandbox.talang.library import FUNCTIONS
from talon_one.sandbox.talang.run import Expression, Run
from talon_one.sandbox.talang.templates import Templates, compile_definition, with_template
from talon_one.sandbox.talang.values import LIST, MAP, Kind, export, kind_of

_NO_BINDINGS: Mapping[str, Any] = {}


class Program:
    """A compiled program. It keeps no state: threads can share it.

    Attributes:
        source: The program in its JSON form.
        calls: The functions that it calls, in the order of the program, without those in a
            part that is malformed and caught.
        reads: The paths of bindings that it reads, without names that it binds itself.
        kind: The kinds that its value can have.
    """

    def __init__(
        self,
        expression: Expression,
        calls: tuple[Call, ...],
        reads: tuple[Read, ...],
        templates: Templates,
    ) -> None:
        self.source: Any = expression.source
        self.calls = calls
        self.reads = reads
        self.kind: Kind = expression.kind
        self._evaluate = expression.evaluate
        self._templates = templates

    def evaluate(self, bindings: Mapping[str, Any] | None = None, context: Any = None) -> Any:
        """Return the value of the program.

        Args:
            bindings: Values by name. They are not changed. Numbers can be `int`, `float` or
                `Decimal`, times are `datetime` (UTC if naive), lists are lists or tuples, and
                maps are mappings with texts as keys.
            context: Handed to functions from outside, as `run.context`.

        Returns:
            `None`, `bool`, `Decimal`, `str`, `datetime`, `list` or `dict`. `to_json` turns it
            into JSON.

        Raises:
            TalangError: If the evaluation fails.
            TalangLimitError: If it exceeds a limit.
        """
        run = Run(_NO_BINDINGS if bindings is None else bindings, self._templates, context)
        try:
            value = self._evaluate(run)
            return export(value) if kind_of(value) & (LIST | MAP) else value
        except TalangError as error:
            if error.path is None:
                error.path = ""
            raise


def compile_program(
    program: Any,
    *,
    functions: Mapping[str, Declaration] | None = None,
    templates: Mapping[str, Any] | None = None,
    strict: bool = False,
) -> Program:
    """Compile a program from its JSON form.

    Unknown functions, wrong numbers of arguments and arguments that can never have the right
    type are refused here. Inside `catch` they fail when they are evaluated, unless `strict`.

    Args:
        program: Lists whose first element is the name of a function, and literals.
        functions: Further functions by name; they take precedence over those of the language.
        templates: Templates by signature, such as `plus(Decimal, Decimal)Decimal`.
        strict: Whether to refuse also what the program would catch. For saving rules.

    Raises:
        TalangError: If the program is malformed.
        TalangLimitError: If it is too large or too deep.
    """
    known = FUNCTIONS
    if functions:
        known = {**FUNCTIONS, **{name.lower(): given for name, given in functions.items()}}
    compiler = ClosureCompiler(known, strict=strict)
    defined: Templates = {}
    for signature, body in (templates or {}).items():
        try:
            name, template = compile_definition(compiler, signature, body, "", "")
        except TalangError as error:
            error.message = f"template {signature!r}: {error.message}"
            raise
        defined = with_template(defined, name, template)
    expression = compiler.compile(program, "")
    compiler.finish()
    return Program(expression, tuple(compiler.calls), compiler.reads, defined)


def evaluate(
    program: Any,
    bindings: Mapping[str, Any] | None = None,
    *,
    functions: Mapping[str, Declaration] | None = None,
    templates: Mapping[str, Any] | None = None,
) -> Any:
    """Compile a program and evaluate it once: `compile_program`, then `Program.evaluate`."""
    return compile_program(program, functions=functions, templates=templates).evaluate(bindings)
