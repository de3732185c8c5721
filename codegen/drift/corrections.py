"""``spec/corrections.yaml``: where ``spec/`` deliberately differs from the vendor, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from codegen.drift.documents import Mapping, read_yaml
from codegen.drift.normal_schemas import ordered
from codegen.drift.shapes import Content, Facts, NormalForm, Operation, Parameter, Shape, find
from codegen.loader import SpecError
from codegen.places import Place

FILE = "corrections.yaml"
ABSENT = "absent"
"""What a correction says of a place that is not there."""

_KEYS = frozenset({"place", "places", "vendor", "ours", "reason"})


@dataclass(frozen=True)
class Correction:
    """One place at which ``spec/`` says something else than the vendor."""

    where: Place
    place: str
    vendor: Facts
    ours: Facts
    reason: str

    def is_stale(self, spec: NormalForm) -> bool:
        """Return whether ``spec/`` does not say what the correction claims."""
        return not agrees(facts_at(spec, self.place), self.ours)

    def is_obsolete(self, form: NormalForm) -> bool:
        """Return whether the vendor says by now what we do."""
        return agrees(facts_at(form, self.place), self.ours)

    def is_known(self, form: NormalForm) -> bool:
        """Return whether the vendor still says what was corrected."""
        return agrees(facts_at(form, self.place), self.vendor)

    def covers(self, keys: set[str]) -> bool:
        """Return whether it is about one of these facts, or about the place being there at all."""
        about = self.vendor.keys() | self.ours.keys()
        return ABSENT in about or bool(about & keys)


def load_corrections(folder: Path) -> list[Correction]:
    """Return the corrections of a spec, none if it has no file of them.

    Raises:
        SpecError: The file cannot be read, or says something twice, or nothing.
    """
    path = folder / FILE
    if not path.exists():
        return []
    root = read_yaml(path)
    if not isinstance(root, list):
        raise SpecError(f"{FILE}: no list of corrections")
    found = [each for node in root for each in _corrections(node)]
    seen: dict[tuple[str, str], Place] = {}
    for each in found:
        for key in each.vendor.keys() | each.ours.keys():
            first = seen.setdefault((each.place, key), each.where)
            if first is not each.where:
                raise SpecError(f"{each.place} is corrected twice", first, each.where)
    return found


def check_corrections(corrections: list[Correction], spec: NormalForm) -> None:
    """Refuse corrections that are not what the spec says.

    Raises:
        SpecError: The first correction that is stale, with its place and what is there instead.
    """
    for each in corrections:
        if each.is_stale(spec):
            facts = facts_at(spec, each.place)
            found = ABSENT if facts is None else {key: facts.get(key) for key in each.ours}
            message = f"the correction of {each.place} is stale: spec/ says {found}"
            raise SpecError(f"{message}, not {each.ours}", each.where)


def _corrections(node: Any) -> Iterator[Correction]:
    if not isinstance(node, Mapping):
        raise SpecError(f"{FILE}: {node!r} is no correction")
    where = Place(FILE, node.line)
    unknown = node.keys() - _KEYS
    if unknown:
        raise SpecError(f"{min(unknown)} is unknown in a correction", where)
    places = node.get("places", [node["place"]] if "place" in node else None)
    if not isinstance(places, list) or ("place" in node and "places" in node) or not places:
        raise SpecError("a correction has a place, or a list of places", where)
    reason = node.get("reason")
    if not isinstance(reason, str) or not reason.strip():
        raise SpecError("a correction needs a reason", where)
    vendor, ours = (_said(node, key, where) for key in ("vendor", "ours"))
    if vendor == ours:
        raise SpecError("vendor and ours are the same", where)
    for place in places:
        if places.count(place) > 1:
            raise SpecError(f"{place} is named twice", where)
        yield Correction(where, str(place), vendor, ours, reason)


def _said(node: Mapping, key: str, where: Place) -> Facts:
    value = node.get(key)
    if value == ABSENT:
        return {ABSENT: True}
    if value == "present":
        return {ABSENT: False}
    if not isinstance(value, dict) or not value:
        raise SpecError(f"{key} is a mapping of facts, or 'absent', or 'present'", where)
    return dict(_flat(value, ""))


def _flat(node: Facts, prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", ordered(value) if isinstance(value, list) else value


def agrees(facts: Facts | None, said: Facts) -> bool:
    """Return whether the facts of a place, None if it is not there, are what is said of them."""
    if ABSENT in said:
        return (facts is None) is said[ABSENT]
    if facts is None:
        return False
    return all(plain(facts.get(key)) == plain(value) for key, value in said.items())


def plain(value: Any) -> Any:
    """Return a value of YAML as JSON has it."""
    return value.isoformat() if isinstance(value, date) else value


def facts_at(form: NormalForm, place: str) -> Facts | None:
    """Return all facts of a place under one level of keys, or None if it is not there.

    Beside those of OpenAPI there are ``schema``, the name of the class; ``items.*``, ``values.*``;
    ``content``, the content type of a body or response; ``required``, ``deprecated`` and the
    extension keys.
    """
    found = find(form, place)
    if found is None:
        return None
    if isinstance(found, Shape):
        head, dot, wire = place.partition(".")
        facts = _facts(form, found, "")
        if dot:
            facts["required"] = wire in form.schemas[head].required
        return facts
    if isinstance(found, Parameter):
        facts = _facts(form, found.shape, "")
        facts |= {"required": found.required, "deprecated": found.deprecated, **found.facts}
        return facts
    if isinstance(found, Content):
        facts = _facts(form, found.shape, "") if found.shape else {}
        return {**facts, "content": found.content_type, "required": found.required}
    return _operation(found)


def _operation(operation: Operation) -> Facts:
    return {
        **operation.ours,
        "path": operation.path,
        "method": operation.method,
        "deprecated": operation.deprecated,
        "security": list(operation.security),
    }


def _facts(form: NormalForm, shape: Shape, prefix: str) -> Facts:
    final = form.final(shape)
    facts: Facts = {}
    if final.ref:
        target = form.schemas[final.ref]
        facts |= {"schema": final.ref, **target.facts, **final.facts}
    else:
        facts |= final.facts
        names = [each for each in (shape.ref,) if each]
        facts |= {"schema": names[0]} if names else {}
    ours = _extensions(form, shape)
    facts |= ours
    facts["deprecated"] = shape.deprecated
    for key in ("items", "values"):
        inner = getattr(final, key)
        if inner is not None and prefix.count(".") < 4:
            facts |= _facts(form, inner, f"{key}.")
    return {f"{prefix}{key}": value for key, value in facts.items()}


def _extensions(form: NormalForm, shape: Shape) -> Facts:
    """Return the extension keys of a shape and of what it refers to."""
    found = dict(shape.ours)
    while shape.ref:
        shape = form.schemas[shape.ref]
        found = {**shape.ours, **found}
    flat = dict(_flat(found, ""))
    return {key: value for key, value in flat.items() if key != "x-domain"}
