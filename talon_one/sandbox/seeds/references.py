"""References by name: an object with a name and no ID gets the ID of what has that name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from talon_one._utils.suggest import did_you_mean
from talon_one.sandbox.seeds.kinds import BY_KEY, NO_REFERENCES, REFERENCES, Kind
from talon_one.sandbox.seeds.source import escaped
from talon_one.sandbox.seeds.things import Report, Thing, stored_tiers
from talon_one.sandbox.state.state import State

_ENTITIES: Final = {
    "profile": "CustomerProfile",
    "advocateProfile": "CustomerProfile",
    "session": "CustomerSession",
    "item": "CartItem",
}
"""Entities as blocks call them, by their names elsewhere."""

_IN_COLLECTION: Final = ("inCollection", "not(inCollection)")


class _Candidate(NamedTuple):
    """Something that may be referred to."""

    id: int
    owner: int
    application: int
    entity: str


class References:
    """Resolve references of a seed to its things and to what is stored already.

    Args:
        things: The things of the seed, with their IDs.
        state: What is stored; None for nothing.
        report: Takes mistakes.
    """

    def __init__(self, things: Sequence[Thing], state: State | None, report: Report) -> None:
        self._state = state
        self._report = report
        self._things: dict[str, dict[str, list[Thing]]] = defaultdict(lambda: defaultdict(list))
        self._ids: dict[str, set[int]] = defaultdict(set)
        for thing in things:
            self._ids[thing.kind.key].add(thing.id)
            name = thing.given.get(thing.kind.name) if thing.kind.name else None
            if isinstance(name, str):
                self._things[thing.kind.key][name].append(thing)
        self._stored: dict[str, dict[str, list[_Candidate]]] = {}

    def resolve(self, value: Any, pointer: str, thing: Thing) -> Any:
        """Return a value in which every reference has its ID.

        Args:
            value: Any part of a thing.
            pointer: JSON pointer to it.
            thing: The thing: of several things with a name, the nearest to it is meant.
        """
        if isinstance(value, list):
            return [
                self.resolve(item, f"{pointer}/{index}", thing) for index, item in enumerate(value)
            ]
        if not isinstance(value, dict):
            return value
        resolved = {}
        in_collection = str(value.get("operator")) in _IN_COLLECTION
        for name, inner in value.items():
            place = f"{pointer}/{escaped(name)}"
            if in_collection and name == "value":
                resolved[name] = self._collection(inner, place, thing)
            elif name in NO_REFERENCES:
                resolved[name] = inner
            elif name in REFERENCES:
                resolved[name] = self.property(name, inner, place, thing)
            else:
                resolved[name] = self.resolve(inner, place, thing)
        return resolved

    def property(self, name: str, value: Any, pointer: str, thing: Thing) -> Any:
        """Return the value of a property that refers to something, or to several."""
        if isinstance(value, list):
            return [
                self.property(name, item, f"{pointer}/{index}", thing)
                for index, item in enumerate(value)
            ]
        key, by_id = REFERENCES[name]
        return self.reference(BY_KEY[key], value, pointer, thing, by_id=by_id)

    def reference(self, kind: Kind, value: Any, pointer: str, thing: Thing, *, by_id: bool) -> Any:
        """Return a reference with its ID, or the ID alone; 0 stands for what does not exist.

        Values that are no references come back as they are.
        """
        if by_id and isinstance(value, int) and not isinstance(value, bool):
            return value if self._expect(kind, value, pointer) else 0
        if not isinstance(value, dict):
            if by_id and isinstance(value, str) and kind.name and "{{" not in value:
                reference = f"{{{kind.name}: {value}}}"
                self._report(pointer, f"a reference to {kind.one} by its name is {reference}")
                return 0
            return value
        given = value.get("id")
        if given is not None:
            # Rules find attributes by their names; the ID of one that was deleted is 0.
            if isinstance(given, int) and kind.key != "attributes":
                self._expect(kind, given, pointer, value.get(kind.name))
            return given if by_id else value
        name = value.get(kind.name, value.get("name"))
        if not isinstance(name, str):
            if by_id:
                self._report(pointer, f"a reference to {kind.one} needs its {kind.name}")
            return 0 if by_id else value
        found = self._find(kind, name, value, pointer, thing)
        return found if by_id else {"id": found, **{n: v for n, v in value.items() if n != "id"}}

    def _collection(self, value: Any, pointer: str, thing: Thing) -> Any:
        """Return the collection of a condition; a text is its name, or computes it."""
        kind = BY_KEY["collections"]
        if isinstance(value, str):
            if "{{" not in value:
                self._find(kind, value, {}, pointer, thing)
            return value
        if isinstance(value, int):
            return self.reference(kind, value, pointer, thing, by_id=True)
        return self.reference(kind, value, pointer, thing, by_id=False)

    def _expect(self, kind: Kind, wanted: int, pointer: str, name: Any = None) -> bool:
        if wanted in self._ids[kind.key] or any(
            wanted == each.id for found in self._in_state(kind).values() for each in found
        ):
            return True
        hint = ""
        if isinstance(name, str) and (known := list(self._candidates(kind, name))):
            hint = f": the one with the name {name!r} has the ID {known[0].id}"
        self._report(pointer, f"there is no {kind.called} with the ID {wanted}{hint}")
        return False

    def _find(
        self, kind: Kind, name: str, value: Mapping[str, Any], pointer: str, thing: Thing
    ) -> int:
        found = list(self._candidates(kind, name))
        if not found:
            names = {*self._things[kind.key], *self._in_state(kind)}
            hint = did_you_mean(name, names)
            self._report(pointer, f"there is no {kind.called} with the name {name!r}.{hint}")
            return 0
        entity = value.get("entity")
        if isinstance(entity, str):
            wanted = _ENTITIES.get(entity, entity)
            found = [each for each in found if each.entity.lower() == wanted.lower()] or found
        nearest = _nearest(found, thing)
        if len(nearest) > 1:
            ids = ", ".join(str(each.id) for each in nearest)
            self._report(
                pointer, f"several {kind.called}s have the name {name!r}: give an ID of {ids}"
            )
        return nearest[0].id

    def _candidates(self, kind: Kind, name: str) -> Iterator[_Candidate]:
        for thing in self._things[kind.key].get(name, ()):
            entity = str(thing.given.get("entity", ""))
            yield _Candidate(thing.id, thing.owner_id, thing.application_id, entity)
        yield from self._in_state(kind).get(name, ())

    def _in_state(self, kind: Kind) -> Mapping[str, list[_Candidate]]:
        if kind.key not in self._stored:
            found: dict[str, list[_Candidate]] = defaultdict(list)
            for document in self._documents(kind):
                application = document.get("applicationId", 0)
                owner = document.get("campaignId", application)
                entity = document.get("entity", "")
                name = document.get(kind.name)
                if name is not None:
                    found[name].append(_Candidate(document["id"], owner, application, entity))
            self._stored[kind.key] = found
        return self._stored[kind.key]

    def _documents(self, kind: Kind) -> Iterator[Mapping[str, Any]]:
        if self._state is None:
            return
        if kind.key == "tiers":
            yield from (tier for tier, _ in stored_tiers(self._state))
        elif kind.table:
            yield from getattr(self._state, kind.table).each()


def _nearest(found: Sequence[_Candidate], thing: Thing) -> Sequence[_Candidate]:
    """Return those of the same owner; if there are none, of the same Application; else all."""
    campaign = thing.id if thing.kind.key == "campaigns" else thing.owner_id
    application = thing.application_id
    return (
        [each for each in found if each.application == application and each.owner == campaign]
        or [each for each in found if each.application == application]
        or found
    )
