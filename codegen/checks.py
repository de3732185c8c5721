"""Checks of a spec: names that are reserved, unknown, or given twice."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches

from codegen import ir
from codegen.loader import Document, SpecError
from codegen.names import is_usable
from codegen.places import Place, place_of
from talon_one._schema.model import Model
from talon_one.endpoint import Api, CallSettings

# Names that a class must not have, because the generated modules use them.
RESERVED_CLASSES = frozenset(
    {"Any", "Api", "CallSettings", "FileInput", "Literal", "Model", "TypeAlias", "Unpack"}
)
# Methods of models that a property may replace, because this package does not call them.
YIELDING_METHODS = frozenset({"items", "values"})
# Names that a property must not have, because every model, or its constructor, has them.
RESERVED_PROPERTIES = frozenset({"self", *dir(Model)}) - YIELDING_METHODS
# Names that a method must not have, because every API has them or generated code uses them.
RESERVED_METHODS = frozenset(
    {"api_client", "endpoint", "operations", "with_http_info", "without_preload_content"}
    | {"column", "header", "path", "query"}
    | {"aiohttp", "deprecated", "models", "talon_one"}
    | {"bool", "date", "datetime", "dict", "float", "int", "list", "str"}
    | set(dir(Api))
)
# Names that a parameter must not have, because every method has them.
RESERVED_PARAMETERS = frozenset(
    {"self", "body", "settings", "async_req", "_preload_content", "_return_http_data_only"}
    | set(CallSettings.__annotations__)
)


@contextmanager
def located(name: str, thing: object = None, key: str = "") -> Iterator[None]:
    """Say in an error of this block what it is about, and where that stands.

    Args:
        name: What the block reads. A name that begins with a dot continues the one around it.
        thing: The node, or what was made of it. An error that knows its place keeps it.
        key: Key of the node, if the block reads only that.
    """
    try:
        yield
    except SpecError as cause:
        joint = "" if cause.message.startswith(".") else ": "
        places: list[Place | None] = [*cause.places]
        raise SpecError(
            f"{name}{joint}{cause.message}", *(places or [place_of(thing, key)])
        ) from cause


Named = Iterable[tuple[str, Place | None]]
"""Names, each with the place that gives it."""


def spelled(each: ir.Property | ir.Parameter | ir.Operation, node: object) -> Named:
    """Yield the Python names of what a node describes."""
    yield each.name, place_of(node, "x-python-name")
    for alias in each.aliases:
        yield alias, place_of(node, "x-python-aliases")


def refuse_twins(what: str, names: Named) -> None:
    """Refuse a name that occurs twice."""
    known: dict[str, Place | None] = {}
    for name, place in names:
        if name in known:
            raise SpecError(f"two things would be the {what} {name!r}", known[name], place)
        known[name] = place


def refuse_unknown(names: Iterable[str], known: Collection[str]) -> None:
    """Refuse names that are not among the known ones."""
    for name in names:
        if name not in known:
            raise SpecError(f"{name!r} is unknown{suggestion(name, known)}", place_of(names, name))


def shown(value: object) -> str:
    """Return how messages show a value, which may be as large as the description."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return a question after the known name that is most like *name*, if one is like it."""
    meant = get_close_matches(name, known, 1)
    return f"; is {meant[0]!r} meant?" if meant else ""


def refuse_unusable(names: Named, reserved: frozenset[str]) -> None:
    """Refuse names that are no identifiers, or reserved."""
    for name, place in names:
        if not is_usable(name, reserved):
            raise SpecError(f"the Python name {name!r} is reserved, or is no identifier", place)


def refuse_hiding(properties: Sequence[ir.Property], nodes: Document) -> None:
    """Refuse a property whose name hides a name that a property below it needs.

    Args:
        properties: The properties, in their order.
        nodes: What they were made of, by wire name.
    """
    hidden: dict[str, Place | None] = {}
    for each in properties:
        annotation = each.type.annotation.partition("Literal")[0]
        needed = {each.function, *re.findall(r"\w+", annotation)} & hidden.keys()
        if needed:
            name = min(needed)
            raise SpecError(
                f"{name!r} needs an x-python-name, for it hides that name",
                hidden[name],
                place_of(nodes[each.wire]),
            )
        hidden[each.name] = place_of(nodes[each.wire])
