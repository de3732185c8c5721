"""Draft types, formats, limits and values of what ``spec/`` has."""

from __future__ import annotations

from typing import Any

import yaml

from codegen.drift import fragments
from codegen.drift.compare import Item
from codegen.drift.corrections import Correction
from codegen.drift.plans import ByHand
from codegen.drift.shapes import Content, NormalForm, Operation, Parameter, Shape, find
from codegen.drift.spec_text import SpecText
from codegen.drift.standing import Drift
from codegen.drift.yaml_text import YamlText, child

FACTS = frozenset({"type", "format", "nullable", "default", "constraint", "enum value"})
# Where keys of a schema go: after those of them that are there.
BEFORE_LIMITS = ("description", "x-python-name", "type", "format", "nullable", "enum")


class Places:
    """What is where: in our description, in its files, and in the new release."""

    def __init__(self, drift: Drift, text: SpecText, corrections: list[Correction]) -> None:
        self.new = drift.new
        self.spec = drift.spec
        self.lacking = drift.lacking
        self.corrections = corrections
        self.text = text
        renames = [each for each in drift.lacking if each.change == "renamed"]
        self._renamed = {each.place: str(each.after) for each in renames}

    def new_place(self, place: str) -> str:
        """Return what a place of the spec is called in the new release."""
        head, dot, rest = place.partition(".")
        if place in self._renamed and dot:
            rest = self._renamed[place]
        return f"{self._renamed.get(head, head)}{dot}{rest}"

    def node(self, place: str) -> yaml.Node:
        """Return the node of a place that can be edited."""
        node = self.text.node(place)
        if node is None:
            raise ByHand("it has no place of its own in spec/")
        if self.text.is_shared(place):
            raise ByHand("it is a component that several operations share")
        return node

    def file(self, place: str) -> YamlText:
        """Return the file in which a place is."""
        try:
            return self.text.file_of(place)
        except KeyError:
            # A schema that is described where it is used has a name, but no place.
            raise ByHand("it has no place of its own in spec/") from None


class FactDrafter:
    """Drafts facts of schemas, wherever they are used."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._done: set[object] = set()

    def draft(self, item: Item) -> None:
        """Draft the facts of a schema that a difference is about, once for all of them."""
        prefix = item.aspect.rpartition(".")[0] if item.what != "type" else item.aspect
        where = (item.place, prefix)
        if where in self._done:
            return
        node = self._inner(self._places.node(item.place), prefix)
        spec = _shape(self._places.spec, item.place, prefix)
        new = _shape(self._places.new, self._places.new_place(item.place), prefix)
        if spec is None or new is None:
            raise ByHand("it is described elsewhere in spec/")
        if item.what == "type" and not self._is_plain(spec, new):
            self._refer(item, node, spec, new)
            return
        if child(node, "$ref") is not None or child(node, "allOf") is not None:
            raise ByHand("it is described elsewhere in spec/")
        self._done.add(where)
        keys = self._keys_at(item.place, prefix)
        before, after = (
            fragments.in_30(form.final(shape).facts)
            for form, shape in ((self._places.spec, spec), (self._places.new, new))
        )
        for key in sorted(keys & (before.keys() | after.keys())):
            self._fact(item.place, node, key, before.get(key), after.get(key))

    def _keys_at(self, place: str, prefix: str) -> set[str]:
        """Return which facts of a schema the release has changed, and no correction covers."""
        keys = set()
        for each in self._places.lacking:
            if each.place != place or each.what not in FACTS:
                continue
            if each.what == "type" and each.aspect == prefix:
                shape = _shape(self._places.new, self._places.new_place(place), prefix)
                old = _shape(self._places.spec, place, prefix)
                for known in (shape, old):
                    keys |= set(known.facts) if known else set()
            elif each.what != "type" and each.aspect.rpartition(".")[0] == prefix:
                keys.add(each.aspect.rpartition(".")[2])
        for bound in ("minimum", "maximum"):
            exclusive = f"exclusive{bound.capitalize()}"
            if {bound, exclusive} & keys:
                keys |= {bound, exclusive}
        lead = f"{prefix}." if prefix else ""
        corrected = [each for each in self._places.corrections if each.place == place]
        return {key for key in keys if not any(each.covers({f"{lead}{key}"}) for each in corrected)}

    def _fact(self, place: str, node: yaml.Node, key: str, before: Any, after: Any) -> None:
        text = self._places.file(place)
        if before == after:
            return
        if after is None:
            if child(node, key) is None:
                # The normal form has it from something else, such as a type from an enum.
                raise ByHand("it is described elsewhere in spec/")
            text.remove_key(node, key)
        elif before is None:
            text.add_key(node, key, after, BEFORE_LIMITS)
        elif isinstance(after, list):
            values = child(node, key)
            if values is None:
                raise ByHand("it is described elsewhere in spec/")
            replace_items(text, values, before, after)
        else:
            text.set(node, key, after)

    def _is_plain(self, spec: Shape, new: Shape) -> bool:
        finals = self._places.spec.final(spec), self._places.new.final(new)
        return not any(each.ref or each.members or each.items or each.values for each in finals)

    def _refer(self, item: Item, node: yaml.Node, spec: Shape, new: Shape) -> None:
        """Let a reference lead to another class."""
        reference = child(node, "$ref")
        whole = child(node, "allOf")
        if whole is not None and len(whole.value) == 1:
            reference = child(whole.value[0], "$ref")
        if reference is None or not new.ref:
            raise ByHand(f"{worded(item.before)} -> {worded(item.after)}")
        self._places.file(item.place).replace(reference, f"{fragments.SCHEMAS}{new.ref}")

    @staticmethod
    def _inner(node: yaml.Node, prefix: str) -> yaml.Node:
        keys = {"items": "items", "values": "additionalProperties"}
        for step in prefix.split(".") if prefix else ():
            found = child(node, keys.get(step, step))
            if found is None:
                raise ByHand("it is described elsewhere in spec/")
            node = found
        return node


def replace_items(text: YamlText, found: yaml.Node, before: list[Any], after: list[Any]) -> None:
    """Turn a list into another one; what is in both stays where it is."""
    listed = [yaml.safe_load(yaml.serialize(each)) for each in found.value]
    gone = [index for index, value in enumerate(listed) if value not in after]
    new = [value for value in after if value not in listed]
    if isinstance(found, yaml.SequenceNode) and found.flow_style:
        kept = [value for value in listed if value in after]
        text.replace(found, [*kept, *new])
        return
    for index in gone:
        text.remove_item(found, index)
    for value in new:
        text.add_item(found, value)


def _shape(form: NormalForm, place: str, prefix: str) -> Shape | None:
    """Return the schema at a place, or of its items or values."""
    found: Shape | Parameter | Content | Operation | None = find(form, place)
    shape = found.shape if isinstance(found, (Parameter, Content)) else found
    for step in prefix.split(".") if prefix else ():
        if not isinstance(shape, Shape):
            return None
        shape = getattr(form.final(shape), step, None)
    return shape if isinstance(shape, Shape) else None


def worded(value: Any) -> str:
    """Return what a difference says of one side."""
    return "nothing" if value is None else str(value)
