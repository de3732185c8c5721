"""The things of a seed: collected from its lists, each with its place, its owner and its ID."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from talon_one._utils.suggest import did_you_mean
from talon_one.sandbox.seeds.kinds import OWNERS, TOP, Kind
from talon_one.sandbox.seeds.source import escaped
from talon_one.sandbox.state.documents import Document, Documents
from talon_one.sandbox.state.state import State

Report: TypeAlias = Callable[..., None]
"""Takes the pointer and the message of a mistake, and `at_key` if the key is wrong."""

IGNORED: Final = "x-"
"""Keys at the top of a seed that begin like this are for anchors."""

_OWN_IDS: Final = ("applicationId", "campaignId", "programID", "poolId", "catalogid")


@dataclass(slots=True, eq=False)
class Thing:
    """Something that a seed describes.

    Attributes:
        kind: Its kind.
        pointer: JSON pointer to it.
        given: Its own properties, first as given, then resolved and normalized.
        owner: What it stands in; None at the top.
        id: Its ID; 0 until it has one, and for kinds that have none.
        children: What stands in it.
        stored: The stored entity that owns it, for a thing at the top.
    """

    kind: Kind
    pointer: str
    given: dict[str, Any]
    owner: Thing | None = None
    id: int = 0
    children: list[Thing] = field(default_factory=list)
    stored: Document | None = None

    @property
    def owner_id(self) -> int:
        """ID of the owner, 0 if it has none."""
        if self.stored is not None:
            return int(self.stored["id"])
        return self.owner.id if self.owner else 0

    @property
    def root(self) -> Thing:
        """The outermost thing around it, or the thing itself."""
        thing = self
        while thing.owner is not None:
            thing = thing.owner
        return thing

    @property
    def application_id(self) -> int:
        """ID of the Application that it belongs to, 0 if it belongs to none."""
        root = self.root
        if root.kind.key == "applications":
            return root.id
        found = root.stored or {"id": 0}
        return int(found["applicationId"] if "applicationId" in found else found["id"])


def collect(content: Mapping[str, Any], report: Report) -> list[Thing]:
    """Return all things of a seed, owners before what they own."""
    kinds = {kind.key: kind for kind in TOP}
    things: list[Thing] = []
    for key in content:
        if key not in kinds and not key.startswith(IGNORED):
            message = f"a seed has no {key!r}.{did_you_mean(key, kinds)}"
            report(f"/{escaped(key)}", message, at_key=True)
    for key, kind in kinds.items():
        things += _collect(kind, content.get(key), f"/{key}", None, report)
    return things


def _collect(
    kind: Kind, listed: Any, pointer: str, owner: Thing | None, report: Report
) -> Iterator[Thing]:
    if listed is None:
        return
    if not isinstance(listed, list):
        report(pointer, f"{kind.key} must be a list")
        return
    inner = {child.key for child in kind.children}
    for index, described in enumerate(listed):
        place = f"{pointer}/{index}"
        if isinstance(described, str) and kind.short:
            described = {kind.short: described}
        if not isinstance(described, Mapping):
            report(place, f"{kind.one} must be an object")
            continue
        given = {name: value for name, value in described.items() if name not in inner}
        if owner is not None:
            # What a thing stands in is its owner, whatever it was where it was copied from.
            given = {name: value for name, value in given.items() if name not in _OWN_IDS}
        thing = Thing(kind, place, given, owner)
        yield thing
        for child in kind.children:
            found = list(
                _collect(child, described.get(child.key), f"{place}/{child.key}", thing, report)
            )
            thing.children += [each for each in found if each.owner is thing]
            yield from found


def number(things: Sequence[Thing], state: State | None, report: Report) -> None:
    """Give an ID to everything that has one: the one that it says, or the next free one."""
    taken: dict[str, dict[int, Thing]] = defaultdict(dict)
    waiting = []
    for thing in things:
        group = _numbered_as(thing.kind)
        if not group:
            continue
        wanted = thing.given.get("id")
        if isinstance(wanted, bool) or not isinstance(wanted, int):
            waiting.append((group, thing))
        elif wanted < 1:
            report(f"{thing.pointer}/id", "an ID must be at least 1")
        elif wanted in taken[group] or _stored(state, thing.kind, wanted):
            report(f"{thing.pointer}/id", f"the ID {wanted} of {thing.kind.one} is taken")
        else:
            thing.id = wanted
            taken[group][wanted] = thing
    following: dict[str, int] = {}
    for group, thing in waiting:
        if group not in following:
            stored = _documents(state, group)
            beyond = stored.next_id() if stored else _next_tier(state) if group == "tiers" else 1
            following[group] = max([beyond, *(used + 1 for used in taken[group])])
        thing.id = following[group]
        following[group] += 1


def _numbered_as(kind: Kind) -> str:
    return "tiers" if kind.key == "tiers" else kind.table


def _documents(state: State | None, table: str) -> Documents | None:
    return None if state is None else getattr(state, table, None) if table != "tiers" else None


def _stored(state: State | None, kind: Kind, wanted: int) -> bool:
    if kind.key == "tiers":
        return any(tier["id"] == wanted for tier, _ in stored_tiers(state))
    stored = _documents(state, kind.table)
    return stored is not None and stored.get(wanted) is not None


def stored_tiers(state: State | None) -> Iterator[tuple[Document, Document]]:
    """Yield the tiers of the loyalty programs in the state, each with its program."""
    for program in () if state is None else state.loyalty_programs.each():
        for tier in program.get("tiers") or ():
            yield tier, program


def _next_tier(state: State | None) -> int:
    return max((tier["id"] + 1 for tier, _ in stored_tiers(state)), default=1)


def adopt(things: Sequence[Thing], state: State | None, report: Report) -> None:
    """Give things at the top of a seed the owners that their resolved properties name."""
    by_id = {(each.kind.key, each.id): each for each in things if each.id}
    for thing in things:
        if thing.owner is not None or thing.kind.key not in OWNERS:
            continue
        kind, name = OWNERS[thing.kind.key]
        wanted = thing.given.get(name)
        if wanted is None:
            report(
                thing.pointer,
                f"{name} is required for {thing.kind.one} outside of its owner",
            )
            continue
        if (kind, wanted) in by_id:
            thing.owner = by_id[(kind, wanted)]
            thing.owner.children.append(thing)
        elif state is not None and isinstance(wanted, int):
            thing.stored = getattr(state, kind).get(wanted)
