"""Which schemas an operation or a webhook reaches, and the reason why the others are there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from codegen.loader import Document, SpecError, refuse, resolve
from codegen.places import place_of
from codegen.variants import variants

_KEPT = "x-kept"
_SCHEMAS = "#/components/schemas/"


def refuse_orphans(document: Document) -> None:
    """Refuse schemas that nothing reaches, unless ``x-kept`` says why they are there.

    A schema is reached if an operation mentions it, if it is the body of a webhook, or if a schema
    that is reached mentions it. What a kept schema mentions needs no reason of its own.

    Raises:
        SpecError: A schema is neither reached nor kept, or both.
    """
    schemas: Document = document["components"]["schemas"]
    mentions = {name: set(_mentioned(schema, document)) for name, schema in schemas.items()}
    webhooks = {name for name, schema in schemas.items() if schema.get("x-notification")}
    reached = _closure({*_mentioned(document["paths"], document), *webhooks}, mentions)
    kept = {name for name, schema in schemas.items() if _KEPT in schema}
    known = reached | _closure(kept, mentions)
    orphans = _roots([name for name in schemas if name not in known], mentions)
    mistakes = [
        SpecError(
            f"{name}: new orphan: no operation reaches it, so {_KEPT} must say why it is there",
            place_of(schemas[name]),
        )
        for name in schemas
        if name in orphans
    ]
    mistakes += [
        SpecError(
            f"{name}: {_KEPT} stands where an operation or a webhook reaches the schema",
            place_of(schemas[name], _KEPT),
        )
        for name in schemas
        if name in kept & reached
    ]
    refuse(mistakes)


def _roots(names: list[str], mentions: Mapping[str, set[str]]) -> set[str]:
    """Return schemas that mention all others of *names*, directly or not; one of each ring."""
    found: set[str] = set()
    covered: set[str] = set()
    closures = {name: _closure([name], mentions) for name in names}
    # What mentions a schema has all that the schema has, so it comes first.
    for name in sorted(names, key=lambda name: -len(closures[name])):
        if name not in covered:
            found.add(name)
            covered |= closures[name]
    return found


def _closure(roots: Iterable[str], mentions: Mapping[str, set[str]]) -> set[str]:
    """Return *roots* and everything that they mention, directly or not."""
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += mentions[name]
    return found


def _mentioned(node: Any, document: Document) -> Iterator[str]:
    """Yield the names of the schemas that a node mentions, inside of it and by reference."""
    if isinstance(node, list):
        for each in node:
            yield from _mentioned(each, document)
    elif isinstance(node, dict):
        reference = node.get("$ref")
        # A property may have that name, too.
        if isinstance(reference, str):
            target = resolve(document, node)
            if reference.startswith(_SCHEMAS):
                yield reference.removeprefix(_SCHEMAS)
            else:
                yield from _mentioned(target, document)
            return
        yield from _by_name(node, document["components"]["schemas"])
        for value in node.values():
            yield from _mentioned(value, document)


def _by_name(node: Document, schemas: Document) -> Iterable[str]:
    """Yield the schemas that extension keys of a node name without a reference."""
    yield from node.get("x-also-accepts", ())
    if "x-variants" in node:
        yield from variants(node["x-variants"], schemas).classes.values()
    if isinstance(node.get("x-notification"), dict):
        yield node["x-notification"]["items"]
