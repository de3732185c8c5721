"""Functions that apply a block, an anonymous function, to a value or to each item of a list."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

from talon_one.sandbox.talang.arithmetic import ZERO, add
from talon_one.sandbox.talang.declarations import Compiler, Declaration, Macro, expect
from talon_one.sandbox.talang.errors import TalangError
from talon_one.sandbox.talang.run import Expression, Run
from talon_one.sandbox.talang.values import (
    ANY,
    BOOLEAN,
    DECIMAL,
    LIST,
    STRING,
    Kind,
    admit,
)


class Block:
    """A block as it is applied in a run.

    Args:
        name: The name that it binds.
        body: What it computes.
        kind: The kind that its results must have.
    """

    __slots__ = ("_body", "_checked", "_evaluate", "_kind", "_name")

    def __init__(self, name: str, body: Expression, kind: Kind) -> None:
        self._name = name
        self._body = body
        self._evaluate = body.evaluate
        self._kind = kind
        self._checked = bool(body.kind & ~kind)

    def apply(self, run: Run, value: Any) -> Any:
        """Return the result for one value. What the block binds with `set` ends with it."""
        outside = run.names
        run.spend(self._body.size + (len(outside) >> 4))
        run.names = {**outside, self._name: value}
        result = self._evaluate(run)
        run.names = outside
        return expect(result, self._kind, self._body.path) if self._checked else result

    def apply_all(self, run: Run, elements: list[Any]) -> Iterator[tuple[Any, Any]]:
        """Yield each element with its result."""
        for element in elements:
            value = admit(element)
            yield value, self.apply(run, value)


def split_block(call: Sequence[Any], path: str, position: int) -> tuple[str, Any, str, int]:
    """Find the block in a call: `name, body` as two arguments, or `[[name], body]` as one.

    Args:
        call: The whole call, the name of the function first.
        path: Its path.
        position: Where the block begins in the call.

    Returns:
        The name, the body, the path of the body, and the position behind the block.

    Raises:
        TalangError: If there is no block at that position.
    """
    found = call[position] if position < len(call) else None
    if isinstance(found, str) and position + 1 < len(call):
        return found, call[position + 1], f"{path}/{position + 1}", position + 2
    if isinstance(found, (list, tuple)) and len(found) == 2:
        names, body = found
        if isinstance(names, (list, tuple)) and len(names) == 1 and isinstance(names[0], str):
            return names[0], body, f"{path}/{position}/1", position + 1
    if position < len(call):
        path = f"{path}/{position}"
    raise TalangError(f"{call[0]} takes a block: a name and an expression", path)


Apply = Callable[[Run, Any, Block], Any]


def _block_function(apply: Apply, kind: Kind, returns: Kind, subject: Kind = LIST) -> Macro:
    def build(compiler: Compiler, call: Sequence[Any], path: str) -> Expression:
        value = compiler.compile(call[1], f"{path}/1", subject)
        name, source, place, end = split_block(call, path, 2)
        if end != len(call):
            raise TalangError(f"{call[0]} takes nothing behind its block", f"{path}/{end}")
        body = compiler.compile_block(name, source, place, kind)
        block = Block(name, body, kind)
        evaluate_value, value_path = value.evaluate, value.path

        def evaluate(run: Run) -> Any:
            found = expect(evaluate_value(run), subject, value_path)
            try:
                return apply(run, found, block)
            except TalangError as error:
                if error.path is None:
                    error.path = path
                raise

        result = body.kind if apply is _do else returns
        return Expression(evaluate, result, path, call, parts=(value, body))

    return Macro(build, minimum=2, maximum=3)


def _sort_function(kind: Kind) -> Macro:
    def build(compiler: Compiler, call: Sequence[Any], path: str) -> Expression:
        value = compiler.compile(call[1], f"{path}/1", LIST)
        name, source, place, end = split_block(call, path, 2)
        body = compiler.compile_block(name, source, place, kind)
        parts: tuple[Expression, ...] = (value, body)
        descending: Expression | None = None
        if end < len(call):
            descending = compiler.compile(call[end], f"{path}/{end}", BOOLEAN)
            parts = (*parts, descending)
        if end + 1 < len(call):
            raise TalangError(f"{call[0]} takes nothing behind the order", f"{path}/{end + 1}")
        block = Block(name, body, kind)

        def evaluate(run: Run) -> Any:
            found = expect(value.evaluate(run), LIST, value.path)
            backwards = False
            if descending is not None:
                backwards = expect(descending.evaluate(run), BOOLEAN, descending.path)
            try:
                return _sort(run, found, block, backwards)
            except TalangError as error:
                if error.path is None:
                    error.path = path
                raise

        return Expression(evaluate, LIST, path, call, parts=parts)

    return Macro(build, minimum=2, maximum=4)


def _do(run: Run, value: Any, block: Block) -> Any:
    return block.apply(run, value)


def _map(run: Run, elements: list[Any], block: Block) -> list[Any]:
    run.make_list(len(elements))
    return [result for _, result in block.apply_all(run, elements)]


def _filter(run: Run, elements: list[Any], block: Block) -> list[Any]:
    run.make_list(len(elements))
    return [element for element, keeps in block.apply_all(run, elements) if keeps]


def _every(run: Run, elements: list[Any], block: Block) -> bool:
    return all(holds for _, holds in block.apply_all(run, elements))


def _exists(run: Run, elements: list[Any], block: Block) -> bool:
    return any(holds for _, holds in block.apply_all(run, elements))


def _sum(run: Run, elements: list[Any], block: Block) -> Decimal:
    total = ZERO
    for _, number in block.apply_all(run, elements):
        total = add(total, number)
    return total


def _sort(run: Run, elements: list[Any], block: Block, descending: bool) -> list[Any]:
    run.spend(len(elements) * len(elements).bit_length())
    pairs = list(block.apply_all(run, elements))
    pairs.sort(key=lambda pair: pair[1], reverse=descending)
    return [element for element, _ in pairs]


FUNCTIONS: Final[dict[str, Declaration]] = {
    "do": _block_function(_do, ANY, ANY, ANY),
    "map": _block_function(_map, ANY, LIST),
    "filter": _block_function(_filter, BOOLEAN, LIST),
    "every": _block_function(_every, BOOLEAN, BOOLEAN),
    "exists": _block_function(_exists, BOOLEAN, BOOLEAN),
    "sum": _block_function(_sum, DECIMAL, DECIMAL),
    "sortbynumber": _sort_function(DECIMAL),
    "sortbystring": _sort_function(STRING),
}
