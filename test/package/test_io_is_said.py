"""No function of the conveniences makes calls without saying so in its docstring.

I/O needs either an import or an object of the caller that does it. So the rooms without calls
import nothing that can do I/O, and wherever a public function gets an API, a client or a function
that makes calls, or is a method of what holds one, its docstring has to say what is sent.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from package.test_import_floors import MODULES

# Functions of these get whatever they work on as arguments, and nothing that makes calls.
PURE = ("effects", "failures", "checkout")
# Of the package they may import only each other and this, none of which can make a call.
_WITHOUT_IO = (
    *PURE,
    "exceptions",
    "models",
    "_schema",
    "_utils",
    "_core.constructors",
    "_core.hooks",
)
_STANDARD = {
    *("__future__", "collections", "copy", "dataclasses", "decimal", "enum", "fractions"),
    *("contextlib", "functools", "inspect", "math", "re", "types", "typing", "warnings"),
}
_BUILTINS = {"open", "input", "exec", "eval", "__import__", "print"}

WITH_CALLS = ("checkout", "aio.checkout", "resilience", "credentials", "aio.credentials")
_GIVES_ACCESS = {"api", "client", "method", "read"}
_HOLDERS = {"Applications", "Login"}
"""Classes whose objects hold a client."""
_SAYS = re.compile(r"\bmakes? [^.]*\b(calls?|read)\b", re.IGNORECASE)


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the modules that a file imports at run time, also in functions."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
        yield from imported(node)


def test_rooms_without_calls_import_nothing_that_can_do_io() -> None:
    found = []
    rooms = [name for name in MODULES if name.partition(".")[0] in PURE]
    assert len(rooms) > 20
    for name in rooms:
        tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
        for module in imported(tree):
            top, _, inside = module.partition(".")
            allowed = _WITHOUT_IO if top == "talon_one" else tuple(_STANDARD)
            given = inside if top == "talon_one" else top
            if not any(given == each or given.startswith(f"{each}.") for each in allowed):
                found.append(f"{name} imports {module}")
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        found += [f"{name} uses {each}" for each in sorted(names & _BUILTINS)]
    assert found == []


def public_functions(module: ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield the public functions of a module, and methods of its public classes."""
    for name in module.__all__:
        found = getattr(module, name)
        if inspect.isfunction(found):
            yield name, found
        elif inspect.isclass(found) and found.__module__.startswith(module.__name__):
            for method, function in inspect.getmembers(found, inspect.isfunction):
                if not method.startswith("_") and function.__module__.startswith("talon_one."):
                    yield f"{name}.{method}", function


def gets_access(name: str, function: Callable[..., Any]) -> bool:
    """Return whether a function gets or holds something that makes calls, or is awaited."""
    named = _GIVES_ACCESS & inspect.signature(function).parameters.keys()
    holds = name.partition(".")[0] in _HOLDERS
    return bool(named) or holds or inspect.iscoroutinefunction(function)


@pytest.mark.parametrize("room", WITH_CALLS)
def test_what_gets_access_to_the_server_says_whether_it_makes_calls(room: str) -> None:
    module = importlib.import_module(f"talon_one.{room}")
    asked = {name: each for name, each in public_functions(module) if gets_access(name, each)}
    silent = [name for name, each in asked.items() if not _SAYS.search(inspect.getdoc(each) or "")]
    assert asked
    assert silent == []
