"""Bindings and maps: `.`, the safe lookup, `set`, `kv`, and what catches a failed lookup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from talon_one.sandbox.talang.declarations import Compiler, Declaration, Lazy, Macro, expect
from talon_one.sandbox.talang.errors import TalangError, TalangLimitError
from talon_one.sandbox.talang.run import Evaluate, Expression, Run
from talon_one.sandbox.talang.values import (
    ANY,
    ATOM,
    MAP,
    NULL,
    READY,
    admit,
    describe,
    kind_of,
    text_of,
)

_MISSING: Final = object()

# `true` is how a path element True is written where capitals are lost, so both are tried.
_BOOLEAN_NAMES: Final = {True: ("true", "True"), False: ("false", "False")}


def _build_lookup(compiler: Compiler, call: Sequence[Any], path: str) -> Expression:
    parts = tuple(
        compiler.compile(call[index], f"{path}/{index}", ATOM) for index in range(1, len(call))
    )
    names: list[str] = []
    for part in parts:
        if not part.literal or isinstance(part.source, bool):
            break
        names.append(text_of(part.source))
    compiler.note_read(tuple(names), path)
    literal = len(names) == len(parts)
    evaluate = _literal_lookup(names, path) if literal else _computed_lookup(parts, path)
    return Expression(evaluate, ANY, path, call, parts=parts)


def _literal_lookup(names: Sequence[str], path: str) -> Evaluate:
    first, *others = names
    rest = tuple(others)

    def evaluate(run: Run) -> Any:
        bound = run.names
        try:
            value = bound[first] if bound and first in bound else run.bindings[first]
            for name in rest:
                value = value[name] if type(value) is dict else _step(value, (name,))
        except KeyError:
            raise TalangError(f"nothing is bound to {'.'.join(names)}", path) from None
        except TalangError as error:
            error.path = path
            raise
        if type(value) in READY:
            return value
        return _admitted(value, path)

    return evaluate


def _computed_lookup(parts: tuple[Expression, ...], path: str) -> Evaluate:
    def evaluate(run: Run) -> Any:
        texts: list[str] = []
        value: Any = _MISSING
        for part in parts:
            element = expect(part.evaluate(run), ATOM, part.path)
            names = _BOOLEAN_NAMES[element] if isinstance(element, bool) else (text_of(element),)
            texts.append(names[0])
            try:
                value = _root(run, names) if value is _MISSING else _step(value, names)
            except KeyError:
                raise TalangError(f"nothing is bound to {'.'.join(texts)}", path) from None
            except TalangError as error:
                error.path = path
                raise
        return _admitted(value, path)

    return evaluate


def _root(run: Run, names: tuple[str, ...]) -> Any:
    for name in names:
        if name in run.names:
            return run.names[name]
        if name in run.bindings:
            return run.bindings[name]
    raise KeyError


def _step(value: Any, names: tuple[str, ...]) -> Any:
    if not isinstance(value, Mapping):
        raise TalangError(f"{describe(kind_of(value))} has no {names[0]!r}")
    for name in names:
        if name in value:
            return value[name]
    raise KeyError


def _admitted(value: Any, path: str) -> Any:
    try:
        return admit(value)
    except TalangError as error:
        error.path = path
        raise


def _catching(run: Run, evaluate: Evaluate) -> Any:
    """Evaluate an expression, and return a marker if it fails.

    Names that it has set before it failed are forgotten.
    """
    state = run.names, run.arguments, run.depth, run.templates
    try:
        return evaluate(run)
    except TalangLimitError:
        raise
    except TalangError:
        run.names, run.arguments, run.depth, run.templates = state
        return _MISSING


def _build_catch(compiler: Compiler, call: Sequence[Any], path: str) -> Expression:
    default = compiler.compile(call[1], f"{path}/1")
    tried = compiler.compile_guarded(call[2], f"{path}/2")
    evaluate_default, evaluate_tried = default.evaluate, tried.evaluate

    def evaluate(run: Run) -> Any:
        fallback = evaluate_default(run)
        value = _catching(run, evaluate_tried)
        return fallback if value is _MISSING else value

    kind = default.kind | tried.kind
    return Expression(evaluate, kind, path, call, parts=(default, tried))


def _build_safe_lookup(compiler: Compiler, call: Sequence[Any], path: str) -> Expression:
    default = compiler.compile(call[1], f"{path}/1")
    lookup = compiler.compile_guarded(call[2], f"{path}/2")
    if not lookup.kind & (default.kind | NULL):
        message = f"expected {describe(default.kind)}, not {describe(lookup.kind)}"
        raise TalangError(message, lookup.path)

    def evaluate(run: Run) -> Any:
        fallback = default.evaluate(run)
        value = _catching(run, lookup.evaluate)
        if value is _MISSING or value is None:
            return fallback
        return expect(value, kind_of(fallback), lookup.path)

    return Expression(evaluate, default.kind, path, call, parts=(default, lookup))


def _build_set(compiler: Compiler, call: Sequence[Any], path: str) -> Expression:
    names: list[str] = []
    for index in range(1, len(call) - 1):
        part = compiler.compile(call[index], f"{path}/{index}", ATOM)
        if not part.literal:
            raise TalangError("set takes a literal path", part.path)
        names.append(text_of(part.source))
    value = compiler.compile(call[-1], f"{path}/{len(call) - 1}")
    compiler.note_set(names[0])
    target = tuple(names)

    def evaluate(run: Run) -> None:
        found = value.evaluate(run)
        first = target[0]
        old = run.names.get(first, _MISSING)
        if old is _MISSING:
            old = run.bindings.get(first, _MISSING)
        run.spend(len(run.names) >> 4)
        run.names = {**run.names, first: _replaced(run, old, target[1:], found, path)}

    return Expression(evaluate, NULL, path, call, parts=(value,))


def _replaced(run: Run, old: Any, names: tuple[str, ...], value: Any, path: str) -> Any:
    """Return a copy of a map with one value replaced: bindings belong to the caller."""
    if not names:
        return value
    if old is _MISSING or old is None:
        old = {}
    expect(old, MAP, path)
    run.make_list(len(old) + 1)
    inner = _replaced(run, old.get(names[0], _MISSING), names[1:], value, path)
    return {**old, names[0]: inner}


def _build_map(compiler: Compiler, call: Sequence[Any], path: str) -> Expression:
    parts: list[tuple[str, Expression]] = []
    for index in range(1, len(call)):
        pair, place = call[index], f"{path}/{index}"
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise TalangError("kv takes pairs of a key and a value", place)
        key = compiler.compile(pair[0], f"{place}/0", ATOM)
        if not key.literal:
            raise TalangError("a key of kv is a literal", key.path)
        parts.append((text_of(key.source), compiler.compile(pair[1], f"{place}/1")))

    def evaluate(run: Run) -> dict[str, Any]:
        return {key: value.evaluate(run) for key, value in parts}

    return Expression(evaluate, MAP, path, call, parts=tuple(value for _, value in parts))


def _noop(run: Run, arguments: tuple[Expression, ...]) -> None:
    return None


FUNCTIONS: Final[dict[str, Declaration]] = {
    ".": Macro(_build_lookup, minimum=1),
    ".|": Macro(_build_safe_lookup, minimum=2, maximum=2),
    "catch": Macro(_build_catch, minimum=2, maximum=2),
    "set": Macro(_build_set, minimum=2),
    "kv": Macro(_build_map),
    "noop": Lazy(_noop, maximum=0, returns=NULL),
}
