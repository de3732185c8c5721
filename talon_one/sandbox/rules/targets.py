"""Which cart items an effect is about: all, those of a selector or filter, or bundles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from talon_one.sandbox.rules.compiled import WrongType
from talon_one.sandbox.rules.context import Context
from talon_one.sandbox.rules.entities import read_name
from talon_one.sandbox.rules.scope import Scope, Unit
from talon_one.sandbox.rules.selectors import item_filter

Json: TypeAlias = Mapping[str, Any]
Units: TypeAlias = Callable[[Scope], Sequence[Unit]]
Bundles: TypeAlias = Callable[[Scope], Sequence[tuple[Unit, ...]]]

ITEMS: Final = ("allItems", "selector", "globalFilter")
"""Types of targets that give units."""


class Target(NamedTuple):
    """A compiled target: of the fields behind the first, one is set, or none for the cart.

    Attributes:
        type: `cart`, `allItems`, `selector`, `globalFilter` or `bundle`.
        name: Name of the selector, filter or bundle.
        units: The units of a target that gives units.
        bundles: The bundles of a target that gives bundles.
    """

    type: str
    name: str = ""
    units: Units | None = None
    bundles: Bundles | None = None


def compile_target(target: Json, context: Context, types: Sequence[str]) -> Target:
    """Compile a target.

    Args:
        target: The `target` of a block.
        context: Its place.
        types: Types that it may have.
    """
    kind = context.choice(target, "type", types)
    if kind == "allItems":
        return Target(kind, units=lambda scope: scope.units)
    if kind == "selector":
        name = _known_name(target, context, bundles=False)
        return Target(kind, name, units=lambda scope: _units(read_name(scope, name), name))
    if kind == "globalFilter":
        name = context.text(target, "name")
        return Target(kind, name, units=lambda scope: _units(item_filter(scope, name), name))
    if kind == "bundle":
        name = _known_name(target, context, bundles=True)
        return Target(kind, name, bundles=lambda scope: read_name(scope, name))
    return Target(kind)


def _known_name(target: Json, context: Context, *, bundles: bool) -> str:
    name = context.text(target, "name")
    known = context.bundles if bundles else set(context.names.known) - context.bundles
    if name and name not in known:
        context.at("name").refuse(f"no {'bundle' if bundles else 'selector'} is named {name!r}")
    return name


def _units(found: Any, name: str) -> Sequence[Unit]:
    units = [found] if isinstance(found, Unit) else found
    if isinstance(units, (list, tuple)) and all(isinstance(each, Unit) for each in units):
        return units
    raise WrongType(f"{name} does not give cart items")
