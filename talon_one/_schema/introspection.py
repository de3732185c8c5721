"""Types, signature and descriptions of a model class, for `help`, editors and pydantic."""

from __future__ import annotations

import ast
import sys
from functools import cache
from inspect import Parameter, Signature, cleandoc, getsource
from itertools import pairwise
from typing import TYPE_CHECKING, Any, get_type_hints

if TYPE_CHECKING:
    from talon_one._schema.fields import Field
    from talon_one._schema.model import Model


def property_types(cls: type[Model]) -> dict[str, Any]:
    """Return the type of each property, by its Python name.

    Classes named by types are loaded. Types that cannot be evaluated stay text.
    """
    try:
        types = get_type_hints(cls, include_extras=True)
    except Exception:  # A subclass may have any annotations, and `help` must work.
        types = {}
    return {
        name: types.get(name, declared.owner.__annotations__[name])
        for name, declared in cls._fields.items()
    }


def signature(cls: type[Model]) -> Signature:
    """Return the constructor as type checkers see it; it also takes properties by position."""
    types = property_types(cls)
    return Signature(
        [
            Parameter(
                name,
                Parameter.KEYWORD_ONLY,
                default=_default(declared),
                annotation=types[name],
            )
            for name, declared in cls._fields.items()
        ]
    )


def _default(declared: Field) -> Any:
    if declared.constant is not None:
        return declared.constant
    return Parameter.empty if declared.required else None


def description(declared: Field) -> str | None:
    """Return the docstring below a property, or ``None`` if its source is not available."""
    return _descriptions(declared.owner).get(declared.name)  # type: ignore[arg-type]  # hashable


@cache
def _descriptions(cls: type[Model]) -> dict[str, str]:
    # Python drops docstrings of attributes. Keeping them would cost every program memory that few
    # need.
    try:
        tree = ast.parse(getsource(sys.modules[cls.__module__]))
    except (KeyError, OSError, SyntaxError, TypeError):
        return {}
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == cls.__name__:
            for declared, below in pairwise(node.body):
                match declared, below:
                    case (
                        ast.AnnAssign(target=ast.Name(id=name)),
                        ast.Expr(value=ast.Constant(value=str(text))),
                    ):
                        found[name] = cleandoc(text)
    return found
