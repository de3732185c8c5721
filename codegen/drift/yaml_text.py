"""Edit a YAML file as text, so that all of it that is not edited stays byte for byte.

PyYAML says where each node begins and ends. Edits are collected, and applied together: all places
are those of the text that was read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from codegen.loader import SpecError

WIDTH = 112
"""Width of the texts of ``spec/``."""


class YamlText:
    """The text of a YAML file, and what is to be changed of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.content = path.read_bytes()
        self._text = self.content.decode("utf-8")
        self._newline = "\r\n" if "\r\n" in self._text else "\n"
        # Both are safe; the one in C is faster.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self.root = yaml.compose(self._text, Loader=loader)
        self._edits: list[tuple[int, int, str]] = []
        self._touched: set[int] = set()
        """Flow collections that were empty, and are not any more."""

    @property
    def is_changed(self) -> bool:
        """Whether there are edits."""
        return bool(self._edits)

    def result(self) -> bytes:
        """Return the text with all edits.

        Raises:
            SpecError: Two edits are about the same text.
        """
        parts: list[str] = []
        position = 0
        for start, end, text in sorted(self._edits, key=_order):
            if start < position:
                line = self._text.count("\n", 0, start) + 1
                raise SpecError(f"{self.path.name}, line {line}: two drafts change the same text")
            parts += [self._text[position:start], text.replace("\n", self._newline)]
            position = end
        parts.append(self._text[position:])
        return "".join(parts).encode("utf-8")

    # Mappings

    def add_key(
        self, mapping: yaml.Node, key: str, value: Any, after: tuple[str, ...] = ()
    ) -> None:
        """Add a key to a mapping, after the last of the keys *after* that it has, or at the end."""
        if _is_flow(mapping):
            text = _flow({key: value})[1:-1]
            self._add_to_flow(mapping, text)
            return
        entries = mapping.value
        names = [each.value for each, _ in entries]
        known = [names.index(name) for name in after if name in names]
        _, last = entries[max(known) if known else -1]
        column = entries[0][0].start_mark.column
        self._insert_lines(self._next_line(last), _block({key: value}, column))

    def add_section(self, key: str, value: Any) -> None:
        """Add a key to the root of the file."""
        if self.root is None or not self.root.value:
            self._insert_lines(len(self._text), _block({key: value}, 0))
        else:
            self.add_key(self.root, key, value)

    def replace(self, node: yaml.Node, value: Any) -> None:
        """Replace a scalar, or a collection in flow style."""
        start, end = _span(node)
        text = _flow(value)
        if start == end:
            # A key without a value: `schemas:`.
            text = f" {text}"
        self._edits.append((start, end, text))

    def fill(self, mapping: yaml.Node, key: str, value: Any) -> None:
        """Replace the value of a key that has none, or an empty mapping."""
        found, node = entry(mapping, key)
        column = mapping.value[0][0].start_mark.column
        start, end = found.end_mark.index, max(_span(node)[1], found.end_mark.index + 1)
        indented = column if isinstance(value, list) else column + 2
        text = _block(value, indented).rstrip("\n")
        self._edits.append((start, end, f":\n{text}"))

    def set(self, mapping: yaml.Node, key: str, value: Any, after: tuple[str, ...] = ()) -> None:
        """Set a key whose value is a scalar."""
        try:
            _, node = entry(mapping, key)
        except KeyError:
            self.add_key(mapping, key, value, after)
        else:
            self.replace(node, value)

    def rename_key(self, mapping: yaml.Node, key: str, name: str) -> None:
        """Give a key another name."""
        found, _ = entry(mapping, key)
        self.replace(found, name)

    def remove_key(self, mapping: yaml.Node, key: str) -> None:
        """Remove a key with its value.

        Raises:
            SpecError: It shares its line with something that stays.
        """
        found, node = entry(mapping, key)
        if _is_flow(mapping):
            index = [each.value for each, _ in mapping.value].index(key)
            pairs = [(each.start_mark.index, _span(value)[1]) for each, value in mapping.value]
            self._remove_from_flow(pairs, index)
            return
        self._remove_lines(found, node)

    # Lists

    def add_item(self, sequence: yaml.Node, value: Any) -> None:
        """Add an item to a list."""
        if _is_flow(sequence):
            self._add_to_flow(sequence, _flow(value))
            return
        column = sequence.start_mark.column
        self._insert_lines(self._next_line(sequence.value[-1]), _block([value], column))

    def remove_item(self, sequence: yaml.Node, index: int) -> None:
        """Remove an item of a list that has others."""
        if _is_flow(sequence):
            self._remove_from_flow([_span(each) for each in sequence.value], index)
            return
        node = sequence.value[index]
        start = self._line_start(node.start_mark.index)
        self._edits.append((start, self._next_line(node), ""))

    # Text

    def _add_to_flow(self, node: yaml.Node, text: str) -> None:
        end = _span(node)[1] - 1
        separator = ", " if node.value or id(node) in self._touched else ""
        self._touched.add(id(node))
        self._edits.append((end, end, f"{separator}{text}"))

    def _remove_from_flow(self, spans: list[tuple[int, int]], index: int) -> None:
        start, end = spans[index]
        if index + 1 < len(spans):
            end = spans[index + 1][0]
        elif index:
            start = spans[index - 1][1]
        self._edits.append((start, end, ""))

    def _insert_lines(self, position: int, text: str) -> None:
        if position and self._text[position - 1] != "\n":
            text = f"\n{text}".rstrip("\n")
        self._edits.append((position, position, text))

    def _remove_lines(self, first: yaml.Node, last: yaml.Node) -> None:
        start = self._line_start(first.start_mark.index)
        if self._text[start : first.start_mark.index].strip():
            line = first.start_mark.line + 1
            raise SpecError(f"{self.path.name}, line {line}: more than {first.value} in its line")
        self._edits.append((start, self._next_line(last), ""))

    def _line_start(self, position: int) -> int:
        return self._text.rfind("\n", 0, position) + 1

    def _next_line(self, node: yaml.Node) -> int:
        """Return where the line after the end of a node begins."""
        end = _span(node)[1]
        if end and self._text[end - 1] == "\n":
            return end
        found = self._text.find("\n", end)
        return len(self._text) if found < 0 else found + 1


def entry(mapping: yaml.Node | None, key: str) -> tuple[yaml.Node, yaml.Node]:
    """Return a key of a mapping and its value.

    Raises:
        KeyError: There is none.
    """
    if isinstance(mapping, yaml.MappingNode):
        for found, value in mapping.value:
            if found.value == key:
                return found, value
    raise KeyError(key)


def child(node: yaml.Node | None, *keys: str) -> yaml.Node | None:
    """Return what a path of keys leads to, or None."""
    for key in keys:
        if node is None:
            return None
        try:
            _, node = entry(node, key)
        except KeyError:
            return None
    return node


def _order(edit: tuple[int, int, str]) -> tuple[int, int, int, bool]:
    """Return the key by which edits are sorted; those with the same key stay in order.

    What is added comes before what goes there. Of lines that are added at one place, the deeper
    ones belong to the block that ends there. So do items beside keys, for lists are not indented.
    """
    start, end, text = edit
    line = text.removeprefix("\n")
    bare = line.lstrip(" ")
    return start, end, len(bare) - len(line), not bare.startswith("- ")


def _is_flow(node: yaml.Node) -> bool:
    return isinstance(node, yaml.CollectionNode) and bool(node.flow_style)


def _span(node: yaml.Node) -> tuple[int, int]:
    """Return where a node begins and ends; of a block, PyYAML gives the start of what follows."""
    start, end = node.start_mark.index, node.end_mark.index
    if isinstance(node, yaml.CollectionNode) and not _is_flow(node) and node.value:
        last = node.value[-1]
        end = _span(last[1] if isinstance(last, tuple) else last)[1]
    return start, end


class _Dumper(yaml.SafeDumper):
    """Writes a value again where it occurs again: the description has no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _block(value: Any, column: int) -> str:
    text: str = yaml.dump(
        value,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=WIDTH - column,
        default_flow_style=False,
    )
    indent = " " * column
    return "".join(f"{indent}{line}" if line.strip() else line for line in text.splitlines(True))


def _flow(value: Any) -> str:
    text: str = yaml.dump(
        value,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=10**6,
        default_flow_style=True,
    )
    return text.removesuffix("\n").removesuffix("\n...").rstrip("\n")
