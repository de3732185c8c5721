"""What a change of the platform breaks: code that runs, or only what type checkers say of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from codegen.drift.compare import TEXTS, Item
from codegen.drift.documents import Mapping, read_yaml
from codegen.drift.shapes import NormalForm, Shape
from codegen.loader import SpecError
from codegen.places import Place

Breaks = Literal["yes", "types", "no"]
"""Code that runs, only what type checkers say of it, or nothing."""

REQUEST, RESPONSE = "request", "response"
BOTH = frozenset({REQUEST, RESPONSE})

# Limits that allow more as they grow, and limits that allow less.
_UPPER = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})
_LOWER = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})
# Formats that change the Python type of a value.
_TYPED_FORMATS = frozenset({"date", "date-time", "binary"})
# Changes of a type that allow more than before.
_WIDER = frozenset({("integer", "number")})


class Directions:
    """Which schemas are sent, and which are received."""

    def __init__(self, *forms: NormalForm) -> None:
        self._found: dict[str, set[str]] = {}
        for form in forms:
            for operation in form.operations.values():
                sent = [parameter.shape for parameter in operation.parameters.values()]
                if operation.body and operation.body.shape:
                    sent.append(operation.body.shape)
                received = [each.shape for each in operation.responses.values() if each.shape]
                self._mark(form, sent, REQUEST)
                self._mark(form, received, RESPONSE)

    def _mark(self, form: NormalForm, shapes: list[Shape], direction: str) -> None:
        waiting = list(shapes)
        while waiting:
            shape = waiting.pop()
            if shape.ref:
                known = self._found.setdefault(shape.ref, set())
                if direction not in known:
                    known.add(direction)
                    waiting.append(form.schemas[shape.ref])
            waiting.extend(shape.properties.values())
            waiting.extend(each for each in (shape.items, shape.values) if each)
            waiting.extend(shape.members)

    def of(self, place: str) -> frozenset[str]:
        """Return the directions of a place.

        A schema that no operation uses may be the body of a webhook, or be built by users, so it
        has both.
        """
        head, _, rest = place.partition(".")
        if head in self._found:
            return frozenset(self._found[head])
        if rest == "body" or rest.partition(" ")[0] in ("path", "query", "header", "cookie"):
            return frozenset({REQUEST})
        return frozenset({RESPONSE}) if rest.isdecimal() else BOTH


def breaks(item: Item, directions: Directions) -> tuple[Breaks, str]:
    """Return whether a difference breaks users, and how."""
    if item.what in TEXTS or item.what in ("version", "deprecated", "default", "route"):
        return "no", ""
    where = directions.of(item.place)
    if item.what in ("operation", "schema", "property", "parameter", "body", "response"):
        return _structure(item, where)
    if item.what == "required":
        return _required(item, where)
    if item.what in ("enum value", "alternative"):
        return _value(item, where)
    if item.what == "type":
        return _type(item, where)
    if item.what == "format":
        typed = {str(item.before), str(item.after)} & _TYPED_FORMATS
        return ("yes", "the Python type is another one") if typed else ("no", "")
    if item.what == "nullable":
        if item.after is None and REQUEST in where:
            return "yes", "null is no longer accepted"
        if item.after is True and RESPONSE in where:
            return "types", "may be null from now on"
        return "no", ""
    if item.what == "constraint":
        return _constraint(item, where)
    return ("yes", "another one") if item.what in ("content type", "security") else ("no", "")


def _structure(item: Item, where: frozenset[str]) -> tuple[Breaks, str]:
    if item.change == "added":
        return "no", ""
    if item.change == "renamed":
        return "yes", f"named {item.after} from now on"
    if item.what == "response" and not item.place.rpartition(".")[2].startswith("2"):
        return "types", "is no longer documented"
    gone = {"property": "no longer sent" if where == {RESPONSE} else "is gone"}
    return "yes", gone.get(item.what, "is gone")


def _required(item: Item, where: frozenset[str]) -> tuple[Breaks, str]:
    if item.after is True:
        return ("yes", "has to be given from now on") if REQUEST in where else ("no", "")
    if "." in item.place and " " in item.place.partition(".")[2]:
        return "yes", "is no longer a positional argument"
    return ("types", "may be missing from now on") if RESPONSE in where else ("no", "")


def _value(item: Item, where: frozenset[str]) -> tuple[Breaks, str]:
    if item.change == "removed" and REQUEST in where:
        return "yes", "is no longer accepted"
    if item.change == "removed":
        return "types", "is no longer sent"
    return ("types", "may be sent from now on") if RESPONSE in where else ("no", "")


def _type(item: Item, where: frozenset[str]) -> tuple[Breaks, str]:
    before, after = (str(each).partition(" ")[0] for each in (item.before, item.after))
    wider = after == "any" or (before, after) in _WIDER
    narrower = before == "any" or (after, before) in _WIDER
    if (wider and where == {REQUEST}) or (narrower and where == {RESPONSE}):
        return "no", ""
    if (wider and RESPONSE in where) or (narrower and REQUEST not in where):
        return "types", "the type is wider"
    return "yes", "the type is another one"


def _constraint(item: Item, where: frozenset[str]) -> tuple[Breaks, str]:
    if REQUEST not in where or item.after is None:
        return "no", ""
    key = item.aspect.rpartition(".")[2]
    if key in _UPPER | _LOWER and item.before is not None:
        grows = item.after > item.before
        return ("no", "") if grows == (key in _UPPER) else ("yes", "the limit is tighter")
    if key == "readOnly":
        return "yes", "can no longer be sent"
    return ("no", "") if key == "writeOnly" else ("yes", "accepts less than before")


# What has been read and accepted


@dataclass(frozen=True)
class Acknowledgment:
    """A place at which users are broken, with the reason why that is accepted."""

    where: Place
    place: str
    reason: str


def load_acknowledgments(path: Path) -> list[Acknowledgment]:
    """Return the acknowledgments of a file.

    Raises:
        SpecError: The file cannot be read, or is no list of places with reasons.
    """
    return list(_acknowledgments(path.name, read_yaml(path)))


def _acknowledgments(file: str, root: Any) -> Iterator[Acknowledgment]:
    if root is None:
        return
    if not isinstance(root, list):
        raise SpecError(f"{file}: no list of places with reasons")
    seen: set[str] = set()
    for node in root:
        if not isinstance(node, Mapping) or node.keys() != {"place", "reason"}:
            raise SpecError(f"{file}: an entry has a place and a reason, and {node!r} has not")
        where = Place(file, node.line)
        place, reason = node["place"], node["reason"]
        if not isinstance(reason, str) or not reason.strip():
            raise SpecError(f"{place} needs a reason", where)
        if place in seen:
            raise SpecError(f"{place} is acknowledged twice", where)
        seen.add(place)
        yield Acknowledgment(where, str(place), reason)
