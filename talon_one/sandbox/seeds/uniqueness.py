"""Names, codes and keys that only one thing may have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from talon_one.sandbox.codes import written
from talon_one.sandbox.seeds.things import Report, Thing
from talon_one.sandbox.state.state import State


def check_uniqueness(things: Sequence[Thing], state: State | None, report: Report) -> None:
    """Report everything whose name or code another thing of the seed or of the state has."""
    seen: set[tuple[Any, ...]] = set()
    for thing in things:
        kind = thing.kind
        value = thing.given.get(kind.unique)
        if not isinstance(value, str):
            continue
        value = (
            written(_application_of(thing, state), value) if kind.scope == "application" else value
        )
        more = thing.given.get("entity") if kind.key == "attributes" else None
        place = (kind.key, _scope(thing), more, value)
        if place in seen or _is_stored(thing, value, more, state):
            message = f"there is another {kind.called} with the {kind.unique} {value!r}"
            if kind.unique == "key":
                message = f"another {kind.called} is the same"
            report(f"{thing.pointer}/{kind.unique}", message)
        seen.add(place)
    for thing in things:
        name = {"audiences": "members", "collections": "items"}.get(thing.kind.key, "")
        listed: set[Any] = set()
        for index, item in enumerate(thing.given.get(name) or ()):
            if isinstance(item, str) and item in listed:
                report(f"{thing.pointer}/{name}/{index}", f"{item!r} is there twice")
            if isinstance(item, str):
                listed.add(item)


def _application_of(thing: Thing, state: State | None) -> dict[str, Any]:
    root = thing.root
    if root.kind.key == "applications":
        return root.given
    return (state.applications.get(thing.application_id) if state else None) or {}


def _scope(thing: Thing) -> int:
    if thing.kind.scope == "owner":
        return thing.owner_id
    return thing.application_id if thing.kind.scope == "application" else 0


def _is_stored(thing: Thing, value: str, entity: Any, state: State | None) -> bool:
    if state is None:
        return False
    key, owner = thing.kind.key, thing.owner_id
    if key in ("keys", "managementKeys"):
        return state.key("integration" if key == "keys" else "management", value) is not None
    if key == "profiles" or not thing.kind.table:
        # A profile that exists is updated, as an update of the API does.
        return False
    where: dict[str, Any] = {}
    if thing.kind.scope == "application":
        where = {"_applicationId": thing.application_id}
    elif key in ("stores", "itemFilters", "campaigns"):
        where = {"applicationId": owner}
    elif key in ("collections", "achievements", "valueMaps"):
        where = {"campaignId": owner}
    elif thing.kind.scope == "owner":
        # The owner of a card, a code or an item of a catalog is new, too.
        return False
    if key == "attributes":
        where = {"entity": entity}
    if key == "valueMaps":
        stored = state.value_maps.find(**where)
        return any(each.get("name") == value for each in stored)
    return getattr(state, thing.kind.table).first(**where, **{thing.kind.unique: value}) is not None
