"""Read an OpenAPI file that is not ours: YAML or JSON, with the line of every mapping.

The file is not trusted. It is read event by event, without recursion, and refused with a place as
soon as something about it is wrong: see the limits below.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml

from codegen.loader import SpecError
from codegen.places import Place

LIMIT_BYTES = 32 * 2**20
"""Largest file that is read. The document of the platform has about 1 MB."""
LIMIT_DEPTH = 100
"""How deep mappings and lists may be nested."""
LIMIT_ALIASED = 1_000_000
"""How many nodes the aliases of a YAML file may stand for, all together."""

# Keys whose values are data, in which `$ref` is a name like any other.
DATA_KEYS = frozenset({"const", "default", "enum", "example", "examples"})


class Mapping(dict[str, Any]):
    """A mapping that knows its line."""

    __slots__ = ("line",)
    line: int


@dataclass(frozen=True)
class Document:
    """An OpenAPI document, with its file."""

    file: str
    root: dict[str, Any]

    def where(self, node: Any) -> Place:
        """Return the place of a mapping; anything else has that of the whole document."""
        place: Place | None = getattr(node, "place", None)
        return place or Place(self.file, getattr(node, "line", 1))

    def refuse(self, node: Any, message: str) -> SpecError:
        """Return an error with the place of a node."""
        return SpecError(message, self.where(node))

    def target(self, node: dict[str, Any]) -> tuple[str, Any]:
        """Return where the ``$ref`` of a node leads: the last reference, and what is there.

        Raises:
            SpecError: It leads out of the document, nowhere, or to itself.
        """
        followed: list[str] = []
        found: Any = node
        while is_reference(found):
            reference = found["$ref"]
            if reference in followed:
                raise self.refuse(node, f"{reference} leads only to itself")
            followed.append(reference)
            found = self._step(found, reference)
        return followed[-1], found

    def mapping(self, node: Any, what: str) -> dict[str, Any]:
        """Return a node that has to be a mapping."""
        if not isinstance(node, dict):
            raise self.refuse(node, f"{what} is {quoted(node)}, not a mapping")
        return node

    def list_at(self, owner: dict[str, Any], key: str) -> list[Any]:
        """Return the list that a mapping may have under a key."""
        node = owner.get(key)
        if node is None:
            return []
        if not isinstance(node, list):
            raise self.refuse(owner, f"{key} is {quoted(node)}, not a list")
        return node

    def resolved(self, node: Any, what: str) -> dict[str, Any]:
        """Return a node that has to be a mapping, or what it refers to."""
        return self.mapping(self.target(node)[1] if is_reference(node) else node, what)

    def _step(self, node: Any, reference: str) -> Any:
        if not reference.startswith("#/"):
            raise self.refuse(node, f"{reference} leads out of the document; bundle it first")
        target: Any = self.root
        for step in reference[2:].split("/"):
            key = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(target, list) and key.isdecimal() and int(key) < len(target):
                target = target[int(key)]
            elif isinstance(target, dict) and key in target:
                target = target[key]
            else:
                raise self.refuse(node, f"{reference} leads nowhere")
        return target


def is_reference(node: Any) -> bool:
    """Return whether a node is a reference, and no mapping with a property of that name."""
    return isinstance(node, dict) and isinstance(node.get("$ref"), str)


def read(path: Path) -> Document:
    """Return the OpenAPI document in a file.

    Raises:
        SpecError: The file is missing, too large, no YAML or JSON, no OpenAPI 3.0 or 3.1, or has
            duplicate keys, too many aliases, or references that lead nowhere. The message is one
            line, with the place.
    """
    root = read_yaml(path)
    document = Document(path.name, _openapi(path.name, root))
    for node in _references(document.root):
        document.target(node)
    return document


def read_yaml(path: Path) -> Any:
    """Return what a YAML or JSON file holds, under the same limits.

    Raises:
        SpecError: As for :func:`read`.
    """
    name = path.name
    try:
        with path.open("rb") as file:
            content = file.read(LIMIT_BYTES + 1)
    except OSError as cause:
        raise SpecError(f"{path}: {cause.strerror}") from cause
    if len(content) > LIMIT_BYTES:
        raise SpecError(f"{name}: larger than {LIMIT_BYTES >> 20} MB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        line = content.count(b"\n", 0, cause.start) + 1
        raise SpecError("not UTF-8, so it is no YAML or JSON", Place(name, line)) from cause
    return _Reader(name).read(text)


def _openapi(name: str, root: Any) -> dict[str, Any]:
    if not isinstance(root, Mapping):
        raise SpecError(f"{name}: no OpenAPI document, which is a mapping")
    where = Place(name, root.line)
    if "swagger" in root:
        raise SpecError(f"Swagger {root['swagger']}, not OpenAPI 3.0 or 3.1", where)
    version = str(root.get("openapi", ""))
    if not version:
        raise SpecError("no OpenAPI document, which has the key 'openapi'", where)
    if not re.match(r"3\.[01](\.|$)", version):
        raise SpecError(f"OpenAPI {version}, not 3.0 or 3.1", where)
    if not any(isinstance(root.get(key), Mapping) for key in ("paths", "components")):
        raise SpecError("has neither paths nor components", where)
    return root


def _references(root: Any) -> Iterator[dict[str, Any]]:
    """Yield every reference of a document, each node once however many aliases it has."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, (dict, list)) or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, list):
            waiting.extend(node)
            continue
        if is_reference(node):
            yield node
        waiting.extend(
            value
            for key, value in node.items()
            # A property or a schema may have one of these names; then its value is a schema.
            if (key not in DATA_KEYS or _is_schema(value)) and not key.startswith("x-")
        )


def _is_schema(value: Any) -> bool:
    return isinstance(value, dict) and bool(
        value.keys() & {"type", "properties", "items", "allOf", "oneOf", "anyOf"}
    )


# How YAML 1.2, and so OpenAPI, reads a scalar without quotes. PyYAML reads YAML 1.1, in which the
# words `yes` and `on` of an enumeration are booleans, and days are dates.
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]{1,400}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


def _scalar(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "-+.0123456789":
        if _INTEGER.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
    return text


# What JSON writes as two escapes, and YAML has no escape for.
_SURROGATES = re.compile(
    r"\\(?:u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def _joined(match: re.Match[str]) -> str:
    if match["high"] is None:
        return match[0]
    pair = bytes.fromhex(match["high"] + match["low"])
    return pair.decode("utf-16-be")


@dataclass
class _Open:
    """A mapping or list whose end has not come yet."""

    node: Any
    anchor: str | None
    counted: int
    """How many nodes had been read before it."""
    key: str | None = None
    merged: list[tuple[int, Any]] = field(default_factory=list)
    """What ``<<`` adds, with its line; keys of the mapping itself win."""


class _Reader:
    """Builds a tree from the events of libyaml."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._count = 0
        self._aliased = 0
        self._root: Any = None

    def read(self, text: str) -> Any:
        if text.lstrip()[:1] in ("{", "["):
            text = _SURROGATES.sub(_joined, text)
        # Both are safe; the one in C is faster.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        documents = 0
        try:
            for event in yaml.parse(text, Loader=loader):
                if isinstance(event, yaml.DocumentStartEvent):
                    documents += 1
                    if documents > 1:
                        raise self._refuse(event, "a second YAML document begins here")
                elif isinstance(event, yaml.NodeEvent):
                    self._node(event)
                elif isinstance(event, yaml.CollectionEndEvent):
                    self._close(event)
        except yaml.YAMLError as cause:
            raise _translated(self._file, text, cause) from cause
        return self._root

    def _refuse(self, event: yaml.Event, message: str) -> SpecError:
        return SpecError(message, Place(self._file, _line(event)))

    def _node(self, event: yaml.NodeEvent) -> None:
        self._count += 1
        if isinstance(event, yaml.ScalarEvent):
            quoted = not event.implicit[0]
            is_key = self._expects_key()
            value = event.value if quoted or is_key else _scalar(event.value)
            if event.anchor:
                self._anchors[event.anchor] = value, 1
            self._add(event, value)
        elif isinstance(event, yaml.AliasEvent):
            self._add(event, self._alias(event))
        else:
            node: Any = []
            if isinstance(event, yaml.MappingStartEvent):
                node = Mapping()
                node.line = _line(event)
            if self._expects_key():
                raise self._refuse(event, "a key that is no text")
            if len(self._open) >= LIMIT_DEPTH:
                raise self._refuse(event, f"nested more than {LIMIT_DEPTH} levels deep")
            self._open.append(_Open(node, event.anchor, self._count - 1))

    def _close(self, event: yaml.Event) -> None:
        done = self._open.pop()
        for line, parts in done.merged:
            for part in parts if isinstance(parts, list) else [parts]:
                if not isinstance(part, dict):
                    raise SpecError("<< takes mappings", Place(self._file, line))
                for key, value in part.items():
                    done.node.setdefault(key, value)
        if done.anchor:
            self._anchors[done.anchor] = done.node, self._count - done.counted
        self._add(event, done.node)

    def _alias(self, event: yaml.AliasEvent) -> Any:
        if event.anchor not in self._anchors:
            # Either there is none, or it is still open, and so would contain itself.
            raise self._refuse(event, f"the alias *{event.anchor} leads nowhere, or to itself")
        node, size = self._anchors[event.anchor]
        self._count += size - 1
        self._aliased += size
        if self._aliased > LIMIT_ALIASED:
            raise self._refuse(event, f"aliases stand for more than {LIMIT_ALIASED:,} nodes")
        return node

    def _expects_key(self) -> bool:
        return (
            bool(self._open)
            and self._open[-1].key is None
            and isinstance(self._open[-1].node, dict)
        )

    def _add(self, event: yaml.Event, value: Any) -> None:
        if not self._open:
            self._root = value
            return
        parent = self._open[-1]
        if isinstance(parent.node, list):
            parent.node.append(value)
        elif parent.key is None:
            if not isinstance(value, str):
                raise self._refuse(event, "a key that is no text")
            if value in parent.node:
                raise self._refuse(event, f"{value} is defined twice")
            parent.key = sys.intern(value)
        else:
            if parent.key == "<<":
                parent.merged.append((_line(event), value))
            else:
                parent.node[parent.key] = value
            parent.key = None


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _translated(file: str, text: str, cause: yaml.YAMLError) -> SpecError:
    if isinstance(cause, yaml.reader.ReaderError):
        line = text.count("\n", 0, cause.position) + 1
        return SpecError(str(cause.reason), Place(file, line))
    mark = getattr(cause, "problem_mark", None)
    problem = getattr(cause, "problem", None) or " ".join(str(cause).split())
    return SpecError(problem, Place(file, mark.line + 1 if mark else 1))


def plain(value: Any) -> Any:
    """Return a value with its mappings as dicts, which can be written as YAML."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


def quoted(node: Any) -> str:
    """Return how messages show a node."""
    text = repr(node)
    return text if len(text) <= 40 else f"{text[:37]}..."
