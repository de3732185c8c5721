"""Properties that a class of the SDK does not have, anywhere inside of an object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from talon_one._schema.access import Choice, cases_of, members_of
from talon_one._schema.model import Model
from talon_one.sandbox.contract.shapes import Shape, properties_of, shape_of
from talon_one.sandbox.seeds.kinds import REFERENCES
from talon_one.sandbox.seeds.source import escaped

LATER_BLOCKS: Final[Mapping[str, frozenset[str]]] = {
    "awardLoyaltyPoints": frozenset(
        {
            "id",
            "type",
            "tags",
            "name",
            "program",
            "subledger",
            "recipient",
            "value",
            "partial",
            "target",
            "awaitsActivation",
            "startDate",
            "expiryDate",
            "validityDuration",
            "pendingDuration",
            "onFailure",
        }
    )
}
"""Properties of blocks that come after the release of `spec/`."""

_NAMING: Final = frozenset({"name", "title", "entity"})
"""Properties by which a reference may say what it means, whatever its class has."""


class Unknown(NamedTuple):
    """A property that does not exist.

    Attributes:
        pointer: JSON pointer to it.
        name: Its name.
        known: Properties that exist in its place.
    """

    pointer: str
    name: str
    known: frozenset[str]


def unknown_properties(written: str, value: Any, pointer: str) -> Iterator[Unknown]:
    """Yield the unknown properties of a value.

    Args:
        written: Type of the value, such as `RulesetV2`. What does not fit it is passed over.
        value: The value.
        pointer: JSON pointer to it.
    """
    yield from _of_shape(shape_of(written), value, pointer)


def _of_shape(
    shape: Shape, value: Any, pointer: str, more: frozenset[str] = frozenset()
) -> Iterator[Unknown]:
    if shape.kind == "list" and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _of_shape(shape.parts[0], item, f"{pointer}/{index}", more)
    elif shape.kind == "map" and isinstance(value, dict):
        for name, item in value.items():
            yield from _of_shape(shape.parts[0], item, f"{pointer}/{escaped(name)}", more)
    elif shape.kind == "object" and isinstance(value, dict):
        yield from _of_class(shape.target(), value, pointer, more)


def _of_class(
    cls: type[Model], value: dict[str, Any], pointer: str, more: frozenset[str]
) -> Iterator[Unknown]:
    members = members_of(cls)
    if members is not None:
        later = LATER_BLOCKS.get(str(value.get("type")))
        if later is not None and cls.__name__ == "PromotionBlock":
            yield from _beyond(value, later, pointer)
        chosen = _chosen(members, value)
        if chosen is not None:
            yield from _of_class(chosen, value, pointer, more)
        return
    if cls is Model:
        return
    declared = {each.wire: each for each in properties_of(cls)}
    cases = cases_of(cls)
    chosen = _chosen(cases, value) if cases is not None else None
    if chosen is not None:
        declared = {**{each.wire: each for each in properties_of(chosen)}, **declared}
    yield from _beyond(value, frozenset(declared) | more, pointer)
    for name, item in value.items():
        found = declared.get(name)
        if found is None:
            continue
        place = f"{pointer}/{escaped(name)}"
        naming = _NAMING if name in REFERENCES else frozenset[str]()
        if found.variant is not None and isinstance(item, dict):
            yield from _of_class(
                found.variant.class_for(value.get(found.variant.by)), item, place, naming
            )
        else:
            yield from _of_shape(found.shape, item, place, naming)


def _chosen(choice: Choice, value: Mapping[str, Any]) -> type[Model] | None:
    name = value.get(choice.by)
    return choice.class_for(name) if isinstance(name, str) and name in choice.values else None


def _beyond(value: Mapping[str, Any], known: frozenset[str], pointer: str) -> Iterator[Unknown]:
    for name in value:
        if name not in known:
            yield Unknown(f"{pointer}/{escaped(name)}", name, known)
