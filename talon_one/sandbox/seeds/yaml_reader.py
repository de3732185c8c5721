"""Read YAML as JSON with the place of every value.

Nothing is constructed: the events of the parser become objects, lists and scalars. Plain scalars
are read as in JSON, so that a code such as `NO` or `0123` and a moment stay texts.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from talon_one.sandbox.seeds.errors import SeedError, SeedMistake
from talon_one.sandbox.seeds.source import MAX_LEVEL, NO_TEXT, Mark, Node, Seed, is_text

MAX_ALIASED: Final = 100_000
"""Number of values that all aliases of a file stand for, together."""

_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?", re.ASCII)
_WORDS: Final = {"true": True, "false": False, "null": None, "~": None, "": None}
_HIGH, _LOW = r"\\u[dD][89abAB][0-9a-fA-F]{2}", r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_PAIR = re.compile(rf"((?<!\\)(?:\\\\)*)({_HIGH}{_LOW})")
_RAW = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_TAG: Final = "tag:yaml.org,2002:"
_MERGE: Final = "<<"


@dataclass(slots=True)
class _Value:
    """A value, its place, and how many values it consists of."""

    value: Any
    node: Node
    size: int = 1


@dataclass(slots=True)
class _Open:
    """An object or a list whose end has not come yet."""

    done: _Value
    anchor: str | None
    key: tuple[str, Mark] | None = None
    merged: list[_Value] = field(default_factory=list)


def read_yaml(text: str, file: str) -> Seed:
    """Return the seed that a YAML text describes; JSON is YAML.

    Args:
        text: The text.
        file: Name of the file, for messages.

    Raises:
        ModuleNotFoundError: If PyYAML is not installed.
        SeedError: If it cannot be read, with all mistakes up to the first that ends the reading.
    """
    try:
        import yaml  # noqa: F401
    except ModuleNotFoundError:
        message = 'The sandbox needs PyYAML: pip install "talon_one[sandbox]"'
        raise ModuleNotFoundError(message, name="yaml") from None
    reader = _Reader(file)
    root = reader.read(_yaml_of_json(text))
    if root is None or (root.value is None and not reader.mistakes):
        reader.refuse((1, 1), "the text is empty")
    elif not isinstance(root.value, dict):
        reader.refuse(root.node.mark, "the whole must be an object")
    if reader.mistakes or root is None:
        raise SeedError(reader.mistakes, file)
    return Seed(root.value, file, root.node)


def _yaml_of_json(text: str) -> str:
    """Return a text, if it is JSON, in the spelling that YAML shares with it.

    YAML has no tabs between tokens, no pairs of surrogates, and no raw control characters.
    """
    if not text.lstrip().startswith("{"):
        return text
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    joined = _PAIR.sub(lambda found: found[1] + json.loads(f'"{found[2]}"'), text)
    return _RAW.sub(lambda found: f"\\u{ord(found[0]):04x}", joined.replace("\t", " "))


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        self.mistakes: list[SeedMistake] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, _Value | None] = {}
        self._aliased = 0
        self._root: _Value | None = None

    def refuse(self, mark: Mark, message: str) -> None:
        self.mistakes.append(SeedMistake("", message, *mark))

    def _end(self, mark: Mark, message: str) -> NoReturn:
        self.refuse(mark, message)
        raise SeedError(self.mistakes, self.file)

    def read(self, text: str) -> _Value | None:
        import yaml

        documents = 0
        for event in self._events(text):
            mark = (event.start_mark.line + 1, event.start_mark.column + 1)
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._end(mark, "a seed is one document")
            elif isinstance(event, yaml.ScalarEvent):
                self._scalar(event, mark)
            elif isinstance(event, yaml.AliasEvent):
                self._add(self._alias(str(event.anchor), mark), mark)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._begin(event, {} if isinstance(event, yaml.MappingStartEvent) else [], mark)
            elif isinstance(event, yaml.CollectionEndEvent):
                ended = self._open.pop()
                _merge(ended)
                if ended.anchor is not None:
                    self._anchors[ended.anchor] = ended.done
                self._add(ended.done, ended.done.node.mark)
        return self._root

    def _events(self, text: str) -> Iterator[Any]:
        import yaml

        # Parsing alone is the same for all loaders; constructing is what makes one unsafe.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            yield from yaml.parse(text, loader)
        except yaml.MarkedYAMLError as cause:
            place = cause.problem_mark or cause.context_mark
            mark = (place.line + 1, place.column + 1) if place else (1, 1)
            self._end(mark, f"this is not YAML: {cause.problem or cause.context}")
        except (yaml.YAMLError, UnicodeError) as cause:
            self._end((1, 1), f"this is not YAML: {cause}")

    def _begin(self, event: Any, value: Any, mark: Mark) -> None:
        if len(self._open) >= MAX_LEVEL:
            self._end(mark, f"values nest more than {MAX_LEVEL} levels deep")
        self._expect_no_key(mark)
        if event.tag not in (None, "!", f"{_TAG}map", f"{_TAG}seq"):
            self.refuse(mark, f"tags such as {_shown(event.tag)} are not supported")
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._open.append(_Open(_Value(value, Node(mark)), event.anchor))

    def _expect_no_key(self, mark: Mark) -> None:
        if self._open and isinstance(self._open[-1].done.value, dict) and not self._open[-1].key:
            self._end(mark, "a key must be a text: quote a value that begins with {")

    def _scalar(self, event: Any, mark: Mark) -> None:
        parent = self._open[-1] if self._open else None
        if parent is not None and isinstance(parent.done.value, dict) and parent.key is None:
            name = event.value
            if name in parent.done.value and name != _MERGE:
                self.refuse(mark, f"the key {name!r} is there twice")
            parent.key = (name, mark)
            return
        found = _Value(self._plain(event, mark), Node(mark))
        if event.anchor is not None:
            self._anchors[event.anchor] = found
        self._add(found, mark)

    def _plain(self, event: Any, mark: Mark) -> Any:
        text = event.value
        if not is_text(text):
            self.refuse(mark, NO_TEXT)
            return ""
        if event.tag in ("!", f"{_TAG}str") or (event.tag is None and event.style):
            return text
        if event.tag is not None:
            self.refuse(mark, f"tags such as {_shown(event.tag)} are not supported")
            return None
        if text in _WORDS:
            return _WORDS[text]
        found = _NUMBER.fullmatch(text)
        if found is None:
            return text
        try:
            number = float(text) if found[2] or found[3] else int(text)
        except ValueError:  # Python refuses to read integers of thousands of digits.
            number = math.inf
        if math.isinf(number):
            self.refuse(mark, "the number is too large")
        return number

    def _alias(self, name: str, mark: Mark) -> _Value:
        self._expect_no_key(mark)
        if name not in self._anchors:
            self._end(mark, f"there is no anchor &{name} before its alias")
        found = self._anchors[name]
        if found is None:
            self._end(mark, f"the alias *{name} stands inside of its own anchor")
        self._aliased += found.size
        if self._aliased > MAX_ALIASED:
            self._end(mark, f"all aliases together stand for more than {MAX_ALIASED} values")
        return found

    def _add(self, added: _Value, mark: Mark) -> None:
        if not self._open:
            self._root = added
            return
        parent = self._open[-1]
        value, node = parent.done.value, parent.done.node
        parent.done.size += added.size
        if parent.key is None:
            node.children[str(len(value))] = added.node
            value.append(added.value)
            return
        name, key_mark = parent.key
        parent.key = None
        if name == _MERGE:
            self._add_merged(parent, added, mark)
            return
        value[name] = added.value
        node.keys[name] = key_mark
        node.children[name] = added.node

    def _add_merged(self, parent: _Open, added: _Value, mark: Mark) -> None:
        parts = added.value if isinstance(added.value, list) else [added.value]
        nodes = list(added.node.children.values()) if parts is added.value else [added.node]
        for part, node in zip(parts, nodes, strict=True):
            if isinstance(part, dict):
                parent.merged.append(_Value(part, node))
            else:
                self.refuse(mark, "<< takes an object, or a list of objects")


def _merge(ended: _Open) -> None:
    """Add what `<<` brings to an object, behind its own keys."""
    value, node = ended.done.value, ended.done.node
    for merged in ended.merged:
        for name, inner in merged.value.items():
            if name not in value:
                value[name] = inner
                node.keys[name] = merged.node.keys[name]
                node.children[name] = merged.node.children[name]


def _shown(tag: str) -> str:
    return tag.replace(_TAG, "!!")
