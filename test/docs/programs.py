"""Blocks of a page that go on from one another, put together."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Sequence

from docs.pages import Block


def program(block: Block, earlier: Sequence[Block]) -> str:
    """Return a block after those blocks of its page whose names it uses, lines numbered as there.

    Args:
        block: What is to be completed.
        earlier: The blocks above it, in the order of the page.
    """
    parts = {block.line: block.code}
    wanted = _used(block.code) - _bound(block.code)
    for other in reversed(earlier):
        if wanted & _bound(other.code):
            parts[other.line] = other.code
            wanted = (wanted | _used(other.code)) - _bound(other.code)
    lines: list[str] = []
    for line, code in sorted(parts.items()):
        lines += [""] * (line - 1 - len(lines)) + code.splitlines()
    return "\n".join([*lines, ""])


def imported(code: str) -> set[str]:
    """Return the packages that code imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def _used(code: str) -> set[str]:
    names = {
        node.id
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    return names - set(dir(builtins))


def _bound(code: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.alias):
            found.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            found.add(node.name)
    return found
