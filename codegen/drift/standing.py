"""How ``spec/`` stands to each difference: it has it, lacks it, or corrects the vendor there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

from codegen.drift.compare import TEXTS, Item, compare
from codegen.drift.compatibility import Acknowledgment, Breaks, Directions, breaks
from codegen.drift.corrections import Correction
from codegen.drift.shapes import Content, NormalForm, Operation, Parameter, Shape, find

State = Literal["have", "lack", "conflict", "text"]
"""``text``: the vendor's words are others, and ours are ours; read them."""

_STRUCTURE = frozenset({"operation", "schema", "property", "parameter", "body", "response"})


@dataclass(frozen=True)
class Finding:
    """A difference between the releases, and what it means for us."""

    item: Item
    state: State
    domain: str
    breaks: Breaks
    effect: str
    """How it breaks, if it does."""
    kept: bool
    """Whether ``spec/`` keeps what is gone, as deprecated, as x-legacy or as an alias."""
    acknowledged: str
    """The reason why it is accepted that it breaks."""

    @property
    def is_open(self) -> bool:
        """Whether it needs work."""
        return self.state in ("lack", "conflict") or self.is_breach

    @property
    def is_breach(self) -> bool:
        """Whether it breaks code that runs, and is not acknowledged."""
        return self.breaks == "yes" and not self.kept and not self.acknowledged


@dataclass(frozen=True)
class Drift:
    """All that a release changes."""

    old: NormalForm
    new: NormalForm
    spec: NormalForm
    findings: list[Finding]
    obsolete: list[Correction]
    """Corrections of what the vendor has corrected by now."""
    unmatched: list[Acknowledgment]
    """Acknowledgments of nothing."""
    remaining: list[Item]
    """Where ``spec/`` differs from the new release, but for texts and corrections."""
    elsewhere: list[Item]
    """Those of them that the release did not change."""

    @property
    def lacking(self) -> list[Item]:
        """What ``spec/`` lacks of the release: from what it says to what the release says."""
        return [each for each in self.remaining if each not in self.elsewhere]

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        open_ = any(each.is_open for each in self.findings)
        return not (open_ or self.obsolete or self.unmatched)


def assess(
    old: NormalForm,
    new: NormalForm,
    spec: NormalForm,
    corrections: Iterable[Correction] = (),
    acknowledgments: Iterable[Acknowledgment] = (),
) -> Drift:
    """Return what a release changes, and how ``spec/`` stands to it."""
    corrections, acknowledgments = list(corrections), list(acknowledgments)
    items = compare(old, new)
    assessor = _Assessor(new, spec, items, corrections)
    directions = Directions(old, new)
    accepted = {each.place: each for each in acknowledgments}
    used = set()
    findings = []
    for item in items:
        breach, effect = breaks(item, directions)
        reason = accepted.get(item.place) if breach == "yes" else None
        if reason:
            used.add(reason.place)
        findings.append(
            Finding(
                item,
                assessor.state(item),
                assessor.domain(item),
                breach,
                effect,
                kept=assessor.is_kept(item),
                acknowledged=reason.reason if reason else "",
            )
        )
    touched = {name for item in items for name in assessor.names(item)}
    return Drift(
        old,
        new,
        spec,
        findings,
        obsolete=[each for each in corrections if each.is_obsolete(new)],
        unmatched=[each for each in acknowledgments if each.place not in used],
        remaining=assessor.remaining,
        elsewhere=[each for each in assessor.remaining if each.place not in touched],
    )


class _Assessor:
    def __init__(
        self,
        new: NormalForm,
        spec: NormalForm,
        items: list[Item],
        corrections: list[Correction],
    ) -> None:
        self._new = new
        self._spec = spec
        self._corrections: dict[str, list[Correction]] = {}
        for correction in corrections:
            self._corrections.setdefault(correction.place, []).append(correction)
        self._renamed = {each.place: _renamed(each) for each in items if each.change == "renamed"}
        self._domains = Domains(spec, new)
        differences = [each for each in compare(spec, new) if each.what not in TEXTS]
        self.remaining = [each for each in differences if not self._is_settled(each)]
        self._by_place: dict[str, list[Item]] = {}
        for each in self.remaining:
            self._by_place.setdefault(each.place, []).append(each)

    def names(self, item: Item) -> list[str]:
        """Return the names that the place of a difference has, in the old and the new document."""
        head, dot, rest = item.place.partition(".")
        head = self._renamed.get(head, head)
        found = [item.place, self._renamed.get(item.place, item.place), f"{head}{dot}{rest}"]
        return list(dict.fromkeys(found))

    def domain(self, item: Item) -> str:
        """Return the domain of a difference."""
        return self._domains.of(item.place.partition(".")[0])

    def is_kept(self, item: Item) -> bool:
        """Return whether the spec keeps what a difference takes away."""
        if item.change == "renamed":
            # Then the spec has the new name, and the old one as an alias.
            return self.state(item) == "have" and not find(self._spec, item.place)
        if item.change != "removed" or item.what not in _STRUCTURE:
            return False
        return _is_kept(find(self._spec, item.place)) or self._is_retired(item.place)

    def _is_retired(self, place: str) -> bool:
        head, _, wire = place.partition(".")
        schema = self._spec.schemas.get(head)
        return schema is not None and wire in (schema.ours.get("x-retired") or {}).values()

    def state(self, item: Item) -> State:
        """Return how the spec stands to a difference."""
        if item.what in TEXTS:
            return "text"
        places = self.names(item)
        for place in places:
            for correction in self._covering(place, item):
                if not (correction.is_known(self._new) or correction.is_obsolete(self._new)):
                    return "conflict"
        for place in places:
            head = place.partition(".")[0]
            # Where the schema or operation is missing as a whole, so is the rest.
            whole = [each for each in self._by_place.get(head, ()) if each.what in _STRUCTURE]
            whole = [each for each in whole if each.change != "renamed" or place == head]
            if whole and (place == head) == (item.place == head) and item.what in _STRUCTURE:
                return "lack"
            if whole and whole[0].change == "added":
                return "lack"
            same = [each for each in self._by_place.get(place, ()) if _same(each, item)]
            if same:
                return "lack"
        return "have"

    def _covering(self, place: str, item: Item) -> list[Correction]:
        return [each for each in self._corrections.get(place, ()) if each.covers(facts_of(item))]

    def _is_settled(self, item: Item) -> bool:
        """Return whether a difference between the spec and the new release is meant to be."""
        if any(each.is_known(self._new) for each in self._covering(item.place, item)):
            return True
        head = item.place.partition(".")[0]
        if item.change == "removed" and item.what in _STRUCTURE:
            return self.is_kept_place(item.place)
        if _is_kept(find(self._spec, head)) and head not in _all(self._new):
            return True
        return item.what == "deprecated" and _is_kept(find(self._spec, item.place))

    def is_kept_place(self, place: str) -> bool:
        """Return whether what the new release lacks at a place is there on purpose."""
        head = place.partition(".")[0]
        return _is_kept(find(self._spec, place)) or _is_kept(find(self._spec, head))


def _all(form: NormalForm) -> set[str]:
    return form.schemas.keys() | form.operations.keys()


def _renamed(item: Item) -> str:
    head, dot, _ = item.place.partition(".")
    return f"{head}{dot}{item.after}" if dot else str(item.after)


def _same(remaining: Item, item: Item) -> bool:
    """Return whether a difference of the spec is that of the release."""
    if remaining.what in _STRUCTURE and item.what in _STRUCTURE:
        return True
    if remaining.what in _STRUCTURE:
        return remaining.change == "added"
    if (remaining.what, remaining.aspect) != (item.what, item.aspect):
        # A change of type says no more than that.
        return remaining.what == "type"
    if item.what in ("enum value", "alternative"):
        return (remaining.before, remaining.after) == (item.before, item.after)
    return True


def facts_of(item: Item) -> set[str]:
    """Return what corrections call the facts that a difference is about."""
    if item.what == "type":
        prefix = f"{item.aspect}." if item.aspect else ""
        return {f"{prefix}type", f"{prefix}schema", f"{prefix}format", "x-variants.property"}
    if item.what == "content type":
        return {"content"}
    if item.what in ("required", "deprecated", "security"):
        return {item.what}
    return {item.aspect or item.what}


def _is_kept(found: Shape | Parameter | Content | Operation | None) -> bool:
    if found is None or isinstance(found, Content):
        return False
    if found.ours.get("x-legacy"):
        return True
    # Of a whole operation, that it is deprecated says that it is still there.
    return found.deprecated and not isinstance(found, Operation)


class Domains:
    """The domain of each schema and operation, also of those that the spec does not have."""

    def __init__(self, spec: NormalForm, new: NormalForm) -> None:
        self._spec = spec
        self._new = new
        self._users: dict[str, list[str]] = {}
        for name, schema in new.schemas.items():
            for ref in refs(schema):
                self._users.setdefault(ref, []).append(name)
        for name, operation in new.operations.items():
            contents = [operation.body, *operation.responses.values()]
            for content in contents:
                for ref in refs(content.shape) if content and content.shape else ():
                    self._users.setdefault(ref, []).append(name)

    def of(self, name: str) -> str:
        """Return the domain of a name: its own, or that of what mentions it, or nothing."""
        seen = {name}
        waiting = [name]
        while waiting:
            found = self._own(waiting[0])
            if found:
                return found
            users = sorted(self._users.get(waiting.pop(0), ()))
            waiting += [each for each in users if each not in seen]
            seen.update(users)
        return ""

    def _own(self, name: str) -> str:
        schema = self._spec.schemas.get(name)
        if schema is not None:
            return schema.where.domain
        operation = self._spec.operations.get(name)
        if operation is not None:
            return operation.where.domain
        beside = self.neighbor(name)
        return beside.where.domain if beside else ""

    def is_mentioned(self, name: str) -> bool:
        """Return whether anything else in the new release mentions a schema."""
        return any(each != name for each in self._users.get(name, ()))

    def neighbor(self, name: str) -> Operation | None:
        """Return the operation of the spec whose path has most in common with a new one's."""
        operation = self._new.operations.get(name)
        best, found = 1, None
        for other in self._spec.operations.values() if operation else ():
            shared = _shared_steps(operation.path, other.path) if operation else 0
            if shared > best:
                best, found = shared, other
        return found


def _shared_steps(path: str, other: str) -> int:
    steps = zip(path.split("/")[1:], other.split("/")[1:], strict=False)
    return len(list(takewhile(lambda pair: pair[0] == pair[1], steps)))


def refs(shape: Shape) -> list[str]:
    """Return the schemas that a shape mentions."""
    found = []
    waiting = [shape]
    while waiting:
        each = waiting.pop()
        if each.ref:
            found.append(each.ref)
        waiting.extend(each.properties.values())
        waiting.extend(inner for inner in (each.items, each.values) if inner)
        waiting.extend(each.members)
    return found
