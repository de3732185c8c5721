"""Choose between the signatures of an eager function, when compiling and when evaluating."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from talon_one.sandbox.talang.declarations import Function, Overload, check_count
from talon_one.sandbox.talang.errors import TalangError
from talon_one.sandbox.talang.run import Evaluate, Expression, Run
from talon_one.sandbox.talang.values import Kind, describe, kind_of


def may_take(overload: Overload, parts: Sequence[Expression]) -> bool:
    """Return whether the arguments may have the kinds of a signature."""
    kinds = overload.kinds(len(parts))
    return all(part.kind & kind for part, kind in zip(parts, kinds, strict=True))


def refuse_count(name: str, function: Function, count: int, path: str) -> None:
    """Refuse a number of arguments that no signature takes.

    Raises:
        TalangError: Always.
    """
    bounds = [
        (len(overload.parameters) - overload.optional, len(overload.parameters), overload.rest)
        for overload in function.overloads
    ]
    endless = any(rest is not None for _, _, rest in bounds)
    minimum = min(low for low, _, _ in bounds)
    check_count(name, count, minimum, None if endless else max(high for _, high, _ in bounds), path)


def refuse_kinds(name: str, fitting: Sequence[Overload], parts: Sequence[Expression]) -> None:
    """Refuse arguments that suit no signature, and name the first that does not.

    Raises:
        TalangError: Always.
    """
    wanted = [0] * len(parts)
    for overload in fitting:
        for index, kind in enumerate(overload.kinds(len(parts))):
            wanted[index] |= kind
    for part, kind in zip(parts, wanted, strict=True):
        if not part.kind & kind:
            raise TalangError(
                f"{name} takes {describe(kind)}, not {describe(part.kind)}", part.path
            )
    # Each argument suits some signature, and no signature suits all: they differ in kind.
    first = parts[0].kind
    for part in parts:
        if not part.kind & first:
            raise TalangError(
                f"{name} takes arguments of one kind, not {describe(first)} and then "
                f"{describe(part.kind)}",
                part.path,
            )
    raise TalangError(f"{name} does not take these arguments together", parts[0].path)


def bind_call(
    name: str, overloads: Sequence[Overload], parts: tuple[Expression, ...], path: str
) -> Evaluate:
    """Return the closure that evaluates the arguments and calls the signature they suit."""
    arguments = tuple(part.evaluate for part in parts)
    count = len(parts)
    if len(overloads) == 1:
        kinds = overloads[0].kinds(count)
        unchecked = all(part.kind & ~kind == 0 for part, kind in zip(parts, kinds, strict=True))
        if unchecked:
            return _direct(overloads[0].call, arguments, path)
    choices = tuple((overload.kinds(count), overload.call) for overload in overloads)
    if count == 2:
        return _checked_pair(name, choices, parts, path)

    def evaluate(run: Run) -> Any:
        values = [argument(run) for argument in arguments]
        found = [kind_of(value) for value in values]
        for kinds, call in choices:
            for actual, kind in zip(found, kinds, strict=True):
                if not actual & kind:
                    break
            else:
                try:
                    return call(run, *values)
                except TalangError as error:
                    if error.path is None:
                        error.path = path
                    raise
        raise _mismatch(name, choices, found, parts)

    return evaluate


def _direct(call: Callable[..., Any], arguments: tuple[Evaluate, ...], path: str) -> Evaluate:
    def evaluate(run: Run) -> Any:
        values = [argument(run) for argument in arguments]
        try:
            return call(run, *values)
        except TalangError as error:
            if error.path is None:
                error.path = path
            raise

    return evaluate


_Choices = tuple[tuple[tuple[Kind, ...], Callable[..., Any]], ...]


def _checked_pair(
    name: str, choices: _Choices, parts: tuple[Expression, ...], path: str
) -> Evaluate:
    """Return the common case of two arguments, without loops over them."""
    left, right = parts[0].evaluate, parts[1].evaluate
    pairs = tuple((kinds[0], kinds[1], call) for kinds, call in choices)

    def evaluate(run: Run) -> Any:
        first, second = left(run), right(run)
        kind, other = kind_of(first), kind_of(second)
        for wanted, also, call in pairs:
            if kind & wanted and other & also:
                try:
                    return call(run, first, second)
                except TalangError as error:
                    if error.path is None:
                        error.path = path
                    raise
        raise _mismatch(name, choices, [kind, other], parts)

    return evaluate


def _mismatch(
    name: str, choices: _Choices, found: Sequence[Kind], parts: Sequence[Expression]
) -> TalangError:
    # The signature that fits the first argument is the one that was meant.
    meant = [kinds for kinds, _ in choices if found[0] & kinds[0]] or [
        kinds for kinds, _ in choices
    ]
    for index, actual in enumerate(found):
        wanted = 0
        for kinds in meant:
            wanted |= kinds[index]
        if not actual & wanted:
            message = f"{name} takes {describe(wanted)}, not {describe(actual)}"
            return TalangError(message, parts[index].path)
    return TalangError(f"{name} does not take these arguments together", parts[0].path)
