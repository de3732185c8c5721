"""Compile programs to closures, and refuse what is wrong whatever the bindings are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from talon_one.sandbox.talang.declarations import (
    Declaration,
    Function,
    Lazy,
    Macro,
    check_count,
)
from talon_one.sandbox.talang.dispatch import bind_call, may_take, refuse_count, refuse_kinds
from talon_one.sandbox.talang.errors import TalangError, TalangLimitError
from talon_one.sandbox.talang.run import MAXIMUM_DEPTH, MAXIMUM_TEXT, Evaluate, Expression, Run
from talon_one.sandbox.talang.values import ANY, ATOM, NULL, Kind, admit, describe, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator

MAXIMUM_NODES: Final = 10_000
# Finding out that a part is malformed takes time, which a program must not buy with `catch`.
_PRICE_OF_REFUSAL: Final = 50


class Call(NamedTuple):
    """A call of a function by a program.

    Attributes:
        name: The name of the function in lower case.
        path: JSON pointer to the call.
    """

    name: str
    path: str


class Read(NamedTuple):
    """A read of the bindings by a program.

    Attributes:
        names: The path that is read, up to its first element that is computed.
        path: JSON pointer to the read.
        guarded: Whether the program catches that nothing is bound there.
    """

    names: tuple[str, ...]
    path: str
    guarded: bool


class ClosureCompiler:
    """Compiles one program.

    Args:
        functions: The functions by their names in lower case.
        strict: Whether errors are also raised where the program would catch them.
    """

    def __init__(self, functions: Mapping[str, Declaration], *, strict: bool) -> None:
        self._functions = functions
        self._strict = strict
        self._nodes = 0
        self._depth = 0
        self._guards = 0
        self._scope: tuple[str, ...] = ()
        self._parameters: int | None = None
        self._reads: list[Read] = []
        self._set: set[str] = set()
        self._template_calls: list[tuple[str, str, bool]] = []
        self.calls: list[Call] = []
        self.template_names: set[str] = set()

    @property
    def reads(self) -> tuple[Read, ...]:
        """The reads of bindings, without those of names that the program binds itself."""
        return tuple(read for read in self._reads if read.names[0] not in self._set)

    def finish(self) -> None:
        """Refuse calls of templates that nobody defines.

        Raises:
            TalangError: If a template is called that neither the program nor its caller define.
        """
        for name, path, guarded in self._template_calls:
            if name.lower() not in self.template_names and (self._strict or not guarded):
                raise TalangError(f"no template is named {name!r}", path)

    def compile(self, source: Any, path: str, kind: Kind = ANY) -> Expression:
        """Compile a part, and refuse it if it never gives a value of that kind.

        Raises:
            TalangError: If the part is malformed.
        """
        self._nodes += 1
        if self._nodes > MAXIMUM_NODES:
            raise TalangLimitError(f"the program has more than {MAXIMUM_NODES} parts", path)
        if self._depth >= MAXIMUM_DEPTH:
            raise TalangLimitError(f"the program is nested more than {MAXIMUM_DEPTH} deep", path)
        self._depth += 1
        try:
            if isinstance(source, (list, tuple)):
                expression = self._compile_list(source, path)
            else:
                expression = _literal(source, path)
        except TalangError as error:
            if error.path is None:
                error.path = path
            raise
        finally:
            self._depth -= 1
        if not expression.kind & kind:
            found = describe(expression.kind)
            raise TalangError(f"expected {describe(kind)}, not {found}", path)
        return expression

    def compile_guarded(self, source: Any, path: str, kind: Kind = ANY) -> Expression:
        """Compile a part whose errors are caught: what is wrong with it fails when it runs.

        Raises:
            TalangError: If the part is malformed, and the compiler is strict.
        """
        calls = len(self.calls)
        self._guards += 1
        try:
            return self.compile(source, path, kind)
        except TalangLimitError:
            raise
        except TalangError as error:
            if self._strict:
                raise
            del self.calls[calls:]
            self._nodes += _PRICE_OF_REFUSAL
            return Expression(_raiser(error.message, error.path), kind, path, source)
        finally:
            self._guards -= 1

    def compile_block(self, name: str, source: Any, path: str, kind: Kind = ANY) -> Expression:
        """Compile the body of a block that binds a name.

        Raises:
            TalangError: If the body is malformed.
        """
        with self._inside((*self._scope, name), self._parameters):
            return self.compile(source, path, kind)

    def compile_template(self, name: str, parameters: int, source: Any, path: str) -> Expression:
        """Compile the body of a template.

        Raises:
            TalangError: If the body is malformed.
        """
        self.template_names.add(name.lower())
        with self._inside((), parameters):
            return self.compile(source, path)

    @contextmanager
    def _inside(self, scope: tuple[str, ...], parameters: int | None) -> Iterator[None]:
        outside = self._scope, self._parameters
        self._scope, self._parameters = scope, parameters
        try:
            yield
        finally:
            self._scope, self._parameters = outside

    def note_read(self, names: tuple[str, ...], path: str) -> None:
        """Record that the program reads a path of the bindings."""
        if names and names[0] not in self._scope:
            self._reads.append(Read(names, path, self._guards > 0))

    def note_set(self, name: str) -> None:
        """Record that the program binds a name with `set`."""
        self._set.add(name)

    def note_template_call(self, name: str, path: str) -> None:
        """Record the call of a template, to be checked when all are known."""
        self._template_calls.append((name, path, self._guards > 0))

    def parameter_count(self) -> int | None:
        """Return the number of parameters of the template around the part, if there is one."""
        return self._parameters

    def nesting(self) -> int:
        """Return how deep the part is nested in the program."""
        return self._depth

    def _compile_list(self, source: Sequence[Any], path: str) -> Expression:
        if not source:
            raise TalangError("an empty list calls nothing", path)
        head = source[0]
        if isinstance(head, (list, tuple)):
            return self._sequence(source, path)
        if not isinstance(head, str):
            raise TalangError("a list begins with the name of a function", path)
        name = head.lower()
        declaration = self._functions.get(name)
        if declaration is None:
            raise TalangError(f"no function is named {_short(head)}", path)
        self.calls.append(Call(name, path))
        if isinstance(declaration, Function):
            return self._call_function(head, declaration, source, path)
        check_count(head, len(source) - 1, declaration.minimum, declaration.maximum, path)
        if isinstance(declaration, Macro):
            return declaration.build(self, source, path)
        return self._call_lazy(declaration, source, path)

    def _sequence(self, source: Sequence[Any], path: str) -> Expression:
        parts = self._arguments(source, path, 0)
        steps = tuple(part.evaluate for part in parts[:-1])
        last = parts[-1].evaluate

        def evaluate(run: Run) -> Any:
            for step in steps:
                step(run)
            return last(run)

        return Expression(evaluate, parts[-1].kind, path, source, parts=parts)

    def _arguments(
        self, source: Sequence[Any], path: str, start: int = 1
    ) -> tuple[Expression, ...]:
        # A source that cannot be afforded is refused before it is walked.
        if len(source) > MAXIMUM_NODES:
            raise TalangLimitError(f"the program has more than {MAXIMUM_NODES} parts", path)
        return tuple(
            self.compile(source[index], f"{path}/{index}") for index in range(start, len(source))
        )

    def _call_lazy(self, declaration: Lazy, source: Sequence[Any], path: str) -> Expression:
        parts = self._arguments(source, path)
        if declaration.check is not None:
            self._nodes += declaration.check(parts)
        call = declaration.call

        def evaluate(run: Run) -> Any:
            try:
                return call(run, parts)
            except TalangError as error:
                if error.path is None:
                    error.path = path
                raise

        return Expression(evaluate, declaration.returns, path, source, parts=parts)

    def _call_function(
        self, name: str, function: Function, source: Sequence[Any], path: str
    ) -> Expression:
        count = len(source) - 1
        fitting = [overload for overload in function.overloads if overload.takes(count)]
        if not fitting:
            refuse_count(name, function, count, path)
        parts = self._arguments(source, path)
        overloads = [overload for overload in fitting if may_take(overload, parts)]
        if not overloads:
            refuse_kinds(name, fitting, parts)
        for overload in overloads:
            if overload.check is not None:
                self._nodes += overload.check(parts)
        returns = 0
        for overload in overloads:
            returns |= overload.returns
        evaluate = bind_call(name, overloads, parts, path)
        return Expression(evaluate, returns, path, source, parts=parts)


def _literal(source: Any, path: str) -> Expression:
    kind = kind_of(source)
    if not kind & (NULL | ATOM):
        raise TalangError(f"{type(source).__name__} is not an expression", path)
    value = admit(source)
    if isinstance(value, str) and len(value) > MAXIMUM_TEXT:
        raise TalangLimitError(f"a text has more than {MAXIMUM_TEXT} characters", path)
    return Expression(lambda run: value, kind, path, value, literal=True)


def _raiser(message: str, path: str | None) -> Evaluate:
    def evaluate(run: Run) -> Any:
        raise TalangError(message, path)

    return evaluate


def _short(name: str) -> str:
    return repr(name if len(name) <= 50 else f"{name[:50]}...")
