"""Reads ``spec/`` and merges it into one OpenAPI document whose nodes know their places."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from codegen.places import Node, Place, place_of

Document = dict[str, Any]

METHODS = ("get", "put", "post", "delete", "patch", "head", "options")

_ROOT = "openapi.yaml"
_SECTIONS = ("paths", "schemas")


class SpecError(Exception):
    """The description of the API is wrong, or the generator cannot express it.

    Attributes:
        message: What is wrong.
        places: Where, as far as it is known; things that collide have a place each.
    """

    def __init__(self, message: str, *places: Place | None) -> None:
        super().__init__(message, *places)
        self.message = message
        self.places = [place for place in places if place is not None]

    @property
    def mistakes(self) -> list[SpecError]:
        """The mistakes that this reports."""
        return [self]

    def __str__(self) -> str:
        # A name in the message may have several lines; the message has one.
        message = " ".join(self.message.split())
        where = " and ".join(map(str, self.places))
        return f"{where}: {message}" if where else message


class SpecErrors(SpecError):
    """Several mistakes, each in a line of its own."""

    def __init__(self, mistakes: list[SpecError]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self._mistakes = mistakes

    def __str__(self) -> str:
        return self.message

    @property
    def mistakes(self) -> list[SpecError]:
        """The mistakes that this reports."""
        return self._mistakes


def refuse(mistakes: Iterable[SpecError]) -> None:
    """Raise the mistakes, if there are any, in the order of their places."""
    found = sorted(mistakes, key=lambda each: each.places)
    if len(found) == 1:
        raise found[0]
    if found:
        raise SpecErrors(found)


def load(folder: Path) -> Document:
    """Return the merged document: the root, with the paths and schemas of every domain in it.

    It consists of plain values, except that each mapping is a `Node`.

    Raises:
        SpecError: A path, a schema or an operation is defined twice, a domain is missing or not
            listed, or a file is not readable.
    """
    document = _read(folder, _ROOT)
    paths = _section(document, "paths")
    schemas = _section(_section(document, "components"), "schemas")
    listed = place_of(document, "x-domains")
    domains = document.get("x-domains", [])
    if not isinstance(domains, list):
        raise SpecError("x-domains must be a list", listed)
    for domain in domains:
        file = f"domains/{domain}.yaml"
        if not (folder / file).is_file():
            raise SpecError(f"{file} is missing", listed)
        part = _read(folder, file)
        for key in part.keys() - _SECTIONS:
            raise SpecError(f"{key!r} is neither paths nor schemas", place_of(part, key))
        new_paths = _section(part, "paths")
        for path in new_paths:
            if path not in paths:
                paths.put(path, Node(new_paths.places[path]), new_paths.places[path])
            _merge(_section(new_paths, path), paths[path], path)
        _merge(_section(part, "schemas"), schemas, "schemas")
    unlisted = {path.stem for path in (folder / "domains").glob("*.yaml")} - set(domains)
    if unlisted:
        raise SpecError(f"the domain {min(unlisted)!r} is not listed", listed or document.place)
    return document


def resolve(document: Document, node: Any) -> Any:
    """Return the target of a reference, or *node* itself if it is none.

    Raises:
        SpecError: The reference leads nowhere, or back to itself.
    """
    followed = []
    while isinstance(node, dict) and "$ref" in node:
        reference = node["$ref"]
        if reference in followed:
            raise SpecError(f"{reference} leads back to itself", place_of(node, "$ref"))
        followed.append(reference)
        target: Any = document
        for step in str(reference).removeprefix("#/").split("/"):
            if not isinstance(target, dict) or step not in target:
                raise SpecError(f"{reference} leads nowhere", place_of(node, "$ref"))
            target = target[step]
        node = target
    return node


def _section(node: Node, key: str) -> Node:
    """Return the mapping under a key, which is added if it is missing or empty."""
    if node.get(key) is None:
        node.put(key, Node(node.place), node.places.get(key, node.place))
    found = node[key]
    if not isinstance(found, Node):
        raise SpecError(f"{key} must be a mapping", place_of(node, key))
    return found


def _merge(new: Node, into: Node, name: str) -> None:
    """Add the entries of a mapping to another one of that name."""
    for key, value in new.items():
        if key in into:
            raise SpecError(f"{name}: {key} is defined twice", into.places[key], new.places[key])
        into.put(key, value, new.places[key])


def _read(folder: Path, file: str) -> Node:
    try:
        text = (folder / file).read_text(encoding="utf-8")
    except FileNotFoundError as cause:
        raise SpecError(f"{file} is missing") from cause
    except UnicodeDecodeError as cause:
        raise SpecError("is not text in UTF-8", Place(file, 1)) from cause
    # Both are safe; the one in C is faster.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        root = loader.get_single_node()
        document = _Reader(file, loader).value(root, Place(file, 1)) if root else None
    except yaml.MarkedYAMLError as cause:
        line = cause.problem_mark.line + 1 if cause.problem_mark else 1
        parts = (cause.context, cause.problem)
        raise SpecError(" ".join(filter(None, parts)), Place(file, line)) from cause
    except yaml.YAMLError as cause:
        raise SpecError(" ".join(str(cause).split()), Place(file, 1)) from cause
    except RecursionError as cause:
        raise SpecError("is nested too deeply", Place(file, 1)) from cause
    finally:
        loader.dispose()
    if not isinstance(document, Node):
        raise SpecError("is no YAML mapping", Place(file, 1))
    return document


class _Reader:
    """Makes values of what a YAML loader has parsed, and keeps the places."""

    def __init__(self, file: str, loader: yaml.SafeLoader) -> None:
        self._file = file
        self._loader = loader
        self._seen: set[yaml.Node] = set()

    def value(self, node: yaml.Node, place: Place) -> Any:
        """Return the value of a node that stands at *place*."""
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        # An alias makes a second path to a node: in a circle, or to a multiple of its size.
        if node in self._seen:
            raise SpecError("YAML anchors are not supported; use $ref", place)
        self._seen.add(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, self._place(item)) for item in node.value]
        return self._mapping(node, place)

    def _mapping(self, node: yaml.Node, place: Place) -> Node:
        found = Node(place)
        names: dict[str, Place] = {}
        for key_node, value_node in node.value:
            place = self._place(key_node)
            name = str(key_node.value)
            if not isinstance(key_node, yaml.ScalarNode):
                raise SpecError("a key must be a text", place)
            # Not the key itself: a status may be written with and without quotes.
            if name in names:
                raise SpecError(f"{name} is defined twice", names[name], place)
            names[name] = place
            found.put(self._key(key_node, place), self.value(value_node, place), place)
        return found

    def _key(self, node: yaml.Node, place: Place) -> str:
        key = self._scalar(node)
        # A status may be written without quotes. YAML reads `on` as true, and a day as a date.
        if not isinstance(key, str) and type(key) is not int:
            raise SpecError(f"the key {node.value!r} is no text; write it in quotes", place)
        return str(node.value)

    def _scalar(self, node: yaml.Node) -> Any:
        if node.tag == "tag:yaml.org,2002:str":
            return node.value
        try:
            return self._loader.construct_object(node)
        except ValueError as cause:
            raise SpecError(f"{node.value!r}: {cause}", self._place(node)) from cause

    def _place(self, node: yaml.Node) -> Place:
        return Place(self._file, node.start_mark.line + 1)
